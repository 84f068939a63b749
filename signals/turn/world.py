"""The regimes of the sessions to come: as they would be if nothing moved, and with one thing moved."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from data.events.coverage import CoverageKind
from signals.block import BlockBuilder, SignalData
from signals.blocks import drain, level, pipes, price_of_capital
from signals.blocks.added_inputs import add_inputs
from signals.capex.news import with_figure
from signals.capex.spenders import Spenders, read_spenders
from signals.config import SignalConfig
from signals.facts import Facts, Span
from signals.form_2.drain import drain_of
from signals.form_2.level import level_reading
from signals.form_2.pipes import pipes_reading
from signals.form_2.price_of_capital import price_of_capital_reading
from signals.known import Array, Observations, microseconds
from signals.liquidity import read_blocks
from signals.reading import RawBlock, RawInput, Reading, standard_reading
from signals.regime import Regime, Stay, walk_thresholds
from signals.turn.held import HORIZON, held_data
from signals.turn.levers import FUNDED, GUIDED, PACE, RESULT, SERIES_MOVE, Lever
from signals.windows import smooth

# How many windows stand inside one another, by form and block: of changes or z-scores, of what is made of them, of the
# block. That fewer read the same as it is does not say that they do once something moves. What the level of form 2
# reads depends on the whole run.
_WINDOWS: Mapping[int, Mapping[str, int]] = {
    1: {drain.NAME: 2, price_of_capital.NAME: 3, level.NAME: 2, pipes.NAME: 2},
    2: {drain.NAME: 1, price_of_capital.NAME: 3, pipes.NAME: 1},
}
_OLDER = pd.Timedelta(days=400)
_NEAR = 1e-9

Path = list[Regime]
Reader = Callable[[Facts, Spenders, SignalConfig], Reading]


def _raw_reader(build: Callable[[Facts, Spenders, SignalConfig], RawBlock]) -> Reader:
    """A block of form 1 with the inputs that a spec adds to it, read by z-scores."""

    def read(facts: Facts, spenders: Spenders, config: SignalConfig) -> Reading:
        raw = build(facts, spenders, config)
        (block,) = add_inputs([raw], facts, [each for each in config.inputs if each.block == raw.name])
        return standard_reading(block, config)

    return read


READERS: Mapping[int, Mapping[str, Reader]] = {
    1: {
        drain.NAME: _raw_reader(drain.drain_of),
        price_of_capital.NAME: _raw_reader(
            lambda facts, _, config: price_of_capital.price_of_capital_block(facts, config)
        ),
        level.NAME: _raw_reader(lambda facts, _, config: level.level_block(facts, config)),
        pipes.NAME: _raw_reader(lambda facts, _, config: pipes.pipes_block(facts, config)),
    },
    2: {
        drain.NAME: drain_of,
        price_of_capital.NAME: lambda facts, _, config: price_of_capital_reading(facts, config),
        level.NAME: lambda facts, _, config: level_reading(facts, config),
        pipes.NAME: lambda facts, _, config: pipes_reading(facts, config),
    },
}
"""How each block of a form is read; the drain from what is read of the spenders already."""


class SupposedFacts(Facts):
    """The facts with one series, or the tables of events, in the place of what they were."""

    def __init__(
        self, facts: Facts, data: SignalData, name: str = "", observations: Observations | None = None
    ) -> None:
        super().__init__(data)
        self._facts = facts
        if observations is not None:
            self._taken[name] = observations

    def has(self, name: str) -> bool:
        """Whether the market holds a series."""
        return self._facts.has(name)

    def series(self, name: str) -> Observations:
        """Take the observations of one series."""
        return self._taken.get(name) or self._facts.series(name)

    def span(self, kind: CoverageKind, company: str) -> Span | None:
        """Find the span in which events are complete."""
        return self._facts.span(kind, company)


@dataclass(frozen=True)
class World:
    """What is known at a decision, carried on over the sessions to come as if nothing moved.

    Attributes:
        session: of the decision.
        data: of `signals.turn.held.held_data`.
        config: of the signal.
        coming: the sessions to come.
        blocks: names, in the signal's order.
        said: (sessions to come, blocks): what each gives before smoothing.
        live: the same, whether each has a value.
        score: at the decision.
        stay: regime at the decision, and for how many sessions it has held.
        whole: the same facts over all sessions.
        facts: by block, over as many sessions as its windows need.
        spenders: as they are.
    """

    session: pd.Timestamp
    data: SignalData
    config: SignalConfig
    coming: pd.DatetimeIndex
    blocks: tuple[str, ...]
    said: Array
    live: Array
    score: float
    stay: Stay
    whole: Facts
    facts: Mapping[str, Facts]
    spenders: Spenders

    @classmethod
    def of(
        cls,
        data: SignalData,
        session: pd.Timestamp,
        config: SignalConfig,
        names: Collection[str],
        further: Sequence[BlockBuilder] = (),
    ) -> Self:
        """Read what is known at a decision by the signal's own functions.

        Args:
            data: of the signal; what became known later is left out.
            session: one of its sessions.
            config: of the signal, with the model of thresholds.
            names: of the series that are held.
            further: builders of blocks of the user; these are held as they are.
        """
        held = held_data(data, session, names)
        whole = Facts(held)
        readings = read_blocks(whole, config, further)
        said = np.column_stack([np.nan_to_num(each.parts).sum(axis=1) for each in readings]) / len(readings)
        live = np.column_stack([~np.isnan(each.parts).all(axis=1) for each in readings])
        score = smooth(said, config.half_life_sessions).sum(axis=1)
        past = len(held.sessions) - HORIZON
        path, stayed = walk_thresholds(score[:past].tolist(), live[:past].sum(axis=1).tolist(), config)
        blocks = tuple(each.name for each in readings)
        spenders = read_spenders(whole, config)
        return cls(
            session=session,
            data=held,
            config=config,
            coming=held.sessions[past:],
            blocks=blocks,
            said=said[past:],
            live=live[past:],
            score=float(score[past - 1]),
            stay=Stay(path[-1], stayed),
            whole=whole,
            facts=_enough_facts(whole, config, dict(zip(blocks, said[past - 1 :].T, strict=True)), spenders),
            spenders=spenders,
        )

    def inputs(self, block: str) -> tuple[RawInput, ...]:
        """The inputs of a block as they are."""
        return READERS[self.config.form][block](self.facts[block], self.spenders, self.config).inputs

    @cached_property
    def base(self) -> Path:
        """The regimes to come if nothing moves."""
        return self._walk(self.said, self.live)

    def path(self, lever: Lever, value: float) -> Path:
        """The regimes to come if one thing moves to a value."""
        return self._walk(*self._moved(lever, value))

    def scores(self, lever: Lever, value: float) -> list[float]:
        """The scores to come if one thing moves to a value."""
        return self._smoothed(self._moved(lever, value)[0])

    def _moved(self, lever: Lever, value: float) -> tuple[Array, Array]:
        """What each block says, and whether it is live, if one thing moves to a value."""
        said, live = self.said.copy(), self.live.copy()
        spenders = _spenders_with(lever, value, self.config) or self.spenders
        for name in lever.blocks:
            place = self.blocks.index(name)
            reading = READERS[self.config.form][name](
                _facts_with(self.facts[name], lever, value), spenders, self.config
            )
            parts = reading.parts[-HORIZON:]
            said[:, place] = np.nan_to_num(parts).sum(axis=1) / len(self.blocks)
            live[:, place] = ~np.isnan(parts).all(axis=1)
        return said, live

    def path_with(self, block: str, more: float) -> Path:
        """The regimes to come if one block reads so much more from the next decision on."""
        said = self.said.copy()
        said[:, self.blocks.index(block)] += more / len(self.blocks)
        return self._walk(said, self.live)

    def _walk(self, said: Array, live: Array) -> Path:
        return walk_thresholds(self._smoothed(said), live.sum(axis=1).tolist(), self.config, self.stay)[0]

    def _smoothed(self, said: Array) -> list[float]:
        keep = 0.5 ** (1 / self.config.half_life_sessions)
        score, scores = self.score, []
        for each in said.sum(axis=1).tolist():
            score = keep * score + (1 - keep) * each
            scores.append(score)
        return scores


def _enough_facts(
    whole: Facts, config: SignalConfig, said: Mapping[str, Array], spenders: Spenders
) -> dict[str, Facts]:
    """By block the facts over as many sessions as its windows reach back; over all where that reads another thing."""
    lengths = (*config.change_sessions, config.level_change_sessions, *(each.length or 0 for each in config.inputs))
    chosen = dict.fromkeys(READERS[config.form], whole)
    shortened: dict[int, Facts] = {}
    for name, windows in _WINDOWS[config.form].items():
        if windows not in shortened:
            sessions = whole.data.sessions[-(windows * config.window_sessions + max(lengths) + HORIZON + 1) :]
            recent = whole.data.series["date"] >= sessions[0] - _OLDER
            series = whole.data.series[recent]
            shortened[windows] = Facts(replace(whole.data, series=series, sessions=sessions))
        parts = READERS[config.form][name](shortened[windows], spenders, config).parts[-HORIZON - 1 :]
        again = np.nan_to_num(parts).sum(axis=1) / len(said)
        if np.allclose(again, said[name], rtol=0, atol=_NEAR):
            chosen[name] = shortened[windows]
    return chosen


def _facts_with(facts: Facts, lever: Lever, value: float) -> Facts:
    """What a block reads of series and tables with one thing moved."""
    if lever.kind == SERIES_MOVE:
        day, values, known = facts.series(lever.name)
        moved = day >= microseconds(pd.DatetimeIndex([lever.first]))[0]
        observations = Observations(day, np.where(moved, value, values), known)
        return SupposedFacts(facts, facts.data, lever.name, observations)
    if lever.kind == PACE and lever.drawn is not None:
        moved = lever.drawn["known_at"] == lever.row["known_at"]
        paces = lever.drawn.assign(pace_usd_bn_month=lever.drawn["pace_usd_bn_month"].mask(moved, value))
        return SupposedFacts(facts, replace(facts.data, paces=paces))
    if lever.kind == RESULT and len(lever.blocks) > 1:
        return SupposedFacts(facts, lever.inserted(facts.data, value))
    return facts


def _spenders_with(lever: Lever, value: float, config: SignalConfig) -> Spenders | None:
    """The spenders with an event, its figure another than that with which it was read from its table."""
    if lever.told is None or (lever.kind == FUNDED and value == 0):
        return None
    (quarters, news, shares), _, place, more = lever.told
    if lever.kind == RESULT:
        line = quarters[lever.name]
        leases = lever.figures["headline_capex_usd_bn"]
        line = line._replace(capex=_ending(line.capex, value), headline=_ending(line.headline, value + leases))
        quarters = {**quarters, lever.name: line}
    if lever.kind in (RESULT, GUIDED) and news is not None and place is not None:
        news = with_figure(news, place, value + more, quarters, config)
    if lever.kind == FUNDED and shares is not None:
        share = value / shares.spent[-1] if shares.spent[-1] > 0 else np.nan
        shares = shares._replace(amount=_ending(shares.amount, value), value=_ending(shares.value, share))
    return Spenders(quarters, news, shares)


def _ending(values: Array, last: float) -> Array:
    """The same values but for the last."""
    changed: Array = np.append(values[:-1], last)
    return changed
