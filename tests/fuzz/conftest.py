"""The tables that `pytest -m fuzz` ends with."""

from typing import Any

import pytest

COUNT, TIME, MEMORY = "{:,}", "{:.2f} s", "{:.0f} MiB"
DAMAGED = {
    "tried": COUNT,
    "read": COUNT,
    "refused": COUNT,
    "crashed, hung or escaped": COUNT,
    "slowest": TIME,
    "memory": MEMORY,
}
GUIDED = {
    "tried": COUNT,
    "read": COUNT,
    "refused": COUNT,
    "crashed, hung or escaped": COUNT,
    "branches before": COUNT,
    "after": COUNT,
    "kept": COUNT,
    "slowest": TIME,
    "memory": MEMORY,
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a kind of file: how many damaged files were tried, and what became of them."""
    if "not fuzz" in terminalreporter.config.option.markexpr:
        return
    told = [
        dict(report.user_properties) for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)
    ]
    for title, key, columns in (
        ("damaged files, at random", "fuzzed", DAMAGED),
        ("damaged files, guided by coverage", "guided", GUIDED),
    ):
        rows = [row[key] for row in told if key in row]
        if rows:
            terminalreporter.section(title)
            for line in table(rows, columns):
                terminalreporter.write_line(line)


def table(rows: list[list[Any]], columns: dict[str, str]) -> list[str]:
    """The lines of a table: its head, a row a kind, and all together: sums, but the slowest and the largest."""
    places = [[row[place] for row in rows] for place in range(1, len(columns) + 1)]
    whole = ["all"]
    whole += [
        max(place) if form in (TIME, MEMORY) else sum(place)
        for place, form in zip(places, columns.values(), strict=True)
    ]
    widths = [max(9, len(head) + 2) for head in columns]
    lines = [f"{'kind':<20}" + "".join(f"{head:>{width}}" for head, width in zip(columns, widths, strict=True))]
    for name, *values in [*rows, whole]:
        cells = [form.format(value) for form, value in zip(columns.values(), values, strict=True)]
        lines.append(f"{name:<20}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)))
    return lines
