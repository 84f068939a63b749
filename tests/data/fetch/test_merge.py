"""What is held, extended by what was answered: values, moments of knowledge, and what the source no longer tells."""

import math
from collections.abc import Sequence

import pandas as pd
import pytest

from data.fetch.merge import extend_actions, extend_bars, extend_capex, extend_series, has_another_past
from data.market.tables import ACTIONS, CAPEX

NOW = pd.Timestamp("2024-06-03 15:00", tz="UTC")
Rows = Sequence[tuple[str, float, str]]


def bars(*closes: tuple[str, float]) -> pd.DataFrame:
    frame = pd.DataFrame({"date": pd.to_datetime([day for day, _ in closes]), "close": [each for _, each in closes]})
    return frame.assign(open=frame["close"], high=frame["close"], low=frame["close"], volume=1.0)


def observations(*rows: tuple[str, float, str]) -> pd.DataFrame:
    days, values, times = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "date": pd.to_datetime(list(days)).as_unit("us"),
            "value": list(values),
            "known_at": pd.to_datetime(list(times), utc=True).as_unit("us"),
        }
    )


def told(frame: pd.DataFrame) -> list[tuple[str, float, str]]:
    ordered = frame.sort_values(["date", "known_at"])
    return [
        (f"{day:%m-%d}", value, f"{known_at:%m-%d %H:%M}")
        for day, value, known_at in zip(ordered["date"], ordered["value"], ordered["known_at"], strict=True)
    ]


HELD = observations(("2024-05-01", 1.0, "2024-05-02 22:00"), ("2024-05-02", 2.0, "2024-05-03 22:00"))


def test_bars_are_added_replaced_and_kept() -> None:
    held = bars(("2024-01-02", 10.0), ("2024-01-03", 11.0), ("2024-01-04", 12.0))
    answered = bars(("2024-01-03", 11.5), ("2024-01-04", 12.0 * (1 + 5e-7)), ("2024-01-05", 13.0))

    merged = extend_bars(held, answered)

    assert merged["close"].tolist() == [10.0, 11.5, 12.0, 13.0]
    assert has_another_past(held, answered)
    assert not has_another_past(held, answered.iloc[1:])


def test_a_cell_that_was_blank_is_filled_and_one_that_became_blank_is_blank() -> None:
    held = bars(("2024-01-02", 10.0), ("2024-01-03", 11.0)).assign(open=[math.nan, 11.0], volume=[math.nan, 5.0])
    answered = bars(("2024-01-02", 10.0), ("2024-01-03", 11.0)).assign(open=[9.5, math.nan], volume=[math.nan, 0.0])

    merged = extend_bars(held, answered)

    assert merged["open"].iloc[0] == 9.5
    assert math.isnan(merged["open"].iloc[1])
    assert math.isnan(merged["volume"].iloc[0])
    assert merged["volume"].iloc[1] == 0.0


def test_a_value_that_is_told_again_keeps_its_moment() -> None:
    assert told(extend_series(HELD, HELD, NOW, NOW - pd.Timedelta(days=9))) == told(HELD)


def test_a_revised_value_is_a_further_row_known_now() -> None:
    answered = observations(("2024-05-02", 2.5, "2024-05-03 22:00"))

    assert told(extend_series(HELD, answered, NOW, None)) == [
        ("05-01", 1.0, "05-02 22:00"),
        ("05-02", 2.0, "05-03 22:00"),
        ("05-02", 2.5, "06-03 15:00"),
    ]


def test_a_revision_is_later_than_what_it_revises() -> None:
    # Seen before its rule has it public, and revised before that as well.
    early = pd.Timestamp("2024-05-03 20:00", tz="UTC")
    answered = observations(("2024-05-02", 2.5, "2024-05-03 22:00"))

    merged = extend_series(HELD, answered, early, None).sort_values(["date", "known_at"])

    assert merged["value"].tolist() == [1.0, 2.0, 2.5]
    assert str(merged["known_at"].iloc[-1]) == "2024-05-03 22:00:01+00:00"


def test_a_blank_that_got_a_value_is_known_now_and_a_blank_stays_one() -> None:
    held = observations(("2024-05-01", math.nan, "2024-05-02 22:00"), ("2024-05-02", math.nan, "2024-05-03 22:00"))
    answered = observations(("2024-05-01", math.nan, "2024-05-02 22:00"), ("2024-05-02", 2.0, "2024-05-03 22:00"))

    assert told(extend_series(held, answered, NOW, None).dropna()) == [("05-02", 2.0, "06-03 15:00")]
    assert len(extend_series(held, answered, NOW, None)) == 3


