"""`reverse-qe paper`: trade a spec on paper, session by session."""

import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from paper.broker_registry import BROKERS, DEFAULT_BROKER
from reverse_qe.options import DAY, PATH, json_option
from reverse_qe.output import print_json, progress, say, show
from reverse_qe.terminal.noun import Noun

if TYPE_CHECKING:
    import threading

    from paper.config import PaperConfig
    from paper.service.attended_step import Attendant

config_option = click.option(
    "--config",
    "path",
    type=PATH,
    default=Path("paper.toml"),
    show_default=True,
    help="Configuration of the account.",
)
why_option = click.option("--why", required=True, metavar="TEXT", help="The reason; it is written to the ledger.")


@click.group("paper", cls=Noun)
def command() -> None:
    """Trade a spec on paper: the simulated broker, or a paper account at Alpaca.

    Start with: reverse-qe paper init
    """


@command.command("init")
@click.argument("path", type=PATH, default=Path("paper.toml"))
@click.option("--spec", help="A spec (file or shipped name).  [default: the shipped one that fits the market]")
@click.option(
    "--broker", type=click.Choice(list(BROKERS)), default=DEFAULT_BROKER, show_default=True, help="Who fills."
)
@click.option("--market", help="The market.  [default: the spec's; else sample, for alpaca live]")
def init(path: Path, spec: str | None, broker: str, market: str | None) -> None:
    """Write a commented configuration to PATH (paper.toml); nothing is overwritten."""
    from backtests.spec.spec import fitting_spec, load_spec
    from data.market.snapshot import is_built_in
    from paper.template import write_config

    named = load_spec(spec).run.market if spec is not None else None
    chosen = market or named or BROKERS[broker].market
    account = write_config(path, chosen, spec or fitting_spec(chosen), broker)
    show(f"Wrote {path}: account {account}, market {chosen}, broker {broker}.")
    where = "" if path == Path("paper.toml") else f" --config {shlex.quote(str(path))}"
    say(
        f"Next: reverse-qe paper step{where} (it makes all checks of paper check{where} first)"
        if not is_built_in(chosen)
        else f"Next: reverse-qe paper check{where}"
    )


@command.command("check")
@click.argument("named", type=PATH, required=False, metavar="[PATH]")
@config_option
@click.option(
    "--test-alerts", is_flag=True, help="Send everybody who is told of halts a message that says it is a test."
)
@json_option
@click.pass_context
def check_account(context: click.Context, named: Path | None, path: Path, test_alerts: bool, as_json: bool) -> None:
    """Check a configuration, at PATH or --config, and all that it reaches.

    Nothing is changed, and no order is sent. Exit status 1 says that something does not work.
    """
    from dataclasses import asdict

    from paper.config import read_config
    from paper.service.alerts import Alerts
    from paper.service.check import check

    if named is not None:
        if context.get_parameter_source("path") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"got {named} and --config {path}, wanted one of them", context)
        path = named
    config = read_config(path)
    with progress("Check"):
        findings = check(config)
    works = all(each.verdict != "fault" for each in findings)
    if as_json:
        print_json({"config": path, "works": works, "findings": [asdict(each) for each in findings]})
    else:
        show(f"ok       configuration: {path}")
        for each in findings:
            show(f"{each.verdict:<8} {each.what}: {each.says}")
    if test_alerts:
        delivered = Alerts(config.alerts, config.account.name).test(say)
        works = works and delivered
        say("The test alert was sent." if delivered else "The test alert did not reach everybody.")
    context.exit(0 if works else 1)


@command.command("step")
@config_option
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Session to replay (simulated broker alone).")
@click.option("--dry-run", is_flag=True, help="Write and send nothing; say what would be decided.")
@json_option
@click.pass_context
def step(context: click.Context, path: Path, day: datetime | None, dry_run: bool, as_json: bool) -> None:
    """Take one step: settle, reconcile, decide, send. Safe any number of times a day; what is done is not done again.

    Exit status 1 says that the account is halted, or that the step could not be ended.
    """
    from dataclasses import asdict

    from reverse_qe.words.paper import print_step
    from reverse_qe.words.paper_day import day_lines

    attendant = _attendant(path)
    with progress("Step") as report:
        told = attendant.step(day.date() if day else None, dry_run, report=report)
    if as_json:
        print_json(asdict(told))
    elif day is None and not dry_run:
        for line in day_lines(told, attendant.config):
            show(line)
    else:
        print_step(told)
    context.exit(1 if told.halt or told.fault else 0)


@command.command("run")
@config_option
@click.option(
    "--pages",
    type=PATH,
    metavar="DIR",
    help="Folder in which morning.html (of signal --page) and account.html (of status --page) are written anew after "
    "each step.",
)
def run(path: Path, pages: Path | None) -> None:
    """Stay up and step by the clock; one line a step. SIGTERM and SIGINT end it between two steps, with status 0.

    What fails is told, alerted and tried again, a full disk too; only an account that cannot be opened ends it.
    """
    import threading
    from datetime import UTC

    from paper.service.staying_up import StayingUp
    from reverse_qe.attending.step_log import StepLog
    from reverse_qe.attending.step_pages import pages_in
    from reverse_qe.words.paper import step_line

    attendant, stop = _attendant(path), threading.Event()
    afterwards = {} if pages is None else pages_in(pages, attendant.config)
    _stop_when_told(stop)
    log = StepLog(lambda: datetime.now(UTC))
    StayingUp(attendant, step_line, afterwards, lambda: datetime.now(UTC), log.line).run(stop.wait)
    log.line("ended")


