"""A table of evidence in words: what each test found, and its verdict."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backtests.evidence.table import LOOKS, EvidenceTable, Question, Row, Verdict
from backtests.measures.performance import SESSIONS_PER_YEAR
from reverse_qe.tables import Column
from reverse_qe.words.evidence import plain_name

HEAD = (Column("test", prose=True), Column("what was found", prose=True), Column("verdict", prose=True))
# Longer waits than this are not counted in years.
_CENTURY = 100.0
_SINCE = {
    Verdict.FOR: "What was registered has come: a look was above its bound.",
    Verdict.AGAINST: "What was registered has not come: the last look was below its bound.",
    Verdict.OPEN: "Nothing is decided yet: that is for the looks.",
}
_OF_A_SWEEP = ("superior", "overfitting")


def question_rows(table: EvidenceTable, question: Question) -> list[tuple[str, str, str]]:
    """The tests of a question, one row each under `HEAD`."""
    return [(_test(row), _found(row), str(row.verdict)) for row in table.of(question)]


def questions(table: EvidenceTable) -> list[Question]:
    """Those that have a row, in their order."""
    return [question for question in Question if table.of(question)]


def heading(question: Question) -> str:
    """A question as it is asked."""
    return question[0].upper() + question[1:]


def conclusion(table: EvidenceTable) -> str:
    """What the whole comes to, in one sentence; before it, what brackets are, where there are any."""
    are_there = any("[" in found for each in questions(table) for _, found, _ in question_rows(table, each))
    return f"{'In brackets: an interval of 95%. ' if are_there else ''}{_conclusion(table)}"


def _conclusion(table: EvidenceTable) -> str:
    if all(row.question is Question.SINCE for row in table.rows):
        return _SINCE[table.row(LOOKS).verdict]
    if table.is_skill is None:
        return "Taken together: not judged, for one of the tests that must all speak for it was not made."
    if table.is_skill:
        return (
            "Taken together: more than luck, by the tests that must all speak for it; the rows against it say what "
            "else it may be."
        )
    return "Taken together: no skill is shown; the tests that must all speak for it do not."


def sweep_sentences(rows: Sequence[Row]) -> list[str]:
    """What `evidence` has found of a sweep, for those who look at the sweep itself."""
    return [f"{_test(row).capitalize()}: {_found(row)}: {row.verdict}." for row in rows if row.test in _OF_A_SWEEP]


def _test(row: Row) -> str:
    """The name of a test, and of what it is."""
    name = _NAMES.get(row.test)
    return plain_name(row.test) if name is None else name(plain_name(row.of))


def _found(row: Row) -> str:
    if row.verdict is Verdict.UNMEASURED:
        return row.reason
    return _FOUND[row.test](row.values)


def _difference(values: Mapping[str, Any]) -> str:
    found = f"Sharpe {_signed(values['difference'])} [{_signed(values['low'])}, {_signed(values['high'])}]"
    is_told = values["low"] > 0 or values["high"] < 0
    return found if is_told else f"{found}; {_wait(values)}"


def _wait(values: Mapping[str, Any]) -> str:
    if values["sessions_still_needed"] is None:
        return "not ahead"
    years = values["sessions_still_needed"] / SESSIONS_PER_YEAR
    if years > _CENTURY:
        return "more than a century to go"
    return f"{values['sessions_still_needed']:,.0f} sessions to go ({years:.1f} years)"


def _deflated(values: Mapping[str, Any]) -> str:
    trials = "1 trial" if values["trials"] == 1 else f"{values['trials']:,} trials"
    effective = (
        "" if values["trials"] == values["effective_trials"] else f", as good as {values['effective_trials']:.1f}"
    )
    variant = f"variant {values['variant']}: " if "variant" in values else ""
    return (
        f"{variant}Sharpe of the excess {values['sharpe']:.2f}; luck finds {values['bar']:.2f} in {trials}{effective}"
        f"; probability {values['probability']:.1%}"
    )


def _shift(values: Mapping[str, Any]) -> str:
    return (
        f"{_p(values['p_value'])} of {values['shifts']:,} shifts: Sharpe {values['sharpe']:.2f}, their median "
        f"{values['median']:.2f} (weights of the baskets times their returns, less costs)"
    )


def _pair(values: Mapping[str, Any]) -> str:
    regimes = ", ".join(f"{name} {values[name]:+.1%}" for name in ("SCARCE", "NEUTRAL", "ABUNDANT") if name in values)
    left = values["without_best_stay"]
    without = "" if left is None else f", without its best stay {left:+.1%}"
    return (
        f"cash flow less speculative at equal volatility: SCARCE less ABUNDANT {values['difference']:+.1%} a year "
        f"[{values['low']:+.1%}, {values['high']:+.1%}]{without}; {regimes}"
    )


def _alpha(values: Mapping[str, Any]) -> str:
    betas = ", ".join(f"{plain_name(name)} {beta:.2f}" for name, beta in values["betas"].items())
    missing = f"; the market has no {', '.join(values['missing'])}" if values["missing"] else ""
    return f"alpha {values['alpha']:+.1%} a year [{values['low']:+.1%}, {values['high']:+.1%}]; betas {betas}{missing}"


def _stays(values: Mapping[str, Any]) -> str:
    when = f"{values['regime']} {values['start']} to {values['end']}"
    if values["share"] is None:
        return f"nothing was gained on the static mix; the best stay was {when}"
    return f"{when} made {values['share']:.0%} of the lead; {_left(values, ('1', '2'))}"


def _days(values: Mapping[str, Any]) -> str:
    return _left(values, ("1", "2", "10"))


def _names(values: Mapping[str, Any]) -> str:
    share = "" if values["share"] is None else f" made {values['share']:.0%} of the gain"
    left = "; ".join(
        f"without {' and '.join(each['names'])} {_times(each['lead'])}, Sharpe {_or_dash(each['sharpe_lead'])}"
        for each in values["without"].values()
    )
    return f"{values['best']}{share}; lead over the static mix {_times(values['lead'])}, {left}"


def _left(values: Mapping[str, Any], counts: tuple[str, ...]) -> str:
    left = ", ".join(f"without the best {_count(count)} {_times(values['without'][count]['lead'])}" for count in counts)
    return f"growth over {_rival(values)} {_times(values['lead'])}, {left}"


def _rival(values: Mapping[str, Any]) -> str:
    """What the lead is over: the static mix, but of a file the rival that was named."""
    rival = values.get("rival", "static_mix")
    return "the static mix" if rival == "static_mix" else str(rival)


def _published(values: Mapping[str, Any]) -> str:
    return (
        f"Sharpe {_signed(values['difference'])} [{_signed(values['low'])}, {_signed(values['high'])}] over "
        f"{values['sessions']:,} sessions"
    )


def _years(values: Mapping[str, Any]) -> str:
    left = _times(values["lead_without_the_best"])
    leads = ", ".join(f"{year} {lead:+.0%}" for year, lead in values["lead"].items())
    return f"ahead in {values['ahead']} of {values['years']} ({leads}); without {values['best']} {left}"


def _costs(values: Mapping[str, Any]) -> str:
    return _gone(values, "costs x{:.1f}", "costs x{:.0f}")


def _delay(values: Mapping[str, Any]) -> str:
    return _gone(values, "{:.1f} sessions late", "{:.0f} sessions late")


def _gone(values: Mapping[str, Any], style: str, whole: str) -> str:
    if values["lead"] <= 0:
        return "there is no lead to lose"
    told = []
    for name, key in (("growth", "break_even"), ("Sharpe", "sharpe_break_even")):
        at = values[key]
        told.append(
            f"the lead in {name} lasts beyond {whole.format(values['tried_to'])}"
            if at is None
            else f"the lead in {name} is gone at {style.format(at)}"
        )
    return "; ".join(told)


def _superior(values: Mapping[str, Any]) -> str:
    skipped = f", {values['not_run']:,} could not be run" if values["not_run"] else ""
    return (
        f"{_p(values['p_value'])} (from {values['lower']:.3f} to {values['upper']:.3f}): variant "
        f"{values['variant']} earns {values['lead']:+.1%} a year over the static mix, the best of "
        f"{values['variants']:,}{skipped}"
    )


def _overfitting(values: Mapping[str, Any]) -> str:
    return (
        f"in {values['probability']:.0%} of {values['ways']:,} halves the best of one is in the lower half of the "
        f"other (mean rank {values['rank']:.2f}, 1 the best)"
    )


def _cross(values: Mapping[str, Any]) -> str:
    below = values["share_below_static_mix"]
    return (
        f"{values['paths']} paths: median Sharpe {_plain(values['median_sharpe'])}, 5% to 95% "
        f"{_plain(values['p5_sharpe'])} to {_plain(values['p95_sharpe'])}; static mix "
        f"{_plain(values['static_mix_sharpe'])}{'' if below is None else f', above {below:.0%} of them'}"
    )


def _p(value: float) -> str:
    """A p-value; so many resamples know no 0."""
    return "p below 0.001" if value < 0.001 else f"p {value:.3f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _hindsight(values: Mapping[str, Any]) -> str:
    return values["hindsight"].rstrip(".") or "the spec names no hindsight in its choice of instruments"


def _lottery(values: Mapping[str, Any]) -> str:
    names, drawn = values["names"], values["drawn"]
    return (
        f"its own names bring {names['value']:+.1%} [{names['low']:+.1%}, {names['high']:+.1%}] of "
        f"{values['result']:.1%} a year to {values['last']}, above {names['percentile']:.0%} of {values['draws']:,} "
        f"draws from its market, which make {drawn['value']:.1%}"
    )


def _lottery_timing(values: Mapping[str, Any]) -> str:
    timing, sharpe = values["timing"], values["sharpe"]
    return (
        f"{timing['value']:+.1%} a year [{timing['low']:+.1%}, {timing['high']:+.1%}], above "
        f"{timing['percentile']:.0%} of {values['shifts']} moved moments; Sharpe {_signed(sharpe['value'])} "
        f"[{_signed(sharpe['low'])}, {_signed(sharpe['high'])}]"
    )


def _looks(values: Mapping[str, Any]) -> str:
    told = ", ".join(f"{look['date']} z {look['z']:.2f} of {look['bound']:.2f}" for look in values["looks"])
    parts = [told or f"none of the {values['planned']} has come"]
    if values["next"] is not None:
        parts.append(f"the next on {values['next']} wants a z above {values['bound']:.2f}")
    if not values["code_as_registered"]:
        parts.append("this is not the code that was registered, and what counts is what that one makes of it")
    return "; ".join(parts)


def _any_day(values: Mapping[str, Any]) -> str:
    years = values["sessions_needed"] / SESSIONS_PER_YEAR
    wait = f"{values['sessions_still_needed']:,.0f} sessions to go at {values['effect_is']} ({years:.1f} years in all)"
    if values["value"] is None:
        return f"{values['sessions']:,} sessions, too few to tell; {wait}"
    found = (
        f"{values['value_is']} {values['value'] * values['scale']:+.2f}, above "
        f"{values['bound'] * values['scale']:+.2f} on any day, from {values['sessions']:,} sessions"
    )
    return f"{found}; first told on {values['yes_on']}" if values["yes_on"] else f"{found}; {wait}"


def _times(lead: float) -> str:
    """A log lead as growth over the other's."""
    return f"x{math.exp(lead):.2f}"


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _count(count: str) -> str:
    return {"1": "one", "2": "two", "10": "ten"}[count]


