import sys

import pandas as pd
import pytest

from data.errors import InputError
from data.importing.action_file import read_actions
from data.markets import open_market
from hand_made import make_snapshot
from reverse_qe.cli import main

HEAD = "symbol,date,kind,value,known_on,source\n"
GOOD = (
    "MU,2024-01-05,dividend,0.115,2023-12-20,release\n"
    "MU,2024-01-09,split,2,2023-12-01,release\n"
    "STX,2024-01-10,delisting,,2024-01-08,notice\n"
)
PRICES = "date,open,high,low,close,adj_close,volume\n2024-01-02,10,10,10,10,10,1\n2024-01-03,10,10,10,10,10,1\n"


@pytest.fixture
def bars():
    return make_snapshot({"MU": [("2024-01-02", 1.0, 1.0)], "STX": [("2024-01-02", 1.0, 1.0)]}).bars


def write(tmp_path, rows):
    path = tmp_path / "actions.csv"
    path.write_text(HEAD + rows)
    return path


def test_actions_are_known_late_on_the_day_they_were_public(tmp_path, bars):
    read = read_actions(write(tmp_path, GOOD), bars)
    assert read["kind"].tolist() == ["dividend", "split", "delisting"]
    assert read["value"].tolist()[:2] == [0.115, 2.0]
    # 22:00 in New York in winter.
    assert read["known_at"].iloc[0] == pd.Timestamp("2023-12-21 03:00", tz="UTC")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("MU,2024-01-05,merger,1,2024-01-05,x\n", "an unknown kind"),
        ("NVDA,2024-01-05,split,2,2024-01-05,x\n", "a symbol without prices"),
        ("MU,,split,2,2024-01-05,x\n", "no date"),
        ("STX,2024-01-15,delisting,2,,x\n", "no known_on, the day on which a delisting was announced"),
        ("MU,2024-01-05,split,2,2024-01-05,\n", "no source"),
        ("MU,2024-01-05,split,0,2024-01-05,x\n", "a value that is not above 0"),
        ("MU,2024-01-05,dividend,,2024-01-05,x\n", "a value that is not above 0"),
        ("MU,2024-01-05,delisting,-1,2024-01-05,x\n", "a negative value"),
        ("STX,2024-02-05,delisting,1,2024-01-05,x\n", "a second delisting"),
    ],
)
def test_a_faulty_action_is_refused_by_row(tmp_path, bars, row, fault):
    with pytest.raises(InputError, match=rf"actions.csv, row 4 \(.*\): got {fault}"):
        read_actions(write(tmp_path, GOOD + row), bars)


def test_the_command_keeps_actions_with_the_market(tmp_path, monkeypatch):
    (tmp_path / "prices").mkdir()
    for symbol in ("MU", "STX"):
        (tmp_path / "prices" / f"{symbol}.csv").write_text(PRICES)
    arguments = ["data", "import", "--prices", str(tmp_path / "prices"), "--name", "mine"]
    monkeypatch.setattr(sys, "argv", ["reverse-qe", *arguments, "--actions", str(write(tmp_path, GOOD))])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    assert len(open_market("mine").actions_of("MU")) == 2
