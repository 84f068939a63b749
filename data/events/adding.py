"""From what a user writes of an event to a row of its table: parsed, completed by the stated rules, and checked.

A row is checked as `events validate` checks a market: laid over the shipped events and the user's other rows, it may
bring no defect that was not there without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from data.clock import next_session
from data.errors import InputError
from data.events.likeness import rows_alike
from data.events.own_rows import SHIPPED, Change, Key, OwnRow, cell_of, cells_of, keys_of, with_own_rows
from data.events.refusals import row_name
from data.events.typed_rows import cell_in, plain, text_of, typed_row, writable
from data.events.validation import GUIDANCE_CHAIN, OWN_ROWS, validate_events
from data.market.snapshot import Snapshot
from data.market.tables import BARS, CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, SERIES, Table

KINDS: Mapping[str, Table] = MappingProxyType(
    {"result": CAPEX, "guidance": GUIDANCE, "funding": FUNDING, "pace": PACES, "coverage": COVERAGE}
)
"""Tables by the words under which their rows are given."""
_WHOSE = ("company", "kind")
"""Columns that say of whom a row is; the kind is one of them where rows are spans of coverage."""


@dataclass(frozen=True)
class NewRow:
    """A row that may be added.

    Attributes:
        change: as it would be kept.
        name: of the row, for people.
        was: what a correction changes: old values by column, as text.
        notes: what a person should know before it counts, one line each.
    """

    change: Change
    name: str
    was: Mapping[str, str]
    notes: tuple[str, ...]


def new_row(
    kind: str,
    given: Mapping[str, str],
    shipped: Mapping[str, pd.DataFrame],
    own: Sequence[OwnRow],
    now: pd.Timestamp,
    *,
    correct: Mapping[str, str] | None = None,
    beside: bool = False,
) -> NewRow:
    """Make a row of what a user writes, or say what is wrong with it.

    Args:
        kind: one of `KINDS`.
        given: texts by column. A ``session`` may be a time in New York. What is left out is blank, or follows from a
            rule: the end of a quarter from its fiscal period, a prior range from the row before, the moments from the
            rules of `data.events.times`.
        shipped: tables of events by name.
        own: the user's rows.
        now: UTC.
        correct: texts by column that name the one row to correct; what is not given anew stays as it is there.
        beside: whether it is another event than one like it that is there.

    Raises:
        InputError: an unknown kind or column, a cell that is none, no source or confidence, a row that is there already
            or is like one that is, no single row to correct, a correction that would make it a row of another company,
            or a defect that it would bring.
    """
    table = _table(kind)
    before = with_own_rows(shipped, list(own))
    texts = {name: plain(name, text) for name, text in given.items()}
    old = None if correct is None else _one_row(table, before[table.name], correct)
    company = texts.get("company", "") if old is None else texts.get("company", str(old["company"]))
    if old is not None:
        _require_same_subject(table, texts, old)
    stranger = _company_notes(table, company, before[table.name])
    frame = typed_row(table, texts, old, before, now)
    key = keys_of(table, frame)[0]
    own_key, replaces = _place(table, old, own)
    others = before[table.name]
    others = others.loc[np.array([each not in (own_key, replaces) for each in keys_of(table, others)], dtype=bool)]
    name = row_name(table, frame.iloc[0])
    _require_new(table, frame, key, others, name, beside)
    was = {} if old is None else _differences(table, old, frame.iloc[0])
    if old is not None and not was:
        raise InputError(f"{table.name}: {name}: got nothing that differs from the row that is there; change a value")
    frame["by_user"] = _mark(table, frame.iloc[0], shipped[table.name], replaces)
    row = cells_of(table, frame.iloc[0])
    change = Change(
        at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        change="add" if old is None else "correct",
        table=table.name,
        row=row,
        key=None if own_key is None else list(own_key),
        replaces=None if replaces is None else list(replaces),
    )
    kept = [each for each in own if (each.table.name, each.key) != (table.name, own_key)]
    after = with_own_rows(shipped, [*kept, OwnRow(table, row, replaces, change.at)])
    notes = (*stranger, *_day_notes(table, frame), *_new_notes(before, after, name))
    return NewRow(change, name, was, notes)


def removal(kind: str, named: Mapping[str, str], own: Sequence[OwnRow], now: pd.Timestamp) -> NewRow:
    """Take away one of the user's rows; the shipped one that it corrected holds again.

    Args:
        kind: one of `KINDS`.
        named: texts by column that name one row of the user.
        own: the user's rows.
        now: UTC.

    Raises:
        InputError: an unknown kind or column, or not one such row of the user.
    """
    table = _table(kind)
    rows = with_own_rows({table.name: table.empty()}, list(own))[table.name]
    row = _one_row(table, rows, named, "of your own rows")
    key = [cell_of(row[name]) for name in table.key]
    change = Change(f"{now:%Y-%m-%dT%H:%M:%SZ}", "remove", table.name, None, key)
    return NewRow(change, row_name(table, row), {}, ())


def events_market(tables: Mapping[str, pd.DataFrame]) -> Snapshot:
    """Return a market that holds no more than some events; a table that is left out is empty.

    Args:
        tables: of events, by name.
    """
    rows = {table.name: tables.get(table.name, table.empty()) for table in KINDS.values()}
    return Snapshot(
        name="",
        simulated=False,
        instruments={},
        bars=BARS.empty(),
        series=SERIES.empty(),
        capex_actuals=rows[CAPEX.name],
        capex_guidance=rows[GUIDANCE.name],
        funding_events=rows[FUNDING.name],
        balance_sheet_paces=rows[PACES.name],
        event_coverage=rows[COVERAGE.name],
        origin=SHIPPED,
    )


def _table(kind: str) -> Table:
    if kind not in KINDS:
        raise InputError(f"got the kind {kind!r}, wanted one of: {', '.join(KINDS)}")
    return KINDS[kind]


def _company_notes(table: Table, company: str, rows: pd.DataFrame) -> tuple[str, ...]:
    """Refuse a row of nobody, or of a company in other letters than those of its rows; one without rows is told."""
    known = list(rows["company"].unique())
    if not company:
        raise InputError(
            f"{table.name}: company is blank; give its symbol, as in company={known[0] if known else 'META'}"
        )
    if company in known:
        return ()
    if alike := [each for each in known if each.lower() == company.lower()]:
        raise InputError(f"{table.name}: got company {company}, wanted it as it is written there: {alike[0]}")
    return (f"{company} has no other row in {table.name}",)


def _one_row(table: Table, rows: pd.DataFrame, named: Mapping[str, str], where: str = "that is there") -> pd.Series:
    """The one row whose cells are those that are named."""
    unknown = [name for name in named if name not in table.columns]
    if unknown or not named:
        raise InputError(
            f"got {', '.join(unknown) or 'no column'} to name a row by, wanted some of: {', '.join(table.columns)}"
        )
    wanted = {name: cell_of(cell_in(name, plain(name, text), table.columns[name])) for name, text in named.items()}
    found = [
        place
        for place, cells in enumerate(zip(*(rows[name] for name in wanted), strict=True))
        if all(cell_of(cell) == each for cell, each in zip(cells, wanted.values(), strict=True))
    ]
    if len(found) != 1:
        words = ", ".join(f"{name}={text}" for name, text in named.items())
        names = "; ".join(row_name(table, rows.iloc[place]) for place in found[:5])
        raise InputError(
            f"{table.name}: {words} names {len(found)} rows {where}, wanted one"
            + (f": {names}; name more columns" if found else "; see: reverse-qe events list --json")
        )
    return rows.iloc[found[0]]


def _require_same_subject(table: Table, texts: Mapping[str, str], old: pd.Series) -> None:
    """Refuse a correction that makes a row that of another: its quarter and days would stay those of the old one."""
    for name in _WHOSE if table is COVERAGE else _WHOSE[:1]:
        if texts.get(name, str(old[name])) != str(old[name]):
            raise InputError(
                f"{table.name}: got {name} {texts[name]!r} to correct {row_name(table, old)}, wanted none: what a row "
                "is of is not corrected; take a row of yours away with events remove, and add the other one"
            )


def _place(table: Table, old: pd.Series | None, own: Sequence[OwnRow]) -> tuple[Key | None, Key | None]:
    """Key of the user's row whose place a correction takes, and of the shipped row that is corrected by it."""
    if old is None:
        return None, None
    key = tuple(cell_of(old[name]) for name in table.key)
    mine = [row for row in own if (row.table.name, row.key) == (table.name, key)]
    return (key, mine[0].replaces) if mine else (None, key)


