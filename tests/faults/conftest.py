"""The table that `pytest -n0 -m faults tests/faults` ends with: everything that is done to runs here."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SAMPLE = "test_three_kills_lose_nothing"
"""What stands for the two hundred kills in a plain run of the tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `-m faults` all of this folder is run, and not only what is too long for a plain run."""
    if config.option.markexpr != "faults":
        return
    for item in items:
        if item.path.parent == HERE and not item.name.startswith(SAMPLE):
            item.add_marker(pytest.mark.faults)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a fault: how often, and how much that had been finished was lost."""
    if terminalreporter.config.option.markexpr != "faults":
        return
    rows = []
    for report in terminalreporter.getreports("passed"):
        if report.when == "call":
            told = dict(report.user_properties).get("hurt")
            name = report.nodeid.rpartition("::test_")[2].replace("_", " ")
            rows.append(told or [name, 1, 0, report.duration])
    for report in terminalreporter.getreports("skipped"):
        rows.append([f"SKIPPED: {report.nodeid.rpartition('::test_')[2].replace('_', ' ')}", 0, 0, 0.0])
    if not rows:
        return
    width = max(len(what) for what, *_ in rows) + 2
    terminalreporter.section("faults survived")
    terminalreporter.write_line(f"{'what was done':<{width}}{'times':>7}{'lost':>7}{'took':>9}")
    for what, times, lost, took_s in [*rows, ["all", *(sum(row[place] for row in rows) for place in (1, 2, 3))]]:
        terminalreporter.write_line(f"{what:<{width}}{times:>7}{lost:>7}{took_s:>7.0f} s")
