"""How the SEC is asked: who we are, JSON and whole filings, and what its refusals mean."""

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from data.errors import InputError
from data.net.errors import BlockedError, NotFoundError, RateLimitError, SourceError, StatusError
from data.net.http import Format, get
from data.net.settings import SourceSettings
from data.net.told import told

CONTACT_VARIABLES = ("REVERSE_QE_CONTACT", "EDGAR_IDENTITY")

_SOURCE = "EDGAR"
# Whoever asks too often is answered 403 with a page, never 429, and is left alone the sooner the less he asks.
_REFUSED = 403
_RATE_TITLE, _CONTACT_TITLE = "Request Rate Threshold", "Undeclared Automated Tool"
_CONTACT = re.compile(r"[ -~]*[^\s@]@[^\s@]+\.[^\s@]+[ -~]*")
# How the text of a whole filing begins; those before 2001 were signed.
_SUBMISSION = (b"<SEC-DOCUMENT", b"-----BEGIN PRIVACY-ENHANCED MESSAGE-----")


def contact() -> str:
    """Return how the user introduces himself to the SEC, from the environment.

    Raises:
        InputError: neither of `CONTACT_VARIABLES` holds a mail address.
    """
    given = next((os.environ[name] for name in CONTACT_VARIABLES if os.environ.get(name)), "")
    if _CONTACT.fullmatch(given.strip()):
        return given.strip()
    got = "one without a mail address" if given else "none"
    raise InputError(
        f"EDGAR: got {got}, wanted a contact, for the SEC asks who is asking; set {CONTACT_VARIABLES[0]} to your name "
        f'and mail address, as in {CONTACT_VARIABLES[0]}="Jane Doe jane@example.org"'
    )


def edgar_document(
    path: str, settings: SourceSettings, headers: Mapping[str, str], address: str | None = None
) -> dict[str, Any]:
    """Ask for a JSON document.

    Args:
        path: below the address of the data API; what it is called in messages.
        settings: address, pace, time-outs and attempts.
        headers: with the contact.
        address: in full, of a document that is elsewhere.

    Raises:
        SourceError: it did not come, or is no JSON object.
    """
    body = _asked(address or f"{settings.edgar_url}/{path}", path, settings, headers, "JSON")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"EDGAR: {path}: got no JSON ({error}); try again later", retry_later=True) from error
    if not isinstance(document, dict):
        raise SourceError(f"EDGAR: {path}: got {type(document).__name__}, wanted a JSON object")
    return document


def edgar_submission(path: str, settings: SourceSettings, headers: Mapping[str, str]) -> str:
    """Ask for the text of a whole filing, its exhibits in it; what is no UTF-8 in it is written out.

    Args:
        path: below the address of the archives.
        settings: address, pace, time-outs, attempts and the largest answer.
        headers: with the contact.

    Raises:
        SourceError: it did not come, or is no filing.
    """
    body = _asked(f"{settings.edgar_archives_url}/{path}", path, settings, headers, "filing")
    if not body.lstrip().startswith(_SUBMISSION):
        raise SourceError(f"EDGAR: {path}: got {told(body)}, wanted the text of a filing; try again later")
    return body.decode("utf-8", "backslashreplace")


def _asked(url: str, path: str, settings: SourceSettings, headers: Mapping[str, str], wanted: Format) -> bytes:
    try:
        return get(
            url,
            {},
            settings,
            source=_SOURCE,
            wanted=wanted,
            per_second=settings.edgar_per_second,
            headers=headers,
        )
    except StatusError as error:
        if error.status == _REFUSED:
            raise _refused(path, error) from None
        raise


def _refused(path: str, error: StatusError) -> SourceError:
    """What a 403 means: a page says that we ask too often or do not say who we are; XML, that there is no such file."""
    if _RATE_TITLE in error.told:
        return RateLimitError(f"EDGAR: got {error.told}: it was asked too often; try again in ten minutes")
    if _CONTACT_TITLE in error.told:
        return BlockedError(
            f"EDGAR: got {error.told}: it does not take the contact; set {CONTACT_VARIABLES[0]} to your name and mail "
            "address"
        )
    if error.form == "XML":
        message = f"EDGAR: {path}: answered 403 ({error.told}), as for a file that is not there"
        return NotFoundError(message, error.status, error.told, error.form)
    return BlockedError(
        f"EDGAR: answered 403 ({error.told or 'without a word'}); check {CONTACT_VARIABLES[0]} and try again later"
    )


def require_cik(document: Mapping[str, Any], cik: int, name: str) -> None:
    """Refuse a document about another company; the number is a number or, with zeros in front, text."""
    got = str(document.get("cik"))
    if not (got.isascii() and got.isdecimal() and int(got) == cik):
        raise SourceError(f"EDGAR: {name}: got what is about CIK {document.get('cik')}, wanted {cik}")
