import hostile


def pytest_terminal_summary(terminalreporter):
    """How many inputs were tried, by area: `docs/fuzzing.md` keeps the table of the last long run."""
    for area, count in sorted(hostile.COUNTS.items()):
        terminalreporter.write_line(f"{count:>8,}  {area}")
    terminalreporter.write_line(f"{sum(hostile.COUNTS.values()):>8,}  in all")
