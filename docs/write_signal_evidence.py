"""Write docs/signal-evidence.md: what the signal says on real history, and what its parts are worth there.

    python docs/write_signal_evidence.py --market history

It needs a market of real history (`reverse-qe data import`) and the extra `evidence`, and takes some minutes.
`make docs` does not run it.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from backtests.prepare.signal import read_signal
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
from backtests.studies.choices import reading_choices, setting_choices
from backtests.studies.gauge import DIFFERENCE, Gauge, gauge_spec
from backtests.studies.judged.judge import judge_spec
from backtests.studies.truth import compare_with_truth
from data.clock import previous_session
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.markets import open_market
from data.sample import load_market, true_regime
from form_evidence import (
    choices_section,
    forms_section,
    published_section,
    simulated_section,
    stays_section,
    where_section,
)
from judged_evidence import judged_section
from page_parts import REGIMES, difference, excludes_zero, listed, paragraphs, shares, table, verdict
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
FORMS: Mapping[str, dict[str, object]] = {
    "form 2": {},
    "form 1": {"signal.form": 1},
    "form 1, events of 2026-10": {"signal.form": 1, "signal.events": "2026-10"},
}
SEEDS = 20


def page_with(sections: Mapping[str, str]) -> str:
    """The page with fresh sections between their marks; the others stay."""
    text = PAGE.read_text(encoding="utf-8")
    return MARKED.sub(
        lambda marks: f"{marks[1]}\n{sections[marks[2]]}\n\n{marks[3]}" if marks[2] in sections else marks[0], text
    )


def judged_sections(spec: Spec, snapshot: Snapshot, seeds: int = SEEDS) -> dict[str, str]:
    """The section in which the signal is judged, alone: it needs no backtest."""
    coming = session_to_come(snapshot)
    judged = judge_spec(spec, snapshot, read_signal(spec, snapshot, coming), previous_session(coming))
    return {"judged": judged_section(judged, seeds, _tell)}


def all_sections(spec: Spec, snapshot: Snapshot, seeds: int = SEEDS) -> dict[str, str]:
    """Every section by the name of its marks; progress goes to stderr."""
    forms = {}
    for name, settings in FORMS.items():
        _tell(name)
        forms[name] = run_backtest(load_spec(spec.run.name, settings), snapshot)
    run = forms["form 2"]
    shown = {name: forms[name] for name in list(FORMS)[:2]}
    ablated = {
        name: _run_all(each, ablation_variants(each.spec.signal, [*each.signal.blocks])) for name, each in shown.items()
    }
    gated = _run_all(run, [variant for variant in gate_variants(spec.signal) if variant.config != spec.signal])
    chosen = _run_all(run, setting_choices(spec.signal))
    for name, market in reading_choices(snapshot).items():
        _tell(name)
        chosen.append(run_variant(run, Variant(name, spec.signal), market))
    _tell("intervals and gauge")
    measured = gauge_spec(spec, snapshot, run.signal, previous_session(session_to_come(snapshot)))
    simulated, effects = [], []
    for seed in range(1, seeds + 1):
        _tell(f"sample market {seed}")
        gauge, effect = simulated_effect(seed)
        simulated.append(gauge)
        effects.append(effect)
    luck = run.evidence.luck
    assert luck is not None
    counts = [len(FORMS), sum(map(len, ablated.values())), len(gated), len(chosen)]
    return {
        "setting": setting(run, counts),
        "forms": forms_section(forms),
        "dates": _of_forms(shown, lambda each: dates_section(each.spec, each.signal)),
        "windows": _of_forms(
            shown, lambda each: windows_section(each.spec, snapshot, pd.DatetimeIndex(each.signal.score.index))
        ),
        "where": where_section(shown),
        "stays": stays_section(shown),
        "published": published_section(shown),
        "gate": gate_section(run, gated),
        "ablation": "\n\n".join(
            f"### {_title(name)}\n\n{ablation_section(ablation_table(forms[name], each))}"
            for name, each in ablated.items()
        ),
        "choices": choices_section(run, chosen),
        "simulated": simulated_section(measured, simulated, (luck.value, luck.low, luck.high), effects),
        "gauge": gauge_section(measured),
        **judged_sections(spec, snapshot, seeds),
    }


def simulated_effect(seed: int) -> tuple[Gauge, float]:
    """What the default rotation meets in a sample market: the gauge, and its Sharpe ratio less the static mix's."""
    name = f"sample:thesis@{seed}"
    spec, market = load_spec("sample"), load_market(name)
    coming = session_to_come(market)
    gauge = gauge_spec(spec, market, read_signal(spec, market, coming), previous_session(coming))
    return gauge, compare_with_truth(spec, market, true_regime(name)).sharpe_difference


