"""The learning curves behind the table: of the run validation picked in each cell, as points to draw."""

import math
import os
from collections.abc import Sequence

from gatedtui.events import Epoch
from gatedtui.page.figures import Curve
from gatedtui.table.cells import Cell
from gatedtui.table.results import Result


def panels(cells: Sequence[Cell]) -> list[tuple[str, str, list[Curve]]]:
    """For each data set and kind of run: a file's name, a title, and a curve a unit, of the best seed's picked run."""
    found = []
    keys = list(dict.fromkeys((cell.data, cell.source, cell.variant) for cell in cells))
    for key in keys:
        data, source, variant = key
        here = [cell for cell in cells if (cell.data, cell.source, cell.variant) == key and cell.picked]
        if not here:
            continue
        alike = sum(other[0] == data for other in keys)
        short = _file_name(data if alike == 1 else f"{data}-{source}-{variant}")
        curves = [curve(min(cell.picked, key=lambda one: one.valid_nll)) for cell in here]
        found.append((short, f"{os.path.basename(data) or data}, {source}: {variant}", curves))  # noqa: PTH119
    return found


def curve(result: Result) -> Curve:
    """A run's curve: by update and by second of training, train and validation NLL."""
    epochs = result.history.epochs
    best = result.history.best
    return Curve(
        unit=result.unit,
        label=f"{result.unit} {result.config.model.hidden}",
        updates=[float(epoch.updates) for epoch in epochs],
        seconds=[epoch.elapsed_s for epoch in epochs],
        train=[_finite(epoch, "train_nll") for epoch in epochs],
        valid=[_finite(epoch, "valid_nll") for epoch in epochs],
        best=None if best is None else len(epochs.before(best.epoch)),
    )


def _finite(epoch: Epoch, name: str) -> float:
    value = float(getattr(epoch, name))
    return value if math.isfinite(value) else math.nan


def _file_name(text: str) -> str:
    kept = "".join(c if c.isalnum() or c in "_." else "-" for c in os.path.basename(text) or text)  # noqa: PTH119
    return "-".join(part for part in kept.split("-") if part)[:80].strip(".") or "data"
