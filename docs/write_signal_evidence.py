"""Write docs/signal-evidence.md: what the signal says on real history, and what its parts are worth there.

    python docs/write_signal_evidence.py --market history

It needs a market of real history (`reverse-qe data import`) and the extra `evidence`, and takes about a minute.
`make docs` does not run it.
"""

import argparse
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from backtests.prepare.span import session_to_come
from backtests.run import Backtest, run_backtest
from backtests.spec.spec import Spec, load_spec
from backtests.studies.ablation import (
    FULL,
    NO_SIGNAL,
    Variant,
    VariantRun,
    ablation_table,
    ablation_variants,
    gate_variants,
    run_variant,
    variant_signal,
    variant_table,
    window_variants,
)
from backtests.studies.gauge import DIFFERENCE, Gauge, gauge_spec
from data.clock import previous_session
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.markets import open_market
from reverse_qe.words.run import PARTING_HEAD, RESPONSE_HEAD, parting_rows, response_rows
from signals.explain.explanation import stay_begins
from signals.explain.sentence import signal_sentence
from signals.liquidity import LiquiditySignal
from signals.regime import Regime

PAGE = Path(__file__).with_name("signal-evidence.md")
MARKED = re.compile(r"(<!-- (\w+): begin -->\n).*?(<!-- \2: end -->)", re.S)
SPEC = "history"
# Written down before the signal was run on real history. None: left open.
EXPECTED: dict[str, Regime | None] = {
    "2020-09-01": Regime.ABUNDANT,
    "2022-06-15": Regime.SCARCE,
    "2024-11-15": None,
    "2026-10-09": Regime.SCARCE,
}
DAYS = tuple(pd.Timestamp(day) for day in EXPECTED)
DATES = tuple(EXPECTED)
REGIMES = tuple(str(regime) for regime in Regime)


def page_with(sections: Mapping[str, str]) -> str:
    """The page with fresh sections between its marks."""
    return MARKED.sub(lambda marks: f"{marks[1]}\n{sections[marks[2]]}\n\n{marks[3]}", PAGE.read_text(encoding="utf-8"))


def all_sections(spec: Spec, snapshot: Snapshot) -> dict[str, str]:
    """Every section by the name of its marks; progress goes to stderr."""
    _tell("the shipped signal")
    run = run_backtest(spec, snapshot)
    ablated = _run_all(run, ablation_variants(spec.signal, list(run.signal.blocks)))
    gated = _run_all(run, [variant for variant in gate_variants(spec.signal) if variant.config != spec.signal])
    _tell("intervals and gauge")
    measured = gauge_spec(spec, snapshot, run.signal, previous_session(session_to_come(snapshot)))
    return {
        "setting": setting(run, len(ablated), len(gated)),
        "dates": dates_section(spec, run.signal),
        "windows": windows_section(spec, snapshot, pd.DatetimeIndex(run.signal.score.index)),
        "gate": gate_section(run, gated),
        "ablation": ablation_section(ablation_table(run, ablated)),
        "gauge": gauge_section(measured),
    }


def setting(run: Backtest, ablations: int, gates: int) -> str:
    """What the page was made from, and how much was looked at."""
    market = run.snapshot
    return _paragraphs(
        f"The market has bars up to {market.bars['date'].max().date()} and the content hash "
        f"`{market.content_hash[:12]}`. The spec is `{run.spec.run.name}` as it ships; its runs go from "
        f"{run.sessions[0].date()} to {run.sessions[-1].date()}.",
        f"**HINDSIGHT: {run.spec.universe.hindsight}** Comparing variants on such a universe does not mend that.",
        f"**{1 + ablations + gates} backtests stand behind this page**: the shipped signal, {ablations} variants in "
        f"the ablation and {gates} further ratios of the gate. The best of so many is mostly the luckiest. Whoever "
        "chooses by this page has tried them all.",
    )


