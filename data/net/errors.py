"""What a source or a broker may fail with: one line that a person can read."""

from typing import Literal

from data.errors import ReverseQeError

Form = Literal["page", "XML", "other"]
"""What an answer is written in: a page for people, XML, or JSON and plain text."""


class SourceError(ReverseQeError):
    """A source did not give what was asked: one line that says what failed and why, without a secret.

    Attributes:
        retry_later: the same question may well be answered at another time.
    """

    def __init__(self, message: str, *, retry_later: bool = False) -> None:
        super().__init__(message)
        self.retry_later = retry_later


class NoNetworkError(SourceError):
    """The source's host cannot be reached at all: asking it for more would only take time."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_later=True)


class RateLimitError(SourceError):
    """The source does not want to be asked for now: asking it for more would make it worse."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_later=True)


class BlockedError(SourceError):
    """The source refuses us whatever is asked, until something is mended: asking it for more helps nobody."""


class StatusError(SourceError):
    """The source answered with a status that says no.

    Attributes:
        status: of HTTP.
        told: what the answer says in words; blank where it says nothing.
        form: in which it says so.
    """

    def __init__(self, message: str, status: int, told: str, form: Form) -> None:
        super().__init__(message)
        self.status = status
        self.told = told
        self.form = form


class NotFoundError(StatusError):
    """The source answered that it does not have what was asked (HTTP 404)."""
