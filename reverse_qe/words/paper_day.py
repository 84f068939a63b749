"""What a step of today did, in at most six lines: decision, orders, when they fill, what is not paid, what is next."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from paper.broker import Intent
    from paper.config import PaperConfig
    from paper.step.account import StepReport

# Orders and notes that are named; the rest are counted.
NAMED = 4


def day_lines(told: "StepReport", config: "PaperConfig") -> list[str]:
    """Say what a step of today did, and when the next one is due."""
    lines = [_decision(told)]
    wrong = [f"HALTED: {told.halt}. Nothing is sent until: reverse-qe paper resume --why TEXT"] if told.halt else []
    wrong += [f"! {told.fault}"] if told.fault else []
    lines += ["; ".join(wrong)] if wrong else []
    if told.sent or told.not_taken or told.fills:
        lines.append(_orders(told))
    if told.sent:
        unpaid = config.broker.entry.unpaid
        lines.append(_when(told.sent, config) + (f" This account does not book: {unpaid}." if unpaid else ""))
    remarks = [told.odd_data] if told.odd_data else []
    if told.notes:
        more = f" ({len(told.notes) - 1} more: reverse-qe paper status)" if len(told.notes) > 1 else ""
        remarks.append(f"{told.notes[0]}{more}")
    lines += [f"! {'; '.join(remarks)}"] if remarks else []
    lines.append(_next(told, config))
    return lines


def _decision(told: "StepReport") -> str:
    where = f"for {told.session}" if told.session else f"at {told.at:%Y-%m-%d %H:%M} UTC"
    begun = f"Account {told.account}, step {where}"
    if told.decision is None:
        return f"{begun}: nothing to decide."
    score = "none yet" if told.decision.score is None else f"{told.decision.score:+.2f}"
    signal = f"{told.decision.regime}, score {score} (+ means scarcer)"
    why = told.decision.why or "the book is left as it is"
    return f"{begun}: {signal}; equity {told.decision.equity:,.2f} USD; {why}."


def _orders(told: "StepReport") -> str:
    parts = []
    if told.sent:
        parts.append(f"Sent {_counted(len(told.sent), 'order')}: {_named([_order(each) for each in told.sent])}")
    if told.not_taken:
        refused = _named([_order(each) for each in told.not_taken])
        parts.append(f"{_counted(len(told.not_taken), 'order')} not taken: {refused}")
    done = (*told.sent, *told.not_taken)
    waiting = [each for each in (told.decision.intents if told.decision else ()) if each not in done]
    if waiting and not told.halt:
        parts.append(f"{_counted(len(waiting), 'buy')} wait for what the sells bring")
    if told.fills:
        fills = [f"{each.side} {each.units:,.6g} {each.symbol} at {each.price:,.2f}" for each in told.fills]
        parts.append(f"{_counted(len(fills), 'fill')} since the last step: {_named(fills)}")
    return "; ".join(parts) + "."


def _when(sent: Sequence["Intent"], config: "PaperConfig") -> str:
    """When what was sent fills."""
    from data.clock import trading_hours

    session = max(each.session for each in sent)
    opens = f"the open of New York, {trading_hours(pd.Timestamp(session))[0]:%Y-%m-%d %H:%M} UTC"
    kinds = [("coins", config.broker.entry.fills[0])] if any(each.is_coin for each in sent) else []
    kinds += [("stocks", config.broker.entry.fills[1])] if not all(each.is_coin for each in sent) else []
    return f"They fill: {', '.join(f'{kind} {when.format(open=opens)}' for kind, when in kinds)}."


def _next(told: "StepReport", config: "PaperConfig") -> str:
    from paper.service.schedule import next_step_at

    moment = next_step_at(config.schedule, told.at, bool(told.fault))
    return (
        f"Step next at {moment:%Y-%m-%d %H:%M} UTC, or let reverse-qe paper run do it; a step in between does no harm."
    )


def _order(each: "Intent") -> str:
    asked = f"{each.units:,.6g} units" if each.units is not None else f"{each.money:,.2f} USD"
    return f"{each.side} {each.symbol} {asked}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _named(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more