_NAMES: Mapping[str, Callable[[str], str]] = {
    "sharpe_against_the_mix": lambda of: of,
    "sharpe_against_a_rival": lambda of: of,
    "deflated_sharpe": lambda _of: "deflated Sharpe ratio",
    "circular_shift": lambda _of: "circular shift",
    "pair": lambda _of: "pair",
    "alpha": lambda of: f"alpha on {of}",
    "published": lambda of: f"{of} the idea",
    "best_stays": lambda _of: "best stays",
    "best_days": lambda _of: "best days",
    "best_names": lambda _of: "best names",
    "lottery": lambda _of: "names by lot",
    "timing_of_drawn_names": lambda _of: "timing of drawn names",
    "by_year": lambda _of: "by year",
    "break_even_costs": lambda _of: "costs",
    "break_even_delay": lambda _of: "delay",
    "superior": lambda of: f"superior ability, {of}",
    "overfitting": lambda _of: "overfitting by halves",
    "cross_validation": lambda _of: "cross-validated paths",
    LOOKS: lambda _of: "looks at fixed dates",
    "any_day": lambda of: f"bound of every day, {of}",
}
_FOUND: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "sharpe_against_the_mix": _difference,
    "sharpe_against_a_rival": _difference,
    "deflated_sharpe": _deflated,
    "circular_shift": _shift,
    "pair": _pair,
    "alpha": _alpha,
    "best_stays": _stays,
    "best_days": _days,
    "best_names": _names,
    "lottery": _lottery,
    "timing_of_drawn_names": _lottery_timing,
    "hindsight": _hindsight,
    "published": _published,
    "by_year": _years,
    "break_even_costs": _costs,
    "break_even_delay": _delay,
    "superior": _superior,
    "overfitting": _overfitting,
    "cross_validation": _cross,
    LOOKS: _looks,
    "any_day": _any_day,
}
