"""Guards: what no decision may pass. Pure functions of the decision, the account's peak and the limits."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from data.clock import sessions_between
from data.quality.price_checks import split_like_ratio
from paper.broker import Intent
from paper.config import LimitsSection
from paper.step.decision import Decision

TOO_FAR, LIKE_SPLIT = "price too far from the last close", "like a split"


def reasons_to_halt(decision: Decision, peak_equity: float, limits: LimitsSection, looked_at: str = "") -> list[str]:
    """Say with its figures why a decision must not be sent; nothing where it may.

    Args:
        decision: with the book that it is for.
        peak_equity: the highest of the account since it was opened or resumed, US dollars.
        limits: of the configuration.
        looked_at: why the trader was halted at this session before, where it was resumed since: whoever did has looked
            at the moves of prices that it names.
    """
    return [
        *_stale(decision, limits),
        *_unexpected(decision),
        *_without_value(decision),
        *_price_moves(decision, limits, looked_at),
        *_split_like(decision, looked_at),
        *_drawdown(decision, peak_equity, limits),
        *_orders(decision, limits),
        *_positions(decision, limits),
        *_turnover(decision, limits),
    ]


def kill_file_reason(path: Path) -> str | None:
    """Say why nothing may be sent where the kill file is there; None where it is not."""
    return f"the kill file {path} is there; delete it, then resume" if path.exists() else None


def sessions_behind(newest: date, session: date) -> int:
    """How many sessions before the one decided for have passed since the newest bar."""
    return len(sessions_between(pd.Timestamp(newest + timedelta(days=1)), pd.Timestamp(session - timedelta(days=1))))


def value_of(intent: Intent) -> float:
    """What an order is worth at the price that sized it, US dollars."""
    return intent.money if intent.money is not None else (intent.units or 0.0) * intent.decision_price


def _stale(decision: Decision, limits: LimitsSection) -> Iterator[str]:
    for kind, newest in decision.newest_bars.items():
        behind = sessions_behind(newest, decision.session)
        if behind >= limits.stale_sessions_halt:
            yield (
                f"stale data: the newest bar of {kind} in {decision.market} is of {newest}, {behind} sessions behind "
                f"the decision for {decision.session} (stale_sessions_halt {limits.stale_sessions_halt})"
            )


def _unexpected(decision: Decision) -> Iterator[str]:
    for symbol, units in decision.units.items():
        if units != 0 and symbol not in decision.targets:
            yield f"unexpected position: {units:g} units of {symbol}, which the spec does not trade"
        if not units >= 0:
            yield f"unexpected position: {units:g} units of {symbol}, which is not above zero"
    for intent in decision.intents:
        if intent.symbol not in decision.targets:
            yield f"unexpected order: {intent.side} {intent.symbol}, which the spec does not trade"


def _without_value(decision: Decision) -> Iterator[str]:
    """Refuse what no share of equity can be taken of."""
    if not decision.equity > 0:
        yield f"no equity: cash and units come to {decision.equity:,.2f} USD"
    for intent in decision.intents:
        if not (value_of(intent) > 0 and intent.decision_price > 0):
            yield f"order without a value: {intent.side} {intent.symbol} at {intent.decision_price:g} USD"


def _price_moves(decision: Decision, limits: LimitsSection, looked_at: str) -> Iterator[str]:
    used = [symbol for symbol, units in decision.units.items() if units]
    used += [intent.symbol for intent in decision.intents]
    for symbol in dict.fromkeys(used):
        move = decision.price_moves.get(symbol, 0.0)
        if abs(move) > limits.price_move_halt and not _is_named(TOO_FAR, symbol, move, looked_at):
            yield (
                f"{TOO_FAR}: {symbol} moved {move:+.1%} in one session (price_move_halt {limits.price_move_halt:.1%})"
            )


def _is_named(guard: str, symbol: str, move: float, looked_at: str) -> bool:
    return any(
        each.startswith((f"{symbol} moved", f"{symbol}, of which")) and f"moved {move:+.1%} in one session" in each
        for each in looked_at.split(f"{guard}: ")[1:]
    )


def _split_like(decision: Decision, looked_at: str) -> Iterator[str]:
    """Whatever the limit: a stock that is held moves as by a split that the market does not tell (yet)."""
    for symbol, units in decision.units.items():
        move = decision.price_moves.get(symbol, 0.0)
        if _is_named(LIKE_SPLIT, symbol, move, looked_at):
            continue
        if units and symbol not in decision.coins and (ratio := split_like_ratio(move)):
            yield (
                f"{LIKE_SPLIT}: {symbol}, of which {units:g} units are held, moved {move:+.1%} in one session, as by a "
                f"split of {ratio} that the market {decision.market} does not tell; if there was one, fetch it or wait "
                "for it: units are booked when it is told"
            )


def _drawdown(decision: Decision, peak_equity: float, limits: LimitsSection) -> Iterator[str]:
    drawdown = 1.0 - decision.equity / peak_equity if peak_equity > 0 else 0.0
    if drawdown > limits.drawdown_halt:
        yield (
            f"drawdown: equity of {decision.equity:,.2f} USD is {drawdown:.1%} below its peak of {peak_equity:,.2f} "
            f"(drawdown_halt {limits.drawdown_halt:.1%})"
        )


def _orders(decision: Decision, limits: LimitsSection) -> Iterator[str]:
    for intent in decision.intents:
        value = value_of(intent)
        if _exceeds(value, limits.largest_order, decision.equity):
            yield (
                f"largest order: {intent.side} {intent.symbol} for {value:,.2f} USD is {value / decision.equity:.1%} "
                f"of equity (largest_order {limits.largest_order:.1%})"
            )


def _positions(decision: Decision, limits: LimitsSection) -> Iterator[str]:
    """Refuse buys that make a position too large; one that has grown by its price alone may stay, and be sold."""
    for intent in decision.intents:
        if intent.side == "sell":
            continue
        value = decision.units.get(intent.symbol, 0.0) * intent.decision_price + value_of(intent)
        if _exceeds(value, limits.largest_position, decision.equity):
            yield (
                f"largest position: {intent.symbol} would be {value:,.2f} USD, {value / decision.equity:.1%} of equity "
                f"(largest_position {limits.largest_position:.1%})"
            )


def _turnover(decision: Decision, limits: LimitsSection) -> Iterator[str]:
    traded = sum(value_of(intent) for intent in decision.intents)
    if _exceeds(traded, limits.largest_turnover_a_day, decision.equity):
        yield (
            f"turnover: the orders for {decision.session} come to {traded:,.2f} USD, {traded / decision.equity:.1%} of "
            f"equity (largest_turnover_a_day {limits.largest_turnover_a_day:.1%})"
        )


def _exceeds(value: float, limit: float, equity: float) -> bool:
    """Whether a value is above a share of equity; the last digit of a sum is none."""
    return equity > 0 and value > limit * equity * (1 + 1e-9)
