"""The arithmetic of the table: what is picked, and means and deviations of it. Pure.

In each cell (data set, unit, kind of run) and for each seed the finished run with the lowest frame-weighted validation
NLL is picked; test figures are read of the picked ones alone, and averaged over the seeds.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatedtui import modelfile, plan
from gatedtui.config import VARIANTS
from gatedtui.data.catalogue import CATALOGUE
from gatedtui.table.results import Result

SPLITS = ("train", "valid", "test")
WEIGHTINGS = ("frame", "sequence")


@dataclass(frozen=True)
class Mean:
    """A mean over seeds.

    Attributes:
        mean: it; NaN of nothing.
        std: the deviation of the sample (n - 1), or None of fewer than two.
        n: how many.
    """

    mean: float
    std: float | None
    n: int


def mean(values: Sequence[float]) -> Mean:
    """Mean and deviation of finite values; others are left out."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return Mean(math.nan, None, 0)
    return Mean(statistics.fmean(finite), statistics.stdev(finite) if len(finite) > 1 else None, len(finite))


def pick(results: Sequence[Result]) -> Result | None:
    """The finished result with the lowest validation NLL, the first of equals; a diverged one is never picked."""
    done = [one for one in results if one.word == "finished" and math.isfinite(one.valid_nll)]
    return min(done, key=lambda one: one.valid_nll, default=None)


@dataclass(frozen=True)
class Cell:
    """All results of one unit on one data set of one kind.

    Attributes:
        results: all of them.
        picked: one a seed, by validation, in the order of the seeds.
    """

    source: str
    variant: str
    data: str
    unit: str
    results: tuple[Result, ...]
    picked: tuple[Result, ...]

    def figure(self, split: str, weighting: str) -> Mean:
        """The picked results' NLL, nats a frame, over seeds."""
        return mean([one.figure(split, weighting) for one in self.picked])

    def count(self, word: str) -> int:
        """How many results have this status."""
        return sum(one.word == word for one in self.results)

    @property
    def trials(self) -> int:
        """How many results there are, or are to be."""
        return max(len(self.results), self.seeds * self.results[0].planned)

    @property
    def seeds(self) -> int:
        """How many seeds there are, picked or not."""
        return len({one.seed for one in self.results})

    @property
    def parameters(self) -> dict[str, int]:
        """`recurrent`, `output` and `total` weights of the model (where sizes are swept, of the first one picked)."""
        return modelfile.parameters((self.picked or self.results)[0].config.model)

    @property
    def seconds(self) -> Mean:
        """Training time of the picked results."""
        return mean([one.elapsed_s for one in self.picked])

    @property
    def total_seconds(self) -> float:
        """Training time of all results together."""
        return sum(one.elapsed_s for one in self.results)

    def swept(self) -> list[str]:
        """The keys that its results were drawn in."""
        return [key for key in (self.results[0].drawn if self.results else {}) if key != "seed"]


def cells(results: Sequence[Result]) -> list[Cell]:
    """The cells of these results: sources in the order they come, then data sets as in the catalogue, then units."""
    groups: dict[tuple[str, str, str, str], list[Result]] = {}
    for one in results:
        groups.setdefault((one.source, one.variant, one.data, one.unit), []).append(one)
    sources = list(dict.fromkeys((one.source, one.variant) for one in results))
    known = [*CATALOGUE, *sorted({one.data for one in results} - CATALOGUE.keys())]
    units = [*plan.UNITS, *VARIANTS]
    order = sorted(groups, key=lambda key: (known.index(key[2]), sources.index((key[0], key[1])), units.index(key[3])))
    return [_cell(key, groups[key]) for key in order]


def as_dict(cell: Cell) -> dict[str, Any]:
    """A cell as plain values, for JSON and CSV."""
    made: dict[str, Any] = {"source": cell.source, "kind": cell.variant, "data": cell.data, "unit": cell.unit}
    for split in SPLITS:
        for weighting in WEIGHTINGS:
            figure = cell.figure(split, weighting)
            made[f"{split}_nll_{weighting}"] = figure.mean
            made[f"{split}_nll_{weighting}_std"] = figure.std
    made |= {"seeds": cell.seeds, "trials": cell.trials}
    made |= {word: cell.count(word) for word in ("finished", "diverged")}
    made |= {"parameters": cell.parameters, "seconds": cell.seconds.mean, "total_seconds": cell.total_seconds}
    made["picked"] = [
        {
            "run": str(one.path),
            "seed": one.seed,
            **{key: value for key, value in one.drawn.items() if key != "seed"},
            "best_epoch": one.history.best.epoch if one.history.best else None,
            "valid_nll": one.valid_nll,
            "test_nll_frame": one.figure("test", "frame"),
            "test_nll_sequence": one.figure("test", "sequence"),
            "elapsed_s": one.elapsed_s,
        }
        for one in cell.picked
    ]
    return made


def _cell(key: tuple[str, str, str, str], results: list[Result]) -> Cell:
    source, variant, data, unit = key
    seeds = sorted({one.seed for one in results})
    picked = [pick([one for one in results if one.seed == seed]) for seed in seeds]
    return Cell(source, variant, data, unit, tuple(results), tuple(one for one in picked if one is not None))
