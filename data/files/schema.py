"""JSON schemas of TOML files, made from the models that read them."""

import json
import re
from typing import Any

from pydantic import BaseModel

_LARGEST = 2**63 - 1


def toml_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of a model, with what the model's docstrings say of each key.

    Args:
        model: of the file.
        title: of the schema.
    """
    schema = model.model_json_schema()
    for name, part in {model.__name__: schema, **schema.get("$defs", {})}.items():
        told = _told(part.pop("description", ""))
        if "properties" not in part:
            continue
        part["description"] = told.pop("", name)
        for key, value in part["properties"].items():
            value.pop("title", None)
            if key in told:
                value["description"] = told[key]
            _bound(value)
        part.pop("title", None)
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **schema}


def schema_text(schema: dict[str, Any]) -> str:
    """A schema as it is shipped."""
    return json.dumps(schema, indent=1) + "\n"


def _told(docstring: str) -> dict[str, str]:
    """What a docstring says of each attribute, by its name; under "" what it says of the whole."""
    whole, _, attributes = docstring.partition("Attributes:")
    told = {"": " ".join(whole.split())}
    for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE):
        told[name] = " ".join(text.replace("`", "").split())
    return told


def _bound(value: dict[str, Any]) -> None:
    """Whole numbers are those of TOML, which has 64 bits."""
    for part in (value, *value.get("anyOf", [])):
        if part.get("type") == "integer":
            part.setdefault("maximum", _LARGEST)
            part.setdefault("minimum", -_LARGEST - 1)
