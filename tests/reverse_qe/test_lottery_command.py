"""`reverse-qe evidence RUN --universe`: what it prints, what it writes, what it refuses."""

import json

import pandas as pd
import pytest

import reverse_qe
from data.market.snapshot import save
from made_index import MEMORY, NAMES, SOFTWARE, with_exchangeable_names, write_index

SHORT = ("--start", "2019-01-02", "--end", "2021-12-31", "--no-tearsheet", "--out", "runs/it")
SECTORS = ("--sector", f"speculative={SOFTWARE}", "--sector", f"cash_flow={MEMORY}")


@pytest.fixture
def index(sample, tmp_path):
    """The folder of an index; two of its names have died."""
    market = with_exchangeable_names(sample, 2)
    closes = market.bars[market.bars["symbol"].isin([name for names in NAMES.values() for name in names])]
    closes = closes.pivot(index="date", columns="symbol", values="close").loc["2018":]
    closes.loc["2020-02-14":, ["SW03", "ME04"]] = float("nan")
    members = [("2018-01-02", symbol, sector) for sector, names in NAMES.items() for symbol in names]
    industries = dict.fromkeys(NAMES[SOFTWARE][:9], f"Systems {SOFTWARE}")
    dead = {"SW03": "", "ME04": "0 on 2020-02-18"}
    return write_index(tmp_path / "index", closes, members, dead, industries=industries)


