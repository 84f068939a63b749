"""What can go wrong, as one tree: every exception of ours is a `ReverseQeError` and knows its exit status."""

from typing import ClassVar


class ReverseQeError(Exception):
    """Something that a user is meant to see: the message is one line, whatever it was made of.

    Attributes:
        exit_status: of the command line, which prints the message and ends with it: 1 a check did not hold or what was
            asked could not be done, 2 the input was wrong.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class InputError(ReverseQeError):
    """What the user gave is wrong: the message says what was got, what was wanted and what fixes it."""

    exit_status = 2
