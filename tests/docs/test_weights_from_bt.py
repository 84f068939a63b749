"""The example that carries weights of bt over: the page shows what it prints, and each step is worked out by hand."""

import importlib.util
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "weights_from_bt.py"


# The example runs an engine that is not ours, for seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("weights_from_bt", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec.loader.exec_module(module)
        module.weights = module.momentum()
        module.found = module.results()
    return module


def test_the_page_shows_what_it_prints(example):
    page = (EXAMPLE.parents[1] / "extending.md").read_text()
    for name, equity in example.found.items():
        assert re.search(rf"{re.escape(name)} +{equity.iloc[-1]:,.2f}", page), name


def test_the_weights_are_half_in_each_of_the_two_that_rose_most(example):
    closes = example.bars("close")
    assert len(example.weights) == 60
    for day, row in example.weights.iterrows():
        before = closes.loc[: day - pd.DateOffset(months=6)].index[-1]
        assert 0 <= (day - pd.DateOffset(months=6) - before).days <= 4
        rise = closes.loc[day] / closes.loc[closes.index >= day - pd.DateOffset(months=6)].iloc[0]
        assert set(row[row > 0].index) == set(rise.nlargest(2).index)
        assert row[row > 0].tolist() == [0.5, 0.5]


def test_at_the_next_open_by_hand(example):
    """Every step of bt's is a product of what was held: in nothing but numbers."""
    opens, closes, cash, held = example.bars("open"), example.bars("close"), example.CASH, None
    for day in closes.loc[example.weights.index[0] :].index[1:]:
        before = closes.index[closes.index < day][-1]
        if before in example.weights.index:
            worth = cash if held is None else (held * opens.loc[day]).sum()
            held = example.weights.loc[before] * worth / opens.loc[day]
    last = (held * closes.iloc[-1]).sum()
    assert example.found["bt, at the next open"].iloc[-1] == pytest.approx(last, rel=1e-9)


def test_here_an_order_is_sized_by_the_close_known_and_paid_by_the_cash_there(example):
    """By hand, without costs: sells in units and buys in money by the close; what a buy lacked is planned anew once."""
    opens, closes = example.bars("open").to_numpy(), example.bars("close")
    targets = example.weights.reindex(closes.index)
    cash, held, short, wanted = example.CASH, np.zeros(len(example.STOCKS)), np.zeros(len(example.STOCKS), bool), None
    first = closes.index.get_loc(example.weights.index[0])
    for row in range(first, len(closes) - 1):
        close, due = closes.to_numpy()[row], targets.iloc[row].notna().all()
        wanted = targets.iloc[row].to_numpy() if due else wanted
        planned = np.full(len(held), due) | short
        worth = cash + held @ close
        gap = np.where(planned, wanted * worth - held * close, 0.0)
        sold = np.where(planned & (wanted == 0), held, np.maximum(-gap, 0.0) / close)
        bought = np.maximum(gap, 0.0)
        bought *= min(1.0, (cash + sold @ close) / bought.sum()) if bought.sum() else 1.0
        cash += sold @ opens[row + 1]
        share = min(1.0, cash / bought.sum()) if bought.sum() else 1.0
        short = (bought > 0) & (share < 1.0)
        held = held - sold + bought * share / opens[row + 1]
        cash -= bought.sum() * share
    last = cash + held @ closes.to_numpy()[-1]
    assert example.found["here, without costs"].iloc[-1] == pytest.approx(last, rel=1e-8)


def test_costs_are_the_last_step(example):
    """A commission of so much of all that is traded, and nothing else, lies between both."""
    free, paid = (example.found[name].iloc[-1] for name in ("here, without costs", "here"))
    assert 0.0 < 1.0 - paid / free < 0.02
