"""The table that `pytest -m faults` ends with."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a fault: how often, and how much that had been finished was lost."""
    found = [dict(report.user_properties) for report in terminalreporter.getreports("passed")]
    rows = [row["hurt"] for row in found if "hurt" in row]
    if not rows or "not faults" in terminalreporter.config.option.markexpr:
        return
    terminalreporter.section("faults survived")
    terminalreporter.write_line(f"{'what was done':<44}{'times':>7}{'lost':>7}{'took':>9}")
    for what, times, lost, took_s in [*rows, ["all", *(sum(row[place] for row in rows) for place in (1, 2, 3))]]:
        terminalreporter.write_line(f"{what:<44}{times:>7}{lost:>7}{took_s:>7.0f} s")
