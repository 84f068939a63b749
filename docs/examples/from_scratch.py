"""The idea in one file: from what was known at each decision to a regime, in pandas and nothing of this project.

Every decision is taken at 00:00 UTC of its session, on rows whose `known_at` is not later. Why each step is what it is,
says `docs/decisions/form-2.md`.
"""

import math
import re

import exchange_calendars
import numpy as np
import pandas as pd

FIVE = ["MSFT", "GOOGL", "AMZN", "META", "ORCL"]
WINDOW, ENOUGH, CLIP = 756, 252, 3.0
TABLES = {  # of a kept market, and what they are called in memory
    "series": "series",
    "capex_actuals": "capex",
    "capex_guidance": "guidance",
    "funding_events": "funding",
    "balance_sheet_paces": "paces",
    "event_coverage": "coverage",
}
CASH, LEASED = "capex_usd_bn", "headline_capex_usd_bn"
DAY = pd.Timedelta(days=1)


# Numbers in time. A reading is scaled by what is usual and not centred: what lasts stays.


def as_known(rows, sessions, stale):
    """The newest value at each decision: of the newest date, in its newest vintage; missing where it is too old."""
    rows = rows.dropna(subset="value").sort_values(["known_at", "date"])
    rows = rows[rows["date"] == rows["date"].cummax()]
    at = pd.DataFrame({"at": sessions.tz_localize("UTC").as_unit("us")})
    found = pd.merge_asof(at, rows, left_on="at", right_on="known_at").set_axis(sessions)
    return found["value"].where(sessions - found["date"] <= stale * DAY)


def root_mean_square(x, least):
    return x.pow(2).rolling(WINDOW, min_periods=least).mean() ** 0.5


def over(x, divisor, clip=np.inf):
    return (x / divisor).clip(-clip, clip).where(~(divisor < 1e-9), 0.0 * x)


def of_change(x):
    return over(x, 1.4826 * x.abs().rolling(WINDOW, min_periods=ENOUGH).median(), CLIP)


def of_events(x):
    return over(x, root_mean_square(x, ENOUGH), CLIP)


def mean_of(*parts):
    return pd.concat(parts, axis=1).mean(axis=1)  # what is missing drops out


def fading(events, sessions):
    """Each event in full at the first decision that knows it, and half of it after every 63 sessions."""
    clock = exchange_calendars.get_calendar("XNYS", start="2014-01-02").sessions.as_unit("us")
    arrived = np.zeros(len(clock) + 1)
    for moment, value in events:
        arrived[clock.tz_localize("UTC").searchsorted(moment)] += 0.0 if math.isnan(value) else value
    left = 0.0
    kept = [left := 0.5 ** (1 / 63) * left + new for new in arrived[:-1]]
    return pd.Series(kept, clock).reindex(sessions, fill_value=0.0)


# Capex: quarters, what could be expected of them, the gate.


def quarters(capex, company):
    """The fiscal quarters of a company, one a row and none left out."""
    rows = capex[(capex["company"] == company).to_numpy()]
    rows = rows.set_index(rows["fiscal_period"].map(lambda period: 4 * int(period[:4]) + int(period[-1]))).sort_index()
    return rows.reindex(range(rows.index[0], rows.index[-1] + 1)).reset_index(drop=True)


def a_year(rows, known_at, figures, moments):
    """Sums over the newest four quarters known at each moment; missing where one is not, or they are 200 days old."""
    states = []
    for moment in sorted(known_at.dropna().unique()):
        newest = known_at.index[known_at <= moment][-1]
        whole = newest >= 3 and (known_at[newest - 3 : newest + 1] <= moment).all()
        sums = [figure[newest - 3 : newest + 1].sum() if whole else math.nan for figure in figures]
        states.append((moment, rows["period_end"][newest], *sums))
    states = pd.DataFrame(states, columns=["known_at", "end", *range(len(figures))])
    at = pd.DataFrame({"at": moments})
    found = pd.merge_asof(at, states.astype({"known_at": at["at"].dtype}), left_on="at", right_on="known_at")
    old = found["at"].dt.tz_localize(None) - found["end"] >= 201 * DAY
    return found[[*range(len(figures))]].where(~old).set_axis(moments)


def apart(earlier, later):
    """Whole quarters from one fiscal end to another; NaN where they are none."""
    count = round((later - earlier).days / 91.3125)
    return count if abs((later - earlier).days - 91.3125 * count) <= 15 else math.nan


