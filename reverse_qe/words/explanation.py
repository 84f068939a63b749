"""What `reverse-qe paper explain` prints: an account beside its backtest, a row a cause."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

from reverse_qe.output import print_table, say, show

if TYPE_CHECKING:
    from paper.explain.explain import Explanation

CAUSE_HEAD = ("cause, in the order in which it is swapped", "USD", "of equity", "sessions", "orders")
BEHIND = 6


def print_explanation(told: "Explanation") -> None:
    """Why an account differs from its backtest, for people."""
    show(difference_sentence(told))
    print_table("Account less backtest", CAUSE_HEAD, cause_rows(told))
    for row in told.causes:
        if row.sessions:
            orders = f"; orders {_some(row.orders)}" if row.orders else ""
            show(f"{row.cause}: {_some(row.sessions)}{orders}")
    show(verdict(told))
    if told.simulated:
        say(f"The market {told.market} is SIMULATED.")


def difference_sentence(told: "Explanation") -> str:
    """By how much an account differs, in these days."""
    share = told.difference / told.backtest if told.backtest else 0.0
    words = "made as much as it"
    if abs(told.difference) >= 0.005:
        way = "more" if told.difference > 0 else "less"
        words = f"made {abs(told.difference):,.2f} USD {way} than it ({_share(share)})"
    return (
        f"Account {told.account}: {told.paper:,.2f} USD on {told.last}, the backtest of its spec {told.backtest:,.2f}; "
        f"since {told.first} the account {words}."
    )


def cause_rows(told: "Explanation") -> list[tuple[str, ...]]:
    """A row a cause under `CAUSE_HEAD`, what is unexplained, and all of it."""
    rows = [
        (
            row.cause,
            _dollars(row.amount),
            _share(row.share),
            str(len(row.sessions) or "-"),
            str(len(row.orders) or "-"),
        )
        for row in told.causes
    ]
    share = told.backtest or 1.0
    if not told.holds:
        rows.append(("UNEXPLAINED", _dollars(told.unexplained), _share(told.unexplained / share), "-", "-"))
    return [*rows, ("account less backtest", _dollars(told.difference), _share(told.difference / share), "", "")]


def verdict(told: "Explanation") -> str:
    """Whether all of the difference is explained."""
    if told.holds:
        return (
            f"Each row is a replay of the account with one cause more as in the backtest; the last replay is the "
            f"backtest, to {told.largest_unexplained:.0e} of equity."
        )
    return (
        f"! Not all of it is explained: at a close {told.largest_unexplained:.2e} of equity is not what the replays "
        "give; see: reverse-qe paper reconcile"
    )


def explanation_json(told: "Explanation") -> dict[str, Any]:
    """The same for machines; what has gathered by session too."""
    from dataclasses import asdict

    plain = {each.name: getattr(told, each.name) for each in fields(told) if each.name not in ("by_session", "causes")}
    by_session = told.by_session.reset_index().assign(session=lambda table: table["session"].dt.date.astype(str))
    return plain | {
        "explained": told.holds,
        "causes": [asdict(row) for row in told.causes],
        "by_session": by_session.to_dict("records"),
    }


def _some(names: Sequence[date | str]) -> str:
    shown = ", ".join(str(name) for name in names[:BEHIND])
    return shown if len(names) <= BEHIND else f"{shown} and {len(names) - BEHIND} more"


def _dollars(amount: float) -> str:
    return f"{round(amount, 2) + 0.0:+,.2f}" if abs(amount) >= 0.005 else "0.00"


def _share(share: float) -> str:
    return f"{share:+.3%}" if abs(share) >= 0.000005 else "0"
