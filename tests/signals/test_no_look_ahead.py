"""Every public function of signals/, fed with a future that is cut, garbled, delayed, hurried: no earlier row changes.

What becomes known after a decision is perturbed; what the function gives for that decision and those before must stay
the same to the last bit. A new public function of signals/ joins `BY_SESSION`, `BY_KNOWN_AT` or `WITHOUT_DATA`, or the
first test fails.
"""

import importlib
import inspect
import os
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

import signals
from data.catalogue.series import series_entry
from data.clock import decision_times, sessions_between
from data.market.tables import CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, SERIES, Table
from frames import (
    add_inputs,
    block_input,
    capex_growth,
    capex_news,
    capex_to_cash_flow,
    configured_input,
    drain_block,
    fading_news,
    fading_sum,
    funding_shares,
    gate_state,
    idle_money_gate,
    joint_rise,
    known_frame,
    level_block,
    nested_mean,
    nested_weights,
    outside_funding,
    pipes_block,
    price_of_capital_block,
    trailing_capex,
    trailing_scale,
    trailing_z,
)
from signals.block import SignalData, require_block
from signals.blocks.drain import drain_of as form_1_drain_of
from signals.blocks.level import net_liquidity
from signals.blocks.pipes import mean_known, repo_spread
from signals.blocks.price_of_capital import rate_changes
from signals.blocks.rates import change_over, rounded_basis_points
from signals.capex.funding import raised_over_cash_flow
from signals.capex.news import KINDS, News, with_figure
from signals.capex.news import capex_news as score_news
from signals.capex.spenders import read_spenders
from signals.capex.spending import (
    Quarters,
    company_quarters,
    followed_quarters,
    sampled,
    trailing_cash_flow,
    trailing_sums,
)
from signals.config import GateConfig, InputConfig, SignalConfig
from signals.explain.explanation import change_reason, explain, stay_begins
from signals.explain.history import signal_history
from signals.explain.sentence import input_words, signal_sentence, signal_sides
from signals.explain.switches import regime_switches
from signals.facts import Facts
from signals.form_2.drain import (
    drain_inputs,
    drain_reading,
    lasting_funding,
    lasting_guidance,
    lasting_results,
    news_members,
)
from signals.form_2.drain import drain_of as form_2_drain_of
from signals.form_2.level import announced_pace, level_reading
from signals.form_2.level import net_liquidity as tank
from signals.form_2.members import added_members, with_members
from signals.form_2.pipes import pipes_reading, without_month_ends
from signals.form_2.price_of_capital import joint_move, price_of_capital_reading
from signals.form_2.scales import (
    change_over_usual,
    enough_values,
    event_over_usual,
    over_usual,
    root_mean_square,
    scaled,
    usual_change,
)
from signals.known import (
    NAT,
    NEVER,
    Known,
    Observations,
    in_order,
    known_values,
    mean_of_newest,
    microseconds,
    moments_of,
    on_weeks,
    together,
)
from signals.liquidity import (
    LiquiditySignal,
    liquidity_signal,
    read_blocks,
    required_series,
    score_parts,
    wanted_series,
)
from signals.model_config import RegimeModelConfig
from signals.models.estimate import RegimeModel
from signals.models.fit_cache import fit_key, kept_fit
from signals.models.jump import JUMP, fit_jump, jump_model, online_scarce
from signals.models.markov_switching import (
    MARKOV_SWITCHING,
    filtered_scarce,
    fit_markov_switching,
    markov_switching_model,
)
from signals.models.registry import regime_estimate
from signals.models.threshold import threshold_model
from signals.models.two_states import TwoStateModel, fitted_forward, two_state_estimate
from signals.observations import (
    as_known,
    basis_points,
    same_day_observations,
    sample_at_decisions,
    series_observations,
    trailing_mean,
)
from signals.partial import gate_regimes, regimes_without
from signals.reading import Reading, raw_block, silent_reading
from signals.regime import Regime, held_regimes, regime_path, walk_thresholds
from signals.rows import across, or_zero
from signals.source import source_signal
from signals.standardize import FirstPresent, clipped, unclipped_z, weigh
from signals.turn.candidates import held_series, levers
from signals.turn.held import held_data, held_rows, known_data, sessions_to_come
from signals.turn.turn import what_would_turn
from signals.turn.world import World as TurnWorld
from signals.windows import (
    fading_total,
    kept_powers,
    smooth,
    trailing_median,
    trailing_moments,
    trailing_range,
    trailing_root_mean_square,
)

CONFIG = SignalConfig(
    form=1,
    window_sessions=40,
    min_window_sessions=12,
    min_scale_sessions=8,
    companies=("AAA", "BBB"),
    further_event_companies=("CCC",),
    event_half_life_sessions=15,
    funding_half_life_sessions=10,
    change_sessions=(3, 7),
    level_change_sessions=6,
    pipes_mean_observations=3,
    half_life_sessions=4,
    dwell_sessions=5,
)
CONFIG_2 = CONFIG.model_copy(update={"form": 2})
SESSIONS = sessions_between(pd.Timestamp("2015-01-02"), pd.Timestamp("2015-12-31"))


@dataclass(frozen=True)
class World:
    series: pd.DataFrame
    capex: pd.DataFrame
    guidance: pd.DataFrame
    funding: pd.DataFrame
    sessions: pd.DatetimeIndex
    paces: pd.DataFrame

    @property
    def data(self) -> SignalData:
        tables = (self.series, self.capex, self.guidance, self.funding, self.sessions)
        return SignalData(*tables, self.paces, covered())

    @property
    def facts(self) -> Facts:
        return Facts(self.data)

    def observations(self, name: str) -> pd.DataFrame:
        return series_observations(self.series, name)

    def sampled(self) -> pd.DataFrame:
        return pd.DataFrame(
            {name: as_known(self.observations(name), self.sessions, 10)["value"] for name in ("DGS10", "BAA10Y")}
        )

    def quarters(self) -> list[Quarters]:
        return [company_quarters(self.capex, company) for company in CONFIG.companies]

    def news(self) -> pd.DataFrame:
        return capex_news(followed_quarters(self.capex, CONFIG), self.guidance, CONFIG)

    def followed(self) -> dict[str, Quarters]:
        return followed_quarters(self.capex, CONFIG)

    def scored(self) -> News:
        return score_news(self.followed(), self.guidance, CONFIG)

    def shares(self) -> pd.DataFrame:
        return funding_shares(self.funding, followed_quarters(self.capex, CONFIG), CONFIG)