def announced(rows, guidance, one_basis_from):
    """The logarithm of each result and guidance over what could be expected of it: (moment, news) of either."""
    known_at, first = rows["capex_known_at"], int((rows["period_end"] <= one_basis_from).sum())

    def told(begin, end, before, figure=CASH):  # the sum of quarters that were all known before a moment
        whole = begin >= first and (known_at[begin:end] < before).all()
        return rows[figure][begin:end].sum(skipna=False) if whole else math.nan

    def growth(last, before):
        return told(last - 3, last + 1, before) / told(last - 7, last - 3, before)

    results, guided, stated = [], [], []
    for row in guidance.itertuples(index=False):
        figure = LEASED if re.search(r"\blease", row.basis, re.I) else CASH
        figure = None if re.search(r"\b(accrual|accrued|gross|net)\b", row.basis, re.I) else figure
        middle, prior = (row.low_usd_bn + row.high_usd_bn) / 2, (row.prior_low_usd_bn + row.prior_high_usd_bn) / 2
        alike = [e for e in stated if e[1:4] == (row.period_start, row.period_end, row.basis) and e[0] < row.known_at]
        expected = prior if prior == prior else alike[-1][4] if alike else math.nan
        if expected != expected:  # the year's first: last year on its basis, at trailing growth
            after = row.known_at + pd.Timedelta(microseconds=1)
            newest = max(known_at.index[known_at < after], default=0)
            ahead = apart(rows["period_end"][newest], row.period_end)
            if figure and ahead <= 4:
                expected = told(newest + ahead - 7, newest + ahead - 3, after, figure)
            if expected != expected:
                year = [each[4] for each in stated if each[3] == row.basis and apart(each[2], row.period_end) == 4]
                expected = year[-1] if year else math.nan
            expected *= growth(newest, after)
        stated.append((row.known_at, row.period_start, row.period_end, row.basis, middle, figure))
        guided.append((row.known_at, math.log(middle / expected) if expected > 0 else math.nan))

    for place, moment in known_at.dropna().items():
        news = None
        for known, _, end, _, middle, figure in reversed(stated):
            left = apart(rows["period_end"][place], end)
            if known < moment and figure and 0 <= left < 4:
                rest = (middle - told(place + left - 3, place, moment, figure)) / (left + 1)
                news = math.log(rows[figure][place] / rest) if rest > 0 else None
                news = None if news is None or math.isnan(news) else news
                break
        if news is None:
            expected = growth(place - 1, moment) * rows[CASH].get(place - 4, math.nan)
            news = math.log(rows[CASH][place] / expected) if expected > 0 else math.nan
        results.append((moment, math.nan if (known_at[place + 1 :] < moment).any() else news))
    return results, guided


def drain(data, sessions):
    """The gate, and what the drain reads: 2g - 1 and half of g times the news."""
    followed = [*FIVE, "CRWV"]
    lines = {name: quarters(data["capex_actuals"], name) for name in followed}
    spans = data["event_coverage"].set_index(["kind", "company"])
    decisions = sessions.tz_localize("UTC").as_unit("us")

    def ratio(capex):  # of the five, newest four quarters of which both figures are known
        totals = []
        for name in FIVE:
            rows = lines[name]
            both = rows[["capex_known_at", "ocf_known_at"]].max(axis=1, skipna=False)
            totals.append(a_year(rows, both, [capex(rows), rows["ocf_usd_bn"]], decisions))
        return (sum(each[0] for each in totals) / sum(each[1] for each in totals)).set_axis(sessions)

    ratios = [ratio(lambda rows: rows[CASH]), ratio(lambda rows: rows[LEASED].fillna(rows[CASH]))]
    g = sum(1 / (1 + np.exp(-(each - 0.5) / 0.05)) for each in ratios) / 2

    told = data["capex_guidance"].query("comparable").sort_values("known_at", kind="stable")
    moments = pd.DatetimeIndex(sorted({*told["known_at"], *data["capex_actuals"]["capex_known_at"].dropna()}))
    spent = {name: a_year(rows, rows["capex_known_at"], [rows[CASH]], moments)[0] for name, rows in lines.items()}
    weight = pd.DataFrame(spent).div(pd.DataFrame(spent).sum(axis=1), axis=0)
    news = {"results": [], "guidance": []}
    for name in followed:
        own = told[told["company"] == name]
        results, guided = announced(lines[name], own, spans["complete_from"]["results", name])
        news["results"] += [(moment, value * weight[name][moment]) for moment, value in results]
        begin = spans["complete_from"]["guidance", name].tz_localize("UTC")
        news["guidance"] += [(moment, value * weight[name][moment]) for moment, value in guided if moment >= begin]

    def spans_of(kind, names):
        rows = [spans.loc[(kind, name)] for name in names]
        return [(sessions >= row["complete_from"]) & (sessions <= row["complete_to"] + 200 * DAY) for row in rows]

    def earned(at):
        return sum(
            a_year(lines[name], lines[name]["ocf_known_at"], [lines[name]["ocf_usd_bn"]], at)[0] for name in FIVE
        )

    all_spent = sum(a_year(lines[n], lines[n]["capex_known_at"], [lines[n][CASH]], decisions)[0] for n in FIVE)
    raised = (
        data["funding_events"].query("counts and company in @FIVE and date >= '2015-07-01'").sort_values("known_at")
    )
    over_cash_flow = raised["amount_usd_bn"].to_numpy() / earned(pd.DatetimeIndex(raised["known_at"])).to_numpy()
    results = fading(news["results"], sessions).where(all_spent.notna().to_numpy())
    guidance = fading(news["guidance"], sessions).where(np.logical_or.reduce(spans_of("guidance", followed)))
    funding = fading(zip(raised["known_at"], over_cash_flow, strict=True), sessions)
    funding = funding.where(earned(decisions).notna().to_numpy() & np.logical_and.reduce(spans_of("funding", FIVE)))
    said = mean_of(mean_of(of_events(results), of_events(guidance)), of_events(funding)).fillna(0.0)
    return g, (2 * g - 1) + 0.5 * g * said


