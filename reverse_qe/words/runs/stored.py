"""Runs that were written, in rows and words: what made them differ, in figures as a backtest tells them."""

from collections.abc import Sequence
from typing import Any

from backtests.archive.stored import StoredRun
from reverse_qe.tables import Column
from reverse_qe.words.runs.changes import changes_text
from reverse_qe.words.runs.figures import measure_text

Row = tuple[str, ...]

_SHOWN = ("final_equity_usd", "cagr", "volatility", "sharpe", "max_drawdown", "turnover", "costs")


def list_head(rows: Sequence[Row]) -> tuple[Column, ...]:
    """The heads of `list_rows`; the market is worth its room where not all of them had the same."""
    one_market = len({row[5] for row in rows}) < 2
    return (
        Column("run"),
        Column("spec and what it changes", prose=True, rank=1),
        Column("CAGR"),
        Column("Sharpe"),
        Column("max. drawdown", rank=3),
        Column("market", rank=4 if one_market else 2),
        Column("first", rank=6),
        Column("last", rank=5),
        Column("folder", rank=7),
    )


def list_rows(runs: Sequence[StoredRun]) -> list[Row]:
    """One row a run, each under `list_head`."""
    markets = market_texts(runs)
    return [
        (
            run.name,
            what_was_run(run),
            *(measure_text(key, run.metrics["strategy"].get(key)) for key in ("cagr", "sharpe", "max_drawdown")),
            market,
            run.manifest["first_session"],
            run.manifest["last_session"],
            run.folder.name,
        )
        for run, market in zip(runs, markets, strict=True)
    ]


def what_was_run(run: StoredRun, labelled: bool = True) -> str:
    """Label, spec, what it changes of the shipped one, and an engine that is not the usual one."""
    label = f"{run.label}: " if run.label and labelled else ""
    changed = changes_text(run.changes)
    engine = run.manifest.get("engine", "event")
    by = "" if engine == "event" else f", {engine} engine"
    return f"{label}{run.manifest['spec']}{' with ' if changed else ''}{changed}{by}"


def market_texts(runs: Sequence[StoredRun]) -> list[str]:
    """The market of each run; where runs of one name had other data, with the beginning of its hash."""
    hashes: dict[str, set[str]] = {}
    for run in runs:
        hashes.setdefault(run.manifest["market"], set()).add(_hash(run))
    return [
        f"{run.manifest['market']}{f' #{_hash(run)}' if len(hashes[run.manifest['market']]) > 1 else ''}"
        f"{' (SIMULATED)' if run.manifest['simulated'] else ''}"
        for run in runs
    ]


def _hash(run: StoredRun) -> str:
    return str(run.manifest.get("snapshot_hash", ""))[:8]


def stored_headline(run: StoredRun) -> str:
    """Spec, market, span and id of a run in one line."""
    manifest = run.manifest
    market = f"{'SIMULATED market' if manifest['simulated'] else 'market'} {manifest['market']}"
    days = f"{manifest['first_session']} to {manifest['last_session']}"
    return f"{manifest['spec']} on {market}, {days} (run {manifest['run_id']})"


def stored_portfolios(run: StoredRun) -> list[Row]:
    """The strategy and every baseline, each under `reverse_qe.words.runs.figures.PORTFOLIO_HEAD`."""
    return [
        (name.replace("_", " "), *(measure_text(key, measures.get(key)) for key in _SHOWN))
        for name, measures in run.metrics.items()
        if not name.startswith("by_")
    ]


def stored_regimes(run: StoredRun) -> list[Row]:
    """The strategy's sessions by regime, each under `reverse_qe.words.runs.figures.REGIME_HEAD`."""
    return [
        (
            name,
            _count(row.get("sessions")),
            "-" if row.get("share") is None else f"{row['share']:.0%}",
            *(measure_text(key, row.get(key)) for key in ("mean_return", "volatility", "sharpe")),
        )
        for name, row in (run.metrics.get("by_regime") or {}).items()
    ]


def stored_json(run: StoredRun) -> dict[str, Any]:
    """A run for machines, in fractions."""
    return {
        "folder": str(run.folder),
        "label": run.label or None,
        "changes": dict(run.changes),
        "manifest": run.manifest,
        "metrics": run.metrics,
    }


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "-"
