"""Other futures of the files of rows that a user gives: regimes, scores, weights, each row with its ``known_at``."""

import csv
import io
from dataclasses import replace
from datetime import datetime

import pandas as pd

from backtests.spec.extensions import Extensions
from backtests.studies.audits.futures import DELAY, Future
from data.files.known_rows import rows_by_line
from data.files.user_code import UserFile
from signals.regime import Regime

_OTHER = {Regime.ABUNDANT: Regime.SCARCE, Regime.SCARCE: Regime.NEUTRAL, Regime.NEUTRAL: Regime.ABUNDANT}
_TOLD = "known_at"


def given_in_another_future(given: Extensions, moment: pd.Timestamp, future: Future, only: str = "") -> Extensions:
    """The user's files of rows, with other rows after a moment.

    Args:
        given: files that have been read once without a fault.
        moment: UTC; rows known up to it stay.
        future: see `backtests.studies.audits.futures.Future`.
        only: name of the file that alone is another one; "": all.
    """
    files = {"source": given.source, "weights": given.weights}
    other = {
        key: file if file is None or only not in ("", file.path.name) else _other(file, moment.to_pydatetime(), future)
        for key, file in files.items()
    }
    return replace(given, source=other["source"], weights=other["weights"])


def _other(file: UserFile, moment: datetime, future: Future) -> UserFile:
    (_, header), *rows = rows_by_line(file.path, file.content)
    place = header.index(_TOLD)
    known = [row for _, row in rows if datetime.fromisoformat(row[place]) <= moment]
    later = [row for _, row in rows if datetime.fromisoformat(row[place]) > moment]
    if future == "cut":
        made = known or later[:1]
    elif future == "late":
        made = [*known, *(_later(row, place) for row in later)]
    else:
        made = [*known, *(_changed(row, place, header, future) for row in later)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *made])
    return UserFile(file.path, text.getvalue().encode())


def _later(row: list[str], place: int) -> list[str]:
    moved = datetime.fromisoformat(row[place]) + DELAY.to_pytimedelta()
    return [moved.isoformat() if at == place else cell for at, cell in enumerate(row)]


def _changed(row: list[str], place: int, header: list[str], future: Future) -> list[str]:
    return [cell if at == place else _cell(cell, header[at], future) for at, cell in enumerate(row)]


def _cell(cell: str, column: str, future: Future) -> str:
    """Another regime; a score that is higher or lower; of a weight a half, or a tenth."""
    if cell in list(Regime):
        return str(_OTHER[Regime(cell)])
    if column == "score":
        return repr(float(cell) + (1.0 if future == "up" else -1.0))
    return repr(float(cell) * (0.5 if future == "up" else 0.1))