# The other three blocks.


def price_of_capital(series, sessions):
    def half(names):
        changes = []
        for name in names:
            value = as_known(series(name), sessions, 10)
            changes.append(mean_of(*(of_change((100 * value.diff(horizon)).round(6)) for horizon in (20, 60))))
        return over(mean_of(*changes), root_mean_square(mean_of(*changes), 126))

    sovereign, credit = half(["DGS10", "DFII10"]), half(["BAA10Y"])
    both = pd.concat([sovereign, credit], axis=1)
    low, high = both.min(axis=1, skipna=False), both.max(axis=1, skipna=False)
    joint = low.where(low > 0, high.where(high < 0, 0.0)).where(low.notna())
    return over(joint, root_mean_square(joint, 126), CLIP)


def level(series, paces, span, sessions):
    """Assets less Treasury account less reverse repo of one Wednesday, its change, and the pace that is announced."""
    tank = series("WALCL").merge(series("WDTGAL"), on="date", suffixes=("", "_treasury"))
    repo = series("RRPONTSYD").dropna().sort_values("date")
    tank = pd.merge_asof(tank.sort_values("date"), repo, on="date", suffixes=("", "_repo"), tolerance=6 * DAY).dropna()
    tank["value"] = (tank["value"] - tank["value_treasury"]) / 1000 - tank["value_repo"]
    tank["known_at"] = tank[["known_at", "known_at_treasury", "known_at_repo"]].max(axis=1)
    change = as_known(tank, sessions, 21).diff(63)
    paces = paces.dropna(subset=["effective_from", "pace_usd_bn_month"]).sort_values(["known_at", "effective_from"])
    pace = pd.Series(math.nan, sessions)
    for row in paces.itertuples():  # a newer announcement takes the place of an older one from when it takes effect
        begin = max(row.known_at, row.effective_from.tz_localize("UTC"))
        pace[sessions.tz_localize("UTC") >= begin] = row.pace_usd_bn_month
    pace = pace.where(sessions <= span["complete_to"] + 200 * DAY)
    return of_change(-(change + 3 * pace)).fillna(of_change(-change))


def pipes(series, sessions):
    calendar = exchange_calendars.get_calendar("XNYS", start="2014-01-02").sessions
    month = calendar.month.to_numpy()
    ends = calendar[np.append(month[1:] != month[:-1], True) | np.append(True, month[1:] != month[:-1])]

    def read(rate):
        both = series("SOFR").merge(series(rate), on="date", suffixes=("", "_rate")).dropna().sort_values("date")
        both["value"] = (100 * (both["value"] - both["value_rate"])).round(6)
        both["known_at"] = both[["known_at", "known_at_rate"]].max(axis=1)
        both = both[~both["date"].isin(ends)]
        five = as_known(both.assign(value=both["value"].rolling(5).mean()), sessions, 10)
        window = five.rolling(WINDOW, min_periods=ENOUGH)
        return ((five - window.mean()) / window.std()).clip(-CLIP, CLIP)

    return read("IORB").fillna(read("DFF"))


def regimes(data, sessions):
    """Score and regime at each decision."""

    def series(name):
        return data["series"].loc[data["series"]["series"] == name, ["date", "value", "known_at"]]

    span = data["event_coverage"].set_index("kind").loc["balance_sheet_pace"]
    blocks = [drain(data, sessions)[1], price_of_capital(series, sessions)]
    blocks += [level(series, data["balance_sheet_paces"], span, sessions), pipes(series, sessions)]
    blocks = pd.concat(blocks, axis=1)
    score = (blocks.fillna(0.0).sum(axis=1) / 4).ewm(halflife=10, adjust=False).mean()
    path, regime, held = [], "NEUTRAL", 0
    for value, live in zip(score, blocks.notna().sum(axis=1), strict=True):
        wanted = "NEUTRAL"
        if live >= 2 and (value > 0.4 or (regime == "SCARCE" and value >= 0.2)):
            wanted = "SCARCE"
        elif live >= 2 and (value < -0.4 or (regime == "ABUNDANT" and value <= -0.2)):
            wanted = "ABUNDANT"
        if wanted != regime and (held >= 10 or live < 2):
            regime, held = wanted, 0
        held += 1
        path.append(regime)
    return score, pd.Series(path, sessions)
