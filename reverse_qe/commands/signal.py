"""`reverse-qe signal`: the regime, and why."""

from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.output import json_option, market_option, print_json, print_table, progress, set_option

if TYPE_CHECKING:
    from reverse_qe.api import SignalReading
    from signals.explanation import InputReason


@click.command("signal")
@click.argument("spec", required=False)
@market_option
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Session decided for.  [default: the session to come]"
)
@set_option
@json_option
def command(spec: str | None, market: str, day: datetime | None, settings: tuple[str, ...], as_json: bool) -> None:
    """Say which regime holds on a date, since when, and why.

    Every block and input is shown with what it gives to the score, its value, its date and when it was known.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market is read.
    """
    from reverse_qe import api

    with progress("Signal"):
        reading = api.signal(spec, market, day=day.date() if day else None, settings=settings)
    if as_json:
        print_json(_as_json(reading))
    else:
        _print_reading(reading)


def _as_json(reading: "SignalReading") -> dict[str, Any]:
    from dataclasses import asdict

    money = reading.decision.buy_money
    return {
        "market": reading.market,
        "simulated": reading.simulated,
        **asdict(reading.explanation),
        "targets": reading.decision.targets.to_dict(),
        "orders_from_cash_usd": money[money > 0].to_dict(),
    }


def _print_reading(reading: "SignalReading") -> None:
    reasons = reading.explanation
    click.echo(
        f"{'SIMULATED market' if reading.simulated else 'Market'} {reading.market}: {reasons.regime} on "
        f"{reasons.session.date()}, since {reasons.since.date()} (score {reasons.score:+.2f}, + means scarcer; "
        f"{reasons.live_blocks} of {len(reasons.blocks)} blocks live)"
    )
    rows: list[tuple[object, ...]] = []
    for block in reasons.blocks:
        rows.append((block.name, f"{block.contribution:+.3f}", "", "", "", ""))
        rows.extend(_input_row(reason) for reason in block.inputs)
    print_table(
        "Why: what each block and input gives to the score",
        ("", "contribution", "value", "unit", "about", "known at (UTC)"),
        rows,
    )
    money = reading.decision.buy_money
    targets = reading.decision.targets
    print_table(
        f"Targets for {reasons.session.date()}, and orders of an account all in cash",
        ("", "weight", "buy, USD"),
        [
            (symbol, f"{targets[symbol]:.1%}", "-" if isnan(money[symbol]) else f"{money[symbol]:,.2f}")
            for symbol in targets[targets > 0].index
        ],
    )


def _input_row(reason: "InputReason") -> tuple[object, ...]:
    return (
        f"  {reason.name.partition('.')[2]}",
        f"{reason.contribution:+.3f}",
        "missing or too old" if reason.value is None else f"{reason.value:,.3f}",
        reason.unit,
        "-" if reason.observed is None else reason.observed.date(),
        "-" if reason.known_at is None else f"{reason.known_at:%Y-%m-%d %H:%M}",
    )
