"""`reverse-qe evidence`: what is said before it is known."""

from pathlib import Path
from typing import Any

import click

from reverse_qe.options import PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, progress, say, show


@click.command("evidence")
@click.argument("spec", required=False)
@spec_market_option
@click.option("--register", "file", type=PATH, required=True, help="TOML file to make: the registration.")
@set_option
@json_option
def command(spec: str | None, market: str | None, file: Path, settings: dict[str, Any], as_json: bool) -> None:
    """Register an endpoint before it is known: spec, form, code and market by hash, and its test.

    The endpoint is one slope, of the mean of the next session's IGV less SMH and ARKK less QQQ on the mean of drain and
    price of capital, expected below 0. It is judged at fixed dates, alpha spent over them, and may be looked at daily.
    Only what becomes known after the market's newest moment counts.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market is read.
    """
    from data.files.atomic import require_free, write_new_file
    from reverse_qe import api
    from reverse_qe.words.registration import registration_sentences, registration_toml

    require_free(file, "--register")
    with progress("Registration"):
        values = api.register(spec, market, set=settings)
        write_new_file(file, registration_toml(values), "--register")
    if as_json:
        print_json(values)
    else:
        for sentence in registration_sentences(values):
            show(sentence)
    say(f"Registration: {file}")
