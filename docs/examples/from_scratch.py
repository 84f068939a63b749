"""The idea in one file, with nothing of this project: from what was known to the default run's regimes and equity.

    python docs/examples/from_scratch.py FOLDER     # of a kept market of real history

A decision is taken at 00:00 UTC of its session, on rows whose `known_at` is not later, and filled at the opens of that
session. Why all is as it is, says docs/decisions/form-2.md. What this history never asks for is left out.
"""

import math
import re
import sys
from pathlib import Path

import backtrader as bt
import exchange_calendars
import numpy as np
import pandas as pd

FIVE = ["MSFT", "GOOGL", "AMZN", "META", "ORCL"]
FOLLOWED = [*FIVE, "CRWV"]  # whose announcements are news
SPECULATIVE = ["BTC-USD", "ETH-USD", "CRM", "NOW", "ADBE", "WDAY", "SNOW", "DDOG"]
CASH_FLOW = ["MU", "WDC", "STX", "SNDK"]
BUDGETS = {"ABUNDANT": (0.8, 0.2), "NEUTRAL": (0.4, 0.4), "SCARCE": (0.0, 0.8)}  # of these two; BIL takes the rest
NAMES = np.array([*SPECULATIVE, *CASH_FLOW, "BIL"])
COIN = np.array([name.endswith("-USD") for name in NAMES])
RATE, QUANTUM = np.where(COIN, 0.0025, 0.0005), np.where(COIN, 1e-8, 1e-6)  # commission, smallest unit
CASH, LEASED, OCF = "capex_usd_bn", "headline_capex_usd_bn", "ocf_usd_bn"
DAY, QUARTER = pd.Timedelta(days=1), pd.Timedelta(days=365.25 / 4)
CLOCK = exchange_calendars.get_calendar("XNYS", start="2005-01-03").sessions.as_unit("us")


def as_known(rows, moments):
    """The newest row at each moment: of the newest date, in its newest vintage."""
    rows = rows.sort_values(["known_at", "date"])
    rows = rows[rows["date"] == rows["date"].cummax()].reset_index(drop=True)
    return rows.reindex(rows["known_at"].searchsorted(moments, "right") - 1).set_axis(moments)


def read(x, least=252, clip=3.0, change=False):
    """A number over what is usual of it in three years: median size of a change, else root mean square. Not centred."""
    window = (x.abs() if change else x.pow(2)).rolling(756, min_periods=least)
    usual = 1.4826 * window.median() if change else window.mean() ** 0.5
    return (x / usual).clip(-clip, clip).where(~(usual < 1e-9), 0.0 * x)


def fading(events, at):
    """Each event in full at the first decision that knows it, and half of it after every 63 sessions."""
    arrived = np.zeros(len(at) + 1)
    np.add.at(arrived, at.searchsorted(events.index), events.fillna(0.0))
    return pd.Series(arrived[:-1], at).ewm(halflife=63, adjust=False).mean() / (1 - 0.5 ** (1 / 63))


