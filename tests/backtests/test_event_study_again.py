"""The event study once more, by plain loops; and around the real days of announcements in worlds without an effect."""

import math
from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import rankdata, t

from backtests.spec.spec import load_spec
from backtests.studies.event_study.abnormal import StudyConfig, abnormal_returns
from backtests.studies.event_study.events import study_events, weeks_of
from backtests.studies.event_study.legs import leg_window
from backtests.studies.event_study.significance import rank_test
from backtests.studies.event_study.study import EventStudy, event_study
from backtests.studies.event_study.tables import _thirds
from data.clock import sessions_between
from data.errors import InputError
from data.events.timeline import event_timeline
from data.market.snapshot import Snapshot
from data.markets import open_market

WORLDS = 400
KINDS = {"guidance": ("guidance",), "policy": ("fed_balance_sheet", "fed_chair", "balance_sheet_pace")}


@pytest.fixture(scope="module")
def studied(sample: Snapshot) -> EventStudy:
    return event_study(load_spec("sample"), sample, kinds=tuple(KINDS))


# The same figures by other means: the calendar's own hours, statsmodels, loops


class _Again:
    """What a reader of the page would do by hand."""

    def __init__(self, market: Snapshot, index: str, names: list[str]) -> None:
        calendar = exchange_calendars.get_calendar("XNYS", start="2000-01-03", end="2027-06-30")
        closes = {name: bars.set_index("date")["adj_close"] for name, bars in market.bars.groupby("symbol")}
        first, last = closes[index].index[0], closes[index].index[-1]
        self.sessions = [day for day in calendar.sessions if first <= day <= last]
        self.hours, self.is_coin = calendar, {name: market.instruments[name].is_crypto for name in names}
        self.returns = {name: self._of(closes[name]) for name in [*names, index]}
        self.index = self.returns[index]

    def _of(self, closes: pd.Series) -> np.ndarray:
        prices = np.array([closes.get(day, np.nan) for day in self.sessions], dtype=float)
        return np.r_[np.nan, prices[1:] / prices[:-1] - 1]

    def days(self, events: pd.DataFrame) -> list[tuple[int, int]]:
        """Sessions of a stock and of a coin, each pair once."""
        found = set()
        for known in events["known_at"]:
            if known.tz_localize(None) < self.sessions[0]:
                continue
            local = known.tz_convert("America/New_York").tz_localize(None).normalize()
            stock = bisect_left(self.sessions, local)
            if stock < len(self.sessions) and known >= self.hours.session_close(self.sessions[stock]):
                stock += 1
            if stock < len(self.sessions):
                found.add((stock, bisect_left(self.sessions, known.tz_localize(None).normalize())))
        return sorted(found)

    def fit(self, name: str, place: int) -> tuple:
        inside = [row for row in range(place - 250, place - 29) if row >= 0]
        kept = [row for row in inside if not math.isnan(self.returns[name][row]) and not math.isnan(self.index[row])]
        if len(kept) < 100:
            return ()
        fit = sm.OLS(self.returns[name][kept], sm.add_constant(self.index[kept])).fit()
        left = np.full(221, np.nan)
        left[np.array(kept) - (place - 250)] = fit.resid
        return fit, left

    def week(self, day: int) -> pd.Timestamp:
        return self.sessions[day] - pd.Timedelta(days=self.sessions[day].weekday())

    def leg(self, members: tuple[str, ...], days: list, window: tuple[int, int]) -> dict[str, float]:
        """Weeks, mean and statistics."""
        a, b = window
        weeks = defaultdict(list)
        for day in days:
            around, left, wide = [], [], []
            for name in members:
                place = day[self.is_coin[name]]
                fitted = self.fit(name, place)
                own, index = (r[place + a : place + b + 1] for r in (self.returns[name], self.index))
                if not fitted or len(own) <= b - a or np.isnan(own + index).any():
                    continue
                rows = np.column_stack([np.ones(len(index)), index])
                around.append(own - fitted[0].predict(rows))
                left.append(fitted[1])
                total = rows.sum(axis=0)
                wide.append(total @ fitted[0].cov_params() @ total / fitted[0].scale + len(rows))
            if around:
                mean, rest = np.mean(around, axis=0), pd.DataFrame(left).mean().to_numpy()
                spread = math.sqrt(np.nansum(rest**2) / (np.isfinite(rest).sum() - 2))
                scaled = mean.sum() / spread / math.sqrt(np.mean(wide))
                weeks[self.week(day[0])].append((mean.sum(), scaled, np.r_[rest, mean]))
        car, scaled = (np.array([np.mean([day[at] for day in each]) for each in weeks.values()]) for at in (0, 1))
        ranks = []
        for each in weeks.values():
            row = pd.DataFrame([day[2] for day in each]).mean()
            ranks.append(pd.Series(rankdata(row.dropna()), row.dropna().index) / (row.count() + 1) - 0.5)
        means = pd.DataFrame(ranks).reindex(columns=range(221 + b - a + 1)).mean()
        found = {"weeks": len(car), "mean": car.mean()}
        for name, values in (("t", car), ("bmp", scaled)):
            found[name] = values.mean() / values.std(ddof=1) * math.sqrt(len(values))
            found[f"p_{name}"] = 2 * t.sf(abs(found[name]), len(values) - 1)
        last = means.iloc[-(b - a + 1) :]
        found["corrado"] = last.sum() / math.sqrt(len(last) * (means**2).mean())
        return found