def test_a_new_value_is_known_by_its_rule_and_a_late_one_now() -> None:
    last_answer = pd.Timestamp("2024-05-28 12:00", tz="UTC")
    answered = observations(
        ("2024-04-30", 0.5, "2024-05-01 22:00"),  # before all that is held: the market reaches further back now
        ("2024-05-24", 3.0, "2024-05-27 22:00"),  # due at the last answer, and not there
        ("2024-05-28", 4.0, "2024-05-29 22:00"),
    )

    assert told(extend_series(HELD, answered, NOW, last_answer)) == [
        ("04-30", 0.5, "05-01 22:00"),
        *told(HELD),
        ("05-24", 3.0, "06-03 15:00"),
        ("05-28", 4.0, "05-29 22:00"),
    ]
    assert ("05-24", 3.0, "05-27 22:00") in told(extend_series(HELD, answered, NOW, None))


def test_vintages_of_the_source_keep_the_moments_that_it_tells() -> None:
    answered = observations(
        ("2024-05-02", 1.9, "2024-05-03 20:00"),  # older than what is held: nothing is put before what was seen
        ("2024-05-02", 2.0, "2024-05-08 22:00"),  # no news
        ("2024-05-02", 2.1, "2024-05-15 22:00"),
        ("2024-05-02", 2.2, "2024-05-22 22:00"),
        ("2024-05-09", 5.0, "2024-05-15 22:00"),
        ("2024-05-09", 5.5, "2024-05-22 22:00"),
    )

    assert told(extend_series(HELD, answered, NOW, None)) == [
        *told(HELD),
        ("05-02", 2.1, "05-15 22:00"),
        ("05-02", 2.2, "05-22 22:00"),
        ("05-09", 5.0, "05-15 22:00"),
        ("05-09", 5.5, "05-22 22:00"),
    ]


def test_values_that_the_source_no_longer_tells_are_kept() -> None:
    answered = observations(("2024-05-02", 2.0, "2024-05-03 22:00"), ("2024-05-03", 3.0, "2024-05-06 22:00"))

    assert told(extend_series(HELD, answered, NOW, None))[0] == ("05-01", 1.0, "05-02 22:00")


def actions(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["date", "kind", "value", "source"])
    days = pd.to_datetime(frame["date"])
    return ACTIONS.conform(frame.assign(symbol="MU", date=days, known_at=days.dt.tz_localize("UTC")))


def test_actions_of_the_days_asked_for_are_those_told_now() -> None:
    held = actions(
        ("2023-01-05", "dividend", 1.0, "old"),
        ("2024-01-05", "dividend", 1.0, "old"),
        ("2024-02-05", "dividend", 1.0, "old"),
        ("2024-03-05", "split", 2.0, "old"),
        ("2024-03-06", "delisting", 5.0, "hand"),
    )
    answered = actions(
        ("2024-02-05", "dividend", 1.0, "new"), ("2024-03-05", "split", 3.0, "new"), ("2024-04-05", "split", 4.0, "new")
    )
    days = pd.Timestamp("2024-01-01"), pd.Timestamp("2024-05-01")

    merged = ACTIONS.conform(extend_actions(held, answered, *days))

    assert [(str(day.date()), *rest) for day, *rest in merged[["date", "kind", "value", "source"]].to_numpy()] == [
        ("2023-01-05", "dividend", 1.0, "old"),
        ("2024-02-05", "dividend", 1.0, "old"),
        ("2024-03-05", "split", 3.0, "new"),
        ("2024-03-06", "delisting", 5.0, "hand"),
        ("2024-04-05", "split", 4.0, "new"),
    ]


@pytest.mark.parametrize(("days_later", "is_added"), [(-91, False), (0, False), (20, False), (91, True)])
def test_quarters_follow_on_what_is_trusted_more(days_later: int, is_added: bool) -> None:
    from data.events.editions import reference_events

    checked = reference_events()[CAPEX.name]
    last = checked[checked["company"] == "MSFT"].iloc[[-1]]
    other = last.assign(
        period_end=last["period_end"] + pd.Timedelta(days=days_later), fiscal_period="2099Q9", capex_usd_bn=1.0
    )

    merged = extend_capex([checked, other])

    assert ("2099Q9" in set(merged["fiscal_period"])) == is_added
    assert len(merged) == len(checked) + is_added


def test_a_company_that_is_not_there_comes_whole() -> None:
    from data.events.editions import reference_events

    checked = reference_events()[CAPEX.name]
    other = checked[checked["company"] == "MSFT"].assign(company="NEW")

    assert (extend_capex([checked, other])["company"] == "NEW").sum() == len(other)
