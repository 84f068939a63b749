"""A row of events from what a user writes: texts by column, parsed cell by cell and completed by the stated rules."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

import pandas as pd

from data.catalogue.companies import company_catalogue
from data.clock import FIRST_DAY, LAST_DAY
from data.errors import InputError
from data.events.completion import complete_capex, complete_funding, complete_guidance
from data.events.coverage import complete_coverage, complete_paces
from data.events.own_rows import cell_of
from data.events.times import SESSION_TIMES, filing_times
from data.files.cells import FLAGS, MOMENT, day_in, number_in
from data.files.plain_text import printable
from data.market.tables import CAPEX, COVERAGE, FUNDING, GUIDANCE, PACES, Kind, Table

LONGEST_TEXT = 2_000
# No figure of an event comes near it, and sums of a few such are finite.
LARGEST_NUMBER = 1e12
UNKNOWN = "?"
"""What stands in a draft where a person has to fill in what a source says."""

_CONFIDENCES = ("low", "medium", "high")
_FISCAL_PERIOD = re.compile(r"([0-9]{4})Q([1-4])")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_NEW_YORK = "America/New_York"
_SPAN = f"{FIRST_DAY.year} to {LAST_DAY.year}"


def typed_row(
    table: Table,
    texts: Mapping[str, str],
    old: pd.Series | None,
    tables: Mapping[str, pd.DataFrame],
    now: pd.Timestamp,
) -> pd.DataFrame:
    """Make a row of a table.

    Args:
        table: that it is to belong to.
        texts: by column, plain.
        old: the row that it corrects, whose cells stay where no text is given; None of a new one.
        tables: of events by name, for what follows from other rows.
        now: UTC.

    Returns:
        One row, complete but for whose it is.

    Raises:
        InputError: an unknown column, a cell that is none, no source or confidence, a day to come, or what the rules of
            the table refuse.
    """
    _require_columns(table, texts)
    _require_backing(table, texts)
    start = {} if old is None else {name: text_of(old[name]) for name in writable(table)}
    frame = _completed(table, _parsed(table, _filled(table, start | dict(texts))), tables, is_new=old is None)
    _require_past(table, frame, now)
    return frame


def plain(name: str, text: str) -> str:
    """A text without blanks at its ends; what steers or hides, or is too long, is refused by the column's name."""
    stripped = text.strip()
    if stripped == UNKNOWN:
        raise InputError(f"{name} is still a question mark; fill in what the source says, or leave the column out")
    if printable(stripped) != stripped:
        raise InputError(f"got {printable(stripped)[:60]!r} in {name}, with what steers or hides text; take that out")
    if len(stripped) > LONGEST_TEXT:
        raise InputError(f"got {len(stripped)} letters in {name}, wanted at most {LONGEST_TEXT}; shorten it")
    return stripped


def text_of(cell: object) -> str:
    """A cell as a user would write it."""
    kept = cell_of(cell)
    if kept is None:
        return ""
    return str(kept).lower() if isinstance(kept, bool) else str(kept).removesuffix(".0")


def writable(table: Table) -> list[str]:
    """Columns of a table that a user gives; the moments follow from rules, but for those of paces."""
    return [name for name, kind in table.columns.items() if kind != "time" or table is PACES]


def cell_in(name: str, text: str, kind: Kind) -> object:
    """The cell that a text stands for; `InputError` names the column where it stands for none."""
    if kind == "number":
        number = number_in(text)
        if abs(number) > LARGEST_NUMBER:
            raise InputError(f"got {text[:60]!r} in {name}, wanted a number, at most {LARGEST_NUMBER:g}")
        return number
    if kind == "date":
        day = day_in(text)
        if text and (day is None or not FIRST_DAY <= pd.Timestamp(day) <= LAST_DAY):
            raise InputError(f"got {text!r} in {name}, wanted a day of {_SPAN}, as in 2026-01-31")
        return pd.NaT if day is None else pd.Timestamp(day)
    if kind == "time":
        day = day_in(text[:10])
        if text and not (MOMENT.fullmatch(text) and day and FIRST_DAY < pd.Timestamp(day) < LAST_DAY):
            wanted = f"a moment of {_SPAN} with its offset, as in 2026-01-31T18:00:00Z"
            raise InputError(f"got {text!r} in {name}, wanted {wanted}")
        return pd.Timestamp(text).tz_convert("UTC") if text else pd.NaT
    if kind == "flag":
        if text.lower() not in FLAGS:
            raise InputError(f"got {text!r} in {name}, wanted true or false")
        return FLAGS[text.lower()]
    return text


def _require_columns(table: Table, texts: Mapping[str, str]) -> None:
    known = writable(table)
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
    if not match or not FIRST_DAY.year <= int(match[1]) <= LAST_DAY.year:
        raise InputError(
            f"got fiscal_period {cells.get('fiscal_period', '')!r}, wanted a year and quarter, as in 2027Q1"
        )
    quarter = cells.get("calendar_quarter", "")
    if quarter and not _FISCAL_PERIOD.fullmatch(quarter):
        raise InputError(f"got calendar_quarter {quarter[:60]!r}, wanted a year and quarter, as in 2027Q1, or a blank")
    if not cells.get("capex_usd_bn") and not cells.get("ocf_usd_bn"):
        raise InputError("got a result without figures, wanted capex_usd_bn, ocf_usd_bn or both")
    if not end and entry is not None:
        last = pd.Period(year=int(match[1]), month=entry.fiscal_year_end_month, freq="M") - 3 * (4 - int(match[2]))
        end = found["period_end"] = f"{last.end_time:%Y-%m-%d}"
    if not quarter and (day := day_in(end)) is not None:
        found["calendar_quarter"] = str(pd.Timestamp(day).to_period("Q"))
    return found


def _parsed(table: Table, cells: Mapping[str, str]) -> pd.DataFrame:
    """The columns that are there, as a table of one row; judgements that are blank are left to the rules."""
    judged = ("period_start", "period_end", "comparable") if table is GUIDANCE else ("part_of", "counts")
    columns = {}
    for name in writable(table):
        text = cells.get(name, "")
        if table in (GUIDANCE, FUNDING) and name in judged and not text:
            continue
        columns[name] = pd.Series([cell_in(name, text, table.columns[name])])
    dates = {name: "datetime64[us]" for name in columns if table.columns[name] == "date"}
    return pd.DataFrame(columns).astype(dates)


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
