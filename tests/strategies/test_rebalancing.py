import pandas as pd
import pytest

from data.clock import sessions_between
from strategies.policy import PolicyConfig, make_plan
from strategies.rebalancing import period_begins, rebalance_sessions
from strategies.universe import Universe

# Thanksgiving is Thursday, November 28; no session on Christmas and New Year's Day.
SESSIONS = sessions_between(pd.Timestamp("2024-11-27"), pd.Timestamp("2025-01-08"))
UNIVERSE = Universe(speculative=("S",), cash_flow=("C",), reserve=("R",), benchmark="S")


def frames():
    tradable = pd.DataFrame(True, SESSIONS, list(UNIVERSE.symbols))
    return pd.Series("NEUTRAL", SESSIONS), tradable, pd.DataFrame(100.0, SESSIONS, list(UNIVERSE.symbols))


def dates(flags):
    return flags[flags].index.strftime("%m-%d").tolist()


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        # Written out from the calendar on the wall; the run's first session is a Wednesday.
        ("monthly", ["11-27", "12-02", "01-02"]),
        ("weekly", ["11-27", "12-02", "12-09", "12-16", "12-23", "12-30", "01-06"]),
        ("regime", ["11-27"]),
    ],
)
def test_first_sessions_by_the_calendar_on_the_wall(calendar, expected):
    assert dates(period_begins(SESSIONS, calendar)) == expected


def test_daily_is_every_session():
    assert period_begins(SESSIONS, "daily").all()


def test_a_week_begins_on_tuesday_after_a_holiday_on_monday():
    sessions = sessions_between(pd.Timestamp("2024-05-20"), pd.Timestamp("2024-05-31"))
    assert dates(period_begins(sessions, "weekly")) == ["05-20", "05-28"]


def test_a_change_of_regime_rebalances_beside_the_calendar():
    regime, tradable, _ = frames()
    regime["2024-12-12":] = "SCARCE"
    targets = tradable * 0.2
    assert dates(rebalance_sessions(regime, targets, tradable, "monthly")) == ["11-27", "12-02", "12-12", "01-02"]
    assert dates(rebalance_sessions(regime, targets, tradable, "regime")) == ["11-27", "12-12"]


def test_what_stops_being_tradable_is_sold_at_once_where_it_had_a_weight():
    regime, tradable, prices = frames()
    tradable.loc["2024-12-17":, "C"] = False
    with_a_weight = make_plan(regime, tradable, prices, UNIVERSE, PolicyConfig(rebalance="regime"))
    assert dates(with_a_weight.rebalance) == ["11-27", "12-17"]
    assert with_a_weight.targets.loc["2024-12-17", "C"] == 0.0
    # SCARCE has no budget for what is speculative: nothing to sell.
    tradable = tradable.rename(columns={"C": "S", "S": "C"})[list(UNIVERSE.symbols)]
    without = make_plan(
        regime.replace("NEUTRAL", "SCARCE"), tradable, prices, UNIVERSE, PolicyConfig(rebalance="regime")
    )
    assert dates(without.rebalance) == ["11-27"]


def test_what_becomes_tradable_waits_for_the_calendar():
    regime, tradable, prices = frames()
    tradable.loc[:"2024-12-16", "C"] = False
    plan = make_plan(regime, tradable, prices, UNIVERSE, PolicyConfig())
    assert dates(plan.rebalance) == ["11-27", "12-02", "01-02"]
