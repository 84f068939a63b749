"""The whole signal against a second formulation: one decision at a time, from raw rows, without pandas' windows."""

import math
import statistics
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalogue import series_entry
from data.clock import decision_times, sessions_between
from data.errors import InputError
from data.tables import CAPEX, SERIES
from signals.config import SignalConfig
from signals.liquidity import LiquiditySignal, liquidity_signal, required_series

CONFIG = SignalConfig(
    window_sessions=40,
    min_window_sessions=12,
    min_scale_sessions=8,
    clip=1.5,
    companies=("AAA", "BBB"),
    capex_stale_days=115,
    change_sessions=(3, 7),
    level_change_sessions=6,
    pipes_mean_observations=3,
    half_life_sessions=4,
    enter=0.4,
    leave=0.2,
    dwell_sessions=5,
)
SESSIONS = sessions_between(pd.Timestamp("2015-01-02"), pd.Timestamp("2015-12-31"))
WEEKLY = {"WALCL": 4_000_000.0, "WTREGEN": 300_000.0}
MINUTE = pd.Timedelta(minutes=1)


def random_series(seed: int, blanks: float, late: float) -> pd.DataFrame:
    """Random walks of the series needed, with blanks, gaps longer than the staleness limit, late news and revisions."""
    random = np.random.default_rng(seed)
    parts = []
    for name in required_series(CONFIG):
        weekly = name in WEEKLY
        dates = pd.date_range("2014-11-05", "2015-12-30", freq="W-WED" if weekly else "B").as_unit("us")
        start, step = (WEEKLY[name], 20_000.0) if weekly else (3.0, 0.05)
        walk = (start + random.normal(0, step, len(dates)).cumsum()).round(2)
        walk[random.random(len(dates)) < blanks] = np.nan
        gap = int(random.integers(20, len(dates) - 25))
        known = dates + pd.Timedelta(hours=46) + random.integers(0, 100, len(dates)) * MINUTE
        known += (random.random(len(dates)) < late) * random.integers(1, 9, len(dates)) * pd.Timedelta(days=1)
        rows = pd.DataFrame({"series": name, "date": dates, "value": walk, "known_at": known.tz_localize("UTC")})
        rows = rows.drop(index=rows.index[gap : gap + 18])
        revised = rows[random.random(len(rows)) < late].copy()
        revised["value"] += step
        revised["known_at"] += pd.Timedelta(days=3, minutes=200)
        parts += [rows, revised]
    return SERIES.conform(pd.concat(parts))


