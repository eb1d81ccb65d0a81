import math
from pathlib import Path

import pytest

from gatedtui.runs.row import Row
from gatedtui.tui import columns, filters, looks

ROWS = [
    Row(
        Path("r/gru-bach-1"), 3.0, "finished", False, "gru", 46, "bach", "paper", 1e-3, 1, 90, 100, 3.16, 70, 3.11, 3.12
    ),
    Row(Path("r/lstm-jsb-1"), 2.0, "stopped", True, "lstm", 36, "jsb", "modern", 3e-3, 2, 12, 100, 8.5, 12),
    Row(Path("r/[red]"), 1.0, "diverged", False, "tanh", 100, "bach", "paper", 1.0, 1, 4),
]


def names(rows):
    return [row.name for row in rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["gru-bach-1", "lstm-jsb-1", "[red]"]),
        ("bach", ["gru-bach-1", "[red]"]),
        ("BACH paper div", ["[red]"]),
        ("valid<3.2", ["gru-bach-1"]),
        ("best<3.2", ["gru-bach-1"]),
        ("at>50", ["gru-bach-1"]),
        ("valid>=3.16", ["gru-bach-1", "lstm-jsb-1"]),
        ("lr=3e-3", ["lstm-jsb-1"]),
        ("unit=gru epochs>50", ["gru-bach-1"]),
        ("status=stopped", ["lstm-jsb-1"]),
        ("test=3.11", ["gru-bach-1"]),
        ("[red]", ["[red]"]),
        ("nothing", []),
    ],
)
def test_words_and_conditions_choose_rows(text, found):
    assert names(filters.chosen(ROWS, text)) == found


@pytest.mark.parametrize("text", ["valid<", "valid<x", "<5", "unit=", "lr=nan", "a<b<c", "(", "\\", "*"])
def test_half_a_filter_never_fails(text):
    filters.chosen(ROWS, text)


@pytest.mark.parametrize("by", filters.FIGURES)
@pytest.mark.parametrize("falling", [True, False])
def test_every_figure_sorts_and_what_is_unknown_comes_last(by, falling):
    found = filters.ordered(ROWS, by, falling=falling)
    assert sorted(names(found)) == sorted(names(ROWS))
    known = [filters.FIGURES[by](row) not in (None, "") for row in found]
    known = [k and v == v for k, v in zip(known, [filters.FIGURES[by](row) for row in found], strict=True)]
    assert known == sorted(known, reverse=True)


def test_sorting_by_a_figure_is_by_its_value():
    assert names(filters.ordered(ROWS, "best", falling=False))[:2] == ["gru-bach-1", "lstm-jsb-1"]
    assert names(filters.ordered(ROWS, "best", falling=True))[:2] == ["lstm-jsb-1", "gru-bach-1"]


@pytest.mark.parametrize("width", [5, 20, 40, 80, 120, 160, 200, 300])
def test_columns_fit_and_lines_are_as_wide_as_the_heading(width):
    kept = columns.fitting(width)
    assert kept[0].key == "name"
    heading = columns.heading(kept, "best", falling=True)
    assert looks.length(heading) <= max(width, columns.MARK + 14)
    for row in [
        *ROWS,
        Row(Path("r/é日本語-name that is much longer than any column can be")),
        Row(Path("x"), math.inf),
    ]:
        assert looks.length(columns.line(row, kept, marked=True, current=True)) == looks.length(heading)


def test_wide_terminals_show_every_column_and_narrow_ones_the_most_telling():
    assert len(columns.fitting(160)) == len(columns.COLUMNS)
    assert {c.key for c in columns.fitting(79)} >= {"name", "unit", "status", "best", "test", "time"}


def test_a_click_on_a_heading_finds_its_column():
    kept = columns.fitting(160)
    at = columns.MARK
    for column in kept:
        found = columns.column_at(kept, at)
        assert found is not None and found.key == column.key
        at += column.width + columns.GAP
    assert columns.column_at(kept, 10_000) is None