@pytest.mark.slow
def test_a_run_is_played_with_other_names(call, index, tmp_path):
    assert call("backtest", "sample", *SHORT)[0] == 0
    code, out, err = call("evidence", "it", "--universe", "--draws", "40", "--page", "own.html")
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == (
        "Universe lottery of sample on SIMULATED market sample, 2019-01-02 to 2021-12-31: 40 draws from sample"
    )
    assert lines[1].startswith("SIMULATED: ")
    for told in ("Names: ", "Timing: ", "In all: ", "brought by knowing the names", "each by its asset class"):
        assert told in out
    page = (tmp_path / "own.html").read_text(encoding="utf-8")
    assert "SIMULATED" in page
    assert "Where the run stands among the draws" in page

    asked = ("evidence", "it", "--universe", str(index), "--draws", "40", "--seed", "4", *SECTORS)
    code, out, err = call(*asked)
    assert code == 0, err
    assert "CLOSES ALONE: Market index has no opens" in out
    assert "A name that dies at no known price loses 30% of its last close" in out
    assert "A name that dies at no known price ends at its last close" in out
    assert "2 of which no longer trade" in out
    assert f"stocks of {SOFTWARE} for speculative and {MEMORY} for cash_flow" in out

    code, out, err = call(*asked, "--json")
    told = json.loads(out)
    assert (told["by"], told["fills_at"], told["draws"], told["dead"]) == ("sector", "close", 40, 2)
    assert [ending["haircut"] for ending in told["endings"]] == [0.3, 0.0]
    cagr = told["endings"][0]["cagr"]
    parts = sum(cagr[name] for name in ("neither", "names_alone", "timing_alone", "together"))
    assert parts == pytest.approx(cagr["result"])
    assert json.loads(call(*asked, "--json")[1]) == told

    code, out, _ = call("data", "import", "--universe", str(index), "--name", "kept")
    assert code == 0
    assert "closes alone" in out
    code, out, _ = call("evidence", "it", "--universe", "kept", "--draws", "40", "--seed", "4", *SECTORS, "--json")
    assert json.loads(out)["endings"] == told["endings"]

    today = ("--labels", "today", "--sector", f"speculative=Systems {SOFTWARE}", "--sector", f"cash_flow={MEMORY}")
    code, out, err = call("evidence", "it", "--universe", "kept", "--draws", "40", *today)
    assert code == 0, err
    assert "HINDSIGHT: Sectors and industries are those of today" in out
    # As known then, nobody had an industry.
    code, out, err = call("evidence", "it", "--universe", "kept", "--draws", "40", *today[2:])
    assert (code, out) == (2, "")
    assert "got 0 names for the place of SIM-SAAS-A on 2019-01-02" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--universe",), "got no run, wanted its folder before --universe"),
        (("--universe", "mine"), "got no run, wanted its folder before --universe"),
        (("nothing", "--universe"), "got nothing, wanted the folder of a run or of a sweep"),
        (("nothing", "--draws", "5"), "got --draws, --seed, --sector or --labels, wanted them with --universe alone"),
        (("nothing", "--universe", "x", "--trials", "5"), "got --universe with an option of other tests"),
        (("nothing", "--universe", "x", "--sector", "tech"), "got 'tech', wanted BASKET=NAME"),
        (("nothing", "--universe", "x"), "no market x; there are: sample"),
        (("nothing", "--universe", "there"), "there holds no prices_adj_close.parquet, wanted the folder of an index"),
        (("nothing", "--universe", "--page", "there"), "there"),
    ],
)
def test_what_is_refused(call, tmp_path, arguments, told):
    (tmp_path / "there").mkdir()
    code, out, err = call("evidence", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--universe", "index"), "Missing option '--name'"),
        (("--universe", "index", "--name", "i", "--prices", "p"), "got --universe beside other folders"),
        (("--name", "i"), "Missing option '--prices', '--universe' or '--parquet'"),
        (("--universe", "nowhere", "--name", "i"), "nowhere holds no prices_adj_close.parquet"),
        (("--universe", "index", "--name", "sample"), "got the name sample, which is built in"),
    ],
)
def test_an_import_of_an_index_is_refused(call, arguments, told):
    code, out, err = call("data", "import", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_members_by_date_are_exported_as_parquet_alone(call, sample):
    save(with_exchangeable_names(sample, 2))
    code, _, err = call("data", "export", "made", "files")
    assert code == 2
    assert "tells members by date, which no CSV file of data import does; export it by --format parquet" in err
    assert call("data", "export", "made", "files", "--format", "parquet")[0] == 0
    assert len(pd.read_parquet("files/memberships.parquet")) == 35


@pytest.mark.slow
def test_a_run_that_holds_nothing_has_a_lottery_of_nothing(call):
    nothing = [f"policy.budgets.{regime}.{basket}=0" for regime in ("ABUNDANT", "NEUTRAL", "SCARCE")
               for basket in ("speculative", "cash_flow", "reserve")]  # fmt: skip
    assert call("backtest", "sample", *SHORT, *(word for key in nothing for word in ("--set", key)))[0] == 0
    code, out, err = call("evidence", "it", "--universe", "--draws", "40")
    assert code == 0, err
    assert "In all: 0.0% = 0.0% with neither" in out
    told = json.loads(call("evidence", "it", "--universe", "--draws", "40", "--json")[1])["endings"][0]
    assert told["sharpe"]["result"] is None
    assert told["cagr"]["names"]["low"] == 0.0
    rows = {row["test"]: row for row in json.loads(call("evidence", "it", "--json")[1])["rows"]}
    assert rows["sharpe_against_the_mix"]["reason"].startswith("it never traded")


@pytest.mark.slow
def test_a_result_of_python_is_drawn_as_it_is():
    result = reverse_qe.backtest("sample", start="2019-01-02", end="2020-12-31")
    found = reverse_qe.lottery(result, draws=40)
    assert found.lottery.draws == 40
    assert "Universe lottery of sample" in repr(found)


@pytest.mark.slow
def test_whatever_is_run_on_closes_alone_says_so_and_paper_is_refused(call, index, tmp_path):
    assert call("data", "import", "--universe", str(index), "--name", "kept")[0] == 0
    (tmp_path / "regimes.csv").write_text(
        "known_at,regime\n2018-01-02T00:00:00Z,ABUNDANT\n2019-06-03T00:00:00Z,SCARCE\n"
    )
    (tmp_path / "it.toml").write_text(
        '[run]\nname = "it"\nmarket = "kept"\nstart = 2019-01-02\nend = 2019-12-31\n'
        '[universe]\nspeculative = ["SW00", "SW03"]\ncash_flow = ["ME00"]\nreserve = []\nbenchmark = "SW19"\n'
        '[signal]\nsource = "regimes.csv"\n'
    )
    told = "CLOSES ALONE: market kept has no opens of its index"
    code, out, err = call("backtest", "it.toml", "--no-tearsheet", "--out", "runs/closes")
    assert code == 0, err
    assert told in out + err
    assert told in (tmp_path / "runs" / "closes" / "manifest.json").read_text()
    code, out, err = call("sweep", "it.toml", "--grid", "order_rules.band=0.0,0.02", "--page", "sweep.html")
    assert code == 0, err
    assert told in out
    assert "CLOSES ALONE" in (tmp_path / "sweep.html").read_text()
    code, _, err = call("backtest", "it.toml", "--set", "costs.us_stock.volume_impact=0.1")
    assert code == 2
    assert "costs.us_stock.volume_impact: got 0.1 on kept, a market of closes alone" in err
    assert call("paper", "init", "paper.toml", "--spec", "it.toml", "--market", "kept")[0] == 0
    code, _, err = call("paper", "step", "--config", "paper.toml", "--date", "2019-03-05")
    assert code == 2
    assert "got market kept, which holds closes alone, wanted one with opens" in err
