"""The commented configuration that `paper init` writes."""

import json
import os
import re
from pathlib import Path
from string import Template

from backtests.audit.paper_lines import require_paper_lines
from backtests.spec.extensions import read_extensions
from backtests.spec.spec import load_spec, shipped_specs
from data.files.atomic import require_free, write_new_file
from data.files.kept import snapshot_names
from data.market.snapshot import is_built_in
from paper.config import ACCOUNT_LENGTH
from paper.schema import PAPER_SCHEMA

TEMPLATE = Path(__file__).with_name("template.toml")


def write_config(path: Path, market: str, spec: str, broker: str) -> str:
    """Write a commented configuration of an account; every other key has its default.

    Args:
        path: of the file. It gives the account its name: ``paper.toml`` is of the account ``paper``.
        market: is refreshed by every step, but for one that does not grow.
        spec: name of a shipped spec, or path of a file.
        broker: of `paper.broker_registry.BROKERS`.

    Returns:
        The account's name.

    Raises:
        InputError: the file exists or cannot be written, there is no such spec or file of it, or a line of its
            strategy cannot be carried out on paper.
    """
    require_free(path, "PATH")
    strategy = read_extensions(load_spec(spec)).strategy
    if strategy is not None:
        require_paper_lines(strategy)
    if spec not in shipped_specs() or Path(spec).is_file():
        spec = _from(path.parent, spec)
    account = re.sub(r"[^A-Za-z0-9_-]", "-", path.stem)[:ACCOUNT_LENGTH]
    values = {
        "account": account,
        "market": market,
        "spec": spec,
        "broker": broker,
        "refresh": not is_built_in(market) and market not in snapshot_names(),
    }
    # A value of JSON is one of TOML.
    written = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
    written["schema"] = PAPER_SCHEMA.resolve().as_uri()
    write_new_file(path, Template(TEMPLATE.read_text(encoding="utf-8")).substitute(written), "PATH")
    return account


def _from(folder: Path, file: str) -> str:
    """The path of a file from a folder, with strokes on every system; in full where no way leads there, as on Windows
    from one drive to another."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:
        return Path(file).absolute().as_posix()
