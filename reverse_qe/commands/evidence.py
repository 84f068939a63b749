"""`reverse-qe evidence`: is it luck; and what is said before it is known."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import DAY, PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    from reverse_qe.judging.result import EvidenceResult


@click.command("evidence")
@click.argument("of", required=False, metavar="[RUN | SWEEP | ACCOUNT | FILE | SPEC --register FILE]")
@spec_market_option
@click.option("--strategy", metavar="NAME", help="Column of FILE that is judged.  [default: the first]")
@click.option("--rival", metavar="NAME", help="Column of FILE that it is judged by.  [default: the second]")
@click.option(
    "--trials", type=int, metavar="N", help="So many variants were tried, where you know of more than were counted."
)
@click.option("--idea-known", type=DAY, help="Day on which the idea was published, in place of the spec's.")
@click.option(
    "--universe",
    is_flag=False,
    flag_value="",
    metavar="[MARKET|FOLDER]",
    help="Universe lottery: draw other names from this market, or folder of an index; alone: from the run's market.",
)
@click.option("--draws", type=int, metavar="N", help="Pairs of baskets of the lottery.  [default: 1000]")
@click.option("--seed", type=int, metavar="S", help="Of its draws.  [default: 0]")
@click.option(
    "--sector",
    "sectors",
    multiple=True,
    metavar="BASKET=NAME",
    help="Sector or industry that a basket's stocks are drawn from; may be given again.  [default: that of most]",
)
@click.option("--labels", type=click.Choice(["then", "today"]), help="Sectors as known then, or as told today.")
@click.option("--page", type=PATH, help="Write the evidence as a page, complete in itself.")
@click.option("--register", "file", type=PATH, help="TOML file to make: the registration.")
@set_option
@json_option
def command(
    of: str | None,
    market: str | None,
    strategy: str | None,
    rival: str | None,
    trials: int | None,
    idea_known: datetime | None,
    universe: str | None,
    draws: int | None,
    seed: int | None,
    sectors: tuple[str, ...],
    labels: str | None,
    page: Path | None,
    file: Path | None,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Test a result: luck, timing, its markets, one stay or name, would it last.

    RUN is the folder of a run, or its name below runs/. It is run again from its own spec and market, and must come out
    as it was written. SWEEP is the folder of a sweep that kept its returns (--returns), or its name below sweeps/: is
    the best of its variants more than the luckiest of so many. ACCOUNT is the TOML file of a paper account, or of a
    registration: what has come since. FILE is a
    CSV or Parquet file of daily returns as fractions: the day, the strategy, a rival, further rivals; a column
    risk_free is what they are over. Without weights it cannot say whether it is timing.

    With --universe, the run is played with names drawn from what could have been chosen (of the same class, or of a
    sector of an index as known then, dead names kept), at its own moments and at moved ones: how much of the return was
    knowing the names, and how much the timing. It needs the extra sweep (numba).

    With --register FILE, an endpoint is registered before it is known: spec, form, code and market by hash, and its
    test. The endpoint is one slope, of the mean of the next session's IGV less SMH and ARKK less QQQ on the mean of
    drain and price of capital, expected below 0. It is judged at fixed dates, alpha spent over them, and may be looked
    at daily. Only what becomes known after the market's newest moment counts. SPEC is a TOML file or the name of a
    shipped spec; without it the shipped one that fits the market is read.
    """
    by_lot = {"draws": draws, "seed": seed, "labels": labels, "sectors": _by_basket(sectors) if sectors else None}
    by_lot = {name: value for name, value in by_lot.items() if value is not None}
    if by_lot and universe is None:
        raise click.UsageError("got --draws, --seed, --sector or --labels, wanted them with --universe alone")
    if universe is not None:
        if settings or any(each is not None for each in (file, strategy, rival, trials, idea_known)):
            raise click.UsageError("got --universe with an option of other tests, wanted it without")
        if of is None:
            raise click.UsageError("got no run, wanted its folder before --universe; see: reverse-qe runs list")
        _draw(of, universe or None, market, page, as_json, by_lot)
        return
    if file is not None:
        if any(each is not None for each in (strategy, rival, trials, idea_known, page)):
            raise click.UsageError("got an option of a test with --register, wanted --market, --set and --json alone")
        _register(of, market, file, settings, as_json)
        return
    if of is None:
        raise click.UsageError("got nothing to judge, wanted the folder of a run; see: reverse-qe runs list")
    if settings:
        raise click.UsageError("got --set, wanted it with --register alone: a run is judged as it was")
    asked = {"market": market, "strategy": strategy, "rival": rival, "trials": trials, "idea_known": idea_known}
    _judge(of, asked, page, as_json)


def _by_basket(texts: tuple[str, ...]) -> dict[str, list[str]]:
    """Sectors by basket, of texts BASKET=NAME."""
    sectors: dict[str, list[str]] = {}
    for text in texts:
        basket, separator, name = text.partition("=")
        if not separator or not basket.strip() or not name.strip():
            raise click.BadParameter(f"got {text!r}, wanted BASKET=NAME", param_hint="--sector")
        sectors.setdefault(basket.strip(), []).append(name.strip())
    return sectors


def _draw(
    of: str, universe: str | None, market: str | None, page: Path | None, as_json: bool, asked: dict[str, Any]
) -> None:
    from reverse_qe.lotteries import lottery
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.words.lottery import HEAD, banners, ending_title, rows, sentences, title

    if page is not None:
        require_page_path(page)
    with progress("Lottery") as report:
        result = lottery(of, universe, market=market, report=report, **asked)
    if page is not None:
        write_page(page, result.page())
        say(f"Page: {page}")
    if as_json:
        print_json(result.values)
        return
    found = result.lottery
    show(title(found))
    for label, text in banners(found):
        show(f"{label}: {text}")
    for ending in found.endings:
        print_table(ending_title(found, ending), HEAD, rows(ending))
    for sentence in sentences(found):
        show(sentence)


def _register(spec: str | None, market: str | None, file: Path, settings: dict[str, Any], as_json: bool) -> None:
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


def _judge(of: str, asked: dict[str, Any], page: Path | None, as_json: bool) -> None:
    from reverse_qe.judging.judge import evidence
    from reverse_qe.pages.page_files import require_page_path, write_page

    if page is not None:
        require_page_path(page)
    with progress("Evidence") as report:
        result = evidence(of, **asked, report=report)
    if page is not None:
        write_page(page, result.page())
        say(f"Page: {page}")
    if as_json:
        print_json(result.values)
    else:
        _print(result)


def _print(result: "EvidenceResult") -> None:
    from reverse_qe.words.evidence_table import HEAD, conclusion, heading, question_rows, questions

    show(result.title)
    for question in questions(result.table):
        print_table(heading(question), HEAD, question_rows(result.table, question))
    show(conclusion(result.table))
