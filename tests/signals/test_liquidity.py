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

from data.catalogue.series import series_entry
from data.clock import decision_times, sessions_between
from data.errors import InputError
from data.market.tables import CAPEX, FUNDING, GUIDANCE, SERIES, Table
from signals.block import SignalData
from signals.config import GateConfig, SignalConfig
from signals.liquidity import LiquiditySignal, liquidity_signal, required_series

CONFIG = SignalConfig(
    form=1,
    window_sessions=40,
    min_window_sessions=12,
    min_scale_sessions=8,
    clip=1.5,
    companies=("AAA", "BBB"),
    capex_stale_days=115,
    gate=GateConfig(ratio=0.37, width=0.02, stimulus=0.6),
    event_half_life_sessions=12,
    funding_half_life_sessions=7,
    change_sessions=(3, 7),
    level_change_sessions=6,
    pipes_mean_observations=3,
    half_life_sessions=4,
    enter=0.4,
    leave=0.2,
    dwell_sessions=5,
)
WITHOUT_THE_NEW = CONFIG.model_copy(
    update={"gate": GateConfig(enabled=False), "capex_events": False, "outside_funding": False}
)
WITH_GATED_LEVEL = CONFIG.model_copy(update={"gate": CONFIG.gate.model_copy(update={"level": True})})
SESSIONS = sessions_between(pd.Timestamp("2015-01-02"), pd.Timestamp("2015-12-31"))
WEEKLY = {"WALCL": 4_000_000.0, "WTREGEN": 300_000.0}
MINUTE = pd.Timedelta(minutes=1)
NEWS = ("drain.results_surprise", "drain.guidance_news")
# Ends of fiscal 2011; the figure of results that is on each basis.
YEAR_ENDS = {"AAA": pd.Timestamp("2011-12-31"), "BBB": pd.Timestamp("2012-02-29")}
BASES = {"cash capex": "capex_usd_bn", "incl. finance leases": "headline_capex_usd_bn", "accrual": None}


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
    frame["headline_capex_usd_bn"] = (frame["capex_usd_bn"] * random.uniform(1, 1.2, len(frame))).round(3)
    frame.loc[random.random(len(frame)) < 0.1, "headline_capex_usd_bn"] = np.nan
    return completed(CAPEX, frame)


