"""From what a user writes of an event to a row of its table: parsed, completed by the stated rules, and checked.

A row is checked as `events validate` checks a market: laid over the shipped events and the user's other rows, it may
bring no defect that was not there without it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

import pandas as pd

from data.catalogue.companies import company_catalogue
from data.clock import next_session
from data.errors import InputError
from data.events.completion import complete_capex, complete_funding, complete_guidance
from data.events.coverage import complete_coverage, complete_paces
from data.events.likeness import rows_alike
from data.events.own_rows import SHIPPED, Change, Key, OwnRow, cell_of, cells_of, keys_of, with_own_rows
from data.events.refusals import row_name
from data.events.times import SESSION_TIMES, filing_times
from data.events.validation import validate_events
from data.files.cells import FLAGS, MOMENT, day_in, number_in
from data.files.plain_text import printable
from data.market.snapshot import Snapshot
from data.market.tables import BARS, CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, SERIES, Kind, Table

KINDS: Mapping[str, Table] = MappingProxyType(
    {"result": CAPEX, "guidance": GUIDANCE, "funding": FUNDING, "pace": PACES, "coverage": COVERAGE}
)
"""Tables by the words under which their rows are given."""

LONGEST_TEXT = 2_000
UNKNOWN = "?"
"""What stands in a draft where a person has to fill in what a source says."""

_CONFIDENCES = ("low", "medium", "high")
_FISCAL_PERIOD = re.compile(r"(\d{4})Q([1-4])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_NEW_YORK = "America/New_York"


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
            or is like one that is, no single row to correct, or a defect that it would bring.
    """
    table = _table(kind)
    before = with_own_rows(shipped, list(own))
    texts = {name: _plain(name, text) for name, text in given.items()}
    _require_columns(table, texts)
    _require_backing(table, texts)
    old = None if correct is None else _one_row(table, before[table.name], correct)
    cells = _start(table, old) | texts
    stranger = _company_notes(table, cells.get("company", ""), before[table.name])
    frame = _completed(table, _parsed(table, _filled(table, cells)), before, is_new=old is None)
    _require_past(table, frame, now)
    key = keys_of(table, frame)[0]
    own_key, replaces = _place(table, old, own)
    others = before[table.name]
    others = others[[each not in (own_key, replaces) for each in keys_of(table, others)]]
    name = row_name(table, frame.iloc[0])
    _require_new(table, frame, key, others, name, beside)
    was = {} if old is None else _differences(table, old, frame.iloc[0])
    if old is not None and not was:
        raise InputError(f"{table.name}: {name}: got nothing that differs from the row that is there; change a value")
    frame["by_user"] = "added" if old is None else "corrects " + ", ".join(f"{each} {was[each]}" for each in was)
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


def _plain(name: str, text: str) -> str:
    stripped = text.strip()
    if stripped == UNKNOWN:
        raise InputError(f"{name} is still a question mark; fill in what the source says, or leave the column out")
    if printable(stripped) != stripped:
        raise InputError(f"got {printable(stripped)[:60]!r} in {name}, with what steers or hides text; take that out")
    if len(stripped) > LONGEST_TEXT:
        raise InputError(f"got {len(stripped)} letters in {name}, wanted at most {LONGEST_TEXT}; shorten it")
    return stripped


def _writable(table: Table) -> list[str]:
    return [name for name, kind in table.columns.items() if kind != "time" or table is PACES]


def _require_columns(table: Table, texts: Mapping[str, str]) -> None:
    known = _writable(table)
    for name in texts:
        if name not in known:
            near = [each for each in known if name and each.startswith(name)] or get_close_matches(name, known, n=1)
            hint = f"is {near[0]} meant?" if near else f"there are: {', '.join(known)}"
            raise InputError(f"{table.name} has no column {name!r} to give; {hint}")