def random_capex(seed: int) -> pd.DataFrame:
    """Results of two companies from 2011 on; some cash flows come later than capex."""
    random = np.random.default_rng(seed + 1_000)
    parts = []
    for company, first in (("AAA", "2011-03-31"), ("BBB", "2011-05-31")):
        ends = pd.date_range(first, "2015-11-30", freq="3ME").as_unit("us")
        known = (ends + pd.Timedelta(days=20) + random.integers(0, 30_000, len(ends)) * MINUTE).tz_localize("UTC")
        parts.append(
            pd.DataFrame(
                {
                    "company": company,
                    "fiscal_period": [f"{2011 + n // 4}Q{n % 4 + 1}" for n in range(len(ends))],
                    "period_end": ends,
                    "capex_usd_bn": random.uniform(1, 2, len(ends)).round(3),
                    "ocf_usd_bn": random.uniform(3, 5, len(ends)).round(3),
                    "capex_known_at": known,
                    "ocf_known_at": known + random.integers(0, 2, len(ends)) * pd.Timedelta(days=9),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    blank = CAPEX.empty().reindex(frame.index)
    for name, kind in CAPEX.columns.items():
        if name not in frame:
            frame[name] = "" if kind == "text" else blank[name]
    return CAPEX.conform(frame)


@dataclass
class Slowly:
    """The definition, read aloud: every number from the rows known at the decision."""

    series: pd.DataFrame
    capex: pd.DataFrame

    @cached_property
    def decisions(self) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
        return list(zip(SESSIONS, decision_times(SESSIONS), strict=True))

    @cached_property
    def rows(self) -> dict[str, list[tuple[pd.Timestamp, pd.Timestamp, float]]]:
        """Known_at, date and value of each series, in the order in which they became known."""
        ordered = self.series.dropna().sort_values("known_at")
        return {
            str(name): list(zip(rows["known_at"], rows["date"], rows["value"], strict=True))
            for name, rows in ordered.groupby("series")
        }

    def seen(self, name: str, at: pd.Timestamp) -> dict[pd.Timestamp, float]:
        """Newest vintage of each date of a series."""
        return {day: value for known_at, day, value in self.rows[name] if known_at <= at}

    def newest(self, values: dict[pd.Timestamp, float], session: pd.Timestamp, limit: int) -> float:
        return values[max(values)] if values and (session - max(values)).days <= limit else math.nan

    def rate(self, name: str) -> list[float]:
        limit = series_entry(name).stale_after_days
        return [self.newest(self.seen(name, at), session, limit) for session, at in self.decisions]

    def net_liquidity(self) -> list[float]:
        path = []
        for session, at in self.decisions:
            assets, treasury, repo = (self.seen(name, at) for name in ("WALCL", "WTREGEN", "RRPONTSYD"))
            common = {
                day: assets[day] - treasury[day] - 1000 * repo[day] for day in assets if day in treasury.keys() & repo
            }
            path.append(self.newest(common, session, 21))
        return path

    def pipes(self) -> list[float]:
        path = []
        for session, at in self.decisions:
            repo, policy = self.seen("SOFR", at), self.seen("DFF", at)
            common = {day: 100 * (repo[day] - policy[day]) for day in repo.keys() & policy}
            newest = sorted(common)[-CONFIG.pipes_mean_observations :]
            mean = sum(common[day] for day in newest) / CONFIG.pipes_mean_observations
            enough = len(newest) == CONFIG.pipes_mean_observations
            path.append(self.newest({newest[-1]: mean}, session, 10) if enough else math.nan)
        return path

    def drain(self, kind: str) -> list[float]:
        path = []
        for session, at in self.decisions:
            top = bottom = 0.0
            for company in CONFIG.companies:
                rows = self.capex[self.capex["company"] == company].sort_values("period_end").reset_index()
                known = rows["capex_known_at"] <= at
                if kind == "share":
                    known &= rows["ocf_known_at"] <= at
                last = max(rows.index[known], default=-1)
                length = 4 if kind == "share" else 8
                enough = last + 1 >= length and known[last + 1 - length : last + 1].all()
                fresh = last >= 0 and (session - rows["period_end"][last]).days <= CONFIG.capex_stale_days
                figures = rows.loc[last - length + 1 : last]
                if not (enough and fresh):
                    top = math.nan
                elif kind == "share":
                    top += figures["capex_usd_bn"].sum()
                    bottom += figures["ocf_usd_bn"].sum()
                else:
                    top += figures["capex_usd_bn"][-4:].sum()
                    bottom += figures["capex_usd_bn"][:4].sum()
            ratio = top / bottom if bottom else math.nan
            path.append(ratio if kind == "share" else math.log(ratio))
        return path

    def values(self) -> dict[str, list[float]]:
        def change(path: list[float], count: int) -> list[float]:
            return [math.nan] * count + [now - before for before, now in zip(path[:-count], path[count:], strict=True)]

        rates = {name: self.rate(name) for name in ("DGS10", "DFII10", "BAA10Y")}
        return {
            "drain.capex_growth": self.drain("growth"),
            "drain.capex_to_cash_flow": self.drain("share"),
            **{
                f"price_of_capital.{name}_{count}": [100 * x for x in change(path, count)]
                for name, path in rates.items()
                for count in CONFIG.change_sessions
            },
            "level.net_liquidity": change(self.net_liquidity(), CONFIG.level_change_sessions),
            "pipes.SOFR_DFF": self.pipes(),
        }


def present(numbers: list[float]) -> list[float]:
    return [number for number in numbers if not math.isnan(number)]


def mean(numbers: list[float]) -> float:
    return statistics.fmean(present(numbers)) if present(numbers) else math.nan


def window(path: list[float], row: int) -> list[float]:
    return present(path[max(0, row + 1 - CONFIG.window_sessions) : row + 1])


def z_score(path: list[float]) -> list[float]:
    scores = []
    for row, value in enumerate(path):
        seen = window(path, row)
        if math.isnan(value) or len(seen) < CONFIG.min_window_sessions or statistics.stdev(seen) < 1e-9:
            scores.append(math.nan)
        else:
            z = (value - statistics.fmean(seen)) / statistics.stdev(seen)
            scores.append(max(-CONFIG.clip, min(CONFIG.clip, z)))
    return scores


def scaled(path: list[float]) -> list[float]:
    enough = [len(window(path, row)) >= CONFIG.min_scale_sessions for row in range(len(path))]
    return [value / statistics.stdev(window(path, row)) if enough[row] else math.nan for row, value in enumerate(path)]


def slow_blocks(values: dict[str, list[float]]) -> pd.DataFrame:
    """Scaled blocks, before weight and smoothing."""
    z = {name: z_score([-x for x in path] if name.startswith("level") else path) for name, path in values.items()}

    def rows(*names: str) -> list[float]:
        return [mean(list(row)) for row in zip(*(z[name] for name in names), strict=True)]

    def nested(*paths: list[float]) -> list[float]:
        return [mean(list(row)) for row in zip(*paths, strict=True)]

    nominal, real, credit = (
        rows(f"price_of_capital.{name}_3", f"price_of_capital.{name}_7") for name in ("DGS10", "DFII10", "BAA10Y")
    )
    blocks = {
        "drain": rows("drain.capex_growth", "drain.capex_to_cash_flow"),
        "price_of_capital": nested(nested(nominal, real), credit),
        "level": z["level.net_liquidity"],
        "pipes": z["pipes.SOFR_DFF"],
    }
    return pd.DataFrame({name: scaled(path) for name, path in blocks.items()}, index=SESSIONS)


def slow_score(blocks: pd.DataFrame) -> list[float]:
    weight = 1 - 0.5 ** (1 / CONFIG.half_life_sessions)
    score: list[float] = []
    for row in blocks.fillna(0.0).to_numpy():
        raw = float(sum(row)) / 4
        score.append(weight * raw + (1 - weight) * score[-1] if score else raw)
    return score


@pytest.mark.parametrize("seed", [1, 2])
def test_the_signal_equals_its_definition(seed: int) -> None:
    series, capex = random_series(seed, blanks=0.05, late=0.1), random_capex(seed)
    signal = liquidity_signal(series, capex, SESSIONS, CONFIG)
    values = Slowly(series, capex).values()
    assert list(signal.values.columns) == list(values) == list(signal.inputs.columns) == list(signal.units)
    for name, path in values.items():
        np.testing.assert_allclose(signal.values[name], path, rtol=1e-9, atol=1e-7, err_msg=name)
        assert 0 < np.isnan(path).sum() < len(path), f"{name} is never or always missing: this compares too little"
    blocks = slow_blocks(values)
    assert signal.live_blocks.tolist() == blocks.notna().sum(axis=1).tolist()
    np.testing.assert_allclose(signal.score, slow_score(blocks), rtol=1e-7, atol=1e-9)
    assert set(signal.live_blocks) >= {0, 2, 3, 4}
    assert set(signal.regime) == {"ABUNDANT", "NEUTRAL", "SCARCE"}


def check_sums(signal: LiquiditySignal) -> None:
    assert signal.score.notna().all()
    assert signal.inputs.notna().all(axis=None)
    np.testing.assert_allclose(signal.blocks.sum(axis=1), signal.score, rtol=0, atol=1e-12)
    for name, block in signal.blocks.items():
        parts = signal.inputs.filter(like=f"{name}.")
        assert parts.shape[1] >= 1
        np.testing.assert_allclose(parts.sum(axis=1), block, rtol=0, atol=1e-12)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), blanks=st.floats(0, 0.6), late=st.floats(0, 0.5))
def test_contributions_add_up(seed: int, blanks: float, late: float) -> None:
    signal = liquidity_signal(random_series(seed, blanks, late), random_capex(seed), SESSIONS, CONFIG)
    check_sums(signal)
    assert signal.live_blocks.between(0, 4).all()
    assert (signal.known.apply(lambda known: known.isna() | (known <= decision_times(SESSIONS)))).all(axis=None)
    assert (signal.observed.apply(lambda day: day.isna() | (day < SESSIONS))).all(axis=None)


def test_a_missing_block_gives_nothing_new_and_the_others_keep_their_weight() -> None:
    series, capex = random_series(7, blanks=0.0, late=0.0), random_capex(7)
    whole = liquidity_signal(series, capex, SESSIONS, CONFIG)
    blank = series.assign(value=series["value"].mask(series["series"] == "SOFR"))
    without = liquidity_signal(blank, capex, SESSIONS, CONFIG)
    assert (without.blocks["pipes"] == 0).all()
    assert without.values["pipes.SOFR_DFF"].isna().all()
    assert without.observed["pipes.SOFR_DFF"].isna().all()
    others = ["drain", "price_of_capital", "level"]
    pd.testing.assert_frame_equal(without.blocks[others], whole.blocks[others], check_exact=True)
    assert (whole.live_blocks - without.live_blocks).isin([0, 1]).all()
    assert whole.blocks["pipes"].abs().max() > 0


def test_the_tables_agree_in_shape() -> None:
    signal = liquidity_signal(random_series(3, 0.05, 0.1), random_capex(3), SESSIONS, CONFIG)
    assert list(signal.blocks.columns) == ["drain", "price_of_capital", "level", "pipes"]
    for frame in (signal.values, signal.observed, signal.known, signal.inputs):
        assert frame.index.equals(SESSIONS)
        assert list(frame.columns) == list(signal.units)
    for column in (signal.score, signal.regime, signal.live_blocks):
        assert column.index.equals(SESSIONS)
    assert set(signal.units.values()) == {"log growth", "ratio", "basis points", "USD millions"}
    assert str(signal.known.dtypes.iloc[0]) == "datetime64[us, UTC]"
    assert str(signal.observed.dtypes.iloc[0]) == "datetime64[us]"


def test_before_anything_is_known_the_regime_is_neutral() -> None:
    early = sessions_between(pd.Timestamp("2010-01-04"), pd.Timestamp("2010-12-31"))
    signal = liquidity_signal(random_series(3, 0.05, 0.1), random_capex(3), early, CONFIG)
    assert (signal.score == 0).all()
    assert (signal.live_blocks == 0).all()
    assert set(signal.regime) == {"NEUTRAL"}
    assert signal.values.filter(regex="price|level|pipes").isna().all(axis=None)


@pytest.mark.parametrize(
    "sessions",
    [SESSIONS[::-1], SESSIONS.append(SESSIONS[-1:]), SESSIONS.tz_localize("UTC")],
    ids=["reversed", "repeated", "with a time zone"],
)
def test_sessions_that_are_none_are_refused(sessions: pd.DatetimeIndex) -> None:
    with pytest.raises(InputError, match=r"wanted those of data\.clock"):
        liquidity_signal(random_series(3, 0.0, 0.0), random_capex(3), sessions, CONFIG)


def test_what_the_snapshot_lacks_is_named() -> None:
    series, capex = random_series(3, 0.0, 0.0), random_capex(3)
    with pytest.raises(InputError, match="series SOFR: got no row"):
        liquidity_signal(series[series["series"] != "SOFR"], capex, SESSIONS, CONFIG)
    with pytest.raises(InputError, match="capex of BBB: got no row"):
        liquidity_signal(series, capex[capex["company"] != "BBB"], SESSIONS, CONFIG)


def test_a_signal_does_not_change() -> None:
    signal = liquidity_signal(random_series(3, 0.0, 0.0), random_capex(3), SESSIONS, CONFIG)
    with pytest.raises(AttributeError):
        signal.score = signal.score + 1  # type: ignore[misc]
    assert replace(signal).score is signal.score