def _require_new(table: Table, frame: pd.DataFrame, key: Key, others: pd.DataFrame, name: str, beside: bool) -> None:
    if key in keys_of(table, others):
        raise InputError(f"{table.name}: {name} is there already; to change it, name it with --correct COLUMN=VALUE")
    alike = rows_alike(table, frame, others)
    if len(alike) and not beside:
        raise InputError(
            f"{table.name}: {name} is like {row_name(table, alike.iloc[0])}, which is there; name that with --correct "
            "COLUMN=VALUE to change it, or say --beside where both happened"
        )


def _mark(table: Table, row: pd.Series, shipped: pd.DataFrame, replaces: Key | None) -> str:
    """What a row says of itself: that it is new, or what of a shipped one it corrects."""
    if replaces is None:
        return "added"
    place = [number for number, key in enumerate(keys_of(table, shipped)) if key == replaces]
    was = _differences(table, shipped.iloc[place[0]], row) if place else {}
    return " ".join(["corrects", ", ".join(f"{name} {text}" for name, text in was.items())]).strip()


def _differences(table: Table, old: pd.Series, new: pd.Series) -> dict[str, str]:
    """Old values of the columns that a correction changes, as text; what follows from them is not told."""
    changed = {
        name: text_of(old[name]) or "blank" for name in writable(table) if cell_of(old[name]) != cell_of(new[name])
    }
    told = {name: text for name, text in changed.items() if name not in ("source", "confidence", "note")}
    return told or changed


