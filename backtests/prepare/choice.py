"""What the rule of a spec chooses from a market, each June, by what was known then."""

import numpy as np
import pandas as pd

from backtests.prepare.accounts import valuation
from backtests.prepare.span import Span, unknown_symbol
from backtests.prepare.weeks import NET_LIQUIDITY, RATES, Weeks, weeks_of
from backtests.spec.spec import Spec
from data.clock import decision_times, next_session, sessions_between
from data.errors import InputError
from data.market.memberships import LABELS, members_known
from data.market.snapshot import Snapshot
from data.prices.actions import DELISTING
from strategies.exposures import DURATION, duration_score, exposures, slopes_on
from strategies.rule import MONTH, UniverseRule, make_choice, terciles

CASH_FLOW_YIELD = "cash_flow_yield"


def with_choice(spec: Spec, snapshot: Snapshot, span: Span | None = None) -> Spec:
    """Return a spec whose rule has chosen; one without a rule as it is.

    Args:
        spec: complete.
        snapshot: prices, rates and members.
        span: first and last day, where they are not those of the spec; the June before the first day chooses what it
            begins with, and none after the last decision is asked.

    Raises:
        InputError: the list has a name that the market has not, or too few that can be ranked, or code or weights of
            the user would be made for names that only a later June chooses.
    """
    rule = spec.universe.rule
    if rule is None:
        return spec
    _require_rotation(spec)
    candidates = candidates_of(rule, spec, snapshot)
    held = snapshot.bars["symbol"].isin(candidates).to_numpy()
    newest = snapshot.bars.loc[held, "date"].max()
    first, last = span or (spec.run.start, spec.run.end or newest)
    begins = choice_sessions(pd.Timestamp(first), next_session(min(pd.Timestamp(last), newest)))
    factors = _factors(rule, snapshot)
    weeks = weeks_of(snapshot, candidates, spec.universe.benchmark, begins[-1], factors)
    chosen, leaves, rows = {}, {}, []
    for session in begins:
        listed = _listed(rule, snapshot, candidates, session)
        measure = _measure(snapshot, weeks, rule, listed, session)
        try:
            chosen[session] = terciles(measure, rule.by)
        except InputError as error:
            remedy = "begin later (run.start), or take a longer list"
            if rule.by == CASH_FLOW_YIELD and not measure.notna().any():
                remedy = f"market {snapshot.name} has no filings of them by then; reverse-qe data fetch --filings has"
            raise InputError(f"universe.rule: on {session.date()} {error}; {remedy}") from error
        leaves[session] = _leaves(rule, snapshot, listed, session)
        baskets = {name: basket for basket, names in chosen[session].items() for name in names}
        rows += [(session, name, measure[name], baskets.get(name, "")) for name in listed]
    measures = pd.DataFrame(rows, columns=["session", "symbol", "measure", "basket"])
    universe = spec.universe.chosen(make_choice(chosen, leaves, measures))
    return spec.model_copy(update={"universe": universe})


def _factors(rule: UniverseRule, snapshot: Snapshot) -> list[str]:
    """What the slopes are estimated of; a rate for control alone is left out where the market has none."""
    if rule.by in (NET_LIQUIDITY, CASH_FLOW_YIELD):
        return [NET_LIQUIDITY] if rule.by == NET_LIQUIDITY else []
    asked = ("real_yield", "credit_spread") if rule.by == DURATION else (rule.by,)
    held = set(snapshot.series["series"].unique())
    return [name for name, series in RATES.items() if name in asked or series in held]


