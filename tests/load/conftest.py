"""The table that `pytest -m soak` and `pytest -m load` end with."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a measurement."""
    found = [dict(report.user_properties) for report in terminalreporter.getreports("passed")]
    rows = [row for one in found for row in one.get("load", ())]
    if rows:
        terminalreporter.section("under load")
        terminalreporter.write_line(f"{'what':<52}{'peak':>10}{'allowed':>10}{'took':>9}")
        for what, peak, allowed, took_s in rows:
            terminalreporter.write_line(f"{what:<52}{peak:>6.0f} MiB{allowed:>6.0f} MiB{took_s:>7.1f} s")
    for row in found:
        for line in row.get("soak", ()):
            terminalreporter.write_line(line)