@pytest.fixture(scope="module")
def world() -> World:
    """Random walks with revisions, late news and blanks; results whose cash flow often follows days after."""
    random = np.random.default_rng(11)
    parts = []
    for name in {**dict.fromkeys(required_series(CONFIG)), **dict.fromkeys(wanted_series(CONFIG_2))}:
        weekly = name in ("WALCL", "WTREGEN", "WDTGAL")
        dates = pd.date_range("2014-10-01", "2015-12-31", freq="W-WED" if weekly else "B")
        dates = dates.as_unit("us")
        values = (5 + random.normal(0, 0.05, len(dates)).cumsum()).round(2)
        values[random.random(len(dates)) < 0.05] = np.nan
        late = random.integers(0, 4, len(dates)) * pd.Timedelta(days=2)
        known = (dates + pd.Timedelta(hours=46) + late).tz_localize("UTC")
        rows = pd.DataFrame({"series": name, "date": dates, "value": values, "known_at": known})
        revised = rows[random.random(len(rows)) < 0.1]
        revised = revised.assign(value=revised["value"] + 0.1, known_at=revised["known_at"] + pd.Timedelta("5D2h"))
        parts += [rows, revised]
    capex = results(random)
    tables = (capex, guided(random, capex), raised(random))
    return World(SERIES.conform(pd.concat(parts)), *tables, SESSIONS, announced_paces(random))


