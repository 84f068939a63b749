"""The lines of a strategy's file that keep it from being traded on paper, found by reading, not by running.

On paper a decision is a set of market orders for the next open, one an instrument, and the broker tells what became of
them. What a line does only when it runs, such as a kind of order in a variable, is found by trying the strategy, or by
the step that meets it.
"""

import ast
from collections.abc import Iterator

from data.errors import InputError
from data.files.user_code import UserCallable

_ORDERS = ("buy", "sell", "close", "order_target_size", "order_target_value", "order_target_percent")
_BRACKETS = ("buy_bracket", "sell_bracket")
_KINDS = ("Limit", "Stop", "StopLimit", "StopTrail", "StopTrailLimit", "Close", "Historical")
_TIES = ("valid", "oco", "parent", "trailamount", "trailpercent", "plimit")
_BEFORE_THE_OPEN = ("next_open", "nextstart_open", "prenext_open")
SETTERS = (
    "set_coo",
    "set_coc",
    "set_cash",
    "setcash",
    "add_cash",
    "setcommission",
    "addcommissioninfo",
    "set_slippage_perc",
    "set_slippage_fixed",
    "set_filler",
    "add_order_history",
    "set_fundmode",
)
"""Of a broker: what would change cash, costs or the moment of a fill behind an engine's back."""
# What the event engine notes of its own fills: a broker that fills elsewhere has none of it.
_NOTES = (
    "orders_log",
    "cash_log",
    "decided_log",
    "sent_log",
    "stock_flows",
    "sessions",
    "orders",
    "pending",
    "submitted",
)


def require_paper_lines(user: UserCallable) -> None:
    """Refuse a strategy whose file has a line that cannot be carried out on paper.

    Raises:
        InputError: names the file, the first such line, and why.
    """
    try:
        tree = ast.parse(user.file.content)
    except (SyntaxError, ValueError):
        return  # running it tells what is wrong, and where
    found = sorted(against_paper(tree))
    if found:
        line, why = found[0]
        more = f" ({len(found) - 1} more such lines)" if len(found) > 1 else ""
        raise InputError(
            f"{user.file.path}, line {line}: {why}; a strategy trades on paper if it sends market orders for the next "
            f"open alone, one an instrument{more}"
        )


def against_paper(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The number of every such line, and why."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in _BEFORE_THE_OPEN:
            yield node.lineno, f"{node.name} decides at the open that it sees, and paper before it"
        elif isinstance(node, ast.Attribute) and _is_broker(node.value) and node.attr in _NOTES:
            yield node.lineno, f"broker.{node.attr} is a note of the backtest's own engine, which no paper broker keeps"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _of_call(node, node.func)


def _of_call(call: ast.Call, function: ast.Attribute) -> Iterator[tuple[int, str]]:
    name = function.attr
    if name in _BRACKETS:
        yield call.lineno, f"{name} sends limit and stop orders"
    elif name in SETTERS and _is_broker(function.value):
        yield call.lineno, f"broker.{name} changes cash, costs or fills, which are the account's own"
    elif name in _ORDERS:
        given = {each.arg: each.value for each in call.keywords if each.arg is not None}
        kind = _last_name(given.get("exectype"))
        if kind in _KINDS:
            yield call.lineno, f"{name} sends a {kind} order"
        for tie in _TIES:
            if tie in given and not _is_constant(given[tie], None):
                yield call.lineno, f"{name} with {tie} makes an order that waits, or depends on another"
        if "transmit" in given and not _is_constant(given["transmit"], True):
            yield call.lineno, f"{name} with transmit makes an order that waits for another"


def _is_broker(node: ast.AST) -> bool:
    return _last_name(node) == "broker"


def _last_name(node: ast.AST | None) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_constant(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