def choice_sessions(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """The first session of each June up to a session, from the last one on that a run from `first` on begins with."""
    days = sessions_between(pd.Timestamp(first.year - 1, MONTH, 1), max(first, last))
    months = days[days.month == MONTH]
    begins = months[~pd.Index(months.year).duplicated()]
    [opening] = sessions_between(first, first + pd.Timedelta(days=14))[:1]
    return begins[max(int(begins.searchsorted(opening, side="right")) - 1, 0) :]


def _require_rotation(spec: Spec) -> None:
    asked = {
        "run.strategy": spec.run.strategy,
        "policy.function": spec.policy.function,
        "policy.weights": spec.policy.weights,
    }
    for key, value in asked.items():
        if value is not None:
            raise InputError(
                f"{key}: got {value} beside universe.rule, wanted the built-in policy: code and weights of the user "
                "would see names that only a later June chooses; take one of them out"
            )


def candidates_of(rule: UniverseRule, spec: Spec, snapshot: Snapshot) -> list[str]:
    """Everything that is ever on the list, sorted; what is known of it later chooses nothing."""
    apart = {*spec.universe.reserve, spec.universe.benchmark}
    if rule.names:
        held = set(snapshot.bars["symbol"].unique())
        if unknown := sorted({each.symbol for each in rule.listed} - held):
            raise unknown_symbol("universe.rule.names", unknown[0], snapshot.name, held)
        if doubled := sorted(apart & {each.symbol for each in rule.listed}):
            raise InputError(f"universe.rule.names: got {doubled[0]}, the benchmark or of the reserve; take it out")
        return sorted(each.symbol for each in rule.listed)
    table = snapshot.memberships
    if table.empty:
        raise InputError(
            f"universe.rule: got no names, and market {snapshot.name} tells no members of an index, wanted a list; "
            "name it in universe.rule.names, or make a market that does: reverse-qe data import --universe FOLDER "
            "--beside MARKET"
        )
    told = {str(name) for label in LABELS for name in table[label].unique()} - {""}
    if unknown := sorted({*rule.sectors} - told):
        raise InputError(
            f"universe.rule.sectors: got {unknown[0]!r}, wanted sectors that market {snapshot.name} tells: "
            f"{', '.join(sorted({*table['sector']} - {''}))}"
        )
    own = table["member"].to_numpy()
    if rule.sectors:
        own = own & table[list(LABELS)].isin(list(rule.sectors)).any(axis=1).to_numpy()
    return sorted({*table.loc[own, "symbol"]} - apart)


def _listed(rule: UniverseRule, snapshot: Snapshot, candidates: list[str], session: pd.Timestamp) -> list[str]:
    """What stands on the list for a decision, and is not known to be delisted."""
    [moment] = decision_times(pd.DatetimeIndex([session]))
    if rule.names:
        day = session.date()
        names = {
            each.symbol
            for each in rule.listed
            if (each.first is None or each.first <= day) and (each.last is None or day <= each.last)
        }
    else:
        members = members_known(snapshot, moment)
        if rule.sectors:
            members = members[members.isin(list(rule.sectors)).any(axis=1)]
        names = set(members.index)
    actions = snapshot.actions
    leaving = actions[(actions["kind"] == DELISTING).to_numpy() & (actions["known_at"] <= moment).to_numpy()]
    gone = set(leaving["symbol"])
    return [name for name in candidates if name in names and name not in gone]


def _measure(
    snapshot: Snapshot, weeks: Weeks, rule: UniverseRule, listed: list[str], session: pd.Timestamp
) -> pd.Series:
    """What the listed names are ranked by; NaN where it is not known, or a name has not traded in the last week."""
    known = weeks.at(session)
    returns = known.returns[listed]
    if returns.empty or not listed:
        return pd.Series(np.nan, index=listed)
    alive = weeks.returns.loc[:session, listed].iloc[-1].notna()
    if rule.by == CASH_FLOW_YIELD:
        told = {name: valuation(snapshot, name, session).cash_flow_yield for name in listed}
        return pd.Series(told, dtype=float).where(alive)
    table = exposures(returns, known.market, known.factors)
    measure = duration_score(table) if rule.by == DURATION else slopes_on(table, rule.by)
    return measure.reindex(listed).where(alive)


def _leaves(
    rule: UniverseRule, snapshot: Snapshot, listed: list[str], session: pd.Timestamp
) -> dict[str, pd.Timestamp]:
    """The session at which each name that leaves the list after a choice is sold: the first whose decision knows it."""
    if rule.names:
        ends = {each.symbol: pd.Timestamp(each.last) for each in rule.listed if each.last is not None}
        return {name: next_session(ends[name]) for name in listed if name in ends}
    [moment] = decision_times(pd.DatetimeIndex([session]))
    table = snapshot.memberships
    gone = table[~table["member"].to_numpy() & (table["known_at"] > moment).to_numpy()]
    first = gone[gone["symbol"].isin(listed)].groupby("symbol")["known_at"].min()
    # Known in the evening, UTC, of a day: the decision for the next session is the first that knows.
    return {str(name): _first_decision(known) for name, known in first.items()}


def _first_decision(moment: pd.Timestamp) -> pd.Timestamp:
    day = moment.tz_localize(None)
    return (
        next_session(day.normalize())
        if day > day.normalize()
        else sessions_between(day, day + pd.Timedelta(days=14))[0]
    )