def results(random: np.random.Generator) -> pd.DataFrame:
    parts = []
    for company, first in (("AAA", "2011-03-31"), ("BBB", "2011-05-31"), ("CCC", "2014-06-30")):
        ends = pd.date_range(first, "2015-11-30", freq="3ME").as_unit("us")
        known = (ends + pd.Timedelta(days=25) + random.integers(0, 10, len(ends)) * pd.Timedelta(days=1)).tz_localize(
            "UTC"
        )
        parts.append(
            pd.DataFrame(
                {
                    "company": company,
                    "fiscal_period": [f"{2011 + n // 4}Q{n % 4 + 1}" for n in range(len(ends))],
                    "period_end": ends,
                    "capex_usd_bn": random.uniform(1, 2, len(ends)),
                    "ocf_usd_bn": random.uniform(3, 5, len(ends)),
                    "capex_known_at": known,
                    "ocf_known_at": known + random.integers(0, 2, len(ends)) * pd.Timedelta(days=9),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["headline_capex_usd_bn"] = 1.1 * frame["capex_usd_bn"]
    return completed(CAPEX, frame)


def guided(random: np.random.Generator, capex: pd.DataFrame) -> pd.DataFrame:
    """Guidance of the year to come and of the year that runs, with most results or a few days before or after."""
    rows = capex.iloc[random.permutation(len(capex))[: 2 * len(capex) // 3]]
    rows = pd.concat([rows, rows.iloc[::2]], ignore_index=True)
    # The fiscal year of AAA and CCC ends with their fourth quarter from the first on, that of BBB in February.
    quarter = rows["fiscal_period"].str[-1].astype(int)
    ahead = np.where(np.arange(len(rows)) < len(rows) * 2 // 3, 0, 4)
    ends = [
        end + pd.offsets.MonthEnd(3 * int(left))
        for end, left in zip(rows["period_end"], 4 - quarter + ahead, strict=True)
    ]
    known = rows["capex_known_at"] + random.integers(-3, 4, len(rows)) * pd.Timedelta(days=2)
    middle = random.uniform(4, 8, len(rows))
    frame = pd.DataFrame(
        {
            "company": rows["company"],
            "announced_at": known.dt.tz_localize(None).dt.normalize(),
            "fiscal_year": [end.year for end in ends],
            "low_usd_bn": middle - random.uniform(0, 1, len(rows)),
            "high_usd_bn": middle + 0.5,
            "basis": random.choice(["cash capex", "incl. finance leases", "accrual"], len(rows)),
            "event": [f"guidance {place}" for place in range(len(rows))],
            "period_start": [end - pd.offsets.MonthEnd(12) + pd.Timedelta(days=1) for end in ends],
            "period_end": ends,
            "comparable": random.random(len(rows)) < 0.9,
            "known_at": known,
        }
    )
    return completed(GUIDANCE, frame)


def raised(random: np.random.Generator) -> pd.DataFrame:
    days = pd.Series(pd.date_range("2014-06-02", "2015-12-31", freq="9D")).astype("datetime64[us]")
    known = (days + random.integers(1, 12, len(days)) * pd.Timedelta(hours=20)).dt.tz_localize("UTC")
    frame = pd.DataFrame(
        {
            "date": days,
            "kind": "bond_issue",
            "company": np.resize(["AAA", "BBB", "FICTIVE"], len(days)),
            "amount_usd_bn": random.uniform(0.1, 1, len(days)),
            "counts": random.random(len(days)) < 0.8,
            "known_at": known,
        }
    )
    return completed(FUNDING, frame)


def announced_paces(random: np.random.Generator) -> pd.DataFrame:
    days = pd.Series(pd.date_range("2014-10-01", "2015-12-31", freq="24D")).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "company": "Fed",
            "announced_at": days,
            "effective_from": days + random.integers(0, 40, len(days)) * pd.Timedelta(days=1),
            "pace_usd_bn_month": random.normal(0, 0.2, len(days)),
            "known_at": (days + pd.Timedelta(hours=18)).dt.tz_localize("UTC"),
        }
    )
    return completed(PACES, frame)


def covered() -> pd.DataFrame:
    """Everything is complete from a day on, of one company until another."""
    kinds = [("balance_sheet_pace", "Fed")]
    kinds += [(kind, name) for kind in ("results", "guidance", "funding") for name in ("AAA", "BBB", "CCC")]
    frame = pd.DataFrame(kinds, columns=["kind", "company"])
    frame["complete_from"] = pd.Timestamp("2014-12-01")
    frame["complete_to"] = pd.Timestamp("2016-01-01")
    return completed(COVERAGE, frame)


def completed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    blank = table.empty().reindex(frame.index)
    absent = {name: "" if kind == "text" else blank[name] for name, kind in table.columns.items() if name not in frame}
    return table.conform(frame.assign(**absent))


WITH_GATED_LEVEL = CONFIG.model_copy(update={"gate": GateConfig(ratio=0.4, level=True)})

# The functions: what each gives by session, or by the time at which its rows became known.

BySession = Callable[[World], pd.DataFrame]


def both_signals(world: World) -> pd.DataFrame:
    second = liquidity_signal(world.data, CONFIG_2)
    assert second.kind is not None
    told = pd.concat([second.kind, second.young], axis=1)
    parts = [
        whole_signal(world),
        whole_signal(world, CONFIG_2),
        told.set_axis([("told", name) for name in told], axis=1),
    ]
    return pd.concat(parts, axis=1)


def whole_signal(world: World, config: SignalConfig = CONFIG) -> pd.DataFrame:
    signal = liquidity_signal(world.data, config)
    parts = {
        "blocks": signal.blocks,
        "inputs": signal.inputs,
        "values": signal.values,
        "observed": signal.observed,
        "known": signal.known,
        "path": pd.concat([signal.score, signal.regime, signal.live_blocks], axis=1),
        "gate": signal.gate,
        "live": signal.live,
    }
    return pd.concat(parts, axis=1)


def partial_regimes(world: World, regimes: Callable[[LiquiditySignal], pd.Series | None]) -> pd.DataFrame:
    """What a part of the signal says alone."""
    path = regimes(liquidity_signal(world.data, CONFIG))
    assert path is not None
    return path.to_frame()


def block_inputs(build: Callable[[SignalData, SignalConfig], object]) -> BySession:
    def by_session(world: World) -> pd.DataFrame:
        block = build(world.data, CONFIG)
        return pd.concat(
            [column for each in block.inputs for column in (each.value, each.observed, each.known)],  # type: ignore[attr-defined]
            axis=1,
        )

    return by_session


def explained(world: World) -> pd.DataFrame:
    signal = liquidity_signal(world.data, CONFIG)
    return pd.DataFrame({"why": {session: repr(explain(signal, session)) for session in world.sessions[::10]}})


def reasons_of_changes(world: World) -> pd.DataFrame:
    signal = liquidity_signal(world.data, CONFIG)
    changes = signal.regime.index[signal.regime != signal.regime.shift()][1:]
    reasons = {session: change_reason(signal, session, CONFIG) for session in changes}
    return pd.DataFrame({"why": pd.Series(reasons, dtype="str").reindex(world.sessions)})


def sentences(world: World) -> pd.DataFrame:
    signal = liquidity_signal(world.data, CONFIG)
    said = {session: signal_sentence(signal, session, CONFIG) for session in world.sessions[::10]}
    return pd.DataFrame({"sentence": said})


def switched(world: World) -> pd.DataFrame:
    events = world.guidance.assign(
        kind="guidance", about="", date=world.guidance["announced_at"], counts=world.guidance["comparable"]
    )
    told = {each.session: repr(each) for each in regime_switches(liquidity_signal(world.data, CONFIG), events, CONFIG)}
    return pd.DataFrame({"switch": pd.Series(told, dtype="str").reindex(world.sessions)})


def sides(world: World) -> pd.DataFrame:
    signal = liquidity_signal(world.data, CONFIG)
    said = {session: repr(signal_sides(signal, session, CONFIG)) for session in world.sessions[::10]}
    return pd.DataFrame({"sides": said})


def inputs_in_words(world: World) -> pd.DataFrame:
    signal = liquidity_signal(world.data, CONFIG)
    reasons = {session: explain(signal, session) for session in world.sessions[::10]}
    said = {
        session: str([input_words(each, told.gate, CONFIG) for block in told.blocks for each in block.inputs])
        for session, told in reasons.items()
    }
    return pd.DataFrame({"words": said})


def walked_regime(world: World) -> pd.DataFrame:
    score = 20 * world.sampled()["DGS10"].diff().fillna(0.0)
    live = world.sampled().notna().sum(axis=1) + 1
    return regime_path(score, live, CONFIG).to_frame()


def begun(world: World) -> pd.DataFrame:
    regime = walked_regime(world)["regime"]
    return pd.DataFrame({"since": {session: stay_begins(regime, session) for session in world.sessions[::10]}})


# Models that are fitted, a few times in so short a world.
FITTED = RegimeModelConfig(
    name="jump", first_fit_sessions=100, refit_sessions=100, window_sessions=150, jump_penalty=1.0, jump_starts=1
)
FITTED_CONFIG = CONFIG.model_copy(update={"model": FITTED})
FIRST_FIT = pd.Timestamp("2015-06-15")


def afresh(by_session: BySession) -> BySession:
    """Without the fits that are kept: one that was made of the future must not hide behind one that was not."""

    def made_anew(world: World) -> pd.DataFrame:
        with TemporaryDirectory() as home, patch.dict(os.environ, REVERSE_QE_HOME=home):
            return by_session(world)

    return made_anew


def rows_of(world: World) -> pd.DataFrame:
    blocks = (world.sampled().ffill().fillna(5.0) - 5).clip(-3, 3)  # as far as a block of z-scores may go
    return blocks.assign(score=blocks.sum(axis=1))


def estimated(model: RegimeModel) -> BySession:
    def by_session(world: World) -> pd.DataFrame:
        rows, live = rows_of(world), world.sampled().notna().sum(axis=1) + 1
        made = model(rows["score"], rows.drop(columns="score"), live, FITTED_CONFIG)
        return pd.concat([made.regime, made.probability], axis=1)

    return afresh(by_session)


def fitted_once(model: TwoStateModel, how: Callable[[pd.DataFrame], object] | None = None) -> BySession:
    """One fit on the sessions up to a day, carried forward from there."""

    def by_session(world: World) -> pd.DataFrame:
        rows = rows_of(world)
        past = rows[:FIRST_FIT]
        fit = how(past) if how else model.fit(past, FITTED)
        return pd.DataFrame({"scarce": model.scarce(rows, fit, FITTED)}, rows.index)[FIRST_FIT:]  # type: ignore[arg-type]

    return afresh(by_session)


def carried_forward(world: World) -> pd.DataFrame:
    return fitted_forward(JUMP, rows_of(world), FITTED).scarce.to_frame()


def keys_of_fits(world: World) -> pd.DataFrame:
    rows = rows_of(world)
    keys = {session: fit_key(("numpy",), fit_jump, rows[:session], FITTED) for session in rows.index[::10]}
    return pd.DataFrame({"key": keys})


def held(world: World) -> pd.DataFrame:
    score = 20 * world.sampled()["DGS10"].diff().fillna(0.0)
    wanted = np.where(score > 0.5, Regime.SCARCE, np.where(score < -0.5, Regime.ABUNDANT, Regime.NEUTRAL))
    live = world.sampled().notna().sum(axis=1) + 1
    return held_regimes(lambda _, row: Regime(wanted[row]), live, CONFIG.dwell_sessions).to_frame()


def input_of(transform: str, length: int | None) -> InputConfig:
    return InputConfig(
        name="more", block="pipes", series="DGS10", transform=transform, length=length, scarcer_when="lower"
    )


def all_fading_news(world: World) -> pd.DataFrame:
    news = world.news()
    return pd.concat([fading_news(news, kind, world.sessions, CONFIG) for kind in KINDS], axis=1)


def every_transform(world: World) -> pd.DataFrame:
    made = [configured_input(world.data, input_of(*how)) for how in (("value", None), ("change", 4), ("mean", 3))]
    return pd.concat([column for each in made for column in (each.value, each.observed, each.known)], axis=1)


def marked(world: World) -> pd.DataFrame:
    inputs = list(price_of_capital_block(world.data, CONFIG).inputs)
    nominal, real, credit = (
        tuple(each.name for each in inputs if name in each.name) for name in ("DGS10", "DFII10", "BAA10Y")
    )
    mark = joint_rise(inputs, (nominal, real), credit, CONFIG)
    return pd.concat([mark.value, mark.observed, mark.known], axis=1)


def from_source(world: World) -> pd.DataFrame:
    rows = world.observations("DGS10").drop_duplicates("known_at", keep="last")
    score = rows.assign(score=rows["value"] - 5)[["known_at", "score"]]
    names = score["score"].gt(0).map({True: "SCARCE", False: "ABUNDANT"})
    made = [
        source_signal(source, world.sessions, CONFIG)
        for source in (score, score.assign(regime=names)[["known_at", "regime"]])
    ]
    parts = [
        part
        for each in made
        for part in (each.score, each.regime, each.blocks, each.values, each.observed, each.known, each.live_blocks)
    ]
    return pd.concat(parts, axis=1)


def by_column(world: World, function: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    sampled = world.sampled()
    return pd.DataFrame({name: function(sampled[name].to_numpy()) for name in sampled}, world.sessions)


ADDED = (input_of("change", 4), input_of("value", None).model_copy(update={"name": "height"}))
WITH_INPUTS = CONFIG_2.model_copy(update={"inputs": ADDED})


def of_reading(read: Callable[[Facts, SignalConfig], Reading]) -> BySession:
    def by_session(world: World) -> pd.DataFrame:
        reading = read(world.facts, WITH_INPUTS)
        inputs = [block_input(each, world.sessions) for each in reading.inputs]
        known = pd.concat([column for each in inputs for column in (each.value, each.observed, each.known)], axis=1)
        return pd.concat([pd.DataFrame(reading.parts, world.sessions), known], axis=1)

    return by_session


def sums_by_session(world: World) -> pd.DataFrame:
    (quarters, _) = world.quarters()
    sums = trailing_sums(quarters.capex_known, [quarters.capex, quarters.ocf], quarters.end, 4)
    ends, known, values = sampled(sums, microseconds(world.sessions))
    return pd.DataFrame(values, world.sessions).assign(end=moments_of(ends), known=moments_of(known))


def read_parts(world: World) -> pd.DataFrame:
    return pd.DataFrame(np.hstack([each.parts for each in read_blocks(Facts(world.data), CONFIG)]), world.sessions)


def observed_rows(observations: Observations) -> pd.DataFrame:
    known = moments_of(observations.known).tz_localize("UTC")
    return pd.DataFrame({"day": observations.day, "value": observations.value, "known_at": known})


def raised_rows(world: World) -> pd.DataFrame:
    quarters, _, shares = read_spenders(world.facts, CONFIG_2)
    raised, _ = raised_over_cash_flow(shares, quarters, microseconds(world.sessions), CONFIG_2)
    return observed_rows(Observations(raised.day, raised.value, raised.known))


def pairs(world: World) -> pd.DataFrame:
    facts = Facts(world.data)
    day, known, values = together([facts.series("SOFR"), facts.series("DFF")])
    return pd.DataFrame(values).assign(day=day, known_at=moments_of(known).tz_localize("UTC"))


def told_of_tables(world: World, made: Callable[[SignalData, pd.Timestamp], SignalData]) -> pd.DataFrame:
    """The tables of some decisions, in short."""
    told = {}
    for session in world.sessions[::12]:
        data = made(world.data, session)
        tables = (data.series, data.capex, data.guidance, data.funding, data.paces)
        told[session] = [float(table.select_dtypes("number").sum().sum()) + len(table) for table in tables]
    return pd.DataFrame.from_dict(told, orient="index")


def told_of_series(world: World) -> pd.DataFrame:
    told = {}
    for session in world.sessions[::12]:
        known = known_data(world.data, session).series
        rows = held_rows(known, "DGS10", series_entry("DGS10"), session, sessions_to_come(session, 5)[-1])
        told[session] = repr(rows.to_dict("list"))
    return pd.DataFrame({"rows": told})


def turning_world(world: World, session: pd.Timestamp) -> TurnWorld:
    return TurnWorld.of(world.data, session, CONFIG_2, tuple(held_series(world.facts, CONFIG_2)))


def by_decision(world: World, told: Callable[[pd.Timestamp], Iterable[object]], count: int = 2) -> pd.DataFrame:
    """What is told at the decisions that the net looks at, one row a thing."""
    rows = [(session, str(each)) for session in DECIDED[:count] if session in world.sessions for each in told(session)]
    return pd.DataFrame(rows, columns=["session", "told"]).set_index("session")


BY_SESSION: dict[str, BySession] = {
    "block.require_block": block_inputs(lambda data, config: require_block(pipes_block(data, config), data.sessions)),
    "blocks.added_inputs.configured_input": every_transform,
    "blocks.added_inputs.add_inputs": block_inputs(
        lambda data, config: add_inputs([pipes_block(data, config)], data, [input_of("change", 4)])[0]
    ),
    "source.source_signal": from_source,
    "observations.as_known": lambda w: as_known(w.observations("DGS10"), w.sessions, 5),
    "observations.sample_at_decisions": lambda w: sample_at_decisions(
        w.observations("DGS10").drop_duplicates("known_at", keep="last").set_index("known_at"), w.sessions
    ),
    "observations.basis_points": lambda w: basis_points(w.sampled()["DGS10"]).to_frame(),
    "standardize.trailing_z": lambda w: trailing_z(w.sampled(), CONFIG),
    "standardize.unclipped_z": lambda w: pd.DataFrame(unclipped_z(w.sampled().to_numpy(), CONFIG), w.sessions),
    "standardize.clipped": lambda w: by_column(w, lambda column: clipped(column - 5, CONFIG)),
    "standardize.weigh": lambda w: pd.DataFrame(
        weigh(w.sampled().to_numpy(), ("DGS10", ("BAA10Y",)), tuple(w.sampled())).parts(CONFIG), w.sessions
    ),
    "standardize.trailing_scale": lambda w: trailing_scale(w.sampled()["DGS10"], CONFIG).to_frame(),
    "standardize.nested_weights": lambda w: nested_weights(("DGS10", ("BAA10Y",)), w.sampled().notna()),
    "standardize.nested_mean": lambda w: nested_mean(FirstPresent(("DGS10", "BAA10Y")), w.sampled()).to_frame(),
    "capex.spending.capex_growth": lambda w: capex_growth(w.quarters(), w.sessions, CONFIG),
    "capex.spending.capex_to_cash_flow": lambda w: capex_to_cash_flow(w.quarters(), w.sessions, CONFIG),
    "capex.spending.trailing_capex": lambda w: (
        trailing_capex(w.quarters()[0], decision_times(w.sessions), CONFIG).set_axis(w.sessions).to_frame()
    ),
    "capex.gate.idle_money_gate": lambda w: idle_money_gate(w.data, CONFIG),
    "capex.gate.gate_state": lambda w: gate_state(w.sampled()["DGS10"], CONFIG.gate),
    "capex.impulses.fading_sum": lambda w: fading_sum(w.observations("DGS10"), w.sessions, 6.0, 5),
    "capex.news.fading_news": all_fading_news,
    "capex.funding.outside_funding": lambda w: outside_funding(w.shares(), w.sessions, CONFIG),
    "blocks.drain.drain_block": block_inputs(drain_block),
    "blocks.price_of_capital.price_of_capital_block": block_inputs(price_of_capital_block),
    "blocks.price_of_capital.joint_rise": marked,
    "blocks.level.level_block": lambda w: pd.concat(
        [block_inputs(level_block)(w), level_block(w.data, WITH_GATED_LEVEL).inputs[0].value], axis=1
    ),
    "blocks.pipes.pipes_block": block_inputs(pipes_block),
    "regime.regime_path": walked_regime,
    "regime.held_regimes": held,
    "models.threshold.threshold_model": estimated(threshold_model),
    "models.markov_switching.markov_switching_model": estimated(markov_switching_model),
    "models.markov_switching.fit_markov_switching": fitted_once(
        MARKOV_SWITCHING, lambda past: fit_markov_switching(past, FITTED)
    ),
    "models.markov_switching.filtered_scarce": fitted_once(replace(MARKOV_SWITCHING, scarce=filtered_scarce)),
    "models.jump.jump_model": estimated(jump_model),
    "models.jump.fit_jump": fitted_once(JUMP, lambda past: fit_jump(past, FITTED)),
    "models.jump.online_scarce": fitted_once(replace(JUMP, scarce=online_scarce)),
    "models.registry.regime_estimate": estimated(regime_estimate),
    "models.two_states.two_state_estimate": estimated(lambda *given: two_state_estimate(JUMP, *given)),
    "models.two_states.fitted_forward": afresh(carried_forward),
    "models.fit_cache.kept_fit": fitted_once(
        JUMP, lambda past: kept_fit("jump", ("jumpmodels",), fit_jump, past, FITTED, JUMP.shapes(past.shape[1] - 1))
    ),
    "models.fit_cache.fit_key": keys_of_fits,
    "explain.explanation.explain": explained,
    "explain.explanation.change_reason": reasons_of_changes,
    "explain.explanation.stay_begins": begun,
    "explain.sentence.signal_sentence": sentences,
    "explain.sentence.input_words": inputs_in_words,
    "explain.sentence.signal_sides": sides,
    "explain.switches.regime_switches": switched,
    "explain.history.signal_history": lambda w: signal_history(liquidity_signal(w.data, CONFIG)),
    "blocks.rates.change_over": lambda w: by_column(w, lambda column: change_over(column, 4)),
    "blocks.rates.rounded_basis_points": lambda w: by_column(w, rounded_basis_points),
    "blocks.level.net_liquidity": lambda w: pd.concat(
        [
            known_frame(
                net_liquidity(Facts(w.data), CONFIG.model_copy(update={"net_liquidity": join}), name), w.sessions
            )
            for join, name in (("week_mean", "WTREGEN"), ("one_wednesday", "WDTGAL"))
        ],
        axis=1,
    ),
    "blocks.pipes.mean_known": lambda w: known_frame(
        mean_known(Facts(w.data), repo_spread(Facts(w.data), "DFF"), "DFF", 3), w.sessions
    ),
    "blocks.price_of_capital.rate_changes": lambda w: pd.concat(
        [block_input(each, w.sessions).value for each in rate_changes(Facts(w.data), CONFIG, "DGS10")], axis=1
    ),
    "capex.spending.trailing_sums": sums_by_session,
    "capex.spending.sampled": sums_by_session,
    "known.known_values": lambda w: known_frame(
        known_values(Facts(w.data).series("DGS10"), microseconds(w.sessions), 5), w.sessions
    ),
    "liquidity.read_blocks": read_parts,
    "reading.standard_reading": read_parts,
    "reading.silent_reading": lambda w: pd.DataFrame(
        silent_reading(read_blocks(Facts(w.data), CONFIG)[0]).parts, w.sessions
    ).fillna(0.0),
    "reading.raw_block": lambda w: pd.concat(
        [block_input(each, w.sessions).value for each in raw_block(pipes_block(w.data, CONFIG)).inputs], axis=1
    ),
    "regime.walk_thresholds": lambda w: pd.DataFrame(
        walk_thresholds((20 * w.sampled()["DGS10"].diff().fillna(0.0)).tolist(), [4] * len(w.sessions), CONFIG)[0],
        w.sessions,
    ),
    "windows.smooth": lambda w: by_column(w, lambda column: smooth(np.nan_to_num(column)[:, None], 4.0)[:, 0]),
    "windows.kept_powers": lambda w: pd.DataFrame({"power": repr(kept_powers(0.9))}, w.sessions),
    "windows.fading_total": lambda w: by_column(w, lambda column: fading_total(np.nan_to_num(column), 4.0)),
    "windows.trailing_moments": lambda w: pd.DataFrame(
        np.hstack(trailing_moments(w.sampled().to_numpy(), 40)), w.sessions
    ),
    "windows.trailing_range": lambda w: pd.DataFrame(trailing_range(w.sampled().to_numpy(), 40), w.sessions),
    "windows.trailing_root_mean_square": lambda w: pd.DataFrame(
        trailing_root_mean_square(w.sampled().to_numpy(), 40, 12), w.sessions
    ),
    "windows.trailing_median": lambda w: by_column(w, lambda column: trailing_median(column, 40, 12)),
    "partial.regimes_without": lambda w: partial_regimes(w, lambda s: regimes_without(s, "drain", CONFIG)),
    "partial.gate_regimes": lambda w: partial_regimes(w, lambda s: gate_regimes(s, CONFIG)),
    "liquidity.liquidity_signal": both_signals,
    "liquidity.score_parts": lambda w: pd.DataFrame(
        np.column_stack(score_parts(read_blocks(Facts(w.data), CONFIG), 4.0)), w.sessions
    ),
    "scarcity.scarcity": lambda w: liquidity_signal(w.data, CONFIG_2).kind.to_frame(),  # type: ignore[union-attr]
    "capex.spending.trailing_cash_flow": lambda w: pd.DataFrame(
        trailing_cash_flow(w.quarters()[0], microseconds(w.sessions), CONFIG), w.sessions
    ),
    "form_2.drain.drain_reading": of_reading(drain_reading),
    "form_2.price_of_capital.price_of_capital_reading": of_reading(price_of_capital_reading),
    "form_2.price_of_capital.joint_move": lambda w: pd.DataFrame(
        np.column_stack(joint_move(*(w.sampled()[name].to_numpy() - 5 for name in ("DGS10", "BAA10Y")))), w.sessions
    ),
    "form_2.level.level_reading": of_reading(level_reading),
    "form_2.level.net_liquidity": lambda w: known_frame(tank(w.facts)[0], w.sessions),
    "form_2.level.announced_pace": lambda w: known_frame(Known(*announced_pace(w.facts, CONFIG_2)), w.sessions),
    "form_2.pipes.pipes_reading": of_reading(pipes_reading),
    "form_2.drain.news_members": lambda w: pd.concat(
        [
            block_input(each, w.sessions).value
            for each in news_members(w.facts, read_spenders(w.facts, CONFIG_2), CONFIG_2)[0]
        ],
        axis=1,
    ),
    "form_2.drain.lasting_results": lambda w: known_frame(
        lasting_results(w.facts, w.scored(), w.followed(), CONFIG_2), w.sessions
    ),
    "form_2.drain.lasting_guidance": lambda w: known_frame(lasting_guidance(w.facts, w.scored(), CONFIG_2), w.sessions),
    "form_2.drain.lasting_funding": lambda w: known_frame(
        lasting_funding(w.facts, read_spenders(w.facts, CONFIG_2).shares, w.followed(), CONFIG_2), w.sessions
    ),
    "form_2.drain.drain_of": of_reading(
        lambda facts, config: form_2_drain_of(facts, read_spenders(facts, config), config)
    ),
    "blocks.drain.drain_of": lambda w: pd.concat(
        [
            block_input(each, w.sessions).value
            for each in form_1_drain_of(w.facts, read_spenders(w.facts, CONFIG), CONFIG).inputs
        ],
        axis=1,
    ),
    "turn.held.known_data": lambda w: told_of_tables(w, known_data),
    "turn.held.held_data": lambda w: told_of_tables(w, lambda data, session: held_data(data, session, ("DGS10",))),
    "turn.held.held_rows": lambda w: told_of_series(w),
    "turn.candidates.held_series": lambda w: pd.DataFrame({"series": repr(held_series(w.facts, CONFIG_2))}, w.sessions),
    "turn.candidates.levers": lambda w: by_decision(
        w, lambda session: [(*each.span, each.name) for each in levers(turning_world(w, session))], 1
    ),
    "turn.turn.what_would_turn": lambda w: by_decision(
        w,
        lambda session: map(
            repr, what_would_turn(w.data, session, CONFIG if session == DECIDED[0] else CONFIG_2).moves
        ),
    ),
    "form_2.members.added_members": lambda w: pd.DataFrame(
        added_members(w.facts, "pipes", WITH_INPUTS)[1][0], w.sessions
    ),
    "form_2.members.with_members": lambda w: pd.DataFrame(
        with_members(pipes_reading(w.facts, CONFIG_2), w.facts, WITH_INPUTS).parts, w.sessions
    ),
    "form_2.scales.change_over_usual": lambda w: by_column(w, lambda column: change_over_usual(column - 5, CONFIG)),
    "form_2.scales.event_over_usual": lambda w: by_column(w, lambda column: event_over_usual(column - 5, CONFIG)),
    "form_2.scales.usual_change": lambda w: by_column(w, lambda column: usual_change(column - 5, CONFIG)),
    "form_2.scales.over_usual": lambda w: by_column(w, lambda column: over_usual(column - 5, np.round(column))),
    "form_2.drain.drain_inputs": lambda w: pd.concat(
        [
            block_input(each, w.sessions).value
            for each in drain_inputs(w.facts, read_spenders(w.facts, CONFIG_2), CONFIG_2).gates
        ],
        axis=1,
    ),
    "rows.across": lambda w: pd.DataFrame(across(np.add, w.sampled().to_numpy()), w.sessions),
    "rows.or_zero": lambda w: by_column(w, or_zero),
    "form_2.scales.scaled": lambda w: by_column(w, lambda column: scaled(column - 5, CONFIG)),
    "form_2.scales.root_mean_square": lambda w: by_column(w, lambda column: root_mean_square(column, CONFIG, 12)),
    "form_2.scales.enough_values": lambda w: by_column(w, lambda column: enough_values(column, CONFIG).astype(float)),
}


def pair(world: World) -> pd.DataFrame:
    return same_day_observations({name: world.observations(name) for name in ("SOFR", "DFF")})


def figures(world: World) -> pd.DataFrame:
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "company": company,
                    "quarter": quarters.first + np.arange(len(figure)),
                    "figure": figure,
                    "known_at": moments_of(np.where(known == NEVER, NAT, known)).tz_localize("UTC"),
                }
            ).dropna(subset="figure")
            for company, quarters in followed_quarters(world.capex, CONFIG).items()
            for figure, known in ((quarters.capex, quarters.capex_known), (quarters.ocf, quarters.ocf_known))
        ]
    )


BY_KNOWN_AT: dict[str, Callable[[World], pd.DataFrame]] = {
    "observations.series_observations": lambda w: w.observations("DGS10"),
    "observations.same_day_observations": pair,
    "observations.trailing_mean": lambda w: trailing_mean(w.observations("DGS10"), 3),
    "known.mean_of_newest": lambda w: observed_rows(mean_of_newest(Facts(w.data).series("DGS10"), 3)),
    "known.in_order": lambda w: observed_rows(in_order(*Facts(w.data).series("DGS10"))),
    "known.together": pairs,
    "blocks.pipes.repo_spread": lambda w: observed_rows(repo_spread(Facts(w.data), "DFF")),
    "capex.spending.company_quarters": figures,
    "capex.spending.followed_quarters": figures,
    "capex.news.capex_news": World.news,
    "capex.news.with_figure": lambda w: with_figure(w.scored(), 3, 2.5, w.followed(), CONFIG).table(),
    "capex.spenders.read_spenders": lambda w: read_spenders(w.facts, CONFIG_2).news.table(),  # type: ignore[union-attr]
    "capex.funding.funding_shares": World.shares,
    "capex.funding.raised_over_cash_flow": raised_rows,
    "known.on_weeks": lambda w: observed_rows(
        on_weeks(w.facts.series("RRPONTSYD"), microseconds(pd.date_range("2014-10-01", "2015-12-31", freq="W-WED")))
    ),
    "form_2.pipes.without_month_ends": lambda w: observed_rows(without_month_ends(repo_spread(w.facts, "DFF"))),
}

# What takes no data, or rows as they stand in a file, each with its own known_at.
WITHOUT_DATA = {
    "capex.expectations.quarters_between",
    "explain.titles.input_title",
    "liquidity.required_series",
    "models.registry.model_packages",
    "blocks.pipes.pipes_series",
    "blocks.price_of_capital.price_of_capital_series",
    "source.read_source",
    "capex.spending.fiscal_period",
    "liquidity.wanted_series",
    "form_2.members.require_new",
    "form_2.pipes.month_ends",
    "turn.held.sessions_to_come",
    "turn.turn.nearest_turn",
    "turn.turn.score_ends",
    # Of each number by itself.
    "known.days_between",
    "known.latest",
    "known.microseconds",
    "known.moments_of",
}


def seen(function: str, world: World, session: pd.Timestamp) -> pd.DataFrame:
    """What a function gives for a decision and all before it."""
    if function in BY_SESSION:
        return BY_SESSION[function](world)[:session]
    rows = BY_KNOWN_AT[function](world)
    (decision,) = decision_times(pd.DatetimeIndex([session]))
    return rows[rows["known_at"] <= decision].reset_index(drop=True)


# The perturbations: of everything known after a decision, and of nothing else.

Perturbation = Callable[[World, pd.Timestamp], World]


def cut(world: World, decision: pd.Timestamp) -> World:
    capex = world.capex.copy()
    for figure in ("capex", "ocf"):
        future = capex[f"{figure}_known_at"] > decision
        capex.loc[future, f"{figure}_usd_bn"] = np.nan
        capex.loc[future, f"{figure}_known_at"] = pd.NaT
    series, guidance, funding, paces = (
        table[table["known_at"] <= decision] for table in (world.series, world.guidance, world.funding, world.paces)
    )
    capex = capex[capex["capex_usd_bn"].notna() | capex["ocf_usd_bn"].notna()]
    return replace(world, series=series, capex=capex, guidance=guidance, funding=funding, paces=paces)


def stop(world: World, decision: pd.Timestamp) -> World:
    return replace(world, sessions=world.sessions[decision_times(world.sessions) <= decision])


def garble(world: World, decision: pd.Timestamp) -> World:
    random = np.random.default_rng(99)
    series, capex = world.series.copy(), world.capex.copy()
    future = series["known_at"] > decision
    series.loc[future, "value"] = random.normal(0, 1e6, int(future.sum()))
    for figure in ("capex", "ocf"):
        future = capex[f"{figure}_known_at"] > decision
        capex.loc[future, f"{figure}_usd_bn"] = random.normal(0, 1e6, int(future.sum()))
    unknown = capex[["capex_known_at", "ocf_known_at"]].min(axis=1) > decision
    capex.loc[unknown, "period_end"] += pd.Timedelta(days=40)
    capex.loc[unknown, "headline_capex_usd_bn"] = random.normal(0, 1e6, int(unknown.sum()))
    guidance, funding, paces = world.guidance.copy(), world.funding.copy(), world.paces.copy()
    for table, names in (
        (guidance, ["low_usd_bn", "high_usd_bn"]),
        (funding, ["amount_usd_bn"]),
        (paces, ["pace_usd_bn_month"]),
    ):
        future = table["known_at"] > decision
        table.loc[future, names] = table.loc[future, names].mul(random.uniform(1, 1e6, int(future.sum())), axis=0)
    return replace(world, series=series, capex=capex, guidance=guidance, funding=funding, paces=paces)


def rewrite_the_past(world: World, decision: pd.Timestamp) -> World:
    """What comes later is about earlier days."""
    series = world.series.copy()
    future = series["known_at"] > decision
    series.loc[future, "date"] -= pd.Timedelta(days=90)
    guidance, funding, paces = world.guidance.copy(), world.funding.copy(), world.paces.copy()
    for table, days in (
        (guidance, ["announced_at", "period_start", "period_end"]),
        (funding, ["date"]),
        (paces, ["announced_at", "effective_from"]),
    ):
        table.loc[table["known_at"] > decision, days] -= pd.Timedelta(days=90)
    series = series.drop_duplicates(["series", "date", "known_at"])
    return replace(world, series=series, guidance=guidance, funding=funding, paces=paces)


def retime(world: World, decision: pd.Timestamp, later: Callable[[pd.Series], pd.Series]) -> World:
    series, capex, guidance, funding, paces = (
        table.copy() for table in (world.series, world.capex, world.guidance, world.funding, world.paces)
    )
    for frame, column in (
        (series, "known_at"),
        (capex, "capex_known_at"),
        (capex, "ocf_known_at"),
        (guidance, "known_at"),
        (funding, "known_at"),
        (paces, "known_at"),
    ):
        future = frame[column] > decision
        frame.loc[future, column] = later(frame.loc[future, column])
    series = series.drop_duplicates(["series", "date", "known_at"])
    return replace(world, series=series, capex=capex, guidance=guidance, funding=funding, paces=paces)


def delay(world: World, decision: pd.Timestamp) -> World:
    return retime(world, decision, lambda known_at: known_at + pd.Timedelta(days=17))


def hurry(world: World, decision: pd.Timestamp) -> World:
    soonest = decision + pd.Timedelta(microseconds=1)
    return retime(world, decision, lambda known_at: pd.Series(soonest, index=known_at.index, dtype=known_at.dtype))


PERTURBATIONS: tuple[Perturbation, ...] = (cut, stop, garble, rewrite_the_past, delay, hurry)
DECIDED = (pd.Timestamp("2015-07-15"), pd.Timestamp("2015-11-03"))


def test_every_public_function_of_signals_is_in_the_net() -> None:
    public = set()
    for module_info in pkgutil.walk_packages(signals.__path__, "signals."):
        module = importlib.import_module(module_info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                public.add(f"{module_info.name.removeprefix('signals.')}.{name}")
    assert public == {*BY_SESSION, *BY_KNOWN_AT, *WITHOUT_DATA}


# What would turn the regime is solved anew for each future, each move on a signal of its own.
SLOW = (
    "turn.turn.what_would_turn",
    "turn.held.held_data",
    "turn.held.held_rows",
    "turn.held.known_data",
    "turn.candidates.levers",
)


@pytest.mark.parametrize(
    "function",
    [pytest.param(each, marks=pytest.mark.slow) if each in SLOW else each for each in (*BY_SESSION, *BY_KNOWN_AT)],
)
def test_no_row_knows_the_future(function: str, world: World) -> None:
    for session in DECIDED:
        (decision,) = decision_times(pd.DatetimeIndex([session]))
        before = seen(function, world, session)
        assert len(before) > 10
        assert before.notna().any(axis=None)
        for perturb in PERTURBATIONS:
            after = seen(function, perturb(world, decision), session)
            pd.testing.assert_frame_equal(after, before, check_exact=True, check_freq=False, obj=perturb.__name__)


@pytest.mark.parametrize("perturb", [garble, delay, cut], ids=lambda perturb: perturb.__name__)
def test_the_perturbations_do_change_later_rows(perturb: Perturbation, world: World) -> None:
    (decision,) = decision_times(pd.DatetimeIndex(DECIDED[:1]))
    changed = whole_signal(perturb(world, decision))
    assert not changed.equals(whole_signal(world))


def z_of_the_whole_sample(world: World) -> pd.DataFrame:
    sampled = world.sampled()
    return (sampled - sampled.mean()) / sampled.std()


def smoothed_probabilities(world: World) -> pd.DataFrame:
    """Parameters of the past, as they should be; probabilities of each session given all of them."""
    rows = rows_of(world)
    fit = fit_markov_switching(rows[:FIRST_FIT], FITTED)
    assert fit is not None
    z = (rows["score"] - fit["center"]) / fit["scale"]
    result = MarkovRegression(z.to_numpy(), k_regimes=2).smooth(fit["parameters"], cov_type="none")
    return pd.DataFrame(result.smoothed_marginal_probabilities, index=rows.index)[FIRST_FIT:]


def fitted_on_everything(world: World) -> pd.DataFrame:
    """Told online, as it should be, with centers of all sessions."""
    rows = rows_of(world)
    fit = fit_jump(rows, FITTED)
    assert fit is not None
    return pd.DataFrame({"scarce": online_scarce(rows, fit, FITTED)}, rows.index)


PLANTED: dict[str, BySession] = {
    "smoothed state probabilities": smoothed_probabilities,
    "fitted on the whole sample": fitted_on_everything,
    "standardized over the whole sample": z_of_the_whole_sample,
    "over the usual size of the whole sample": lambda w: w.sampled().diff(5) / w.sampled().diff(5).abs().median(),
    "a pace from the day for which it is announced": lambda w: (
        w.paces.dropna(subset=["effective_from", "pace_usd_bn_month"])
        .drop_duplicates("effective_from", keep="last")
        .set_index("effective_from")[["pace_usd_bn_month"]]
        .sort_index()
        .reindex(w.sessions, method="ffill")
    ),
    "filled backwards": lambda w: as_known(w.observations("DGS10"), w.sessions, 2)[["value"]].bfill(),
    "dated by observation": lambda w: (
        w.observations("DGS10")
        .drop_duplicates("date")
        .set_index("date")
        .sort_index()
        .reindex(w.sessions, method="ffill")
    ),
    "the final vintage": lambda w: as_known(
        w.observations("DGS10").assign(
            value=lambda rows: rows.sort_values("known_at").groupby("date")["value"].transform("last")
        ),
        w.sessions,
        10,
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_the_net_catches_planted_faults(fault: str, world: World) -> None:
    caught = []
    for perturb in PERTURBATIONS:
        for session in DECIDED:
            (decision,) = decision_times(pd.DatetimeIndex([session]))
            before, after = PLANTED[fault](world)[:session], PLANTED[fault](perturb(world, decision))[:session]
            caught.append(not after.equals(before))
    assert any(caught)
