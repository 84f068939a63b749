"""`reverse-qe audit`: does it look ahead."""

from pathlib import Path
from typing import Any

import click

from reverse_qe.options import PATH, json_option, set_option, spec_market_option
from reverse_qe.output import print_json, print_table, progress, say, show


@click.command("audit")
@click.argument("spec", required=False)
@spec_market_option
@click.option(
    "--cuts", type=int, default=50, show_default=True, metavar="K", help="Sessions to draw; see above for the stretch."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option("--jobs", type=int, default=1, show_default=True, help="Processes.")
@click.option("--leaks-only", is_flag=True, help="Leave out what is told without a verdict.")
@click.option("--page", type=PATH, help="Write the audit as a page, complete in itself.")
@set_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    spec: str | None,
    market: str | None,
    cuts: int,
    seed: int,
    jobs: int,
    leaks_only: bool,
    page: Path | None,
    settings: dict[str, Any],
    as_json: bool,
) -> None:
    """Look for rows that change with the future; exit 1 if there is one.

    The whole pipeline runs again, code of yours included, with the future cut off, garbled or told later: after K drawn
    sessions, after each session of a random stretch of 2 K + 1, and before news of the past. A value, regime, target
    weight or order from before the cut that changes is a leak, named by date, column and the input that explains it.

    Later dividends and earlier versions of the market may change nothing either. Told without a verdict: another start,
    less history, each input missing or stopped.

    SPEC is a TOML file or the name of a shipped spec; without it the shipped one that fits the market is audited.
    """
    from reverse_qe.auditing import audit
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.words.audit import CHECK_HEAD, audit_json, check_row, leak_text, reach_sentences, title, verdict

    if page is not None:
        require_page_path(page)
    with progress("Audit") as report:
        result = audit(
            spec, market, cuts=cuts, seed=seed, jobs=jobs, leaks_only=leaks_only, set=settings, report=report
        )
    found = result.report
    if page is not None:
        write_page(page, result.page())
        say(f"Page: {page}")
    if as_json:
        print_json(audit_json(found))
    else:
        print_table(title(found), CHECK_HEAD, [check_row(check) for check in found.checks])
        for leak in found.leaks:
            show(leak_text(leak))
        show(verdict(found))
        for line in reach_sentences(found):
            show(line)
        say(f"{found.runs:,} runs, {found.seconds:,.0f} s.")
    context.exit(0 if found.holds else 1)
