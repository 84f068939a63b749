"""A strategy that changes its books by other ways than orders is refused, and nothing is written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.audit.rebuilt import BooksError
from backtests.run import run_backtest
from backtests.spec.spec import load_spec
from reverse_qe import cli

DAYS = {"run.start": "2023-01-03", "run.end": "2023-03-31"}
BUYS = "        if len(self) == 2: self.buy(self.data, size=0.5)\n        if len(self) == 30: self.close(self.data)\n"
HOSTILE = {
    "cash": ("        if len(self) == 5: self.broker.cash += 1e6\n", "cash at the close of 2023-01-"),
    "a cent": ("        if len(self) == 5: self.broker.cash += 0.01\n", "cash at the close of 2023-01-"),
    "units": (
        "        if len(self) == 5:\n            self.broker.positions[self.data].size = 1000\n",
        "the holding of SIM-COIN-A at the close of 2023-02-",
    ),
    "close": ("        if len(self) == 5: self.data.close[0] = 1e9\n", "equity at the close of 2023-01-"),
    "columns": ("        if len(self) == 5: self.data.p.columns['close'][:] *= 2\n", "equity at the close of 2023-01-"),
    "prices": ("        self.broker.sessions.open[:] = 1.0\n", "cash at the close of 2023-02-"),
    "terms": ("        self.broker.sessions.terms.rate[:] = [-0.5] * 10\n", "cash at the close of 2023-01-"),
    "commission": (
        "        import backtrader as bt\n"
        "        self.broker.comminfo['SIM-COIN-A'] = bt.CommInfoBase(commission=-0.5, stocklike=True, percabs=True)\n",
        "cash at the close of 2023-01-",
    ),
    "orders": ("        if len(self) == 10: self.broker.orders_log.clear()\n", "orders are noted, and"),
    "log": (
        "        if len(self) == 50:\n"
        "            log = self.broker.orders_log\n"
        "            log[0] = (*log[0][:8], -1.0, *log[0][9:])\n",
        "the commission of the buy of SIM-COIN-A",
    ),
}


def spec_of(folder, body):
    code = f"import backtrader as bt\n\nclass Mine(bt.Strategy):\n    def next(self):\n{BUYS}{body}"
    (folder / "s.py").write_text(code)
    return DAYS | {"run.strategy": str(folder / "s.py:Mine"), "run.warmup_sessions": 0}


@pytest.mark.parametrize(("body", "told"), HOSTILE.values(), ids=HOSTILE)
def test_books_that_are_changed_by_other_ways_are_refused(sample, tmp_path, body, told):
    with pytest.raises(BooksError, match=rf"s\.py:Mine: the books do not add up: .*{told}"):
        run_backtest(load_spec("sample", spec_of(tmp_path, body)), sample)


def test_the_command_ends_with_one_line_exit_1_and_no_folder(tmp_path, capsys, monkeypatch):
    values = spec_of(tmp_path, HOSTILE["cash"][0])
    monkeypatch.chdir(tmp_path)
    options = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
    monkeypatch.setattr("sys.argv", ["reverse-qe", "backtest", "sample", *options, "--out", "run"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == BooksError.exit_status == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "books" in line]
    assert "the books do not add up" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.py"]


# On the thirtieth session all of the first instrument is sold already: more of it would be a short sale.
steps = st.lists(
    st.tuples(
        st.integers(1, 60).filter(lambda when: when != 30),
        st.sampled_from(["buy", "sell"]),
        st.integers(0, 9),
        st.floats(0.01, 3.0),
    ),
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(steps=steps, costs=st.sampled_from(["alpaca", "interactive_brokers", None]))
def test_honest_orders_of_any_kind_add_up(sample, tmp_path_factory, steps, costs):
    """Several a session, of one instrument too, more than there is cash for, cancelled now and then."""
    body = f"        for when, side, place, size in {steps!r}:\n"
    body += "            data = self.datas[place]\n            held = self.getposition(data).size\n"
    body += "            if when != len(self): continue\n"
    body += "            if side == 'sell' and held: self.sell(data, size=held / 3)\n"
    body += "            if side == 'buy' and data.decision_price[0] > 0:\n"
    body += "                order = self.buy(data, size=size * 20_000 / data.decision_price[0])\n"
    body += "                if when % 7 == 0: self.cancel(order)\n"
    preset = {} if costs is None else {"costs.preset": costs}
    values = spec_of(tmp_path_factory.mktemp("honest"), body) | preset
    run = run_backtest(load_spec("sample", values), sample)
    assert run.counts.orders.rejected == 0


TAMPERED = {
    "self.broker.cash += {amount}": "cash",
    "self.broker.positions[self.data].size += {amount}": "the holding",
    "self.data.close[0] += {amount}": "equity",
}


@settings(max_examples=15, deadline=None)
@given(what=st.sampled_from(sorted(TAMPERED)), amount=st.floats(0.05, 1e9), when=st.integers(3, 28))
def test_books_changed_by_any_amount_on_any_day_are_refused(sample, tmp_path_factory, what, amount, when):
    """While something is held: from the third session to the thirtieth."""
    body = f"        if len(self) == {when}: {what.format(amount=amount)}\n"
    with pytest.raises(BooksError, match="the books do not add up"):
        run_backtest(load_spec("sample", spec_of(tmp_path_factory.mktemp("tampered"), body)), sample)