def setting(run: Backtest, counts: Sequence[int]) -> str:
    """What the page was made from, and how much was looked at."""
    market, (forms, ablations, gates, choices) = run.snapshot, counts
    return paragraphs(
        f"The market has bars up to {market.bars['date'].max().date()} and the content hash "
        f"`{market.content_hash[:12]}`. The spec is `{run.spec.run.name}` as it ships; its runs go from "
        f"{run.sessions[0].date()} to {run.sessions[-1].date()}.",
        f"**HINDSIGHT: {run.spec.universe.hindsight}** Comparing variants on such a universe does not mend that.",
        f"**{sum(counts)} backtests stand behind this page**: {forms} forms, {ablations} variants in the ablations, "
        f"{gates} further ratios of the gate and {choices} other choices. The best of so many is mostly the luckiest. "
        "Whoever chooses by this page has tried them all.",
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
    told = f"{wanted - len(misses)} of {wanted} expectations hold."
    return "\n\n".join((table(header, rows), paragraphs(" ".join((told, *misses))), "\n".join(sentences)))


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
            paragraphs(f"Values that a reading and a scale need in a window: {listed(needed)}."),
            table(("decision for", *(variant.name for variant in variants)), rows),
            paragraphs(f"Of these windows {listed(agree)}."),
        )
    )


def gate_section(run: Backtest, others: Sequence[VariantRun]) -> str:
    """The shipped spec with the middle of the gate elsewhere."""
    default = f"{run.spec.signal.gate.ratio:.2f}"
    compared = variant_table(run, others).rename(index={FULL: default}).sort_index()
    signals = {default: run.signal} | {each.variant.name: each.signal for each in others}
    rows = [
        (
            str(ratio),
            *(str(signals[str(ratio)].regime[day]) for day in DAYS),
            *shares(row),
            f"{row['sharpe']:.2f}",
            difference(row),
            f"{row['max_drawdown']:.1%}",
        )
        for ratio, row in compared.iterrows()
    ]
    moved = [date for date in DATES if len({signal.regime[date] for signal in signals.values()}) > 1]
    days = (
        f"The regime depends on the ratio on {listed(moved)}." if moved else "The regime of the four days is the same."
    )
    header = ("ratio", *DATES, *REGIMES, "Sharpe", f"less that of {default}", "max. drawdown")
    return f"{table(header, rows)}\n\n{paragraphs(f'{days} {verdict(compared.drop(default))}')}"


def ablation_section(compared: pd.DataFrame) -> str:
    """The signal with one part taken away or changed."""
    rows = [
        (
            str(name),
            f"{row['sharpe']:.2f}",
            difference(row),
            f"{row['cagr']:.1%}",
            f"{row['max_drawdown']:.1%}",
            f"{row['turnover']:.0%}",
            *shares(row),
        )
        for name, row in compared.iterrows()
    ]
    only, mix = compared.drop([FULL, NO_SIGNAL]), compared.loc[NO_SIGNAL]
    higher, width = int((only["difference"] > 0).sum()), only["high"] - only["low"]
    shown = (
        "its interval excludes 0" if excludes_zero(mix) else "its interval holds 0, so neither is shown to be better"
    )
    header = ("", "Sharpe", "less that of the full signal", "CAGR", "max. drawdown", "turnover", *REGIMES)
    return f"{table(header, rows)}\n\n" + paragraphs(
        f"{higher} of the {len(only)} variants have a higher Sharpe ratio than the full signal, "
        f"{len(only) - higher} have not. {verdict(only)} The intervals are {width.min():.2f} to "
        f"{width.max():.2f} wide: smaller differences cannot be seen in a history of this length.",
        f"Without any signal the Sharpe ratio is {mix['sharpe']:.2f}. The difference is {difference(mix)}: {shown}.",
    )


def gauge_section(measured: Gauge) -> str:
    """How prices answered the signal."""
    slopes = measured.responses.dropna(subset="slope")
    clear = [
        f"{row['leg']} to the {row['driver']} ({row['slope']:+.2%})".replace("_", " ")
        for _, row in slopes.iterrows()
        if excludes_zero(row)
    ]
    partings = measured.partings[measured.partings["leg"] == DIFFERENCE].dropna(subset="mean")
    parted = [f"{row['regime']} ({row['mean']:+.0%})" for _, row in partings.iterrows() if excludes_zero(row)]
    return "\n\n".join(
        (
            paragraphs(
                f"Weeks follow decisions from {measured.first.date()} to {measured.last.date()}. Return of the week "
                "that follows, per standard deviation of the score and of its change:"
            ),
            table(RESPONSE_HEAD, response_rows(measured)),
            paragraphs("Mean return a year of the weeks that begin in each regime:"),
            table(PARTING_HEAD, parting_rows(measured)),
            paragraphs(
                f"Intervals without 0, of {len(slopes)} slopes: {listed(clear) or 'none'}; of the {len(partings)} "
                f"differences between the baskets: {listed(parted) or 'none'}."
            ),
        )
    )


def _run_all(run: Backtest, variants: Sequence[Variant]) -> list[VariantRun]:
    runs = []
    for variant in variants:
        _tell(variant.name)
        runs.append(run_variant(run, variant))
    return runs


def _of_forms(forms: Mapping[str, Backtest], section: Callable[[Backtest], str]) -> str:
    return "\n\n".join(f"### {_title(name)}\n\n{section(run)}" for name, run in forms.items())


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _tell(stage: str) -> None:
    print(f"{stage} ...", file=sys.stderr)


def main() -> int:
    """Write the page; 2 where the input was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="history", help="name of a market of real history (default: history)")
    parser.add_argument("--judged", action="store_true", help="write the section of the judged signal alone")
    asked = parser.parse_args()
    try:
        sections = judged_sections if asked.judged else all_sections
        text = page_with(sections(load_spec(SPEC), open_market(asked.market)))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
