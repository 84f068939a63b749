"""The one exception that a user is meant to see."""


class InputError(Exception):
    """What the user gave is wrong: the message says what was got, what was wanted and what fixes it, in one line.

    The command line prints the message and exits with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
