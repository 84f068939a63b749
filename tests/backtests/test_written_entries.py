"""Entries written into a spec's file: what a user wrote stays to the letter."""

import os
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.spec.spec import SHIPPED, load_spec
from backtests.spec.written_entries import _with_entries, write_entries
from data.catalogue.own import OwnCompany, OwnInstrument, Proposal
from data.errors import InputError

ENTRIES = {
    "PLTR": OwnInstrument(
        name="Palantir Technologies", currency="USD", calendar="XNYS", asset_class="us_stock",
        listed=date(2020, 9, 30), quantum=1e-6,
    ),
    "005380.KS": OwnInstrument(
        name='Hyundai "Motor"', currency="KRW", calendar="XKRX", asset_class="foreign_stock",
        listed=date(2000, 1, 4), quantum=1.0, turnover=(1.0, 1e15),
    ),
}  # fmt: skip
PROPOSED = [Proposal("instruments", symbol, entry, "from Yahoo: EQUITY") for symbol, entry in ENTRIES.items()]
RUN = '# mine\n[run] # odd  spacing\nname   = "x"\nstart=2021-01-04\n\n'
SPEC = RUN + '[universe]\nspeculative=["PLTR"]\nbenchmark="PLTR"\n'


@pytest.mark.parametrize(
    "further",
    [
        "",
        "# a last word",
        "\n\n\n",
        '[catalogue.instruments.OLD]\nname = "old" # mine\n\n# of what follows\n[costs]\npreset = "alpaca"\n',
        "[catalogue]\n# nothing yet\n[costs]\n",
        '[catalogue.instruments]\n"OLD" = { name = "old" }\n[catalogue.series.X]\nunit = "u"\n',
        '[[signal.inputs]]\nname = "z"\n',
        '[catalogue.instruments."A.B"]\nname = "old"\n',
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_was_there_stays_to_the_letter_and_the_entries_follow_it(further: str, newline: str) -> None:
    before = (SPEC + further).replace("\n", newline)
    after = _with_entries(before, PROPOSED)
    assert after.startswith(before)
    assert ("\r" in after) == (newline == "\r\n")
    assert after.count("\n") == after.count(newline)
    assert after.endswith(newline)
    assert "# from Yahoo: EQUITY" in after
    instruments = tomllib.loads(after)["catalogue"]["instruments"]
    assert instruments["PLTR"] == {
        "name": "Palantir Technologies", "currency": "USD", "calendar": "XNYS", "asset_class": "us_stock",
        "listed": date(2020, 9, 30), "quantum": 1e-6,
    }  # fmt: skip
    assert instruments["005380.KS"]["turnover"] == [1.0, 1e15]
    assert set(tomllib.loads(before).get("catalogue", {}).get("instruments", {})) < set(instruments)


@pytest.mark.parametrize(
    "text",
    [
        SPEC + '[catalogue]\ninstruments = { OLD = { name = "old" } } # mine\n',
        "catalogue = { instruments = {} }\n" + SPEC,
    ],
)
def test_an_inline_table_takes_them_inside(text: str) -> None:
    after = _with_entries(text, PROPOSED)
    assert [line for line in after.splitlines() if "nstruments" not in line] == [
        line for line in text.splitlines() if "nstruments" not in line
    ]
    assert set(ENTRIES) <= set(tomllib.loads(after)["catalogue"]["instruments"])
    assert ("# mine" in after) == ("# mine" in text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60), st.text(max_size=80))
def test_whatever_a_spec_and_a_name_hold_it_reads_as_it_should(name: str, comment: str) -> None:
    words = " ".join(comment.split())
    before = f"{SPEC}# {''.join(letter for letter in words if letter.isprintable())}"
    try:
        entry = OwnInstrument(**{**ENTRIES["PLTR"].model_dump(), "name": name})
    except ValueError:
        return
    after = _with_entries(before, [Proposal("instruments", "PLTR", entry, "words")])
    assert after.startswith(before)
    assert tomllib.loads(after)["catalogue"]["instruments"]["PLTR"]["name"] == name


def test_the_file_keeps_its_mode_and_a_link_its_target(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "my.toml", tmp_path / "link.toml"
    real.parent.mkdir()
    real.write_text(SPEC, encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    write_entries(link, PROPOSED)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert set(load_spec(link).catalogue.instruments) == set(ENTRIES)
    assert [path.name for path in real.parent.iterdir()] == ["my.toml"]


def test_no_file_of_the_package_is_written(tmp_path: Path) -> None:
    shipped = SHIPPED / "history.toml"
    before = shipped.read_bytes()
    link = tmp_path / "mine.toml"
    link.symlink_to(shipped)
    for path in (shipped, link):
        with pytest.raises(
            InputError, match="a file of the installed package, to write entries into, wanted a spec of"
        ):
            write_entries(path, PROPOSED)
    assert shipped.read_bytes() == before


def test_what_cannot_be_written_is_told_with_what_to_add_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my.toml"
    with pytest.raises(InputError, match=r"entries cannot be written into .*my\.toml"):
        write_entries(path, PROPOSED)
    path.write_text(SPEC, encoding="utf-8")

    def full(_self: Path, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match=r"No space left .*; add by hand: \[catalogue.instruments.PLTR\] "):
            write_entries(path, PROPOSED)
    assert path.read_text(encoding="utf-8") == SPEC
    assert os.listdir(tmp_path) == ["my.toml"]  # noqa: PTH208
    write_entries(path, [])
    assert path.read_text(encoding="utf-8") == SPEC


def test_an_entry_that_is_there_by_now_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text(SPEC, encoding="utf-8")
    write_entries(path, PROPOSED[:1])
    once = path.read_text(encoding="utf-8").replace("Palantir Technologies", "as I wrote it")
    path.write_text(once, encoding="utf-8")
    write_entries(path, PROPOSED)
    after = path.read_text(encoding="utf-8")
    assert after.startswith(once)
    assert set(load_spec(path).catalogue.instruments) == set(ENTRIES)
    write_entries(path, PROPOSED)
    assert path.read_text(encoding="utf-8") == after


def test_companies_have_a_section_of_their_own(tmp_path: Path) -> None:
    entry = OwnCompany(name="IBM", cik=51143, fiscal_year_end_month=12, capex_tags=("PaymentsToAcquire",))
    path = tmp_path / "my.toml"
    path.write_text(SPEC, encoding="utf-8")
    write_entries(path, [*PROPOSED, Proposal("companies", "PLTR", entry, "from the SEC")])
    text = path.read_text(encoding="utf-8")
    assert text.endswith(
        '[catalogue.companies.PLTR]\n# from the SEC\nname = "IBM"\ncik = 51143\nfiscal_year_end_month = 12\n'
        'capex_tags = ["PaymentsToAcquire"]\n'
    )
    assert load_spec(path).catalogue.companies["PLTR"] == entry
