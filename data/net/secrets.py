"""Keeping secrets out of what is said and logged."""

import logging
import os
import re

_SECRET_VARIABLES = ("FRED_API_KEY",)
_SECRET_IN_URL = re.compile(r"(?i)\b(api_key|apikey|token|crumb)=[^&\s'\"]+")


def scrub(text: str) -> str:
    """Return the text without secrets: keys in addresses, and the values of the environment variables that hold one."""
    for name in _SECRET_VARIABLES:
        if secret := os.environ.get(name):
            text = text.replace(secret, "***")
    return _SECRET_IN_URL.sub(r"\1=***", text)


def _scrubbed(record: logging.LogRecord) -> bool:
    record.msg, record.args = scrub(record.getMessage()), ()
    return True


# urllib3 tells of each address on its own, if someone asks it to; a key would stand in it.
logging.getLogger("urllib3.connectionpool").addFilter(_scrubbed)
