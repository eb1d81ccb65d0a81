"""The table as blocks of text cells, and their forms: Markdown, CSV, JSON. Pure; who prints them is not its matter."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatedtui import published
from gatedtui.config import VARIANTS
from gatedtui.data.catalogue import CATALOGUE
from gatedtui.plan import UNITS
from gatedtui.table.cells import Cell, Mean, as_dict

NONE = "–"
HEADINGS = {"tanh": "tanh", "gru": "GRU", "lstm": "LSTM"}
COLUMNS = ("tanh", "gru", "lstm")
"""In the paper's order; variants of units come after them."""


@dataclass(frozen=True)
class Block:
    """A title and a table under it.

    Attributes:
        title: what it shows.
        columns: headings.
        rows: cells, as many as headings.
        right: which columns are numbers, flush right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int]


def table_two(cells: Sequence[Cell], *, split: str = "test") -> list[Block]:
    """One block a data set: ours in both weightings, the paper's, and what others publish.

    Args:
        cells: of one or more sources.
        split: `test`, or `train` (of the best model, without noise).
    """
    blocks, units = [], (*COLUMNS, *(unit for unit in VARIANTS if any(cell.unit == unit for cell in cells)))
    for data in dict.fromkeys(cell.data for cell in cells):
        here = [cell for cell in cells if cell.data == data]
        rows = []
        for source, variant in dict.fromkeys((cell.source, cell.variant) for cell in here):
            own = {cell.unit: cell for cell in here if (cell.source, cell.variant) == (source, variant)}
            for weighting, word in (("frame", "by frame"), ("sequence", "by piece")):
                label = f"{source}: {variant}" if weighting == "frame" else ""
                figures = {unit: cell.figure(split, weighting) for unit, cell in own.items()}
                rows.append((label, word, *(mean_text(figures.get(unit)) for unit in units), ""))
        for one in published.every():
            if found := one.figures(data, split):
                other = ", ".join(f"{name} {number(value)}" for name, value in found.items() if name not in UNITS)
                weighting = "not stated" if one.name == published.PAPER else "by frame"
                rows.append((one.name, weighting, *(number(found.get(unit)) for unit in units), other))
        blocks.append(_block(_title(data, here, split), units, rows))
    return blocks


def _block(title: str, units: Sequence[str], rows: list[tuple[str, ...]]) -> Block:
    columns = ("", "mean", *(HEADINGS.get(unit, unit) for unit in units), "other models")
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Block(title, columns, tuple(rows), frozenset(range(2, 2 + len(units))))


def _title(data: str, cells: Sequence[Cell], split: str) -> str:
    known = CATALOGUE[data].title if data in CATALOGUE else data
    results = [one for cell in cells for one in cell.results]
    started = [one for one in results if one.history.started and math.isfinite(one.history.started.marginal_nll)]
    guess = started[0].history.started.marginal_nll if started and started[0].history.started else None
    speech = bool(started) and started[0].config.model.head == "mixture"
    what = "one Gaussian a sample" if speech else "guessing by frequency"
    beside = f"; {what} {number(guess)}" if guess is not None and split == "test" else ""
    return f"{known}: {split} NLL, nats a frame{beside}"


def picked(cells: Sequence[Cell]) -> Block:
    """How each cell came about: how many trials, what validation picked, weights and time."""
    keys = list(dict.fromkeys(key for cell in cells for key in cell.swept()))
    several = len({(cell.source, cell.variant) for cell in cells}) > 1
    head = ("source", "kind") if several else ()
    columns = (*head, "data", "unit", "done", "diverged", *(key.rpartition(".")[2] for key in keys), "epoch", "valid")
    columns += ("weights", "output", "time", "in all")
    rows = []
    for cell in cells:
        counts = cell.parameters
        done = cell.count("finished") + cell.count("diverged")
        rows.append(
            (
                *((cell.source, cell.variant) if several else ()),
                cell.data,
                cell.unit,
                f"{done}/{cell.trials}",
                str(cell.count("diverged") or NONE),
                *(" ".join(_value(one.drawn.get(key)) for one in cell.picked) or NONE for key in keys),
                " ".join(str(one.history.best.epoch) for one in cell.picked if one.history.best) or NONE,
                mean_text(cell.figure("valid", "frame")),
                f"{counts['recurrent']:,}",
                f"{counts['output']:,}",
                duration(cell.seconds.mean),
                duration(cell.total_seconds),
            )
        )
    first_right = len(head) + 2
    title = "What validation picked, one a seed"
    return Block(title, columns, tuple(rows), frozenset(range(first_right, len(columns))))


def notes(cells: Sequence[Cell]) -> list[str]:
    """What has to be known to read the table."""
    data = {cell.data for cell in cells}
    told = ["Runs are picked by validation alone, frame-weighted, and never a diverged one."]
    told.append("by frame: all frames of all pieces in one list; by piece: the mean of each piece's own mean.")
    if any(cell.seeds > 1 for cell in cells):
        told.append("±: standard deviation over seeds (n - 1).")
    told += [f"{one.name}: {one.note}" for one in published.every() if data & (one.test.keys() | one.train.keys())]
    if any(cell.results[0].config.model.head == "mixture" for cell in cells):
        told.append("The NLL of speech is that of a density (10 samples a frame): below zero is right, less is better.")
    return told


def markdown(blocks: Sequence[Block], told: Sequence[str]) -> str:
    """The blocks as Markdown tables, the notes under them."""
    parts = []
    for block in blocks:
        rule = ["--:" if i in block.right else "---" for i in range(len(block.columns))]
        lines = [_row(block.columns), _row(rule), *(_row(row) for row in block.rows)]
        parts.append("\n".join([f"**{_escape(block.title)}**", "", *lines]))
    parts.append("\n".join(f"- {_escape(note)}" for note in told))
    return "\n\n".join(parts) + "\n"


def comma_separated(cells: Sequence[Cell]) -> str:
    """One line a cell and one a published figure, unrounded, for spreadsheets; an empty place where there is none."""
    rows = [_flat(as_dict(cell)) for cell in cells]
    for data in dict.fromkeys(cell.data for cell in cells):
        for one in published.every():
            for unit in dict.fromkeys([*one.figures(data, "test"), *one.figures(data, "train")]):
                row: dict[str, Any] = {"source": one.name, "data": data, "unit": unit}
                row |= {f"{split}_nll_frame": one.figures(data, split).get(unit, "") for split in ("train", "test")}
                rows.append(row)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_document(cells: Sequence[Cell]) -> dict[str, Any]:
    """Everything as plain values, for JSON."""
    data = dict.fromkeys(cell.data for cell in cells)
    others = [
        {"source": one.name, "note": one.note, "data": name, "split": split, "unit": unit, "nll": value}
        for one in published.every()
        for name in data
        for split in ("train", "test")
        for unit, value in one.figures(name, split).items()
    ]
    return {"cells": [as_dict(cell) for cell in cells], "published": others, "notes": notes(cells)}


def number(value: float | None) -> str:
    """An NLL for a table: two decimals, or a dash."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.2f}"


def mean_text(figure: Mean | None) -> str:
    """`8.54`, or `8.54 ± 0.02` of several seeds."""
    if figure is None or not figure.n:
        return NONE
    return number(figure.mean) if figure.std is None else f"{number(figure.mean)} ± {number(figure.std)}"


def duration(seconds: float) -> str:
    """`4.2 s`, `3:07 min`, `2:15 h`."""
    if not math.isfinite(seconds):
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return (
        f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
        if seconds < 3600
        else f"{minutes // 60}:{minutes % 60:02d} h"
    )


def _value(value: Any) -> str:
    return NONE if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def _flat(cell: dict[str, Any]) -> dict[str, Any]:
    flat = {f"{key}_weights": value for key, value in cell["parameters"].items()}
    plain = {key: value for key, value in cell.items() if key not in ("parameters", "picked")}
    flat |= {"picked": " ".join(one["run"] for one in cell["picked"])}
    return {
        key: "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value
        for key, value in (plain | flat).items()
    }


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
