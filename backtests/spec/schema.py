"""The spec as a JSON schema, by which editors complete keys and check values."""

from pathlib import Path
from typing import Any

from backtests.spec.spec import Spec
from backtests.spec.versions import VERSION
from data.files.schema import toml_schema

SPEC_SCHEMA = Path(__file__).parent / "spec.schema.json"
"""What `spec_schema` gives, as it is shipped."""


def spec_schema() -> dict[str, Any]:
    """The schema of a spec; what compares two keys with each other only the program checks."""
    schema = toml_schema(Spec, "A spec of reverse-qe")
    schema["properties"]["version"] = {"type": "integer", "minimum": 1, "maximum": VERSION}
    # Shares that a budget leaves out keep their defaults; so do costs beside a preset.
    schema["$defs"]["Budget"].pop("required")
    return schema
