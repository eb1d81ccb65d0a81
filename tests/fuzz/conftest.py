"""The table that `pytest -m fuzz` ends with."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a kind of file: how many damaged files were tried, and what became of them."""
    rows = [
        dict(report.user_properties) for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)
    ]
    rows = [row["fuzzed"] for row in rows if "fuzzed" in row]
    if not rows or "not fuzz" in terminalreporter.config.option.markexpr:
        return
    terminalreporter.section("damaged files")
    heads = ("kind", "tried", "read", "refused", "crashed, hung or escaped", "slowest", "memory")
    total = [
        "all",
        *(sum(row[place] for row in rows) for place in range(1, 5)),
        max(row[5] for row in rows),
        max(row[6] for row in rows),
    ]
    terminalreporter.write_line(
        f"{heads[0]:<20}{heads[1]:>9}{heads[2]:>9}{heads[3]:>9}{heads[4]:>26}{heads[5]:>10}{heads[6]:>10}"
    )
    for name, tried, read, refused, problems, slowest_s, grown_mib in [*rows, total]:
        line = f"{name:<20}{tried:>9,}{read:>9,}{refused:>9,}{problems:>26,}{slowest_s:>8.2f} s{grown_mib:>6.0f} MiB"
        terminalreporter.write_line(line)
