"""The epochs of a run as one value: many of them in little memory."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import compress
from typing import Any, overload

from gatedtui.events import Epoch

NUMBERS = tuple(field.name for field in fields(Epoch) if field.name != "time")
COUNTS = ("epoch", "updates", "frames")


class Epochs(Sequence[Epoch]):
    """Epochs in the order of their numbers, without the time of day. Never changes: with one more it is another object.

    80 bytes an epoch, where the events themselves take 650: an app that is left open for a day shall not grow. What
    comes after an earlier value shares its memory.

    Args:
        epochs: with rising numbers.
    """

    def __init__(self, epochs: Iterable[Epoch] = ()) -> None:
        self._columns = {name: array("d") for name in NUMBERS}
        self._length = 0
        for epoch in epochs:
            self._append(epoch)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, place: int) -> Epoch: ...
    @overload
    def __getitem__(self, place: slice) -> list[Epoch]: ...
    def __getitem__(self, place: int | slice) -> Epoch | list[Epoch]:
        there = range(self._length)[place]
        return self._made(there) if isinstance(there, int) else [self._made(at) for at in there]

    def column(self, name: str) -> "array[float]":
        """One number of each epoch, by the name of its field."""
        return self._columns[name][: self._length]

    def followed_by(self, epoch: Epoch) -> "Epochs":
        """These and one more."""
        nobody_went_on = len(self._columns["epoch"]) == self._length
        columns = self._columns if nobody_went_on else {name: self.column(name) for name in NUMBERS}
        longer = self._of(columns, self._length)
        longer._append(epoch)
        return longer

    def before(self, number: int) -> "Epochs":
        """Those with a smaller number."""
        return self._of(self._columns, bisect_left(self._columns["epoch"], number, 0, self._length))

    def place(self, number: int) -> int | None:
        """Where the epoch of this number stands; None where it does not."""
        at = bisect_left(self._columns["epoch"], number, 0, self._length)
        return at if at < self._length and self._columns["epoch"][at] == number else None

    def thinned(self, most: int, best: int) -> "Epochs":
        """Of more than `most` epochs every second, fourth, eighth … by number, the best and the last; else these.

        Thinned again and again while it grows, a run's curve stays as even as it was, and as small.
        """
        every = 1
        while self and self[-1].epoch > most * every:
            every *= 2
        if every == 1:
            return self
        numbers = self.column("epoch")
        kept = [number % every == 0 or number == best for number in numbers[:-1]] + [True]
        columns = {name: array("d", compress(self.column(name), kept)) for name in NUMBERS}
        return self._of(columns, sum(kept))

    @classmethod
    def _of(cls, columns: "dict[str, array[float]]", length: int) -> "Epochs":
        made = cls.__new__(cls)
        made._columns, made._length = columns, length
        return made

    def _append(self, epoch: Epoch) -> None:
        for name, column in self._columns.items():
            column.append(getattr(epoch, name))
        self._length += 1

    def _made(self, place: int) -> Epoch:
        values: dict[str, Any] = {name: column[place] for name, column in self._columns.items()}
        values |= {name: int(values[name]) for name in COUNTS}
        return Epoch(**values)
