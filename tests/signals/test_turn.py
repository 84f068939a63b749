"""What would turn the regime: put into the market, it turns it, and the published step before it does not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.prepare.signal import read_signal
from backtests.spec.spec import Spec, load_spec
from data.catalogue.series import series_entry
from data.clock import decision_times, sessions_between
from data.errors import InputError
from data.market.snapshot import Snapshot
from data.market.tables import SERIES
from signals.block import SignalData
from signals.config import SignalConfig
from signals.facts import Facts
from signals.liquidity import LiquiditySignal
from signals.turn.candidates import held_series, levers
from signals.turn.held import HORIZON, held_data, held_rows, known_data
from signals.turn.levers import Span
from signals.turn.turn import BLOCK, Move, Turn, Turning, nearest_turn, score_ends, what_would_turn
from signals.turn.world import World

DECISIONS = 30


def spec_of(name: str, form: int) -> Spec:
    return load_spec(name, {"signal.form": form})


def data_of(snapshot: Snapshot, signal: LiquiditySignal, spec: Spec) -> SignalData:
    return SignalData.of(snapshot, pd.DatetimeIndex(signal.score.index), spec.signal)


def supposed_market(
    spec: Spec, snapshot: Snapshot, data: SignalData, session: pd.Timestamp, move: Move | None, value: float
) -> Snapshot:
    """What is known at a decision, what is held after it, and in its tables what is supposed."""
    held = held_data(data, session, tuple(held_series(Facts(data), spec.signal)))
    if move is not None:
        assert move.lever is not None
        held = move.lever.inserted(held, value)
    return replace_tables(snapshot, held)


def replace_tables(snapshot: Snapshot, held: SignalData) -> Snapshot:
    return replace(
        snapshot,
        series=held.series,
        capex_actuals=held.capex,
        capex_guidance=held.guidance,
        funding_events=held.funding,
        balance_sheet_paces=held.paces,
    )


def turns(turn: Turn, path: list[str], which: str) -> bool:
    if which == "next":
        return path[0] != turn.base[0]
    return any(each != turn.regime for each in path) != any(each != turn.regime for each in turn.base)


def turnings(turn: Turn) -> list[tuple[Move, str, Turning]]:
    both = [(move, which, getattr(move, which)) for move in turn.moves for which in ("next", "within")]
    return [each for each in both if each[0].kind != BLOCK and each[2] is not None]


def prove(spec: Spec, snapshot: Snapshot, count: int, seed: int, most: int) -> list[tuple[Move, str, Turning]]:
    """Check some of what is found at random decisions, half of them with the score near the end of its regime."""
    random = np.random.default_rng(seed)
    signal = read_signal(spec, snapshot, pd.Timestamp("2026-09-01"))
    data = data_of(snapshot, signal, spec)
    score, regime = signal.score.loc["2018":], signal.regime.loc["2018":]
    away = [
        min(abs(value - end) for end in score_ends(name, spec.signal))
        for value, name in zip(score, regime, strict=True)
    ]
    near = random.choice(score.index[np.array(away) < 0.06], count - count // 2, replace=False)
    proved = []
    for session in map(pd.Timestamp, [*near, *random.choice(score.index, count // 2, replace=False)]):
        turn = what_would_turn(data, session, spec.signal)
        assert turn.regime == signal.regime[session]
        assert turn.score == pytest.approx(signal.score[session], abs=1e-12)

        def path(move: Move | None = None, value: float = 0.0, turn: Turn = turn) -> list[str]:
            market = supposed_market(spec, snapshot, data, turn.session, move, value)
            return read_signal(spec, market, turn.coming[-1]).regime.loc[turn.coming[0] :].tolist()

        assert path() == list(turn.base)
        found = turnings(turn)
        for place in random.permutation(len(found))[:most]:
            move, which, turning = found[place]
            moved = path(move, turning.value)
            assert turns(turn, moved, which), (session, move, which)
            assert moved[turn.coming.get_loc(turning.session)] == turning.regime
            if turning.before is not None:
                assert abs(turning.value - turning.before) == pytest.approx(move.step)
                assert not turns(turn, path(move, turning.before), which), (session, move, which)
            proved.append(found[place])
    return proved


@pytest.mark.slow
@pytest.mark.parametrize("form", [1, 2])
def test_what_is_solved_turns_the_regime_of_a_market_that_holds_it(sample: Snapshot, form: int) -> None:
    assert len(prove(spec_of("sample", form), sample, 2, form, 3)) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("form", [1, 2])
def test_at_both_ends_of_every_range_the_scores_are_those_of_a_market_that_holds_it(
    sample: Snapshot, form: int
) -> None:
    spec, session = spec_of("sample", form), pd.Timestamp("2022-05-03")
    signal = read_signal(spec, sample, session)
    data = data_of(sample, signal, spec)
    world = World.of(data, session, spec.signal, tuple(held_series(Facts(data), spec.signal)))
    for lever in levers(world):
        for value in (lever.span.low, lever.span.high):
            if value == value:
                market = replace_tables(sample, lever.inserted(world.data, value))
                scores = read_signal(spec, market, world.coming[-1]).score.loc[world.coming[0] :]
                assert world.scores(lever, value) == pytest.approx(scores.tolist(), abs=1e-9), (lever.name, value)


@pytest.mark.slow
@pytest.mark.parametrize("form", [1, 2])
def test_at_random_decisions_it_turns_at_the_value_and_not_a_published_step_before(sample: Snapshot, form: int) -> None:
    proved = prove(spec_of("sample", form), sample, DECISIONS // 2, 10 + form, 4)
    assert len(proved) > 2 * DECISIONS // 2
    assert {which for _, which, _ in proved} == {"next", "within"}
    assert {"series"} < {move.kind for move, _, _ in proved}


BILL = {"name": "bill", "block": "price_of_capital", "series": "DGS3MO", "transform": "change", "length": 20}


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"signal.form": 1, "signal.gate.level": True},
        {"signal.form": 1, "signal.gate.enabled": False},
        {"signal.form": 1, "signal.mark_joint_rises": True, "signal.policy_rate": "IORB"},
        {"signal.form": 1, "signal.net_liquidity": "one_wednesday"},
        {"signal.form": 2, "signal.capex_events": False, "signal.outside_funding": False},
        {"signal.form": 2, "signal.inputs": [{**BILL, "scarcer_when": "higher"}]},
    ],
)
def test_options_of_the_signal_are_followed(sample: Snapshot, settings: dict[str, object]) -> None:
    assert len(prove(load_spec("sample", settings), sample, 2, 5, 3)) >= 2


@pytest.mark.slow
@pytest.mark.real_history
def test_on_real_history_it_turns_at_the_value_and_not_a_published_step_before(history: Snapshot) -> None:
    assert len(prove(spec_of("history", 2), history, 6, 4, 5)) > 6


def test_the_nearest_value_is_found_where_a_score_does_not_move_one_way_only() -> None:
    span = Span(held=10.0, low=0.0, high=20.0, step=0.01)
    assert nearest_turn(span, lambda steps: 1237 <= steps < 1500) == (1237, 1236)
    assert nearest_turn(span, lambda steps: steps >= 1237 or steps <= 900) == (900, 901)
    assert nearest_turn(span, lambda steps: steps == 1000) == (1000, None)
    assert nearest_turn(span, lambda _: False) is None
    # Off the grid, the held value is the published one next to it.
    assert nearest_turn(Span(0.004, -0.5, 0.5, 0.01), lambda steps: steps > 0) == (1, 0)


def test_nothing_that_became_known_later_is_in_the_world_that_is_carried_on(sample: Snapshot) -> None:
    session = pd.Timestamp("2022-05-03")
    spec = spec_of("sample", 2)
    data = SignalData.of(sample, sessions_between(pd.Timestamp("2016-01-04"), session), spec.signal)
    known = known_data(data, session)
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    for table in (known.series, known.guidance, known.funding, known.paces):
        assert (table["known_at"] <= decision).all()
    later = held_data(data, session, ("DGS10", "WALCL")).series
    added = later[later["known_at"] > decision]
    assert set(added["series"]) == {"DGS10", "WALCL"}
    for name, weekday in (("DGS10", range(5)), ("WALCL", [2])):
        rows = added[added["series"] == name]
        newest = known.series[known.series["series"] == name].sort_values("date")["value"].iloc[-1]
        assert set(rows["value"]) == {newest}
        assert set(rows["date"].dt.day_of_week) <= set(weekday)
    assert len(added[added["series"] == "WALCL"]) == pytest.approx(HORIZON / 5, abs=1)


def test_a_series_that_is_too_old_stays_so() -> None:
    rows = SERIES.conform(
        pd.DataFrame(
            {
                "series": "DGS10",
                "date": pd.to_datetime(["2024-01-02", "2024-01-03"]),
                "value": [4.0, 4.1],
                "known_at": pd.to_datetime(["2024-01-03T22:00Z", "2024-01-04T22:00Z"]),
            }
        )
    )

    def held(name: str, first: str, last: str) -> pd.DataFrame:
        return held_rows(rows, name, series_entry(name), pd.Timestamp(first), pd.Timestamp(last))

    fresh = held("DGS10", "2024-01-08", "2024-01-12")
    assert fresh["date"].dt.day.tolist() == [4, 5, 8, 9, 10]  # the 4th should be there; known on the 8th to the 11th
    assert (fresh["known_at"] > pd.Timestamp("2024-01-08", tz="UTC")).all()
    assert set(fresh["value"]) == {4.1}
    assert held_rows(rows, "DGS10", series_entry("DGS10"), pd.Timestamp("2024-02-08"), pd.Timestamp("2024-02-12")).empty
    assert held_rows(
        rows, "DFII10", series_entry("DFII10"), pd.Timestamp("2024-01-08"), pd.Timestamp("2024-01-12")
    ).empty


def test_a_rate_that_holds_from_the_day_decided_for_lacks_no_day() -> None:
    rows = SERIES.conform(
        pd.DataFrame(
            {
                "series": "IORB",
                "date": pd.to_datetime(["2026-10-07", "2026-10-08", "2026-10-09"]),
                "value": 3.9,
                "known_at": pd.to_datetime(["2026-10-07T00:00Z", "2026-10-08T00:00Z", "2026-10-09T00:00Z"]),
            }
        )
    )
    # The market was made on Saturday the 10th; the rate of Monday the 12th is known as that day begins.
    held = held_rows(rows, "IORB", series_entry("IORB"), pd.Timestamp("2026-10-12"), pd.Timestamp("2026-10-14"))
    assert held["date"].dt.day.tolist() == [12, 13, 14]
    assert (held["known_at"] > pd.Timestamp("2026-10-12", tz="UTC")).all()


def test_regimes_that_are_fitted_or_given_are_refused(sample: Snapshot) -> None:
    data = SignalData.of(
        sample, sessions_between(pd.Timestamp("2016-01-04"), pd.Timestamp("2022-05-03")), SignalConfig()
    )
    for config, got in (
        ({"model": {"name": "jump"}}, "the model jump"),
        ({"source": "regimes.csv"}, "a source"),
    ):
        with pytest.raises(InputError, match=f"got the regimes of {got}"):
            what_would_turn(data, pd.Timestamp("2022-05-03"), SignalConfig(**config))
