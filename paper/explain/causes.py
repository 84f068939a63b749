"""The causes by which an account can differ from its backtest, in the order in which they are swapped."""

from enum import StrEnum


class Cause(StrEnum):
    """A way in which an account is not its backtest; its place among the others is the order of the replays."""

    FILL_PRICES = "fill prices"
    FILL_TIMES = "fill times"
    STEPS = "missed or late steps"
    CUTS = "cut orders"
    FEES = "fees"
    DIVIDENDS = "dividends not paid"
    LATE_ACTIONS = "late actions"
    DATA = "data revised since"
    CODE = "spec or code changed"
    DEPOSITS = "deposits"
    MANUAL = "manual trades"
    HALTS = "halts"


MEANS = {
    Cause.FILL_PRICES: "orders fill at what the costs of the spec make of the open at which they filled",
    Cause.FILL_TIMES: "orders fill at the opens of the session decided for, and the next decision knows",
    Cause.STEPS: "every session that was not halted has its decision, in time",
    Cause.CUTS: "orders get what cash and limits of the spec leave them",
    Cause.FEES: "commissions are those of the spec",
    Cause.DIVIDENDS: "dividends and interest are those of market and spec",
    Cause.LATE_ACTIONS: "splits, delistings and what was told late are booked on their day",
    Cause.DATA: "bars, signal and plan are those of the newest version of the market",
    Cause.CODE: "decisions are those of the program and the files of the spec as they are now",
    Cause.DEPOSITS: "no cash comes or goes after the first deposit",
    Cause.MANUAL: "no units come or go but by orders and actions",
    Cause.HALTS: "the sessions on which the account was halted have their decisions and orders",
}
"""What a replay does from the cause on that the ones before did not."""
