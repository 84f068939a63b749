"""`reverse-qe runs compare`: what two runs or more have in common, and what not."""

from pathlib import Path

import click

from reverse_qe.options import PATH, json_option
from reverse_qe.output import print_json, print_table, progress, say, show


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="A B [MORE]...")
@click.option("--page", type=PATH, help="Write the comparison as a page with curves, complete in itself.")
@json_option
def compare_runs(runs: tuple[str, ...], page: Path | None, as_json: bool) -> None:
    """Compare runs: spec, market, measures, stays, round trips and profit by instrument.

    Each is named as for show. Differences are told as they stand; the first run is what the others are held against.
    """
    from backtests.archive.compared import compare
    from backtests.archive.named import find_runs
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.pages.studies.compared import compared_page
    from reverse_qe.words.runs.compared import (
        STAYS,
        compared_head,
        compared_json,
        difference_rows,
        likeness_sentences,
        measure_rows,
        profit_rows,
        run_lines,
        stay_rows,
        trade_rows,
    )

    if page is not None:
        require_page_path(page)
    with progress("Comparing"):
        compared = compare(find_runs(runs))
        told = compared_json(compared)
        text = None if page is None else compared_page(compared)
    if page is not None and text is not None:
        write_page(page, text)
        say(f"Page: {page}")
    if as_json:
        print_json(told)
        return
    for line in run_lines(compared):
        show(line)
    show("")
    differs, stays, every = difference_rows(compared), stay_rows(compared, STAYS), stay_rows(compared)
    if differs:
        print_table("What differs", compared_head(compared, "key"), differs)
    else:
        show("Nothing of spec or market differs.")
    print_table("Measures", compared_head(compared), measure_rows(compared))
    for line in likeness_sentences(compared):
        show(line)
    show("")
    if stays:
        newest = "" if len(every) == len(stays) else f", the newest {len(stays)} of {len(every)}"
        title = f"Stays that not all of them have{newest}: return of the strategy"
        print_table(title, compared_head(compared, "stay"), stays)
    print_table("Round trips", compared_head(compared), trade_rows(compared))
    if profits := profit_rows(compared):
        print_table("Profit after costs, USD", compared_head(compared), profits, apart=False)
    else:
        show("A version wrote no profit by instrument: run it again for that.")
