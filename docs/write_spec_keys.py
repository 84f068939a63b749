"""Write docs/spec-keys.md, every key of a spec, from models and comments: `make docs` runs it, a test compares."""

import re
from pathlib import Path
from typing import Any

from backtests.spec.schema import spec_schema

HERE = Path(__file__).parent
HEAD = """# Keys of a spec

Every key, by section: type, range, default, unit and meaning. `make docs` writes this page from the models of the code
and the comments of [default-spec.toml](default-spec.toml), which holds the same keys as a file that runs. Every key has
an anchor, as `#policy-instrument_cap`. What compares two keys with each other only the program checks.
"""
BOUNDS = {"minimum": ">= {}", "exclusiveMinimum": "> {}", "maximum": "<= {}", "exclusiveMaximum": "< {}"}
WORDS = {"number": "number", "integer": "integer", "string": "text", "boolean": "true or false", "object": "table"}
ENDLESS = 10**12  # a bound from here on keeps arithmetic whole and says nothing to people
FORMATS = {"date": "day", "date-time": "moment"}


def comments() -> dict[str, str]:
    """What the commented spec says of each key, by its dotted name."""
    told: dict[str, str] = {}
    section, newest = "", None
    for line in (HERE / "default-spec.toml").read_text(encoding="utf-8").splitlines():
        if head := re.match(r"\[([\w.]+)\]\s*(?:#\s*(.*))?", line):
            section, newest = head[1], head[1]
            told[newest] = head[2] or ""
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            newest = f"{section}.{key[1]}" if section else key[1]
            told[newest] = line.removeprefix("# ").partition(" # ")[2].strip()
        elif newest is not None and (more := re.match(r"#\s{8,}#?\s*(.*)", line)):
            told[newest] += " " + more[1]
        else:
            newest = None
    told["version"] = "whose defaults hold for what the file leaves out"
    return told


def spec_keys() -> str:
    """The page: a section a table of the spec, a row a key."""
    schema = spec_schema()
    told = comments()
    lines = [HEAD]
    for section, table in _tables(schema, schema, ""):
        lines += [f"## {section or 'outside of sections'}", ""]
        about = " ".join(filter(None, (table.get("description", "") if section else "", told.get(section, ""))))
        lines += [_text(about), ""] if about else []
        lines += ["| key | type and range | default | what it is |", "| --- | --- | --- | --- |"]
        for name, key in table["properties"].items():
            if _table_of(schema, key) is not None:
                continue
            dotted = f"{section}.{name}" if section else name
            about = told.get(dotted) or key.get("description", "") or "as said of the section"
            cells = (
                f'<a id="{dotted.replace(".", "-")}"></a>`{name}`',
                _kind(schema, key),
                _default(key),
                _text(about),
            )
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _tables(schema: dict[str, Any], table: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    """Every table that has keys of its own, with its dotted name, parents first."""
    plain = [key for key in table["properties"].values() if _table_of(schema, key) is None]
    found = [(path, table)] if plain else []
    for name, key in table["properties"].items():
        if (inner := _table_of(schema, key)) is not None:
            found += _tables(schema, inner, f"{path}.{name}" if path else name)
    return found


def _table_of(schema: dict[str, Any], key: dict[str, Any]) -> dict[str, Any] | None:
    """The definition of a table that a key holds; None for a plain value."""
    for each in (key, *key.get("allOf", ()), *key.get("anyOf", ())):
        if "$ref" in each:
            target: dict[str, Any] = schema["$defs"][each["$ref"].rpartition("/")[2]]
            if "properties" in target:
                return target
    return None


def _kind(schema: dict[str, Any], key: dict[str, Any]) -> str:
    """Type and range in words."""
    if "$ref" in key:
        return _kind(schema, schema["$defs"][key["$ref"].rpartition("/")[2]])
    if kinds := key.get("anyOf", key.get("oneOf")):
        return " or ".join(dict.fromkeys(_kind(schema, each) for each in kinds if each.get("type") != "null"))
    if "enum" in key or "const" in key:
        return ", ".join(f"`{each}`" for each in key.get("enum", [key.get("const")]))
    kind = FORMATS.get(key.get("format", ""), WORDS.get(key.get("type", ""), str(key.get("type", "value"))))
    if key.get("type") == "array":
        inner = _kind(schema, key["items"]) if isinstance(key.get("items"), dict) else "values"
        return f"list of {inner}"
    bounds = [text.format(key[name]) for name, text in BOUNDS.items() if abs(key.get(name, ENDLESS)) < ENDLESS]
    return _text(" ".join([kind, ", ".join(bounds)]).strip())


def _default(key: dict[str, Any]) -> str:
    if "default" not in key:
        return "-"
    value = key["default"]
    if value is None or value == "":
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`".replace("|", "\\|")


def _text(text: str) -> str:
    """Words in a cell: no line ends, no bars, no markup."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    (HERE / "spec-keys.md").write_text(spec_keys(), encoding="utf-8")
