"""An example for the help of every command: one line that can be typed as it stands, names of yours aside."""

import click

# By the words of the command, behind which they stand.
EXAMPLES = {
    "audit": "--market history --leaks-only",
    "backtest": "mine.toml --set policy.instrument_cap=0.25",
    "data asof": "2026-07-30 --market history --later",
    "data diff": "live.1 live.2",
    "data export": "history exported --format parquet",
    "data exposures": "--market history --page exposures.html",
    "data fetch": "--name live",
    "data import": "--prices PRICES --macro MACRO --name history",
    "data list": "--json",
    "data remove": "live --keep 2 --dry-run",
    "data show": "sample",
    "data verify": "history --page quality.html",
    "events add": "guidance --draft MSFT --since 2026-07-01",
    "events list": "--company MSFT --from 2026-01-01",
    "events remove": "result company=MSFT fiscal_period=2026Q4",
    "events study": "--market history --kind guidance",
    "events validate": "--market history",
    "evidence": "latest --page evidence.html",
    "paper check": "paper.toml",
    "paper explain": "--from 2026-09-01 --page explained.html",
    "paper halt": '--why "the broker tests"',
    "paper init": "--spec mine.toml --market live",
    "paper reconcile": "--config paper.toml",
    "paper resume": '--why "looked at by hand"',
    "paper run": "--pages pages",
    "paper status": "--page account.html",
    "paper step": "--dry-run",
    "runs compare": "base capped --page compared.html",
    "runs list": "--all",
    "runs remove": "base capped",
    "runs show": "latest",
    "runs trials": "--all",
    "signal": "--market live --turn",
    "spec new": "mine.toml --template policy",
    "sweep": "mine.toml --grid signal.enter=0.3,0.4 --returns",
}


def give_examples(command: click.Command, name: str) -> None:
    """Let the help of a command, and of those below it, end with its example."""
    if isinstance(command, click.Group):
        for each, below in command.commands.items():
            give_examples(below, f"{name} {each}")
    elif name in EXAMPLES:
        command.epilog = f"Example: reverse-qe {name} {EXAMPLES[name]}"