def _require_backing(table: Table, texts: Mapping[str, str]) -> None:
    wanted = ("evidence", "confidence") if table is COVERAGE else ("source", "confidence")
    for name in wanted:
        if not texts.get(name):
            raise InputError(
                f"{table.name}: {name} is blank; a row wants a {wanted[0]} that others can look up, and a confidence "
                f"({', '.join(_CONFIDENCES)})"
            )
    if texts["confidence"] not in _CONFIDENCES:
        raise InputError(f"got confidence {texts['confidence']!r}, wanted one of: {', '.join(_CONFIDENCES)}")


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
    wanted = {name: cell_of(_cell(name, _plain(name, text), table.columns[name])) for name, text in named.items()}
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


def _start(table: Table, old: pd.Series | None) -> dict[str, str]:
    """The texts that a row begins with: those of the row to correct, else blanks; judgements are made anew."""
    if old is None:
        return {}
    return {name: _text(old[name]) for name in _writable(table)}


def _text(cell: object) -> str:
    kept = cell_of(cell)
    if kept is None:
        return ""
    return str(kept).lower() if isinstance(kept, bool) else str(kept)


def _filled(table: Table, cells: Mapping[str, str]) -> dict[str, str]:
    """Add what follows from other cells; nothing that is given is changed, but a time of day becomes its session."""
    filled = dict(cells)
    day = day_in(filled.get("announced_at", ""))
    if (clock := _CLOCK.fullmatch(filled.get("session", ""))) and day is not None:
        filled["session"] = _session(pd.Timestamp(day), int(clock[1]), int(clock[2]))
    if table is CAPEX:
        filled |= _quarter(filled)
        for figure in ("capex", "ocf"):
            if filled.get(f"{figure}_usd_bn"):
                filled[f"{figure}_vintage"] = filled.get(f"{figure}_vintage") or "as_first_reported"
    if table is PACES and not filled.get("known_at") and day is not None:
        filled["known_at"] = cell_of(filing_times(pd.Series([pd.Timestamp(day)])).iloc[0])
    return filled


def _session(day: pd.Timestamp, hour: int, minute: int) -> str:
    """The session whose stamp is not before a time in New York; blank, which means 22:00 there, after all of them."""
    moment = (day + pd.Timedelta(hours=hour, minutes=minute)).tz_localize(_NEW_YORK).tz_convert("UTC")
    midnight = day.tz_localize("UTC")
    return next((session for session, stamp in SESSION_TIMES.items() if moment <= midnight + stamp), "")


def _quarter(cells: Mapping[str, str]) -> dict[str, str]:
    """The end of a fiscal quarter, by the company's fiscal year, and the calendar quarter in which it lies."""
    found = {}
    end = cells.get("period_end", "")
    match, entry = (
        _FISCAL_PERIOD.fullmatch(cells.get("fiscal_period", "")),
        company_catalogue().get(cells.get("company", "")),
    )
    if not match:
        raise InputError(
            f"got fiscal_period {cells.get('fiscal_period', '')!r}, wanted a year and quarter, as in 2027Q1"
        )
    if not end and entry is not None:
        last = pd.Period(year=int(match[1]), month=entry.fiscal_year_end_month, freq="M") - 3 * (4 - int(match[2]))
        end = found["period_end"] = f"{last.end_time:%Y-%m-%d}"
    if not cells.get("calendar_quarter") and (day := day_in(end)) is not None:
        found["calendar_quarter"] = str(pd.Timestamp(day).to_period("Q"))
    return found


def _parsed(table: Table, cells: Mapping[str, str]) -> pd.DataFrame:
    """The columns that are there, as a table of one row; judgements that are blank are left to the rules."""
    judged = ("period_start", "period_end", "comparable") if table is GUIDANCE else ("part_of", "counts")
    columns = {}
    for name in _writable(table):
        text = cells.get(name, "")
        if table in (GUIDANCE, FUNDING) and name in judged and not text:
            continue
        columns[name] = pd.Series([_cell(name, text, table.columns[name])])
    dates = {name: "datetime64[us]" for name in columns if table.columns[name] == "date"}
    return pd.DataFrame(columns).astype(dates)


