"""`reverse-qe events study`: what prices did around events."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reverse_qe.options import PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show

if TYPE_CHECKING:
    from backtests.studies.event_study.study import EventStudy


class _Window(click.ParamType[tuple[int, int]]):
    """Two sessions, ``first,last``, from the one in which an event could first be answered."""

    name = "first,last"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read two whole numbers."""
        if isinstance(value, tuple):
            return value
        first, _, last = str(value).partition(",")
        try:
            return int(first), int(last)
        except ValueError:
            self.fail(f"got {value!r}, wanted two sessions as in 0,5", param, ctx)


@click.command("study")
@click.argument("spec", required=False)
@spec_market_option
@click.option(
    "--kind", "kinds", multiple=True, help="Only results, guidance, funding, commitments or policy; may be given again."
)
@click.option("--window", "windows", type=_Window(), multiple=True, help="Sessions added up.  [default: -1,1 and 0,5]")
@click.option(
    "--estimation", type=_Window(), default="-250,-30", show_default=True, help="Sessions of the fit, before the event."
)
@click.option("--index", metavar="SYMBOL", help="What the fit takes out.  [default: the spec's benchmark]")
@click.option("--symbol", "symbols", multiple=True, help="A further instrument of the market. May be given again.")
@click.option("--csv", "csv", type=PATH, help="CSV file to make: mean and tests of every kind, instrument and window.")
@click.option("--page", type=PATH, help="Web page to make, with charts, terciles and single names.")
@set_option
@json_option
def study_events(
    spec: str | None,
    market: str | None,
    kinds: tuple[str, ...],
    windows: tuple[tuple[int, int], ...],
    estimation: tuple[int, int],
    index: str | None,
    symbols: tuple[str, ...],
    csv: Path | None,
    page: Path | None,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Study what crypto, baskets and names did around events, beyond the market, and what their news explains of it.

    An event counts from the session in which it could first be answered; the events of a calendar week are one
    observation. It is evidence and enters no signal. It needs the extra evidence.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market is read.
    """
    from data.files.atomic import require_free, write_new_file
    from data.files.plain_text import spreadsheet_frame
    from reverse_qe import api
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.pages.studies.event_study import event_study_page

    if csv is not None:
        require_free(csv, "--csv")
    if page is not None:
        require_page_path(page)
    with progress("Event study"):
        found, chosen = api.studied_events(
            spec,
            market,
            set=settings,
            kinds=kinds,
            windows=windows,
            estimation=estimation,
            index=index,
            symbols=symbols,
        )
        if csv is not None:
            write_new_file(csv, spreadsheet_frame(found.tests).to_csv(index=False), "--csv")
        if page is not None:
            write_page(page, event_study_page(found, chosen.universe.hindsight))
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found)
    for title, path in (("Table", csv), ("Page", page)):
        if path is not None:
            say(f"{title}: {path}")


def _print(found: "EventStudy") -> None:
    from reverse_qe.words.studies.event_study import (
        LEGEND,
        SLOPE_HEAD,
        SLOPES,
        TEST_HEAD,
        sentences,
        slope_rows,
        test_rows,
        title,
        wide_legs,
    )

    legs = wide_legs(found)
    print_table(title(found), TEST_HEAD, test_rows(found, legs))
    show(LEGEND)
    if rows := slope_rows(found, legs):
        print_table("On the week's news", SLOPE_HEAD, rows)
        show(SLOPES)
    for sentence in sentences(found):
        show(sentence)


def _as_json(found: "EventStudy") -> dict[str, Any]:
    from dataclasses import asdict

    frames = ("counts", "tests", "surprises", "slopes", "paths")
    return {
        "market": found.market,
        "simulated": found.simulated,
        "index": found.index,
        "first_session": str(found.first.date()),
        "last_session": str(found.last.date()),
        **asdict(found.config),
        "legs": {leg: list(members) for leg, members in found.legs.items()},
        "outside": found.outside,
        "left_out": list(found.left_out),
        **{name: _records(getattr(found, name)) for name in frames},
    }


def _records(frame: Any) -> list[dict[str, Any]]:
    """Rows by name; what was not measured is None."""
    return [
        {key: None if isinstance(value, float) and value != value else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]
