"""The configuration of an account as a JSON schema, by which editors complete keys and check values."""

import re
from pathlib import Path
from typing import Any

from data.files.schema import toml_schema
from paper.broker_registry import BROKERS
from paper.config import LOOPBACK, PAPER_ENDPOINT, PaperConfig

PAPER_SCHEMA = Path(__file__).parent / "paper.schema.json"
"""What `paper_schema` gives, as it is shipped."""

_VARIABLE = r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$"


def paper_schema() -> dict[str, Any]:
    """The schema of a configuration."""
    schema = toml_schema(PaperConfig, "An account of reverse-qe on paper")
    broker = schema["$defs"]["BrokerSection"]["properties"]
    broker["kind"]["enum"] = list(BROKERS)
    hosts = "|".join(map(re.escape, LOOPBACK))
    broker["endpoint"]["pattern"] = rf"^({re.escape(PAPER_ENDPOINT)}/*|https?://({hosts})(:\d+)?([/?#].*)?)$"
    for variable in (
        broker["key_env"],
        broker["secret_env"],
        schema["$defs"]["AlertsSection"]["properties"]["urls_env"]["items"],
    ):
        variable["pattern"] = _VARIABLE
    return schema
