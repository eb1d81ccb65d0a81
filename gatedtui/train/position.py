"""Where a run stands, and what it wants to have done next."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from gatedtui.data.batches import Batch
from gatedtui.kernels import Minibatch
from gatedtui.train import truncate


@dataclass
class Position:
    """Where a run stands between two updates; with the tensors of `Training.state` all that resuming needs.

    `epoch` counts finished epochs, `batch` the minibatches done in the present one, `chunk` the updates done in the
    present minibatch where it is cut (`train.truncate`); the sums are over that part of the epoch, `norms` its updates.
    """

    updates: int = 0
    epoch: int = 0
    batch: int = 0
    chunk: int = 0
    nll_sum: float = 0.0
    frames: int = 0
    norm_sum: float = 0.0
    norms: int = 0
    seconds: float = 0.0
    elapsed_s: float = 0.0
    best_epoch: int = 0
    best_nll: float = math.inf
    backend: str = ""
    scores: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        """The position that `vars` of another one gave, after a way through JSON, which knows no infinity.

        Raises:
            ValueError: it is none, or none that training can have come to.
        """
        wanted = {one.name: type(one.default) for one in fields(cls) if one.name != "scores"}
        given: dict[str, Any] = {"best_nll": math.inf} | {
            name: value for name, value in saved.items() if value is not None
        }
        if given.keys() != wanted.keys() | {"scores"}:
            raise ValueError("its position lacks something, or says more than there is")
        for name, kind in wanted.items():
            value = given[name]
            if kind is float and type(value) is int:
                given[name] = value = float(value)
            if type(value) is not kind or (kind is int and value < 0) or (kind is float and math.isnan(value)):
                raise ValueError(f"'{name}' cannot be {str(value)[:40]!r}")
        made = cls(**given)
        if not isinstance(made.scores, dict) or not all(type(value) in (int, float) for value in made.scores.values()):
            raise ValueError("its scores are no numbers")
        if made.best_epoch > made.epoch or ((made.batch or made.chunk) and not (made.frames and made.norms)):
            raise ValueError("its position contradicts itself")
        return made


@dataclass(frozen=True, eq=False)
class Learn:
    """An update to be made: the minibatch, or the part of it that `is_last` or not, its frames, what its summed NLL is
    multiplied by to give the loss, and the learning rate."""

    batch: Batch | Minibatch
    is_last: bool
    frames: int
    scale: float
    lr: float


@dataclass(frozen=True, eq=False)
class Learned:
    """What an update came to: nats summed over its frames, the gradient's norm before rescaling, the states it ended
    in. Where one of the two numbers is not finite nothing was updated."""

    nll: float
    norm: float
    states: truncate.States | None = None


@dataclass(frozen=True, eq=False)
class Unread:
    """A `Learned` that is still on its way from a device: `read()` waits for it."""

    read: Callable[[], Learned]


class Judge:
    """The validation set to be scored."""