def _day_notes(table: Table, frame: pd.DataFrame) -> tuple[str, ...]:
    """Results and guidance are told on days on which the exchange is open, with rare exceptions."""
    if table not in (CAPEX, GUIDANCE):
        return ()
    day = frame["announced_at"].iloc[0]
    if next_session(day - pd.Timedelta(days=1)) == day:
        return ()
    return (f"announced_at {day.date()} is no session of the New York Stock Exchange: is the day right?",)


def _new_notes(before: Mapping[str, pd.DataFrame], after: Mapping[str, pd.DataFrame], name: str) -> tuple[str, ...]:
    """What the checks of `events validate` say with the row and not without it; a defect is refused.

    Except that of the guidance that follows in the chain, whose prior range has to be corrected after this row.
    """
    was, now = validate_events(events_market(before)), validate_events(events_market(after))
    old = {(check.name, line) for check in was for line in (*check.defects, *check.notes)}
    found = [(check.name, line) for check in now for line in check.defects if (check.name, line) not in old]
    follows = [line for check, line in found if check == GUIDANCE_CHAIN and f": {name}:" not in line]
    defects = [f"{check}: {line}" for check, line in found if line not in follows]
    if defects:
        more = f" ({len(defects) - 1} more defects)" if len(defects) > 1 else ""
        raise InputError(f"{name} would be a defect: {defects[0]}{more}")
    told = [(check.name, line) for check in now if check.name != OWN_ROWS for line in check.notes]
    notes = [f"{check}: {line}" for check, line in told if (check, line) not in old]
    return (*(f"TO CORRECT NEXT: {line}" for line in follows), *notes)