def dates_section(spec: Spec, signal: LiquiditySignal) -> str:
    """The regime on four days, beside what was expected of them."""
    rows, sentences, misses = [], [], []
    for day, expected in zip(DAYS, EXPECTED.values(), strict=True):
        regime, since = str(signal.regime[day]), stay_begins(signal.regime, day)
        stay, sentence = signal.score.loc[since:day], signal_sentence(signal, day, spec.signal)
        scores = f"{signal.score[day]:+.2f}", f"{stay.min():+.2f} to {stay.max():+.2f}"
        kept = "left open" if expected is None else "yes" if regime == expected else "**no**"
        live = str(signal.live_blocks[day])
        rows.append((str(day.date()), str(expected or "-"), regime, kept, str(since.date()), *scores, live))
        sentences.append(f"- {day.date()}: {sentence}.")
        if expected not in (None, regime):
            misses.append(f"{day.date()} was expected to be {expected} and is {regime}, for the reasons given below.")
    wanted = sum(expected is not None for expected in EXPECTED.values())
    header = ("decision for", "expected", "regime", "as expected", "since", "score", "score since then", "live blocks")
    verdict = f"{wanted - len(misses)} of {wanted} expectations hold."
    return "\n\n".join((_table(header, rows), _paragraphs(" ".join((verdict, *misses))), "\n".join(sentences)))


def windows_section(spec: Spec, snapshot: Snapshot, sessions: pd.DatetimeIndex) -> str:
    """The same days with trailing windows of other lengths."""
    variants = window_variants(spec.signal)
    signals = [variant_signal(spec, snapshot, sessions, variant) for variant in variants]
    rows = [(date, *(f"{each.regime[date]} {each.score[date]:+.2f}" for each in signals)) for date in DATES]
    needed = [
        f"{each.config.min_window_sessions} and {each.config.min_scale_sessions} for {each.name}" for each in variants
    ]
    agree = [
        f"{sum(signal.regime[date] == expected for signal in signals)} of {len(signals)} say {expected} for {date}"
        for date, expected in EXPECTED.items()
        if expected is not None
    ]
    return "\n\n".join(
        (
            _paragraphs(f"Values that a z-score and a scale need in a window: {_listed(needed)}."),
            _table(("decision for", *(variant.name for variant in variants)), rows),
            _paragraphs(f"Of these windows {_listed(agree)}."),
        )
    )


def gate_section(run: Backtest, others: Sequence[VariantRun]) -> str:
    """The shipped spec with the middle of the gate elsewhere."""
    default = f"{run.spec.signal.gate.ratio:.2f}"
    table = variant_table(run, others).rename(index={FULL: default}).sort_index()
    signals = {default: run.signal} | {each.variant.name: each.signal for each in others}
    rows = [
        (
            str(ratio),
            *(str(signals[str(ratio)].regime[day]) for day in DAYS),
            *_shares(row),
            f"{row['sharpe']:.2f}",
            _difference(row),
            f"{row['max_drawdown']:.1%}",
        )
        for ratio, row in table.iterrows()
    ]
    moved = [date for date in DATES if len({signal.regime[date] for signal in signals.values()}) > 1]
    days = (
        f"The regime depends on the ratio on {_listed(moved)}." if moved else "The regime of the four days is the same."
    )
    header = ("ratio", *DATES, *REGIMES, "Sharpe", f"less that of {default}", "max. drawdown")
    return f"{_table(header, rows)}\n\n{_paragraphs(f'{days} {_verdict(table.drop(default))}')}"


