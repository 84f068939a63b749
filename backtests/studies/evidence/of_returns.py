"""What can be said of returns alone: rivals, trials, the best days, before and after the idea, year by year."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from backtests.evidence.deflated_sharpe import deflated_sharpe
from backtests.evidence.left_out import best_sessions, without_sessions
from backtests.evidence.needed_sessions import needed_sessions
from backtests.evidence.newey_west import newey_west
from backtests.evidence.sharpe_difference import MINIMUM_SESSIONS, SharpeDifference, sharpe_differences
from backtests.evidence.table import DEFLATED, LUCK, SHIFT, EvidenceTable, Question, Row, Verdict, by_interval, measured
from backtests.evidence.trials import TrialCount
from backtests.measures.performance import SESSIONS_PER_YEAR, performance
from data.errors import InputError

BEST_DAYS = (1, 2, 10)


def returns_evidence(
    returns: pd.DataFrame,
    risk_free: pd.Series,
    mix: str,
    others: Sequence[str],
    trials: TrialCount,
    idea_known: date | None = None,
    factors: tuple[pd.DataFrame, Sequence[str]] | None = None,
) -> EvidenceTable:
    """Make every test that returns alone allow.

    Args:
        returns: by session: the column strategy and those of the rivals.
        risk_free: on the same sessions.
        mix: the rival that matters.
        others: the other rivals.
        trials: what was tried before it, itself among them.
        idea_known: day on which the idea was published; None: nobody has said.
        factors: returns of markets and the names of those that are missing, see
            `backtests.studies.evidence.markets.market_factors`; None: no market was named.
    """
    rows = [*rival_rows(returns, risk_free, mix, others), *tried_rows(returns, mix, trials)]
    rows.append(Row(Question.TIMING, SHIFT, Verdict.UNMEASURED, reason="returns have no weights: judge a run"))
    if factors is None:
        rows.append(Row(Question.MARKETS, "alpha", Verdict.UNMEASURED, "the markets", reason="no market was named"))
    else:
        rows += alpha_rows(returns["strategy"], factors[0], risk_free, "the markets", factors[1])
    rows += day_rows(returns, risk_free, mix)
    rows += lasting_rows(returns, risk_free, mix, idea_known)
    return EvidenceTable(tuple(rows))


def require_sessions(count: int) -> None:
    """Refuse what is too short for any test."""
    if count < MINIMUM_SESSIONS:
        raise InputError(
            f"got {count} sessions of returns, wanted at least {MINIMUM_SESSIONS}; take a longer run, or wait"
        )


def rival_rows(returns: pd.DataFrame, risk_free: pd.Series, mix: str, rivals: Sequence[str]) -> Iterator[Row]:
    """The Sharpe ratio against each rival, by the stationary bootstrap; the first is the one that matters.

    Args:
        returns: by session: the column strategy and those of the rivals.
        risk_free: on the same sessions.
        mix: the rival that matters: the static mix where there is one.
        rivals: names of the others.
    """

    def make() -> Sequence[Row]:
        found = sharpe_differences(returns["strategy"], returns[[mix, *rivals]], risk_free)
        return [difference_row(name, each, len(returns), name == mix) for name, each in found.items()]

    return measured(Question.RIVALS, LUCK, make, mix)


def difference_row(rival: str, found: SharpeDifference, sessions: int, is_mix: bool) -> Row:
    """One difference of Sharpe ratios as a row."""
    needed = needed_sessions(found, sessions)
    values = {
        "difference": found.value,
        "low": found.low,
        "high": found.high,
        "block_sessions": found.block_sessions,
        "sessions": sessions,
        "sessions_needed": needed,
        "sessions_still_needed": None if needed is None else max(0.0, needed - sessions),
    }
    test = LUCK if is_mix else "sharpe_against_a_rival"
    return Row(Question.RIVALS, test, by_interval(found.low, found.high), rival, values)


def tried_rows(returns: pd.DataFrame, mix: str, trials: TrialCount) -> Iterator[Row]:
    """The deflated Sharpe ratio of the return over the static mix; arguments as of `rival_rows`.

    Trials that resemble each other count as fewer unrelated ones; then those spread at least as far as chance alone
    would spread them, and not as little as what resembles each other does.
    """

    def make() -> Sequence[Row]:
        excess = (returns["strategy"] - returns[mix]).to_numpy(dtype="float64")
        by_chance = 1 / math.sqrt(max(len(excess), 1))
        spread = max(math.sqrt(trials.sharpe_variance or 0.0), by_chance)
        found = deflated_sharpe(excess, trials.effective, spread)
        year = SESSIONS_PER_YEAR**0.5
        values = {
            "probability": found.probability,
            "sharpe": found.sharpe * year,
            "bar": found.bar * year,
            "trials": trials.trials,
            "effective_trials": found.trials,
            "spread": found.spread * year,
            "correlation": trials.correlation,
        }
        verdict = Verdict.FOR if found.is_above else Verdict.AGAINST if found.sharpe <= 0 else Verdict.OPEN
        return [Row(Question.TRIED, DEFLATED, verdict, mix, values)]

    return measured(Question.TRIED, DEFLATED, make, mix)


def alpha_rows(
    strategy: pd.Series, factors: pd.DataFrame, risk_free: pd.Series, of: str, missing: Sequence[str] = ()
) -> Iterator[Row]:
    """What is earned beside some markets: the constant of a regression of the excess return on theirs.

    Args:
        strategy: returns by session.
        factors: of the same sessions, each over what it is financed by; sessions on which one is NaN are left out.
        risk_free: of the same sessions.
        of: what the factors are, for people.
        missing: factors that the market does not hold.
    """

    def make() -> Sequence[Row]:
        if factors.empty or not len(factors.columns):
            raise InputError(f"the market holds none of {', '.join(missing)}")
        whole = factors.notna().all(axis=1)
        if whole.sum() < _least(len(factors.columns)):
            raise InputError(f"got {whole.sum()} sessions with returns of all of {of}, wanted more")
        excess = (strategy - risk_free)[whole]
        fit = newey_west(excess, factors[whole].assign(constant=1.0))
        alpha, low, high = (
            float(fit[name].to_dict()["constant"]) * SESSIONS_PER_YEAR for name in ("value", "low", "high")
        )
        values = {
            "alpha": alpha,
            "low": low,
            "high": high,
            "betas": {name: beta for name, beta in fit["value"].to_dict().items() if name != "constant"},
            "sessions": int(whole.sum()),
            "missing": list(missing),
        }
        return [Row(Question.MARKETS, "alpha", by_interval(low, high), of, values)]

    return measured(Question.MARKETS, "alpha", make, of)


def day_rows(returns: pd.DataFrame, risk_free: pd.Series, mix: str) -> Iterator[Row]:
    """The run without the sessions in which it gained most on the rival."""

    def make() -> Sequence[Row]:
        _require_wealth(returns, mix)
        whole = without_sessions(returns, np.zeros(len(returns), dtype=bool), risk_free, mix)
        left = [without_sessions(returns, best_sessions(returns, count, mix), risk_free, mix) for count in BEST_DAYS]
        values = {
            "rival": mix,
            "lead": whole.lead,
            "without": {str(count): asdict(each) for count, each in zip(BEST_DAYS, left, strict=True)},
        }
        # One day in a year of 252 makes no strategy; ten days of a decade are few.
        verdict = Verdict.OPEN if whole.lead <= 0 else Verdict.FOR if left[-1].lead > 0 else Verdict.AGAINST
        return [Row(Question.ONE, "best_days", verdict, mix, values)]

    return measured(Question.ONE, "best_days", make)


def lasting_rows(returns: pd.DataFrame, risk_free: pd.Series, mix: str, idea_known: date | None) -> Iterator[Row]:
    """Before and after the idea was published, and year by year."""
    yield from _published_rows(returns, risk_free, mix, idea_known)
    yield from measured(Question.LAST, "by_year", partial(_year_rows, returns, mix))


def _published_rows(returns: pd.DataFrame, risk_free: pd.Series, mix: str, idea_known: date | None) -> Iterator[Row]:
    for name in ("before", "after"):

        def make(name: str = name) -> Sequence[Row]:
            if idea_known is None:
                raise InputError(
                    "nobody has said when the idea was published: name the day by --idea-known, or by run.idea_known"
                )
            late = returns.index >= pd.Timestamp(idea_known)
            inside = late if name == "after" else ~late
            part = returns[inside]
            found = sharpe_differences(part["strategy"], part[[mix]], risk_free[inside])[mix]
            own, other = (performance(part[each], risk_free[inside]).sharpe for each in ("strategy", mix))
            values = {
                **{"difference": found.value, "low": found.low, "high": found.high, "sessions": len(part)},
                **{"sharpe": own, "sharpe_of_the_mix": other, "idea_known": str(idea_known)},
            }
            return [Row(Question.LAST, "published", by_interval(found.low, found.high), name, values)]

        yield from measured(Question.LAST, "published", make, name)


def _year_rows(returns: pd.DataFrame, mix: str) -> Sequence[Row]:
    _require_wealth(returns, mix)
    leads = np.log1p(returns["strategy"]) - np.log1p(returns[mix])
    years = leads.groupby(pd.DatetimeIndex(returns.index).year).sum()
    whole, ahead = float(years.sum()), int((years > 0).sum())
    left = whole - float(years.max())
    values = {
        "lead": {str(year): float(lead) for year, lead in years.items()},
        "ahead": ahead,
        "years": len(years),
        "best": str(years.idxmax()),
        "rival": mix,
        "lead_without_the_best": left,
    }
    if whole <= 0:
        verdict = Verdict.AGAINST
    elif len(years) < 2:
        verdict = Verdict.OPEN
    else:
        verdict = Verdict.FOR if left > 0 and ahead * 2 > len(years) else Verdict.AGAINST
    return [Row(Question.LAST, "by_year", verdict, mix, values)]


def _require_wealth(returns: pd.DataFrame, mix: str) -> None:
    if (returns[["strategy", mix]] <= -1.0).any(axis=None):
        raise InputError("the strategy or its rival lost everything: growth has no logarithm")


def _least(factors: int) -> int:
    """Sessions that a regression wants."""
    return max(100, 20 * (factors + 1))
