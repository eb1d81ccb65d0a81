"""Which runs a list shows, and in which order: pure functions on rows.

A filter is words that must all occur (`gru bach`), and conditions on figures (`best<8.6 lr=1e-3 epochs>50`).
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence

from gatedtui.runs.row import Row

Value = float | str | None

FIGURES: dict[str, Callable[[Row], Value]] = {
    "name": lambda row: row.name,
    "unit": lambda row: row.unit,
    "data": lambda row: row.data,
    "status": lambda row: row.word,
    "recipe": lambda row: row.recipe,
    "hidden": lambda row: row.hidden,
    "lr": lambda row: row.lr,
    "seed": lambda row: row.seed,
    "epochs": lambda row: row.epochs,
    "best": lambda row: row.best_valid,
    "valid": lambda row: row.best_valid,
    "at": lambda row: row.best_epoch,
    "test": lambda row: row.test_frame,
    "piece": lambda row: row.test_piece,
    "time": lambda row: row.elapsed_s,
    "made": lambda row: row.made,
}
"""What rows are sorted and chosen by; `best`, or `valid`, is the lowest validation NLL, `at` its epoch."""
TEXTS = ("name", "unit", "data", "status", "recipe")
_CONDITION = re.compile(r"(\w+)(<=|>=|<|>|=)(.+)")
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: math.isclose(a, b, rel_tol=1e-6) or (abs(b) >= 0.1 and f"{a:.2f}" == f"{b:.2f}"),
}


def chosen(rows: Sequence[Row], text: str) -> list[Row]:
    """The rows a filter lets through, in order. A condition on what does not exist, or without a number, is read as a
    word, so that half a filter being typed never fails."""
    tests = [_test(word) for word in text.split()]
    return [row for row in rows if all(test(row) for test in tests)]


def _test(word: str) -> Callable[[Row], bool]:
    found = _CONDITION.fullmatch(word)
    if found and found[1] in FIGURES:
        name, sign, wanted = found.groups()
        if name in TEXTS and sign == "=":
            return lambda row: str(FIGURES[name](row)).lower() == wanted.lower()
        try:
            limit = float(wanted)
        except ValueError:
            limit = math.nan
        if name not in TEXTS and not math.isnan(limit):
            return lambda row: _fits(FIGURES[name](row), sign, limit)
    small = word.lower()
    return lambda row: any(small in str(FIGURES[name](row)).lower() for name in TEXTS)


def _fits(value: Value, sign: str, limit: float) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and _HOLDS[sign](value, limit)


def ordered(rows: Iterable[Row], by: str, *, falling: bool) -> list[Row]:
    """The rows sorted by a figure; those that have none come last either way, equal ones keep their order."""
    get = FIGURES[by]
    known: list[tuple[float | str, Row]] = []
    unknown: list[Row] = []
    for row in rows:
        value = get(row)
        if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
            unknown.append(row)
        else:
            known.append((value.lower() if isinstance(value, str) else value, row))
    known.sort(key=lambda pair: pair[0], reverse=falling)  # pyright: ignore[reportArgumentType]
    return [row for _, row in known] + unknown
