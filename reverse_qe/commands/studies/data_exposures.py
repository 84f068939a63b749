"""`reverse-qe data exposures`: what the instruments of a spec answered to."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import DAY, PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    import pandas as pd

    from backtests.studies.exposures import Exposures


@click.command("exposures")
@click.argument("spec", required=False)
@spec_market_option
@click.option("--date", "day", type=DAY, help="Session decided for.  [default: the session to come]")
@click.option("--csv", "file", type=PATH, help="CSV file to make: the slopes of every quarter.")
@click.option("--page", type=PATH, help="Web page to make.")
@set_option
@json_option
def show_exposures(
    spec: str | None,
    market: str | None,
    day: datetime | None,
    file: Path | None,
    page: Path | None,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Say what the instruments of a spec answered to: real yields, breakevens, credit spreads, liquidity, score.

    Weekly returns of the last 104 weeks, the benchmark held fixed, by what was known at the date; and whether that, or
    what filings tell, ranks the instruments as the spec's baskets do. No signal reads it.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market is read.
    """
    from data.files.atomic import require_free, write_new_file
    from data.files.plain_text import spreadsheet_frame
    from reverse_qe import api
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.pages.studies.exposures import exposures_page

    if file is not None:
        require_free(file, "--csv")
    if page is not None:
        require_page_path(page)
    with progress("Exposures"):
        found = api.exposures(spec, market, day=day, set=settings)
        if file is not None:
            table = spreadsheet_frame(found.rolling)
            write_new_file(file, table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n"), "--csv")
        if page is not None:
            write_page(page, exposures_page(found))
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)
    for title, path in (("Slopes", file), ("Page", page)):
        if path is not None:
            say(f"{title}: {path}")


def _print(found: "Exposures") -> None:
    from reverse_qe.words.studies import exposures as words

    print_table(words.title(found), words.slope_head(found), words.slope_rows(found))
    print_table("How the rankings part the baskets", words.BASKET_HEAD, words.basket_rows(found))
    print_table("How the rankings agree", words.AGREEMENT_HEAD, words.agreement_rows(found))
    if filed := words.filed_rows(found):
        print_table(words.FILED_TITLE, words.FILED_HEAD, filed)
    for line in words.sentences(found):
        show(line)
    if found.spec.universe.hindsight:
        show(f"! HINDSIGHT: {found.spec.universe.hindsight}")


def _as_json(found: "Exposures") -> dict[str, Any]:
    days = found.ranked["figures_to"].dt.strftime("%Y-%m-%d")
    return {
        "market": found.snapshot.name,
        "simulated": found.snapshot.simulated,
        "hindsight": found.spec.universe.hindsight,
        "session": found.session.date(),
        "last_week": found.weeks.date(),
        "lacking": list(found.lacking),
        "slopes": _records(found.slopes.reset_index()),
        "ranked": _records(found.ranked.rename_axis("asset").reset_index().assign(figures_to=list(days))),
        "baskets": _records(found.baskets),
        "agreement": _records(found.agreement),
        "quarters": {f"{day:%Y-%m-%d}": share for day, share in found.quarters.items()},
    }


def _records(table: "pd.DataFrame") -> list[dict[Any, Any]]:
    values = table.astype(object)
    return [dict(row) for row in values.where(values.notna(), None).to_dict("records")]