def random_guidance(capex: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Guidance around the results, of the fiscal year that runs and of the next one; some tell the range before."""
    random = np.random.default_rng(seed + 2_000)
    rows: list[dict[str, object]] = []
    for result in capex.itertuples():
        for year in (int(result.fiscal_period[:4]), int(result.fiscal_period[:4]) + 1):
            if random.random() < 0.35:
                continue
            end = YEAR_ENDS[result.company] + pd.DateOffset(years=year - 2011) + pd.offsets.MonthEnd(0)
            middle, told_before = random.uniform(4, 9), random.random() < 0.3
            known = result.capex_known_at + int(random.integers(-2, 3)) * pd.Timedelta(days=1)
            rows.append(
                {
                    "company": result.company,
                    "announced_at": known.tz_localize(None).normalize(),
                    "fiscal_year": year,
                    "low_usd_bn": round(middle - random.uniform(0, 0.5), 3),
                    "high_usd_bn": round(middle + 0.4, 3),
                    "prior_low_usd_bn": 5.0 if told_before else np.nan,
                    "prior_high_usd_bn": 6.0 if told_before else np.nan,
                    "basis": str(random.choice(list(BASES))),
                    "event": f"statement {len(rows)}",
                    "period_start": end + pd.Timedelta(days=1) - pd.DateOffset(years=1),
                    "period_end": end,
                    "comparable": random.random() < 0.9,
                    "known_at": known,
                }
            )
    return completed(GUIDANCE, pd.DataFrame(rows))


def random_funding(seed: int) -> pd.DataFrame:
    """Acts of funding every few days from early 2015 to autumn; some do not count."""
    random = np.random.default_rng(seed + 3_000)
    days = pd.Series(pd.date_range("2015-02-02", "2015-08-20", freq="6D")).astype("datetime64[us]")
    late = random.integers(1, 200, len(days)) * pd.Timedelta(hours=1)
    frame = pd.DataFrame(
        {
            "date": days,
            "kind": "bond_issue",
            "company": "CCC",
            "amount_usd_bn": random.uniform(0.1, 2, len(days)).round(3),
            "counts": random.random(len(days)) < 0.7,
            "known_at": (days + late).dt.tz_localize("UTC"),
        }
    )
    return completed(FUNDING, frame)


def completed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    blank = table.empty().reindex(frame.index)
    absent = {name: "" if kind == "text" else blank[name] for name, kind in table.columns.items() if name not in frame}
    return table.conform(frame.assign(**absent))


def signal_of(
    series: pd.DataFrame, capex: pd.DataFrame, sessions: pd.DatetimeIndex = SESSIONS, seed: int = 5
) -> LiquiditySignal:
    return liquidity_signal(
        SignalData(series, capex, random_guidance(capex, seed), random_funding(seed), sessions), CONFIG
    )


@dataclass
class Slowly:
    """The definition, read aloud: every number from the rows known at the decision."""

    series: pd.DataFrame
    capex: pd.DataFrame
    guidance: pd.DataFrame
    funding: pd.DataFrame
    config: SignalConfig

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

    @cached_property
    def told(self) -> dict[str, dict[int, dict[str, object]]]:
        """Results by company and number of the fiscal quarter."""
        rows: dict[str, dict[int, dict[str, object]]] = {}
        for row in self.capex.to_dict("records"):
            number = 4 * int(row["fiscal_period"][:4]) + int(row["fiscal_period"][-1]) - 1
            rows.setdefault(row["company"], {})[number] = row
        return rows

    def trailing(self, company: str, at: pd.Timestamp) -> float:
        known = {number: row for number, row in self.told[company].items() if row["capex_known_at"] <= at}
        newest = max(known, default=-1)
        wanted = range(newest - 3, newest + 1)
        if not known.keys() >= set(wanted):
            return math.nan
        fresh = (at.tz_localize(None) - known[newest]["period_end"]).days <= CONFIG.capex_stale_days
        return sum(known[number]["capex_usd_bn"] for number in wanted) if fresh else math.nan

    def growth_to(self, known: dict[int, dict[str, object]], newest: int) -> float:
        if not known.keys() >= set(range(newest - 7, newest + 1)):
            return math.nan
        four = [[known[number - back]["capex_usd_bn"] for back in range(4)] for number in (newest, newest - 4)]
        return sum(four[0]) / sum(four[1])

    def surprises(self) -> list[tuple[pd.Timestamp, pd.Timestamp, float]]:
        """Known_at, date and weighted news of every result that has any."""
        found = []
        for company, rows in self.told.items():
            for number, row in rows.items():
                at = row["capex_known_at"]
                before = {other: each for other, each in rows.items() if each["capex_known_at"] < at}
                if max(before, default=-1) > number:
                    continue
                actual, expected = self.left_of_guidance(company, number, row, before)
                if not expected > 0:
                    growth = self.growth_to(before, number - 1)
                    actual = row["capex_usd_bn"]
                    expected = math.nan if math.isnan(growth) else before[number - 4]["capex_usd_bn"] * growth
                found.append((at, row["period_end"], self.weighted(company, at, actual, expected)))
        return [event for event in found if not math.isnan(event[2])]

    def left_of_guidance(self, company, number, row, before):  # type: ignore[no-untyped-def]
        at, year = row["capex_known_at"], number // 4
        guided = [
            each
            for each in self.guidance.sort_values("known_at").to_dict("records")
            if (each["company"], each["fiscal_year"]) == (company, year)
            and each["comparable"]
            and each["known_at"] < at
            and BASES[each["basis"]]
        ]
        if not guided or not before.keys() >= set(range(4 * year, number)):
            return math.nan, math.nan
        figure = BASES[guided[-1]["basis"]]
        done = sum(before[other][figure] for other in range(4 * year, number))
        middle = (guided[-1]["low_usd_bn"] + guided[-1]["high_usd_bn"]) / 2
        expected = (middle - done) / (4 * year + 4 - number)
        return row[figure], math.nan if math.isnan(row[figure]) else expected

    def revisions(self) -> list[tuple[pd.Timestamp, pd.Timestamp, float]]:
        """Known_at, date and weighted news of every guidance that has any."""
        rows = [each for each in self.guidance.sort_values("known_at").to_dict("records") if each["comparable"]]
        for each in rows:
            each["middle"] = (each["low_usd_bn"] + each["high_usd_bn"]) / 2
        found = []
        for row in rows:
            at, company, year, basis = row["known_at"], row["company"], row["fiscal_year"], row["basis"]
            alike = [each for each in rows if (each["company"], each["basis"]) == (company, basis)]
            priors = [each for each in alike if each["fiscal_year"] == year and each["known_at"] < at]
            last_year = [each for each in alike if each["fiscal_year"] == year - 1 and each["known_at"] <= at]
            known = {number: each for number, each in self.told[company].items() if each["capex_known_at"] <= at}
            growth = self.growth_to(known, max(known, default=-1))
            quarters, figure = range(4 * int(year) - 4, 4 * int(year)), BASES[basis]
            actual = math.nan
            if figure and known.keys() >= set(quarters):
                actual = sum(known[number][figure] for number in quarters)
            if not math.isnan(row["prior_low_usd_bn"]):
                expected = (row["prior_low_usd_bn"] + row["prior_high_usd_bn"]) / 2
            elif priors:
                expected = priors[-1]["middle"]
            elif not math.isnan(actual):
                expected = actual * growth
            else:
                expected = last_year[-1]["middle"] * growth if last_year else math.nan
            found.append((at, row["announced_at"], self.weighted(company, at, row["middle"], expected)))
        return [event for event in found if not math.isnan(event[2])]

    def weighted(self, company: str, at: pd.Timestamp, actual: float, expected: float) -> float:
        sums = {each: self.trailing(each, at) for each in self.told}
        if math.isnan(sums[company]) or not expected > 0:
            return math.nan
        return sums[company] / sum(present(list(sums.values()))) * math.log(actual / expected)

    def shares(self) -> list[tuple[pd.Timestamp, pd.Timestamp, float]]:
        rows = self.funding[self.funding["counts"]].to_dict("records")
        sums = [sum(self.trailing(company, row["known_at"]) for company in CONFIG.companies) for row in rows]
        found = [
            (row["known_at"], row["date"], row["amount_usd_bn"] / total) for row, total in zip(rows, sums, strict=True)
        ]
        return [event for event in found if not math.isnan(event[2])]

    def faded(self, events: list[tuple[pd.Timestamp, pd.Timestamp, float]], half_life: float) -> list[float]:
        clock = sessions_between(pd.Timestamp("2011-01-03"), SESSIONS[-1])
        first = decision_times(clock).searchsorted(pd.DatetimeIndex([at for at, _, _ in events]))
        path = []
        for session, at in self.decisions:
            seen = [(place, event) for place, event in zip(first, events, strict=True) if event[0] <= at]
            newest = max((date for _, (_, date, _) in seen), default=pd.NaT)
            if not seen or (session - newest).days > CONFIG.capex_stale_days:
                path.append(math.nan)
                continue
            now = clock.get_loc(session)
            path.append(sum(value * 0.5 ** ((now - place) / half_life) for place, (_, _, value) in seen))
        return path

    def multiplier(self) -> list[float]:
        gate = self.config.gate
        g = [1 / (1 + math.exp(-(ratio - gate.ratio) / gate.width)) for ratio in self.drain("share")]
        return [(1 + gate.stimulus) * each - gate.stimulus for each in g]

    def gated_level(self, changes: list[float]) -> list[float]:
        if not self.config.gate.level:
            return changes
        stimulus = self.config.gate.stimulus
        g = [(times + stimulus) / (1 + stimulus) for times in self.multiplier()]
        return [each * gate if each < 0 else each for each, gate in zip(changes, g, strict=True)]

    def drain_values(self) -> dict[str, list[float]]:
        growth = self.drain("growth")
        if not self.config.gate.enabled:
            return {"drain.capex_growth": growth, "drain.capex_to_cash_flow": self.drain("share")}
        half_lives = self.config.event_half_life_sessions, self.config.funding_half_life_sessions
        return {
            "drain.capex_growth": [each * times for each, times in zip(growth, self.multiplier(), strict=True)],
            "drain.results_surprise": self.faded(self.surprises(), half_lives[0]),
            "drain.guidance_news": self.faded(self.revisions(), half_lives[0]),
            "drain.outside_funding": self.faded(self.shares(), half_lives[1]),
        }

    def values(self) -> dict[str, list[float]]:
        def change(path: list[float], count: int) -> list[float]:
            return [math.nan] * count + [now - before for before, now in zip(path[:-count], path[count:], strict=True)]

        rates = {name: self.rate(name) for name in ("DGS10", "DFII10", "BAA10Y")}
        return {
            **self.drain_values(),
            **{
                f"price_of_capital.{name}_{count}": [100 * x for x in change(path, count)]
                for name, path in rates.items()
                for count in CONFIG.change_sessions
            },
            "level.net_liquidity": self.gated_level(change(self.net_liquidity(), CONFIG.level_change_sessions)),
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
        "drain": (
            rows("drain.capex_growth", "drain.capex_to_cash_flow")
            if "drain.capex_to_cash_flow" in z
            else nested(
                rows("drain.capex_growth", "drain.results_surprise", "drain.guidance_news"), z["drain.outside_funding"]
            )
        ),
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


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "config"), [(1, CONFIG), (2, WITH_GATED_LEVEL), (2, WITHOUT_THE_NEW)])
def test_the_signal_equals_its_definition(seed: int, config: SignalConfig) -> None:
    series, capex = random_series(seed, blanks=0.05, late=0.1), random_capex(seed)
    guidance, funding = random_guidance(capex, seed), random_funding(seed)
    signal = liquidity_signal(SignalData(series, capex, guidance, funding, SESSIONS), config)
    slowly = Slowly(series, capex, guidance, funding, config)
    values = slowly.values()
    if config.gate.enabled:
        np.testing.assert_allclose(signal.gate["ratio"], slowly.drain("share"), rtol=1e-12)
        np.testing.assert_allclose(signal.gate["multiplier"], slowly.multiplier(), rtol=1e-9, atol=1e-12)
    else:
        assert signal.gate is None
    assert list(signal.values.columns) == list(values) == list(signal.inputs.columns) == list(signal.units)
    for name, path in values.items():
        np.testing.assert_allclose(signal.values[name], path, rtol=1e-9, atol=1e-7, err_msg=name)
        at_times = 0 if name in NEWS else 1  # news of two companies is never too old here
        assert at_times <= np.isnan(path).sum() < len(path), f"{name} is never or always missing: this compares little"
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
    signal = signal_of(random_series(seed, blanks, late), random_capex(seed))
    check_sums(signal)
    assert signal.live_blocks.between(0, 4).all()
    assert (signal.known.apply(lambda known: known.isna() | (known <= decision_times(SESSIONS)))).all(axis=None)
    assert (signal.observed.apply(lambda day: day.isna() | (day < SESSIONS))).all(axis=None)


def test_a_missing_block_gives_nothing_new_and_the_others_keep_their_weight() -> None:
    series, capex = random_series(7, blanks=0.0, late=0.0), random_capex(7)
    whole = signal_of(series, capex)
    blank = series.assign(value=series["value"].mask(series["series"] == "SOFR"))
    without = signal_of(blank, capex)
    assert (without.blocks["pipes"] == 0).all()
    assert without.values["pipes.SOFR_DFF"].isna().all()
    assert without.observed["pipes.SOFR_DFF"].isna().all()
    others = ["drain", "price_of_capital", "level"]
    pd.testing.assert_frame_equal(without.blocks[others], whole.blocks[others], check_exact=True)
    assert (whole.live_blocks - without.live_blocks).isin([0, 1]).all()
    assert whole.blocks["pipes"].abs().max() > 0


def test_the_tables_agree_in_shape() -> None:
    signal = signal_of(random_series(3, 0.05, 0.1), random_capex(3))
    assert list(signal.blocks.columns) == ["drain", "price_of_capital", "level", "pipes"]
    for frame in (signal.values, signal.observed, signal.known, signal.inputs):
        assert frame.index.equals(SESSIONS)
        assert list(frame.columns) == list(signal.units)
    for column in (signal.score, signal.regime, signal.live_blocks):
        assert column.index.equals(SESSIONS)
    drain = {"log growth x gate", "log ratio", "share of a year's capex"}
    assert set(signal.units.values()) == drain | {"basis points", "USD millions"}
    assert str(signal.known.dtypes.iloc[0]) == "datetime64[us, UTC]"
    assert str(signal.observed.dtypes.iloc[0]) == "datetime64[us]"


def test_before_anything_is_known_the_regime_is_neutral() -> None:
    early = sessions_between(pd.Timestamp("2010-01-04"), pd.Timestamp("2010-12-31"))
    signal = signal_of(random_series(3, 0.05, 0.1), random_capex(3), early)
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
        signal_of(random_series(3, 0.0, 0.0), random_capex(3), sessions)


def test_what_the_snapshot_lacks_is_named() -> None:
    series, capex = random_series(3, 0.0, 0.0), random_capex(3)
    with pytest.raises(InputError, match="series SOFR: got no row"):
        signal_of(series[series["series"] != "SOFR"], capex)
    with pytest.raises(InputError, match="capex of BBB: got no row"):
        signal_of(series, capex[capex["company"] != "BBB"])


def test_a_signal_does_not_change() -> None:
    signal = signal_of(random_series(3, 0.0, 0.0), random_capex(3))
    with pytest.raises(AttributeError):
        signal.score = signal.score + 1  # type: ignore[misc]
    assert replace(signal).score is signal.score