def _cell(name: str, text: str, kind: Kind) -> object:
    if kind == "number":
        number = number_in(text)
        if number in (float("inf"), float("-inf")):
            raise InputError(f"got {text!r} in {name}, wanted a number")
        return number
    if kind == "date":
        day = day_in(text)
        if text and day is None:
            raise InputError(f"got {text!r} in {name}, wanted a day, as in 2026-01-31")
        return pd.NaT if day is None else pd.Timestamp(day)
    if kind == "time":
        if text and not MOMENT.fullmatch(text):
            raise InputError(f"got {text!r} in {name}, wanted a moment with its offset, as in 2026-01-31T18:00:00Z")
        return pd.Timestamp(text).tz_convert("UTC") if text else pd.NaT
    if kind == "flag":
        if text.lower() not in FLAGS:
            raise InputError(f"got {text!r} in {name}, wanted true or false")
        return FLAGS[text.lower()]
    return text


def _require_past(table: Table, frame: pd.DataFrame, now: pd.Timestamp) -> None:
    """Refuse what is told of a day to come; it may be tomorrow already where the user is."""
    for name in ("announced_at", "date", "filed_at"):
        if name in frame and (day := frame[name].iloc[0]) > now.tz_convert(None) + pd.Timedelta(days=1):
            raise InputError(f"{table.name}: {name} is {day.date()}, which is to come; wanted what has happened")


def _completed(table: Table, frame: pd.DataFrame, tables: Mapping[str, pd.DataFrame], is_new: bool) -> pd.DataFrame:
    if table is GUIDANCE:
        completed = complete_guidance(frame, tables[CAPEX.name]).table
        return _with_prior(completed, tables[GUIDANCE.name]) if is_new else completed
    complete: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        CAPEX.name: lambda rows: complete_capex(rows).table,
        FUNDING.name: lambda rows: complete_funding(rows).table,
        PACES.name: complete_paces,
        COVERAGE.name: complete_coverage,
    }
    return complete[table.name](frame)


def _with_prior(row: pd.DataFrame, guidance: pd.DataFrame) -> pd.DataFrame:
    """The range before, where none is given: that of the company's last row on the same period and basis."""
    if row[["prior_low_usd_bn", "prior_high_usd_bn"]].notna().any(axis=None):
        return row
    same = (
        guidance[["company", "period_start", "period_end", "basis"]]
        == row.iloc[0][["company", "period_start", "period_end", "basis"]]
    ).all(axis=1)
    before = guidance[same & (guidance["announced_at"] < row["announced_at"].iloc[0])].sort_values("announced_at")
    if before.empty:
        return row
    last = before.iloc[-1]
    return row.assign(prior_low_usd_bn=last["low_usd_bn"], prior_high_usd_bn=last["high_usd_bn"])


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


def _differences(table: Table, old: pd.Series, new: pd.Series) -> dict[str, str]:
    """Old values of the columns that a correction changes, as text; what follows from them is not told."""
    changed = {
        name: _text(old[name]) or "blank" for name in _writable(table) if cell_of(old[name]) != cell_of(new[name])
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
    """What the checks of `events validate` say with the row and not without it; a defect is refused."""
    was, now = validate_events(events_market(before)), validate_events(events_market(after))
    old = {(check.name, line) for check in was for line in (*check.defects, *check.notes)}
    defects = [f"{check.name}: {line}" for check in now for line in check.defects if (check.name, line) not in old]
    if defects:
        more = f" ({len(defects) - 1} more defects)" if len(defects) > 1 else ""
        raise InputError(f"{name} would be a defect: {defects[0]}{more}")
    return tuple(f"{check.name}: {line}" for check in now for line in check.notes if (check.name, line) not in old)
