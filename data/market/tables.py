"""The tables of a snapshot: their columns, kinds and keys, and the hash of their content."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from data.errors import InputError

Kind = Literal["text", "number", "flag", "date", "time"]

_DTYPES: Mapping[Kind, str] = MappingProxyType(
    {
        "text": "str",
        "number": "float64",
        "flag": "bool",
        "date": "datetime64[us]",
        "time": "datetime64[us, UTC]",
    }
)


@dataclass(frozen=True)
class Table:
    """One table of a snapshot.

    Attributes:
        name: of the table and of its file.
        columns: name to kind, in the order of the file. A blank text is "", a blank number NaN, a blank date NaT;
            a flag is never blank.
        key: the columns that order the rows and, together, name one.
        later: columns that came after the first format, behind the others. A frame may be without them, and blank
            throughout they add nothing to a snapshot's identity.
    """

    name: str
    columns: Mapping[str, Kind]
    key: tuple[str, ...]
    later: Mapping[str, Kind] = field(default_factory=dict)

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table's columns, in order and of the right dtypes, rows sorted by key.

        Raises:
            KeyError: a column is missing.
            ValueError: a flag is blank.
            InputError: two rows have one key.
        """
        absent = {name: pd.Series(np.nan, index=frame.index) for name in self.later if name not in frame}
        given = frame.assign(**absent) if absent else frame
        columns = {name: _conform(given[name], kind) for name, kind in {**self.columns, **self.later}.items()}
        conformed = pd.DataFrame(columns)
        if _increases(conformed[list(self.key)]):  # As every stored table does: sorting it would take most of a load.
            return conformed.reset_index(drop=True)
        ordered = conformed.sort_values(list(self.key), kind="stable", ignore_index=True)
        repeated = ordered.duplicated(list(self.key))
        if repeated.any():
            row = ordered[repeated].iloc[0]
            named = ", ".join(f"{column} {row[column]}" for column in self.key)
            raise InputError(f"{self.name}: got two rows of {named}, wanted one; remove the other")
        return ordered

    def identity(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What of a conforming frame counts for a snapshot's identity: all but the later columns that say nothing."""
        silent = [name for name in self.later if bool((frame[name].isna() | (frame[name] == "")).all())]
        return frame.drop(columns=silent)

    def empty(self) -> pd.DataFrame:
        """Return the table without rows."""
        kinds = {**self.columns, **self.later}
        return pd.DataFrame({name: pd.Series(dtype=_DTYPES[kind]) for name, kind in kinds.items()})


BY_USER: Mapping[str, Kind] = MappingProxyType({"by_user": "text"})
"""Of an event that the user has given: ``added``, or what it corrects; blank of any other."""

BARS = Table(
    "bars",
    {
        "symbol": "text",
        "date": "date",
        "open": "number",
        "high": "number",
        "low": "number",
        "close": "number",
        "adj_close": "number",
        "volume": "number",
    },
    ("symbol", "date"),
)
PRICE_COLUMNS = ("date", "open", "high", "low", "close", "adj_close", "volume")
SERIES = Table(
    "series", {"series": "text", "date": "date", "value": "number", "known_at": "time"}, ("series", "date", "known_at")
)
CAPEX = Table(
    "capex_actuals",
    {
        "company": "text",
        "fiscal_period": "text",
        "calendar_quarter": "text",
        "period_end": "date",
        "announced_at": "date",
        "session": "text",
        "announced_basis": "text",
        "date_confidence": "text",
        "filed_at": "date",
        "capex_usd_bn": "number",
        "ocf_usd_bn": "number",
        "capex_vintage": "text",
        "ocf_vintage": "text",
        "finance_lease_principal_usd_bn": "number",
        "headline_capex_usd_bn": "number",
        "source": "text",
        "confidence": "text",
        "note": "text",
        "capex_known_at": "time",
        "ocf_known_at": "time",
    },
    ("company", "period_end"),
    later=BY_USER,
)
GUIDANCE = Table(
    "capex_guidance",
    {
        "company": "text",
        "announced_at": "date",
        "session": "text",
        "fiscal_year": "number",
        "low_usd_bn": "number",
        "high_usd_bn": "number",
        "prior_low_usd_bn": "number",
        "prior_high_usd_bn": "number",
        "source": "text",
        "confidence": "text",
        "event": "text",
        "basis": "text",
        "note": "text",
        "period_start": "date",
        "period_end": "date",
        "comparable": "flag",
        "known_at": "time",
    },
    ("company", "announced_at", "fiscal_year", "event"),
    later=BY_USER,
)
FUNDING = Table(
    "funding_events",
    {
        "date": "date",
        "kind": "text",
        "company": "text",
        "amount_usd_bn": "number",
        "source": "text",
        "confidence": "text",
        "date_basis": "text",
        "filed_at": "date",
        "amount_local": "text",
        "note": "text",
        "part_of": "text",
        "counts": "flag",
        "known_at": "time",
    },
    ("date", "kind", "company", "date_basis", "amount_usd_bn"),
    later=BY_USER,
)
ACTIONS = Table(
    "actions",
    {"symbol": "text", "date": "date", "kind": "text", "value": "number", "known_at": "time", "source": "text"},
    ("symbol", "date", "kind"),
    later={"into": "text", "factor": "number"},
)
# What was told and is not used, and why; nothing is decided on it.
BARS_ASIDE = Table("bars_aside", {**BARS.columns, "reason": "text"}, BARS.key)
ACTIONS_ASIDE = Table("actions_aside", {**ACTIONS.columns, "reason": "text"}, (*ACTIONS.key, "value"), ACTIONS.later)
ASIDE_TABLES = (BARS_ASIDE, ACTIONS_ASIDE)
FILED = Table(
    "filed_results",
    {
        "company": "text",
        "fiscal_period": "text",
        "figure": "text",
        "version": "number",
        "value_usd_bn": "number",
        "known_at": "time",
        "filed_at": "date",
        "accession": "text",
        "derivation": "text",
    },
    ("company", "fiscal_period", "figure", "version"),
)
PACES = Table(
    "balance_sheet_paces",
    {
        "company": "text",
        "announced_at": "date",
        "effective_from": "date",
        "pace_usd_bn_month": "number",
        "treasury_usd_bn_month": "number",
        "mbs_usd_bn_month": "number",
        "statement": "text",
        "source": "text",
        "confidence": "text",
        "note": "text",
        "known_at": "time",
    },
    ("company", "announced_at", "effective_from"),
    later=BY_USER,
)
"""The announced pace of a central bank's holdings: net billions of US dollars a month, + where they grow."""
COVERAGE = Table(
    "event_coverage",
    {
        "kind": "text",
        "company": "text",
        "complete_from": "date",
        "complete_to": "date",
        "rule": "text",
        "evidence": "text",
        "confidence": "text",
    },
    ("kind", "company"),
    later=BY_USER,
)
"""From when to when the events of one company and kind are complete, by what rule, and what that rests on."""
MEMBERSHIPS = Table(
    "memberships",
    {"symbol": "text", "date": "date", "member": "flag", "sector": "text", "industry": "text", "known_at": "time"},
    ("symbol", "date"),
)
"""Who was a member of the index that a market is of, in which sector and industry: a row where that changes."""
EVENT_TABLES = (CAPEX, GUIDANCE, FUNDING)
# A snapshot may be without them, and those from before them are: without rows they add nothing to its identity.
OPTIONAL_TABLES = (ACTIONS, FILED, PACES, COVERAGE, MEMBERSHIPS)
TABLES = (BARS, SERIES, *EVENT_TABLES, *OPTIONAL_TABLES)


def _conform(values: pd.Series, kind: Kind) -> pd.Series:
    if kind == "flag" and values.isna().any():
        raise ValueError(f"{values.name}: a flag is true or false, never blank")
    conformed = values.astype(pandas_dtype(_DTYPES[kind]))
    return conformed.fillna("") if kind == "text" else conformed


def _increases(keys: pd.DataFrame) -> bool:
    """Whether each row's key is greater than the one before it; False where a blank leaves that open."""
    greater, equal = np.zeros(max(len(keys) - 1, 0), dtype=bool), np.ones(max(len(keys) - 1, 0), dtype=bool)
    for _, values in keys.items():
        before, after = values.iloc[:-1].array, values.iloc[1:].array
        greater |= equal & np.asarray(after > before, dtype=bool)
        equal &= np.asarray(after == before, dtype=bool)
    return bool(greater.all())


def content_hash(tables: Mapping[str, pd.DataFrame], extra: str = "") -> str:
    """SHA-256 over names, dtypes and sorted rows of conforming tables: the same for the same content in any file.

    Args:
        tables: by name of the table, each as `Table.conform` returns it.
        extra: further content (the instruments' entries as text).
    """
    digest = hashlib.sha256(extra.encode())
    for name in sorted(tables):
        frame = tables[name]
        digest.update(f"|{name}:{len(frame)}".encode())
        for column, values in frame.items():
            digest.update(f"|{column}:{values.dtype}:".encode())
            digest.update(_column_bytes(values))
    return digest.hexdigest()


def _json_list(values: pd.Series) -> str:
    """What `json.dumps` makes of a list of texts; each text, which may stand on many rows, is written once."""
    places, texts = pd.factorize(values, use_na_sentinel=False)
    written = np.array([json.dumps(text) for text in texts], dtype=object)
    return f"[{', '.join(written[places])}]"


def _column_bytes(values: pd.Series) -> bytes:
    if isinstance(values.dtype, pd.StringDtype) or values.dtype == object:
        return _json_list(values).encode()
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.astype("int64").to_numpy().astype("<i8").tobytes()
    array = values.to_numpy()
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array + 0.0).astype("<f8")
    return array.tobytes()