@pytest.mark.slow
def test_its_figures_are_those_of_plain_loops(sample: Snapshot, studied: EventStudy) -> None:
    names = [leg for leg, members in studied.legs.items() if members == (leg,)]
    again, events = _Again(sample, studied.index, names), event_timeline(sample)
    rows = studied.tests.set_index(["kind", "leg", "first", "last"])
    for kind, members in KINDS.items():
        days = again.days(events[events["kind"].isin(members)])
        for leg in ("crypto", "speculative"):
            for window in studied.config.windows:
                found = again.leg(studied.legs[leg], days, window)
                told = rows.loc[(kind, leg, *window)]
                assert {name: told[name] for name in found} == pytest.approx(found, rel=1e-8), (kind, leg, window)


# Around the real calendar of announcements


@pytest.fixture(scope="module")
def calendar(sample: Snapshot) -> tuple[np.ndarray, np.ndarray, int]:
    """Of results: sessions and weeks of their days, and the sessions of the study."""
    sessions = sessions_between(pd.Timestamp("2014-01-02"), pd.Timestamp("2026-10-09"))
    events = study_events(sample, load_spec("sample").signal, sessions)
    days = np.unique(events.loc[events["kind"] == "results", "stocks"])
    return days, weeks_of(sessions, days.tolist()), len(sessions)


def _worlds(calendar: tuple, names: int, jump: float, window: tuple[int, int]) -> list:
    """The study of as many worlds as there are names, around days on which returns jump."""
    days, weeks, sessions = calendar
    chance = np.random.default_rng(11)
    market = chance.normal(0.0003, 0.01, sessions)
    returns = 1.2 * market[:, None] + chance.normal(0, 0.02, (sessions, names))
    returns[days] += jump
    config = StudyConfig(windows=(window,), path=window)
    found = abnormal_returns(returns, market, days[:, None].repeat(names, axis=1), config)
    return [leg_window(found, [name], weeks, 0, config, np.ones(len(days), dtype=bool)) for name in range(names)]


@pytest.mark.slow
def test_results_every_few_weeks_are_not_called_an_effect(calendar: tuple) -> None:
    """At their real days, of which some windows overlap: 400 worlds without an effect, and no more than 5% of them."""
    worlds = _worlds(calendar, WORLDS, 0.0, (0, 5))
    found = np.array([[each.plain.p_value, each.standardised.p_value, each.correlated.p_value] for each in worlds])
    assert ((found < 0.05).mean(axis=0) < 0.05 + 2 * math.sqrt(0.05 * 0.95 / WORLDS)).all()


@pytest.mark.slow
@pytest.mark.parametrize(("window", "share"), [((-1, 1), 0.87), ((0, 5), 0.78), ((0, 20), 0.25)])
def test_how_much_of_an_effect_hides_in_the_fits_of_other_events(
    calendar: tuple, window: tuple[int, int], share: float
) -> None:
    """A jump of 1% at each result: results of the year before lie in each fit, and its level takes part of them out."""
    days, weeks, sessions = calendar
    jumps = np.zeros(sessions)
    jumps[days] = 0.01
    first, last = window
    inside = (days >= 250) & (days + last < sessions)
    of_day = np.array([jumps[day + first : day + last + 1].sum() for day in days[inside]])
    there = pd.Series(of_day).groupby(weeks[inside]).mean().mean()
    calm, moved = (np.mean([each.car.mean() for each in _worlds(calendar, 5, jump, window)]) for jump in (0.0, 0.01))
    assert (moved - calm) / there == pytest.approx(share, abs=0.03)