def _stop_when_told(stop: "threading.Event") -> None:
    """Let signals end the process between two steps; SIGINT for the second time ends it now."""
    import signal

    def end(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            signal.signal(number, signal.default_int_handler)
        stop.set()

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        # What is ignored, as by nohup, stays so.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


@command.command("status")
@config_option
@click.option("--page", type=PATH, help="Write how the account stands, and what it did, as a web page.")
@json_option
def status(path: Path, page: Path | None, as_json: bool) -> None:
    """Say how the account stands: positions, regime, steps, and its equity beside the backtest of the same spec.

    Nothing is asked of a broker or a source.
    """
    from dataclasses import asdict

    from paper.config import read_config
    from paper.overview.status import read_status
    from reverse_qe.attending.step_pages import page_of_account
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.words.paper import print_status

    config = read_config(path)
    if page is not None:
        require_page_path(page)
    with progress("Status"):
        stands = read_status(config)
        if page is not None:
            write_page(page, page_of_account(config, stands))
    if as_json:
        print_json(asdict(stands) | {"equity_with_shadow": stands.equity_with_shadow})
    else:
        print_status(stands)
    if page is not None:
        say(f"Page: {page}")


@command.command("explain")
@config_option
@click.option("--from", "first", type=DAY, help="Day from which on differences count (default: all).")
@click.option("--to", "last", type=DAY, help="Day up to which differences count (default: the last close).")
@click.option("--page", type=PATH, help="Write it as a web page.")
@json_option
@click.pass_context
def explain(
    context: click.Context,
    path: Path,
    first: datetime | None,
    last: datetime | None,
    page: Path | None,
    as_json: bool,
) -> None:
    """Say why the account's equity is not that of its backtest: one cause after the other, each of them a replay.

    Exit status 1 says that not all of the difference is explained, to 1e-9 of equity. Nothing is asked of a broker.
    """
    from paper.config import read_config
    from paper.explain.explain import explain as found
    from reverse_qe.pages.account_parts.explanation import explanation_page
    from reverse_qe.pages.page_files import require_page_path, write_page
    from reverse_qe.words.explanation import explanation_json, print_explanation

    config = read_config(path)
    if page is not None:
        require_page_path(page)
    with progress("Explain") as report:
        told = found(config, first.date() if first else None, last.date() if last else None, report)
        if page is not None:
            write_page(page, explanation_page(told))
    if as_json:
        print_json(explanation_json(told))
    else:
        print_explanation(told)
    if page is not None:
        say(f"Page: {page}")
    context.exit(0 if told.holds else 1)


@command.command("reconcile")
@config_option
@json_option
@click.pass_context
def reconcile(context: click.Context, path: Path, as_json: bool) -> None:
    """Compare the ledger with the broker and with itself, now; exit status 1 where they do not agree.

    Nothing is changed.
    """
    from paper.config import read_config
    from paper.step.account import reconcile as found_differences

    config = read_config(path)
    with progress("Reconcile"):
        found = found_differences(config)
    if as_json:
        print_json({"account": config.account.name, "agree": not found, "differences": found})
    else:
        for each in found:
            show(f"! {each}")
        show("Ledger and broker do not agree." if found else "Ledger and broker agree, and every invariant holds.")
    context.exit(1 if found else 0)


@command.command("halt")
@config_option
@why_option
@click.pass_context
def halt(context: click.Context, path: Path, why: str) -> None:
    """Halt the account: nothing is sent until it is resumed. Orders at the broker stay as they are."""
    from paper.step.account import halt as halt_account

    _by_hand(context, path, halt_account, why, "halted")


@command.command("resume")
@config_option
@why_option
@click.pass_context
def resume(context: click.Context, path: Path, why: str) -> None:
    """Let a halted account go on with its next step; drawdown is counted from there."""
    from paper.step.account import resume as resume_account

    _by_hand(context, path, resume_account, why, "resumed")


def _by_hand(
    context: click.Context, path: Path, act: "Callable[[PaperConfig, str], None]", why: str, what: str
) -> None:
    """Halt or resume, then tell who wants to hear of it."""
    from paper.config import read_config
    from paper.service.alerts import Alerts

    if not why.strip():
        raise click.UsageError("got an empty --why, wanted the reason in words", context)
    config = read_config(path)
    act(config, why)
    show(f"The account {config.account.name} is {what}: {why}")
    Alerts(config.alerts, config.account.name).send("halt", f"{what} by hand: {why}", say)


def _attendant(path: Path) -> "Attendant":
    from paper.config import read_config
    from paper.service.alerts import Alerts
    from paper.service.attended_step import Attendant

    config = read_config(path)
    return Attendant(config, Alerts(config.alerts, config.account.name), say)