def ablation_section(table: pd.DataFrame) -> str:
    """The signal with one part taken away or changed."""
    rows = [
        (
            str(name),
            f"{row['sharpe']:.2f}",
            _difference(row),
            f"{row['cagr']:.1%}",
            f"{row['max_drawdown']:.1%}",
            f"{row['turnover']:.0%}",
            *_shares(row),
        )
        for name, row in table.iterrows()
    ]
    compared, mix = table.drop([FULL, NO_SIGNAL]), table.loc[NO_SIGNAL]
    higher, width = int((compared["difference"] > 0).sum()), compared["high"] - compared["low"]
    shown = (
        "its interval excludes 0" if _excludes_zero(mix) else "its interval holds 0, so neither is shown to be better"
    )
    header = ("", "Sharpe", "less that of the full signal", "CAGR", "max. drawdown", "turnover", *REGIMES)
    return f"{_table(header, rows)}\n\n" + _paragraphs(
        f"{higher} of the {len(compared)} variants have a higher Sharpe ratio than the full signal, "
        f"{len(compared) - higher} have not. {_verdict(compared)} The intervals are {width.min():.2f} to "
        f"{width.max():.2f} wide: smaller differences cannot be seen in a history of this length.",
        f"Without any signal the Sharpe ratio is {mix['sharpe']:.2f}. The difference is {_difference(mix)}: {shown}.",
    )


def gauge_section(measured: Gauge) -> str:
    """How prices answered the signal."""
    slopes = measured.responses.dropna(subset="slope")
    clear = [
        f"{row['leg']} to the {row['driver']} ({row['slope']:+.2%})".replace("_", " ")
        for _, row in slopes.iterrows()
        if _excludes_zero(row)
    ]
    partings = measured.partings[measured.partings["leg"] == DIFFERENCE].dropna(subset="mean")
    parted = [f"{row['regime']} ({row['mean']:+.0%})" for _, row in partings.iterrows() if _excludes_zero(row)]
    return "\n\n".join(
        (
            _paragraphs(
                f"Weeks follow decisions from {measured.first.date()} to {measured.last.date()}. Return of the week "
                "that follows, per standard deviation of the score and of its change:"
            ),
            _table(RESPONSE_HEAD, response_rows(measured)),
            _paragraphs("Mean return a year of the weeks that begin in each regime:"),
            _table(PARTING_HEAD, parting_rows(measured)),
            _paragraphs(
                f"Intervals without 0, of {len(slopes)} slopes: {_listed(clear) or 'none'}; of the {len(partings)} "
                f"differences between the baskets: {_listed(parted) or 'none'}."
            ),
        )
    )


def _run_all(run: Backtest, variants: Sequence[Variant]) -> list[VariantRun]:
    runs = []
    for variant in variants:
        _tell(variant.name)
        runs.append(run_variant(run, variant))
    return runs


def _verdict(compared: pd.DataFrame) -> str:
    """What the intervals of differences carry, and no more."""
    clear = [str(name) for name, row in compared.iterrows() if _excludes_zero(row)]
    count = len(compared)
    if not clear:
        return f"Each of the {count} intervals holds 0: none of these changes is shown to help or to harm."
    return (
        f"{len(clear)} of the {count} intervals exclude 0: {_listed(clear)}. Of {count} changes without any effect, "
        f"{0.05 * count:.1f} would, on average."
    )


def _excludes_zero(row: pd.Series) -> bool:
    return bool(row["low"] > 0 or row["high"] < 0)


def _difference(row: pd.Series) -> str:
    if pd.isna(row["difference"]):
        return "-"
    return f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"


def _shares(row: pd.Series) -> tuple[str, ...]:
    return tuple("-" if pd.isna(row[regime]) else f"{row[regime]:.0%}" for regime in REGIMES)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + (" and " if names[1:] else "") + "".join(names[-1:])


def _paragraphs(*texts: str) -> str:
    return "\n\n".join(textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) for text in texts)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _tell(stage: str) -> None:
    print(f"{stage} ...", file=sys.stderr)


def main() -> int:
    """Write the page; 2 where the input was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="history", help="name of a market of real history (default: history)")
    market = parser.parse_args().market
    try:
        text = page_with(all_sections(load_spec(SPEC), open_market(market)))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
