"""What speaks for a regime: contributions that add up, and a sentence whose figures are the signal's."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.prepare.signal import read_signal
from backtests.prepare.span import session_to_come
from backtests.spec.spec import load_spec
from data.catalogue.publication import publication_times
from data.clock import sessions_between
from data.market.snapshot import Snapshot
from signals.config import GateConfig, SignalConfig
from signals.explain.explanation import GateState, InputReason, change_reason, explain
from signals.explain.history import signal_history
from signals.explain.sentence import QUIET as QUIET_PART
from signals.explain.sentence import input_words, signal_sentence
from signals.explain.titles import input_title
from signals.liquidity import LiquiditySignal
from signals.model_config import RegimeModelConfig

CONFIG = SignalConfig(form=1)
SESSIONS = sessions_between(pd.Timestamp("2026-02-02"), pd.Timestamp("2026-02-13"))
DAY = SESSIONS[-1]
BLOCKS = ("drain", "price_of_capital", "level", "pipes")
# What each input gives, its value and its unit.
QUIET = {
    "drain.capex_growth": (0.0, 0.3, "log growth"),
    "drain.capex_to_cash_flow": (0.0, 0.5, "ratio"),
    "price_of_capital.DGS10_20": (0.0, 1.0, "basis points"),
    "price_of_capital.DFII10_20": (0.0, 2.0, "basis points"),
    "price_of_capital.DFII10_60": (0.0, 3.0, "basis points"),
    "price_of_capital.BAA10Y_20": (0.0, 4.0, "basis points"),
    "level.net_liquidity": (0.0, 5000.0, "USD millions"),
    "pipes.SOFR_DFF": (0.0, 0.5, "basis points"),
}


def made(
    regime: str = "SCARCE", live: int = 4, parts: Mapping[str, tuple[float, float, str]] = QUIET, **more: object
) -> LiquiditySignal:
    """A signal that says the same on every session but the first four, which are NEUTRAL."""

    def table(column: int, **index: pd.DatetimeIndex) -> pd.DataFrame:
        return pd.DataFrame({name: part[column] for name, part in parts.items()}, **index)

    inputs = table(0, index=SESSIONS)
    blocks = pd.DataFrame({block: inputs.filter(like=f"{block}.").sum(axis=1) for block in BLOCKS})
    days = pd.DataFrame({name: pd.Timestamp("2026-01-30") for name in parts}, index=SESSIONS)
    path = pd.Series(["NEUTRAL"] * 4 + [regime] * (len(SESSIONS) - 4), SESSIONS, dtype="str")
    return replace(
        LiquiditySignal(
            score=blocks.sum(axis=1),
            regime=path,
            blocks=blocks,
            inputs=inputs,
            values=table(1, index=SESSIONS),
            observed=days,
            known=days.apply(lambda day: day.dt.tz_localize("UTC")),
            live_blocks=pd.Series(live, SESSIONS),
            units={name: part[2] for name, part in parts.items()},
        ),
        **more,
    )


def said(signal: LiquiditySignal, config: SignalConfig = CONFIG) -> str:
    return signal_sentence(signal, DAY, config)


def test_the_sentence_names_what_gives_most_with_its_figures() -> None:
    parts = {
        **QUIET,
        "drain.capex_to_cash_flow": (0.3, 0.684, "ratio"),
        "price_of_capital.DFII10_60": (0.15, 45.2, "basis points"),
        "price_of_capital.DFII10_20": (0.10, 12.0, "basis points"),
        "price_of_capital.BAA10Y_20": (0.01, 4.0, "basis points"),
    }
    assert said(made(parts=parts)) == (
        "SCARCE since 2026-02-06: trailing capex is 68% of operating cash flow, real yields +45 bp in 60 sessions, "
        "spreads calm"
    )


def test_no_more_than_three_reasons_and_the_strongest_against() -> None:
    parts = {
        **QUIET,
        "drain.capex_growth": (0.5, 0.5423, "log growth"),
        "pipes.SOFR_DFF": (0.2, 3.14, "basis points"),
        "price_of_capital.BAA10Y_20": (0.4, 21.0, "basis points"),
        "price_of_capital.DGS10_20": (0.1, 9.0, "basis points"),
        "price_of_capital.DFII10_20": (-0.05, -4.0, "basis points"),
        "level.net_liquidity": (-0.3, 120_400.0, "USD millions"),
    }
    assert said(made(parts=parts)) == (
        "SCARCE since 2026-02-06: trailing capex +72% in a year, Baa spreads +21 bp in 20 sessions, repo +3.1 bp from "
        "the federal funds rate; against it: net liquidity +120 bn USD in 63 sessions"
    )
    # The other way round, what was against it speaks for it.
    assert said(made("ABUNDANT", parts=parts)) == (
        "ABUNDANT since 2026-02-06: net liquidity +120 bn USD in 63 sessions, real yields -4 bp in 20 sessions; "
        "against it: trailing capex +72% in a year"
    )
    assert said(made("NEUTRAL", parts=parts)) == (
        "NEUTRAL since 2026-02-02: for scarcity: trailing capex +72% in a year, Baa spreads +21 bp in 20 sessions; "
        "for abundance: net liquidity +120 bn USD in 63 sessions, real yields -4 bp in 20 sessions"
    )


def test_a_figure_that_seems_to_point_the_other_way_is_explained() -> None:
    parts = {
        **QUIET,
        "price_of_capital.DGS10_20": (0.2, -7.0, "basis points"),
        "level.net_liquidity": (0.1, 30_000.0, "USD millions"),
        "drain.capex_growth": (-0.1, 0.1, "log growth"),
    }
    assert said(made(parts=parts)) == (
        "SCARCE since 2026-02-06: 10-year yields -7 bp in 20 sessions (tighter than usual of late), net liquidity "
        "+30 bn USD in 63 sessions (tighter than usual of late), spreads calm; against it: trailing capex +11% in a "
        "year (easier than usual of late)"
    )


def test_the_inputs_of_the_options_and_of_events_have_plain_words() -> None:
    parts = {
        **QUIET,
        "drain.results_surprise": (0.5, 0.0488, "log ratio"),
        "drain.guidance_news": (-0.4, -0.0513, "log ratio"),
        "drain.outside_funding": (0.4, 0.4471, "share of a year's capex"),
        "price_of_capital.BAMLH0A0HYM2_20": (-0.3, -61.0, "basis points"),
        "price_of_capital.joint_rise": (0.3, 0.0, "standard deviations"),
        "pipes.SOFR_IORB": (-0.2, 1.25, "basis points"),
    }
    assert said(made(parts=parts)) == (
        "SCARCE since 2026-02-06: news in results +5% (fading sum), outside funding 45% of a year's capex "
        "(fading sum), yields and spreads rose together of late; against it: news in guidance -5% (fading sum)"
    )
    config = CONFIG.model_copy(update={"policy_rate": "IORB"})
    quiet_drain = {name: part for name, part in parts.items() if not name.startswith("drain")}
    assert said(made("ABUNDANT", parts=quiet_drain), config) == (
        "ABUNDANT since 2026-02-06: high-yield spreads -61 bp in 20 sessions, repo +1.2 bp from the interest on "
        "reserves (easier than usual of late); against it: yields and spreads rose together of late"
    )
    rising = {**QUIET, "price_of_capital.joint_rise": (0.3, 1.234, "standard deviations")}
    assert "yields and spreads rise together, by 1.2 deviations" in said(made(parts=rising))


def test_when_nothing_speaks_for_it_the_sentence_says_so() -> None:
    assert said(made()) == "SCARCE since 2026-02-06: no input speaks for it now, the score is +0.00, spreads calm"
    assert said(made("NEUTRAL")) == "NEUTRAL since 2026-02-02: every input is near what is usual"


def test_too_few_live_blocks_and_what_is_missing_are_said() -> None:
    missing = ("price_of_capital.DFII10_20", "price_of_capital.DFII10_60", "pipes.SOFR_DFF")
    signal = made("NEUTRAL", live=1)
    values, observed = signal.values.copy(), signal.observed.copy()
    values[[*missing]] = np.nan
    observed["pipes.SOFR_DFF"] = pd.NaT
    sentence = said(replace(signal, values=values, observed=observed))
    assert sentence == (
        "NEUTRAL since 2026-02-02: only 1 of 4 blocks live, 2 are needed; missing: real yields (last of 2026-01-30), "
        "repo"
    )
    # One of two horizons is enough for the subject not to be missing.
    values["price_of_capital.DFII10_60"] = 3.0
    assert "real yields" not in said(replace(signal, values=values, observed=observed))


def test_a_missing_input_is_no_reason_though_the_score_holds_a_rest_of_it() -> None:
    signal = made(parts={**QUIET, "pipes.SOFR_DFF": (0.4, np.nan, "basis points")})
    assert said(signal).endswith(
        "no input speaks for it now, the score is +0.40, spreads calm; missing: repo (last of 2026-01-30; smoothing "
        "has left +0.40 of it in the score)"
    )
    (reason,) = (each for each in explain(signal, DAY).blocks[-1].inputs if each.name == "pipes.SOFR_DFF")
    told = "repo: missing or too old; smoothing has left +0.40 of it in the score"
    assert input_words(reason, None, SignalConfig()) == told


def test_inputs_of_a_user_speak_in_their_own_name_and_unit() -> None:
    parts = {**QUIET, "level.my_index": (0.3, 1234.5678, "index")}
    assert "2026-02-06: level.my_index 1,235 index" in said(made(parts=parts))


def test_the_gate_tells_the_ratio_and_a_model_its_probability() -> None:
    gate = pd.DataFrame({"ratio": 0.68, "g": 0.97, "multiplier": 0.96}, index=SESSIONS)
    chances = pd.DataFrame({"ABUNDANT": 0.02, "NEUTRAL": 0.0, "SCARCE": 0.98}, index=SESSIONS)
    parts = {**QUIET, "drain.capex_growth": (0.3, 0.4, "log growth")}
    signal = made(parts=parts, gate=gate, probability=chances)
    assert said(signal).startswith(
        "SCARCE since 2026-02-06 (probability 98%): trailing capex is 68% of operating cash flow"
    )
    reasons = explain(signal, DAY)
    assert reasons.probability == {"ABUNDANT": 0.02, "NEUTRAL": 0.0, "SCARCE": 0.98}
    assert reasons.gate is not None
    assert (reasons.gate.ratio, reasons.gate.g, reasons.gate.multiplier) == (0.68, 0.97, 0.96)
    history = signal_history(signal)
    assert list(history)[:10] == [
        *("decided_at", "regime", "score", "live_blocks"),
        *("probability_ABUNDANT", "probability_NEUTRAL", "probability_SCARCE"),
        *("gate_ratio", "gate_g", "gate_multiplier"),
    ]
    assert history["decided_at"][DAY] == "2026-02-13T00:00:00Z"
    blank = explain(replace(signal, gate=gate * np.nan), DAY).gate
    assert blank is not None
    assert blank.ratio is None


def test_a_source_says_so_itself() -> None:
    name = "source.regime"
    table = pd.DataFrame({name: 1.0}, index=SESSIONS)
    signal = replace(
        made(),
        **dict.fromkeys(("inputs", "values"), table),
        blocks=table.set_axis(["source"], axis=1),
        observed=pd.DataFrame({name: SESSIONS}, index=SESSIONS),
        known=pd.DataFrame({name: SESSIONS.tz_localize("UTC")}, index=SESSIONS),
        units={name: "score"},
        needed_blocks=1,
        is_given=True,
    )
    assert said(signal) == "SCARCE since 2026-02-06: the source says so"
    assert said(replace(signal, is_given=False)) == "SCARCE since 2026-02-06: the source's score is +1.00"
    silent = replace(signal, values=table * np.nan, live_blocks=pd.Series(0, SESSIONS))
    assert said(silent) == "SCARCE since 2026-02-06: the source has not spoken yet"


def moved(signal: LiquiditySignal, **blocks: float) -> LiquiditySignal:
    """The signal with blocks that stand elsewhere from the fifth session on, where its regime changes."""
    table = signal.blocks.copy()
    for name, value in blocks.items():
        table.loc[SESSIONS[4] :, name] = value
    return replace(signal, blocks=table, score=table.sum(axis=1))


def test_the_reason_of_a_change_is_the_block_that_moved_most_since_the_stay_before_began() -> None:
    """The drain gives most, and has given it all along; the pipes moved."""
    signal = moved(made(parts={**QUIET, "drain.capex_growth": (0.5, 0.4, "log growth")}), pipes=0.31, level=-0.2)
    reason = change_reason(signal, SESSIONS[4], CONFIG)
    assert reason == "score +0.61 above +0.4; most from pipes, +0.31 since 2026-02-02"
    kind = pd.Series("short of supply", SESSIONS)
    assert change_reason(replace(signal, kind=kind), SESSIONS[4], CONFIG) == f"{reason}; short of supply"
    fallen = moved(made("ABUNDANT", parts={**QUIET, "drain.capex_growth": (-0.5, 0.4, "log growth")}), level=-0.2)
    assert (
        change_reason(fallen, SESSIONS[4], CONFIG) == "score -0.70 below -0.4; most from level, -0.20 since 2026-02-02"
    )


def test_a_block_without_a_value_is_no_reason_though_it_moved_most() -> None:
    signal = moved(made(), pipes=0.4, level=0.1)
    values = signal.values.copy()
    values["pipes.SOFR_DFF"] = np.nan
    reason = change_reason(replace(signal, values=values), SESSIONS[4], CONFIG)
    assert reason.endswith("; most from level, +0.10 since 2026-02-02")


@pytest.mark.parametrize(("score", "told"), [(0.41, "+0.41"), (0.4004, "+0.4004"), (0.400000001, "+0.400000001")])
def test_a_score_has_digits_enough_to_differ_from_its_threshold(score: float, told: str) -> None:
    reason = change_reason(moved(made(), pipes=score), SESSIONS[4], CONFIG)
    assert reason.startswith(f"score {told} above +0.4; most from pipes, ")


def test_the_reason_of_a_change_names_the_model_where_no_threshold_decides() -> None:
    config = CONFIG.model_copy(update={"model": RegimeModelConfig(name="jump")})
    reason = change_reason(moved(made(), pipes=0.4), SESSIONS[4], config)
    assert reason == "the model jump says SCARCE; most from pipes, +0.40 since 2026-02-02"


@pytest.mark.parametrize(
    "settings",
    [{}, {"signal.form": 1, "signal.mark_joint_rises": True, "signal.credit_spread": "BAMLH0A0HYM2_else_BAA10Y"}],
)
@pytest.mark.real_history
def test_contributions_add_up_on_real_history(history: Snapshot, settings: dict[str, object]) -> None:
    spec = load_spec("history", settings)
    check_sums(read_signal(spec, history, session_to_come(history)))


@pytest.mark.parametrize("settings", [{}, {"signal.form": 1, "signal.mark_joint_rises": True}])
def test_contributions_add_up_on_the_sample(sample: Snapshot, settings: dict[str, object]) -> None:
    check_sums(read_signal(load_spec("sample", settings), sample, session_to_come(sample)))


def check_sums(signal: LiquiditySignal) -> None:
    np.testing.assert_allclose(signal.blocks.sum(axis=1), signal.score, rtol=0, atol=1e-12)
    np.testing.assert_allclose(signal.inputs.sum(axis=1), signal.score, rtol=0, atol=1e-12)
    for name, block in signal.blocks.items():
        np.testing.assert_allclose(signal.inputs.filter(like=f"{name}.").sum(axis=1), block, rtol=0, atol=1e-12)
    reasons = explain(signal, signal.score.index[-1])
    parts = [each.contribution for block in reasons.blocks for each in block.inputs]
    assert sum(parts) == pytest.approx(reasons.score, abs=1e-12)
    assert len(parts) == signal.inputs.shape[1]


@pytest.mark.real_history
def test_the_figures_of_the_sentence_are_those_of_the_files(history: Snapshot) -> None:
    """2022-06-15: the real yield from what was known 60 sessions before to what was known then."""
    spec, day = load_spec("history"), pd.Timestamp("2022-06-15")
    sentence = signal_sentence(read_signal(spec, history, day), day, spec.signal)
    rows = history.series[history.series["series"] == "DFII10"].set_index("date")["value"].dropna()
    public = publication_times(pd.DatetimeIndex(rows.index), "next_business_day").tz_localize(None)
    before = sessions_between(pd.Timestamp("2022-01-03"), day)[-61]
    change = 100 * (rows[public <= day].iloc[-1] - rows[public <= before].iloc[-1])
    assert sentence.startswith("SCARCE since ")
    assert f"real yields {change:+.0f} bp in 60 sessions" in sentence


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("price_of_capital.DGS10_20", "10-year yields, 20 sessions (DGS10_20)"),
        ("price_of_capital.BAMLH0A0HYM2_60", "high-yield spreads, 60 sessions (BAMLH0A0HYM2_60)"),
        ("drain.capex_and_leases_to_cash_flow", "the same with leases (capex_and_leases_to_cash_flow)"),
        ("pipes.SOFR_IORB", "repo less interest on reserves (SOFR_IORB)"),
        ("level.my_index", "my_index"),
    ],
)
def test_an_input_is_called_by_its_words_with_its_code_beside(name: str, title: str) -> None:
    assert input_title(name) == title


@pytest.mark.parametrize("form", [1, 2])
def test_every_input_of_the_signal_has_words(sample: Snapshot, form: int) -> None:
    spec = load_spec("sample", {"signal.form": form})
    signal = read_signal(spec, sample, pd.Timestamp("2024-06-03"))
    for name in signal.values.columns:
        assert input_title(name).endswith(f"({name.partition('.')[2]})"), name


def test_why_a_stay_began_is_told_since_the_stay_before_it() -> None:
    """Three stays: the third began because pipes fell from 0.5 to 0.1 in the second, not for what the first one saw."""
    path = pd.Series(["NEUTRAL"] * 3 + ["SCARCE"] * 4 + ["NEUTRAL"] * 3, SESSIONS, dtype="str")
    signal = made(regime="SCARCE", parts={**QUIET, "pipes.SOFR_DFF": (0.1, 0.5, "basis points")})
    blocks = signal.blocks.copy()
    blocks["drain"] = [2.0, 2.0, 2.0, 0.3, 0.3, 0.3, 0.3, 0.25, 0.25, 0.25]
    blocks["pipes"] = [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1]
    third = replace(signal, regime=path, blocks=blocks, score=blocks.sum(axis=1))
    assert change_reason(third, SESSIONS[7], CONFIG) == (
        f"score +0.35 below +0.2; most from pipes, -0.40 since {SESSIONS[3].date()}"
    )
    second = change_reason(third, SESSIONS[3], CONFIG)
    assert second == f"score +0.80 above +0.4; most from pipes, +0.50 since {SESSIONS[0].date()}"


def test_what_gives_just_what_is_quiet_is_not_named() -> None:
    """Two hundredths of the score are calm, on either side."""
    for part in (QUIET_PART, -QUIET_PART):
        parts = {**QUIET, "pipes.SOFR_DFF": (part, 3.0, "basis points")}
        assert said(made("NEUTRAL", parts=parts)) == "NEUTRAL since 2026-02-02: every input is near what is usual"
        parts = {**QUIET, "pipes.SOFR_DFF": (part * 1.001, 3.0, "basis points")}
        assert "repo +3.0 bp" in said(made("NEUTRAL", parts=parts))


def test_a_rise_of_net_liquidity_is_not_counted_by_the_gate() -> None:
    gated = SignalConfig(form=1, gate=GateConfig(level=True))
    for value, told in ((0.5, False), (0.0, False), (-0.5, True)):
        reason = InputReason("level.net_liquidity", 0.0, value, "USD millions", None, None)
        words = input_words(reason, None, gated)
        assert ("as the gate counts it" in words) == told
        assert "as the gate counts it" not in input_words(reason, None, SignalConfig(form=1))


def test_as_many_live_blocks_as_are_needed_are_enough() -> None:
    assert said(made("NEUTRAL", live=2)) == "NEUTRAL since 2026-02-02: every input is near what is usual"
    assert "only 1 of 4 blocks live, 2 are needed" in said(made("NEUTRAL", live=1))


def test_capex_is_paid_from_idle_money_while_the_gate_makes_a_stimulus_of_it() -> None:
    reason = InputReason("drain.capex_growth", 0.0, 0.3, "log growth", None, None)
    for multiplier, words in (
        (-0.2, "trailing capex is 43% of operating cash flow, paid from idle money"),
        (0.0, "trailing capex is 43% of operating cash flow"),
        (0.9, "trailing capex is 43% of operating cash flow"),
    ):
        assert input_words(reason, GateState(0.43, 0.2, multiplier), CONFIG) == words
    for blank in (GateState(None, None, None), GateState(0.43, 0.2, None), GateState(None, 0.2, -0.2)):
        assert input_words(reason, blank, CONFIG) == "trailing capex +35% in a year"
    assert input_words(reason, None, CONFIG) == "trailing capex +35% in a year"


def test_scarcity_is_told_by_its_kind_where_it_has_one() -> None:
    kinds = pd.Series([""] * 4 + ["capital"] * (len(SESSIONS) - 4), SESSIONS)
    signal = made(kind=kinds)
    assert explain(signal, DAY).kind == "capital"
    assert explain(signal, SESSIONS[0]).kind is None
    assert explain(made(), DAY).kind is None
    assert said(signal).startswith("SCARCE since 2026-02-06 (capital): ")