@pytest.mark.slow
def test_in_markets_without_any_effect_no_more_is_found_than_chance_allows() -> None:
    """Of crypto and baskets in two of them: one cell in twenty, not one in six."""
    cells = []
    for seed in (1, 2):
        found = event_study(load_spec("sample"), open_market(f"sample:null@{seed}"))
        for table, p_value in ((found.tests, "p_bmp"), (found.slopes, "p_slope")):
            cells += table.loc[table["leg"].isin(["crypto", "speculative", "cash_flow"]), p_value].dropna().tolist()
    assert len(cells) > 70
    assert np.mean(np.array(cells) < 0.05) < 1 / 6


# What has no answer


@pytest.mark.slow
def test_the_reserve_is_a_leg_if_it_is_asked_for_and_events_without_prices_are_counted(
    sample: Snapshot, studied: EventStudy
) -> None:
    """A bill earns its yield every day, which around any event may be more, or less, than in the year before."""
    universe = load_spec("sample").universe
    assert set(studied.legs) == {"crypto", "speculative", "cash_flow", *universe.outside_reserve}
    late = replace(sample, bars=sample.bars[sample.bars["date"] > "2018-01-01"])
    asked = event_study(load_spec("sample"), late, kinds=("guidance", "guidance"), symbols=universe.reserve)
    assert set(asked.legs) == {*studied.legs, *universe.reserve}
    assert studied.outside == 2
    assert asked.counts["events"].tolist() == [studied.counts["events"][0] - asked.outside]
    assert asked.outside > 10


def test_equal_news_lie_in_one_third() -> None:
    random = np.random.default_rng(1)
    for count in (3, 4, 95):
        news = pd.Series(random.normal(size=count))
        assert _thirds(news).tolist() == pd.qcut(news.rank(), 3, labels=False).tolist()
    assert _thirds(pd.Series([2.0, 2.0, 2.0, 2.0])).tolist() == [1, 1, 1, 1]
    assert _thirds(pd.Series([0.0, 0.0, 0.0, 1.0, 5.0, 5.0])).tolist() == [0, 0, 0, 1, 2, 2]


def test_the_index_by_itself_and_a_price_that_stands_still_have_no_fit() -> None:
    chance = np.random.default_rng(3)
    market = chance.normal(0.0003, 0.01, 900)
    returns = np.column_stack([market, 2 * market, np.zeros(900), market + chance.normal(0, 0.02, 900)])
    places = np.array([400, 500, 600, 700])[:, None].repeat(4, axis=1)
    found = abnormal_returns(returns, market, places, StudyConfig())
    assert np.isnan(found.spread).all(axis=0).tolist() == [True, True, True, False]
    assert np.isnan(found.around).all(axis=(0, 2)).tolist() == [True, True, True, False]


def test_what_no_event_has_is_no_session_of_the_ranks() -> None:
    fitted, around = np.array([[np.nan, 1.0, 2.0, 3.0, 4.0]] * 3), np.array([[9.0]] * 3)
    assert rank_test(fitted, around) == rank_test(fitted[:, 1:], around)


@pytest.mark.slow
def test_answers_that_are_left_out_are_counted(sample: Snapshot, studied: EventStudy) -> None:
    """A name without 30 of its bars, and one that ends two years early."""
    assert (studied.counts["answers"] == 9 * studied.counts["days"]).all()
    days = np.sort(sample.bars["date"].unique())
    bars = sample.bars
    is_gone = (bars["symbol"] == "SIM-MEMORY-A") & (bars["date"] > days[-700])
    holes = np.random.default_rng(1).choice(days[1500:2500], 30, replace=False)
    is_gone |= (bars["symbol"] == "SIM-MEMORY-B") & bars["date"].isin(holes)
    found = event_study(load_spec("sample"), replace(sample, bars=bars[~is_gone]), kinds=tuple(KINDS))
    assert (found.counts["unfitted"] > studied.counts["unfitted"]).all()
    assert (found.counts["blank"] > studied.counts["blank"]).any()
    kept = studied.tests[~studied.tests["leg"].isin(["cash_flow", "SIM-MEMORY-A", "SIM-MEMORY-B"])]
    pd.testing.assert_frame_equal(found.tests.loc[kept.index].drop(columns="holm"), kept.drop(columns="holm"))


def test_a_fit_over_more_than_ten_years_is_refused(sample: Snapshot) -> None:
    with pytest.raises(InputError, match="got an estimation window from -3000 on, wanted one from -2520 on at most"):
        event_study(load_spec("sample"), sample, StudyConfig(estimation=(-3000, -30)))