def announced(name, line, guidance, begin):
    """Every guidance and result, and what could be expected of it: company, kind, moment, value, expected."""
    known_at, ends = line["capex_known_at"], line["period_end"]

    def told(first, end, moment, figure=CASH):  # the sum of quarters that were all known at a moment
        whole = first >= (ends <= begin["results", name]).sum() and (known_at[first:end] <= moment).all()
        return line[figure][first:end].sum(skipna=False) if whole else math.nan

    def growth(last, moment):
        return told(last - 3, last + 1, moment) / told(last - 7, last - 3, moment)

    stated = []
    for row in guidance[guidance["company"] == name].itertuples():
        figure = LEASED if re.search(r"\blease", row.basis, re.I) else CASH
        figure = None if re.search(r"\b(accrual|accrued|gross|net)\b", row.basis, re.I) else figure
        year_end, middle = row.period_end, (row.low_usd_bn + row.high_usd_bn) / 2
        revised = [each[3] for each in stated if each[1:3] == (year_end, row.basis) and each[0] < row.known_at]
        if not revised:  # the year before on its basis, as reported or as guided, at trailing growth
            newest = (known_at <= row.known_at).sum() - 1
            last = newest - 4 + round((year_end - ends[newest]) / QUARTER)
            reported = told(last - 3, last + 1, row.known_at, figure) if figure else math.nan
            guided = [each[3] for each in stated if each[2] == row.basis and round((year_end - each[1]) / QUARTER) == 4]
            base = [math.nan, *guided][-1] if math.isnan(reported) else reported
            revised = [base * growth(newest, row.known_at)]
        stated.append((row.known_at, year_end, row.basis, middle, figure))
        if row.known_at.tz_localize(None) >= begin["guidance", name]:
            yield name, "guidance", row.known_at, middle, revised[-1]
    for place, moment in known_at.items():
        # The quarter a year before, at trailing growth; or what the newest guidance of its year leaves for it.
        value, expected = line[CASH][place], growth(place - 1, moment) * line[CASH].get(place - 4, math.nan)
        for known, year_end, _, middle, figure in reversed(stated):
            left = round((year_end - ends[place]) / QUARTER)
            if known < moment and figure and 0 <= left < 4:
                rest = (middle - told(place + left - 3, place, moment, figure)) / (left + 1)
                value, expected = (line[figure][place], rest) if rest * line[figure][place] > 0 else (value, expected)
                break
        yield name, "results", moment, value, expected


def drain(data, at):
    """2g - 1, and half of g times the news: negative while idle money lasts, for then capex is a stimulus."""
    days, capex = at.tz_localize(None), data["capex_actuals"].sort_values("period_end")
    capex["with_leases"] = capex[LEASED].fillna(capex[CASH])
    capex["both_known_at"] = capex[["capex_known_at", "ocf_known_at"]].max(axis=1, skipna=False)
    lines = {name: capex[capex["company"] == name].reset_index(drop=True) for name in FOLLOWED}
    begin = data["event_coverage"].set_index(["kind", "company"])["complete_from"]

    def year(names, figure, known_at, moments=at):  # the newest four quarters of each, all known and none too old
        total = 0.0
        for line in (lines[name] for name in names):
            four = pd.concat([line[known_at].shift(back) for back in range(4)], axis=1)
            sums = line.assign(date=line["period_end"], sum=line[figure].rolling(4).sum(), known_at=four.max(axis=1))
            found = as_known(sums[four.notna().all(axis=1)], moments)
            total += found["sum"].where(found.index.tz_localize(None) - found["date"] < 201 * DAY).array
        return pd.Series(total, moments)

    earned = year(FIVE, OCF, "both_known_at")
    ratios = [year(FIVE, figure, "both_known_at") / earned for figure in (CASH, "with_leases")]
    g = sum(1 / (1 + np.exp(-(ratio - 0.5) / 0.05)) for ratio in ratios) / 2
    told = data["capex_guidance"].query("comparable").sort_values("known_at", kind="stable")
    rows = [row for name in FOLLOWED for row in announced(name, lines[name], told, begin)]
    news = pd.DataFrame(rows, columns=["company", "kind", "known_at", "value", "expected"]).set_index("known_at")
    spent = pd.DataFrame({name: year([name], CASH, "capex_known_at", news.index).array for name in FOLLOWED})
    share = [spent[name][place] for place, name in enumerate(news["company"])] / spent.sum(axis=1)
    logs = np.log(news["value"] / news["expected"].where(news["expected"] > 0)) * share.array
    results = fading(logs[news["kind"] == "results"], at).where(year(FIVE, CASH, "capex_known_at").notna())
    guidance = fading(logs[news["kind"] == "guidance"], at).where(days >= begin["guidance"][FOLLOWED].min())
    complete = begin["funding"][FIVE].max()  # before, an empty stretch would be no news
    raised = data["funding_events"].query("counts and company in @FIVE and date >= @complete").set_index("known_at")
    funding = fading(raised["amount_usd_bn"] / year(FIVE, OCF, "ocf_known_at", raised.index).array, at)
    funding = funding.where(year(FIVE, OCF, "ocf_known_at").notna() & (days >= complete))
    news = pd.concat([read(results), read(guidance)], axis=1).mean(axis=1)  # what is missing drops out
    news = pd.concat([news, read(funding)], axis=1).mean(axis=1).fillna(0.0)
    return (2 * g - 1) + 0.5 * g * news


