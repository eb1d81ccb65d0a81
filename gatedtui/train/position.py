"""Where a run stands, and what it wants to have done next."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

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
