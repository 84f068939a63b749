"""The regime of one session in a sentence that a person understands; every figure in it is one of the signal's."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from signals import source
from signals.blocks import price_of_capital
from signals.config import SignalConfig
from signals.explain.explanation import Explanation, GateState, InputReason, explain
from signals.explain.titles import RATE_CHANGE, RATES, SPREADS
from signals.liquidity import LiquiditySignal
from signals.regime import Regime

LEADERS = 3
"""Reasons named for a regime, at most."""
QUIET = 0.02
"""Contribution to the score, on either side of 0, up to which an input says nothing."""
REST = 0.005
"""What an input that is missing must still give to the smoothed score, on either side of 0, to be told."""

_SUBJECTS = {
    "drain.capex_growth": "capex growth",
    "drain.capex_to_cash_flow": "capex over cash flow",
    "drain.capex_and_leases_to_cash_flow": "capex over cash flow",
    "drain.results_surprise": "news in results",
    "drain.guidance_news": "news in guidance",
    "drain.outside_funding": "outside funding",
    price_of_capital.JOINT_RISE: "yields and spreads together",
    "level.net_liquidity": "net liquidity",
    "level.announced_pace": "the announced pace",
    "pipes.SOFR_DFF": "repo",
    "pipes.SOFR_IORB": "repo",
}


@dataclass(frozen=True)
class _Theme:
    """Inputs that are about one thing.

    Attributes:
        subject: what they are about.
        contribution: of all of them to the score.
        phrase: the figure of the input that gives most in that direction; None where no input has a value.
        last: the date of the newest observation; None where there never was one.
        rest: what is left in the score of inputs of which none has a value now; else 0.
    """

    subject: str
    contribution: float
    phrase: str | None
    last: pd.Timestamp | None
    rest: float


class Sides(NamedTuple):
    """What speaks for scarcity, what for abundance, the strongest first, in words; and what is missing or too old."""

    scarcer: tuple[str, ...]
    looser: tuple[str, ...]
    missing: tuple[str, ...]


def signal_sentence(signal: LiquiditySignal, session: pd.Timestamp, config: SignalConfig) -> str:
    """Say which regime holds, since when, and what speaks for it.

    Named are the inputs that give most to the score in the direction of the regime, with their figures; the one that
    gives most against it; calm spreads, for what money costs is half of the story; and what is missing or too old, with
    what smoothing has left of it. An input whose figure seems to point the other way is high, or low, beside its own
    past: the sentence says so.

    Args:
        signal: over all sessions.
        session: one of its sessions.
        config: of the signal.

    Raises:
        KeyError: the session is none of the signal's.
    """
    reasons = explain(signal, session)
    head = f"{reasons.regime} since {reasons.since.date()}{f' ({reasons.kind})' if reasons.kind else ''}"
    if reasons.probability is not None:
        head += f" (probability {reasons.probability[reasons.regime]:.0%})"
    if [block.name for block in reasons.blocks] == [source.NAME]:
        return f"{head}: {_source_phrase(reasons.blocks[0].inputs[0], signal.is_given)}"
    themes = _themes(reasons, config)
    parts = [_why(reasons, themes, signal.needed_blocks), _silent(themes)]
    return f"{head}: {'; '.join(part for part in parts if part)}"


def signal_sides(signal: LiquiditySignal, session: pd.Timestamp, config: SignalConfig) -> Sides:
    """Take a session's reasons apart by the side for which they speak; arguments and words as of `signal_sentence`.

    What gives to the score though it is missing now, for smoothing keeps a rest of it, says how much.
    """
    reasons = explain(signal, session)
    if [block.name for block in reasons.blocks] == [source.NAME]:
        return Sides((), (), ())
    themes = _themes(reasons, config)
    scarcer, looser = _by_side(themes)
    return Sides(
        tuple(str(each.phrase) for each in scarcer),
        tuple(str(each.phrase) for each in looser),
        tuple(
            f"{each.subject}{f' (still gives {each.rest:+.2f})' if abs(each.rest) >= REST else ''}"
            for each in themes
            if each.phrase is None
        ),
    )


def input_words(reason: InputReason, gate: GateState | None, config: SignalConfig) -> str:
    """One input's figure in words, as `signal_sentence` uses them; what it is about where it has none.

    Args:
        reason: of the input.
        gate: of idle money on that session; None where there is none.
        config: of the signal.
    """
    if reason.value is None:
        return f"{_subject(reason.name)}: missing or too old{_left(reason.contribution)}"
    return _phrase(reason, gate, config)


def _why(reasons: Explanation, themes: list[_Theme], needed_blocks: int) -> str:
    if reasons.live_blocks < needed_blocks:
        return f"only {reasons.live_blocks} of {len(reasons.blocks)} blocks live, {needed_blocks} are needed"
    scarcer, looser = _by_side(themes)
    if reasons.regime == Regime.NEUTRAL:
        sides = (("for scarcity", scarcer[: LEADERS - 1]), ("for abundance", looser[: LEADERS - 1]))
        said = [f"{side}: {_listed(side_themes)}" for side, side_themes in sides if side_themes]
        return "; ".join(said) or "every input is near what is usual"
    leaders, others = (scarcer, looser) if reasons.regime == Regime.SCARCE else (looser, scarcer)
    spreads = [each for each in themes if each.subject == SPREADS and each.phrase and abs(each.contribution) <= QUIET]
    said = (
        [_listed(leaders[:LEADERS])] if leaders else [f"no input speaks for it now, the score is {reasons.score:+.2f}"]
    )
    said += ["spreads calm"] if spreads else []
    against = f"; against it: {others[0].phrase}" if others else ""
    return ", ".join(said) + against


def _by_side(themes: list[_Theme]) -> tuple[list[_Theme], list[_Theme]]:
    """Those that speak for scarcity and those that speak for abundance, the strongest first."""
    scarcer = sorted((each for each in themes if each.contribution > QUIET), key=lambda each: -each.contribution)
    looser = sorted((each for each in themes if each.contribution < -QUIET), key=lambda each: each.contribution)
    return scarcer, looser


def _listed(themes: list[_Theme]) -> str:
    return ", ".join(str(each.phrase) for each in themes)


def _silent(themes: list[_Theme]) -> str:
    silent = [each for each in themes if each.phrase is None]
    names = [
        each.subject + (f" (last of {each.last.date()}{_left(each.rest)})" if each.last is not None else "")
        for each in silent
    ]
    return f"missing: {', '.join(names)}" if names else ""


def _left(rest: float) -> str:
    return f"; smoothing has left {rest:+.2f} of it in the score" if abs(rest) >= REST else ""


def _themes(reasons: Explanation, config: SignalConfig) -> list[_Theme]:
    by_subject: dict[str, list[InputReason]] = {}
    for block in reasons.blocks:
        for each in block.inputs:
            by_subject.setdefault(_subject(each.name), []).append(each)
    return [_theme(subject, inputs, reasons.gate, config) for subject, inputs in by_subject.items()]


def _theme(subject: str, inputs: list[InputReason], gate: GateState | None, config: SignalConfig) -> _Theme:
    contribution = sum(each.contribution for each in inputs)
    known = [each for each in inputs if each.value is not None]
    # Of what is missing now the smoothed score still holds a rest: it is said to be missing, and is no reason.
    leader = max(known, key=lambda each: each.contribution if contribution > 0 else -each.contribution, default=None)
    return _Theme(
        subject=subject,
        contribution=contribution if leader else 0.0,
        phrase=_phrase(leader, gate, config) if leader else None,
        last=max((each.observed for each in inputs if each.observed is not None), default=None),
        rest=0.0 if leader else contribution,
    )


def _subject(name: str) -> str:
    rate = RATE_CHANGE.fullmatch(name)
    return RATES[rate[1]][0] if rate else _SUBJECTS.get(name, name)


def _phrase(reason: InputReason, gate: GateState | None, config: SignalConfig) -> str:
    """An input's figure in words; those of users in their own name and unit."""
    value = float(reason.value or 0.0)
    if rate := RATE_CHANGE.fullmatch(reason.name):
        return f"{RATES[rate[1]][1]} {value:+.0f} bp in {rate[2]} sessions{_of_late(reason, value)}"
    match _SUBJECTS.get(reason.name):
        case "capex growth":
            if gate is None or gate.ratio is None or gate.multiplier is None:
                return f"trailing capex {math.expm1(value):+.0%} in a year{_of_late(reason, value)}"
            side = ", paid from idle money" if gate.multiplier < 0 else ""
            return f"trailing capex is {gate.ratio:.0%} of operating cash flow{side}{_of_late(reason, value)}"
        case "capex over cash flow":
            spent = "capex with finance leases" if "leases" in reason.name else "trailing capex"
            if config.form == 1:
                return f"{spent} is {value:.0%} of operating cash flow{_of_late(reason, value)}"
            side = ", paid from idle money" if reason.contribution < 0 else ""
            return f"{spent} is {value:.0%} of operating cash flow{side}"
        case "news in results" | "news in guidance" as news:
            return f"{news} {math.expm1(value):+.0%} (fading sum){_of_late(reason, value)}"
        case "outside funding":
            of = "capex" if config.form == 1 else "operating cash flow"
            return f"outside funding {value:.0%} of a year's {of} (fading sum){_of_late(reason, value)}"
        case "yields and spreads together":
            if value > 0:
                return f"yields and spreads rise together, by {value:.1f} deviations{_of_late(reason, value)}"
            together = "rose together of late" if reason.contribution > 0 else "do not rise together"
            return f"yields and spreads {together}"
        case "the announced pace":
            return f"the central bank's announced pace {value:+,.0f} bn USD a month"
        case "net liquidity":
            billions = value / 1000 if config.form == 1 else value
            change = f"{billions:+,.0f} bn USD in {config.level_change_sessions} sessions"
            counted = ", as the gate counts it" if config.gate.level and value < 0 else ""
            return f"net liquidity {change}{counted}{_of_late(reason, -value)}"
        case "repo":
            policy_rate = "the federal funds rate" if reason.name.endswith("DFF") else "the interest on reserves"
            return f"repo {value:+.1f} bp from {policy_rate}{_of_late(reason, value)}"
        case _:
            return f"{reason.name} {value:,.4g} {reason.unit}"


def _of_late(reason: InputReason, scarcity: float) -> str:
    """What must be added where a figure seems to point one way and the score takes it for the other."""
    if reason.contribution * scarcity >= 0:
        return ""
    return " (tighter than usual of late)" if reason.contribution > 0 else " (easier than usual of late)"


def _source_phrase(reason: InputReason, is_given: bool) -> str:
    if reason.value is None:
        return "the source has not spoken yet"
    return "the source says so" if is_given else f"the source's score is {reason.value:+.2f}"
