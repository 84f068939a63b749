"""What was tried, in words."""

from backtests.archive.trials.counting import Counted


def counted_words(counted: Counted) -> str:
    """Which trial a result is, or why it is none."""
    if counted.row is None:
        return f"NOT counted as a trial: {counted.reason}"
    kind = "simulated" if counted.row["simulated"] else "real"
    again = "" if counted.is_new else ", as before"
    number = counted.trials if counted.is_new else counted.row["so_far"]["trials"]
    return f"trial {number:,} of this project on {kind} markets{again}"