def price_of_capital(series, at):
    """Yields and spreads count where they move together."""
    halves = []
    for names in (["DGS10", "DFII10"], ["BAA10Y"]):
        values = pd.DataFrame({name: 100 * as_known(series[name], at)["value"] for name in names})
        changes = [read(values.diff(span).round(6), change=True) for span in (20, 60)]
        halves.append(read(pd.concat(changes, axis=1).mean(axis=1), 126, np.inf))
    low, high = np.minimum(*halves), np.maximum(*halves)
    return read(low.where(low > 0, high.where(high < 0, 0.0)).where(low.notna()), 126)


def level(series, data, at):
    """Assets less Treasury account less reverse repo of one Wednesday: their change, and the pace in force."""
    tank = series["WALCL"].merge(series["WDTGAL"], on="date", suffixes=("", "_treasury"))
    tank = pd.merge_asof(tank, series["RRPONTSYD"], on="date", suffixes=("", "_repo")).dropna()
    tank["value"] = (tank["value"] - tank["value_treasury"]) / 1000 - tank["value_repo"]
    tank["known_at"] = tank[["known_at", "known_at_treasury", "known_at_repo"]].max(axis=1)
    change, pace = as_known(tank, at)["value"].diff(63), pd.Series(math.nan, at)
    paces = data["balance_sheet_paces"].dropna(subset=["effective_from", "pace_usd_bn_month"])
    for row in paces.sort_values(["known_at", "effective_from"]).itertuples():
        pace[at >= max(row.known_at, row.effective_from.tz_localize("UTC"))] = row.pace_usd_bn_month
    return read(-(change + 3 * pace), change=True)


def pipes(series, at):
    """Repo over what the central bank pays, away from the ends of months."""
    first = CLOCK.day < np.roll(CLOCK.day, 1)
    readings = []
    for rate in ("IORB", "DFF"):
        both = series["SOFR"].merge(series[rate], on="date", suffixes=("", "_rate"))
        both = both[~both["date"].isin(CLOCK[first | np.roll(first, -1)])]
        both["value"] = (100 * (both["value"] - both["value_rate"])).round(6).rolling(5).mean()
        both["known_at"] = both[["known_at", "known_at_rate"]].max(axis=1)
        mean, window = as_known(both, at)["value"], as_known(both, at)["value"].rolling(756, min_periods=252)
        readings.append(((mean - window.mean()) / window.std()).clip(-3.0, 3.0))
    return readings[0].fillna(readings[1])


def regimes(data, sessions):
    """Score and regime at each decision."""
    at = sessions.tz_localize("UTC")
    series = dict(list(data["series"].dropna().sort_values("date").groupby("series")))
    blocks = [drain(data, at), price_of_capital(series, at), level(series, data, at), pipes(series, at)]
    blocks = pd.concat(blocks, axis=1).fillna(0.0)  # each weighs a quarter, and a dead one counts 0
    score = (blocks.sum(axis=1) / 4).ewm(halflife=10, adjust=False).mean().set_axis(sessions)
    path, regime, held = [], "NEUTRAL", 0
    for value in score:
        side = "SCARCE" if value > 0 else "ABUNDANT"
        wanted = side if abs(value) > 0.4 or (regime == side and abs(value) >= 0.2) else "NEUTRAL"
        regime, held = (wanted, 1) if wanted != regime and held >= 10 else (regime, held + 1)
        path.append(regime)
    return score, pd.Series(path, sessions)


