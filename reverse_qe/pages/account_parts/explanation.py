"""Why an account differs from its backtest: a page of its own, and a part of the account's page."""

import pandas as pd

from paper.explain.explain import Explanation
from reverse_qe.pages.charts.bar_cell import bar_cell
from reverse_qe.pages.charts.scales import TimeScale, scale_of
from reverse_qe.pages.charts.time_chart import Line, TimeChart, time_chart
from reverse_qe.pages.kit import Html, Part, joined, page, table, tag
from reverse_qe.pages.run_parts.standing import SIMULATED
from reverse_qe.words.explanation import cause_rows, difference_sentence, verdict

HEAD = ("cause, in the order in which it is swapped", "account less backtest, USD", "of equity", "less and more")
BEHIND_HEAD = ("cause", "what its replay does", "sessions", "orders")
# Of sessions and orders behind a cause; `paper explain --json` has all.
SHOWN = 12
# So many causes, the largest, have a line of their own.
LINES = 6


def explanation_page(told: Explanation) -> str:
    """Render an explanation as HTML, complete in itself: the same bytes for the same ledger and market."""
    market = f"{'SIMULATED ' if told.simulated else ''}market {told.market}"
    banners = [] if told.holds else [("UNEXPLAINED", verdict(told).removeprefix("! "))]
    return page(
        title=f"Account {told.account} beside its backtest on {market}, {told.last} - Reverse QE",
        heading=f"Paper account {told.account}: why it differs",
        subtitle=f"{market}, {told.first} to {told.last}",
        banners=[*banners, ("SIMULATED", SIMULATED)] if told.simulated else banners,
        lead=tag("p", difference_sentence(told), class_="said"),
        parts=[explanation_part(told)],
    )


def explanation_part(told: Explanation) -> Part:
    """The part of a page that explains."""
    pieces = [_table(told), tag("p", verdict(told).removeprefix("! ")), *_chart(told), *_behind(told)]
    return Part("Why it differs from the backtest", joined(pieces, "\n"))


def _table(told: Explanation) -> Html:
    largest = max((abs(row.amount) for row in told.causes), default=0.0)
    amounts = [*(row.amount for row in told.causes), *([] if told.holds else [told.unexplained])]
    rows = cause_rows(told)
    bars = [*(bar_cell(amount, largest) if abs(amount) >= 0.005 else "" for amount in amounts), ""]
    cells = [(*row[:3], bar) for row, bar in zip(rows, bars, strict=True)]
    return table(HEAD, cells, caption=f"{told.first} to {told.last}", texts=(3,))


def _chart(told: Explanation) -> list[Html]:
    """What has gathered by cause over time; nothing where nothing has."""
    size = told.by_session.abs().max()
    names = [str(name) for name in size[size >= 0.005].nlargest(LINES).index]
    if not names:
        return []
    gathered = told.by_session[names]
    chart = TimeChart(
        title="Account less backtest by cause, US dollars, since the account was opened",
        label=", ".join(f"{name} {gathered[name].iloc[-1]:+,.2f} USD at the end" for name in names),
        time=TimeScale.of(pd.DatetimeIndex(gathered.index)),
        values=scale_of(gathered.to_numpy().ravel(), "number", include=0.0),
        lines=[Line(name, gathered[name], f"c{place}") for place, name in enumerate(names, start=1)],
        guides=[(0.0, "")],
    )
    return [time_chart(chart)]


def _behind(told: Explanation) -> list[Html]:
    rows = [
        (row.cause, row.means, _some([str(day) for day in row.sessions]), _some(list(row.orders)))
        for row in told.causes
        if row.sessions
    ]
    return [table(BEHIND_HEAD, rows, caption="Sessions and orders behind the causes", texts=(1, 2, 3))] if rows else []


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}" if names else "-"
