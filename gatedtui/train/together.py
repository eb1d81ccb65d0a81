"""Runs of one shape trained side by side, in one step for all of them: each as `Training.events` would, to rounding.

On a GPU the steps are replayed from graphs and nothing waits for them, so that a single run gains by it too: `events`.
"""

import contextlib
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatedtui import plan
from gatedtui.data.batches import Batch, in_order
from gatedtui.evaluate import ROWS, Score, score_of
from gatedtui.events import Event
from gatedtui.kernels.graphs import bucket
from gatedtui.stack import Stack, side_by_side
from gatedtui.train.loop import Training
from gatedtui.train.position import Judge, Learn, Learned, Unread


@dataclass(eq=False)
class _Member:
    """One run of a stack: what it waits for, an update or a score; None when it is over."""

    training: Training
    asking: Generator[Event | Learn | Judge, Any, None]
    wants: Learn | Judge | None = None

    def go_on(self, answer: Unread | Score | None) -> Iterator[tuple[Training, Event]]:
        """Sends what it waited for, and passes its events on until it waits again or is over."""
        self.wants = None
        with contextlib.suppress(StopIteration):
            while not isinstance(asked := self.asking.send(answer), Learn | Judge):
                answer = None
                yield self.training, asked
            self.wants = asked


def events(training: Training, should_stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """One run's events, in the quickest way its device has: `Training.events`, or on a GPU a stack of one.

    What no stack can take (`plan.obstacle`) goes step by step there too.
    """
    if not in_a_stack(training):
        return training.events(should_stop)
    return (event for _, event in together([training], should_stop))


def in_a_stack(training: Training) -> bool:
    """Whether a run is trained as a stack of one: on a GPU, and by its kernels also where they are interpreted."""
    on_gpu = training.place.device.type == "cuda" or training.choice.backend == "cuda"
    return on_gpu and not plan.obstacle(training.config)


def together(
    trainings: Sequence[Training],
    should_stop: Callable[[], bool] = lambda: False,
    given_up: Container[Training] = (),
) -> Iterator[tuple[Training, Event]]:
    """Trains runs of one shape side by side until each is over or `should_stop()` says so.

    Args:
        trainings: alike in all that `sweep.stacks.OWN` does not name; their tensors are moved.
        should_stop: asked for each run before every update.
        given_up: runs that go no further, looked at before every update.

    Yields:
        Each run's events, as `Training.events` would; whenever one comes the run stands between two updates.
    """
    how = "; whole steps replayed from CUDA graphs" if _on_gpu(trainings) else ""
    members = [_Member(training, training.asking(should_stop, how)) for training in trainings]
    rows = max(training.config.train.batch for training in trainings)
    for member in members:
        yield from member.go_on(None)
    stack: Stack | None = None
    stacked: list[_Member] = []
    while members := [one for one in members if one.wants is not None and one.training not in given_up]:
        judging = [member for member in members if isinstance(member.wants, Judge)]
        if judging:
            for member, found in zip(judging, _scores(judging), strict=True):
                yield from member.go_on(found)
            continue
        if stack is None or stacked != members:
            stack, stacked = _stack(members), members
        wanted = [member.wants for member in members if isinstance(member.wants, Learn)]
        minibatch = _minibatch(wanted, stack, rows)
        answer = _Answer(stack.learn(*minibatch, [one.scale for one in wanted], [one.lr for one in wanted]))
        for run, member in enumerate(members):
            yield from member.go_on(Unread(partial(answer.read, run)))


class _Answer:
    """What a step came to, of all runs: fetched from the device once, when the first of them asks."""

    def __init__(self, learned: tuple[Tensor, Tensor]) -> None:
        self._learned, self._read = learned, []

    def read(self, run: int) -> Learned:
        """What it came to for one run."""
        if not self._read:
            self._read = torch.stack(self._learned, 1).tolist()
        return Learned(*self._read[run])


def _minibatch(wanted: Sequence[Learn], stack: Stack, rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """All runs' minibatches; where there are graphs of few shapes, so that few graphs serve them."""
    batches = [one.batch for one in wanted if isinstance(one.batch, Batch)]
    if stack.graphs is None:
        return side_by_side(batches, stack.flat)
    steps = bucket(max(len(one.x) for one in batches))
    return side_by_side(batches, stack.flat, steps=steps, rows=rows)


def _stack(members: Sequence[_Member]) -> Stack:
    trainings = [member.training for member in members]
    backend, optimisers = trainings[0].choice.backend, [one.optimiser for one in trainings]
    return Stack([one.network for one in trainings], optimisers, backend=backend, graphs=_on_gpu(trainings))


def _on_gpu(trainings: Sequence[Training]) -> bool:
    return trainings[0].network.flat.device.type == "cuda"


@torch.no_grad()
def _scores(members: Sequence[_Member]) -> list[Score]:
    """Each run's score on the validation set, which is the same for all."""
    trainings = [member.training for member in members]
    stack = Stack([one.judged for one in trainings], None, backend=trainings[0].choice.backend)
    sums, steps = [], []
    for batch in in_order(trainings[0].valid.sequences, ROWS):
        x, y, lengths = (part.expand(len(members), *part.shape[1:]) for part in side_by_side([batch], stack.flat))
        sums.append(stack.losses(stack.flat, x, y, lengths).double().sum(1))
        steps.append(batch.lengths)
    nats, frames = torch.cat(sums, 1).cpu().numpy(), np.concatenate(steps)
    return [score_of(row, frames) for row in nats]