class Rotation(bt.Strategy):
    """On the bar of a session the decision for the next one: sells in units, buys as promises of money."""

    params = (("plan", None),)
    short = np.zeros(len(NAMES), bool)  # what the session left undone for want of cash

    def next(self):
        """Send what is away from its weight by more than the band; what fell short alone, between rebalancings."""
        for order in list(self.broker.pending):
            self.cancel(order)  # an order ends with its session
        weight, price, due = (each[len(self) - 1] for each in self.p.plan)
        held = np.array([self.getposition(each).size for each in self.datas])
        book = self.broker.getcash() + (held * price).sum()
        gap, least = weight * book - held * price, max(0.001 * book, 0.01)
        away = (weight == 0) | (abs(gap) >= least) & ((held == 0) | (abs(gap) > 0.02 * book))
        gap[~(away & (price > 0) & (due | self.short))] = 0.0
        self.short, self.shares = np.zeros(len(NAMES), bool), {}
        units = np.floor(-gap / np.maximum(price, 1e-9) / QUANTUM * (1 + 1e-12)) * QUANTUM
        sold = np.where(gap < 0, np.where(weight == 0, held, units), 0.0)
        money, most = gap.clip(min=0), self.broker.getcash() + (sold * price * (1 - RATE)).sum()
        money *= min(1.0, most / max(money.sum(), 1e-9))
        money[money < least] = 0.0
        for here in (COIN, ~COIN):  # coins open first, and sells come before buys
            for place in np.flatnonzero(sold * here):
                self.sell(self.datas[place], sold[place])
            for place in np.flatnonzero(money * here):  # a promise, whatever it comes to: `fill` says how many units
                self.buy(self.datas[place], 1e9, place=place, promise=(money[place], least, money[here].sum()))

    def fill(self, order, price, ago):
        """What is sold; or what a promise buys at the open, all of one moment cut alike where cash is short."""
        if order.issell():
            return -order.executed.remsize
        place, (money, least, together) = order.info.place, order.info.promise
        share = self.shares.setdefault(COIN[place], min(1.0, self.broker.getcash() / together))
        wanted, granted = money / price / (1 + RATE[place]), money * share if money * share >= least else 0.0
        units = np.floor(granted / price / (1 + RATE[place]) / QUANTUM[place] * (1 + 1e-12)) * QUANTUM[place]
        self.short[place] = (wanted - units) * price >= 0.01  # it may have the rest at the next session
        return units


def equity(data, regime):
    """What 100,000 dollars have come to at every close."""
    bars = data["bars"].query("symbol in @NAMES and (symbol != 'SNDK' or date >= '2025-02-24')")  # from its listing
    bars = bars.assign(open=bars["open"] * bars["adj_close"] / bars["close"]).pivot(index="date", columns="symbol")
    sessions = CLOCK[CLOCK.slice_indexer("2016-12-30", bars.index[-1])]
    coming = CLOCK[CLOCK.get_indexer(sessions) + 1]  # the decision on a session's bar is for the next one
    close, regime = bars["adj_close"][NAMES].asfreq("D").ffill().fillna(0.0), regime.reindex(coming)
    price = close.reindex(coming - DAY).to_numpy()
    weight, budgets = np.zeros(price.shape), np.array([BUDGETS[name] for name in regime])
    for budget, members in zip(budgets.T, (SPECULATIVE, CASH_FLOW), strict=True):
        there = np.isin(NAMES, members) & (price > 0)
        weight += there * (budget / there.sum(axis=1).clip(min=1)).clip(max=0.3)[:, None]
    weight[:, -1] = (1 - weight.sum(axis=1)).round(12)
    due = (regime != regime.shift()).to_numpy() | (coming.day < np.roll(coming.day, 1))
    cerebro = bt.Cerebro()
    cerebro.broker = bt.brokers.BackBroker(cash=100_000.0, checksubmit=False, filler=lambda *at: at[0].owner.fill(*at))
    for name, rate in zip(NAMES, RATE, strict=True):
        frame = pd.DataFrame({"open": bars["open"][name], "close": close[name]}).reindex(sessions)
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, high=None, low=None, volume=None, openinterest=None), name)
        cerebro.broker.setcommission(commission=rate, name=name)
    cerebro.addstrategy(Rotation, plan=(weight, price, due))
    return pd.Series(cerebro.run()[0].stats.broker.value.get(size=len(sessions)), sessions)[1:]


if __name__ == "__main__":
    tables = {path.stem: pd.read_parquet(path) for path in Path(sys.argv[1]).glob("*.parquet")}
    print(equity(tables, regimes(tables, CLOCK[: CLOCK.searchsorted(tables["bars"]["date"].max()) + 2])[1]))
