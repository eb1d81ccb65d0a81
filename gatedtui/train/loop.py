"""Training as a stream of events. Whoever iterates decides what is shown, written and saved (design, idea 3)."""

import math
import platform
import shlex
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from gatedtui import modelfile, network, plan
from gatedtui.checkpoint import Checkpoint, Tensors
from gatedtui.config import RunConfig
from gatedtui.data.baseline import marginal_nll, marginals
from gatedtui.data.batches import Batch, Batches
from gatedtui.data.dataset import DataSet, about, pairs
from gatedtui.data.transpose import Transpositions
from gatedtui.errors import BadSource, DeviceError
from gatedtui.evaluate import Score, prepare, score, tensors
from gatedtui.events import Diverged, Epoch, Event, Finished, Resumed, Started, Step, Stopped
from gatedtui.kernels import Choice, Minibatch, choose, to_go_on
from gatedtui.kernels.place import place
from gatedtui.optim import Optimiser, rate
from gatedtui.train import truncate
from gatedtui.train.position import Judge, Learn, Learned, Position, Unread
from gatedtui.units import UNITS

STEP_EVERY_S = 0.25
STARTS = 64
"""Training pieces whose first frames a checkpoint carries (contracts: start)."""
TARGETS = 65_536
"""Target frames of speech that the head's start is taken from, at most."""


class Training:
    """One run in memory: a network, its optimiser, and where in the data it stands.

    Args:
        config: the whole config.
        data: the prepared data set.
        run: the run's name, for the first event.
        state: what `state()` gave earlier; None starts from the beginning.
        resumed: whether to say so first: true also for a run that was killed before its first save.
        choice: the kernel, where it is not the config's: of runs that are stacked.

    Raises:
        BadSource: the data has nothing to train on, or the state is another run's.
        DeviceError: the device or kernel cannot be had.
    """

    def __init__(
        self,
        config: RunConfig,
        data: DataSet,
        *,
        run: str = "",
        state: tuple[Tensors, dict[str, Any]] | None = None,
        resumed: bool = False,
        choice: Choice | None = None,
    ) -> None:
        self.config, self.data, self.run, self.resumed = config, data, run, resumed or state is not None
        model = config.model
        self.place = place(config.train.device, model.unit, model.hidden, config.train.batch)
        device, dtype = self.place.device, getattr(torch, config.train.dtype)
        wanted = to_go_on(config.train.kernel, state[1].get("backend") if state else None, device)
        self.choice = choice or choose(device, dtype, wanted, variant=config.model.unit not in UNITS)
        self.sequences = {split: pairs(data, split, window=config.data.window) for split in ("train", "valid", "test")}
        for split, found in self.sequences.items():
            if not found:
                raise BadSource(
                    f"The part '{split}' of '{data.name}' has no frame to learn from.", f"gated data info {data.name}"
                )
        init, noise, order, keys = (
            int(part) for part in np.random.SeedSequence(config.seed).generate_state(4, np.uint64) >> 1
        )
        self.network = network.build(
            config.model,
            torch.Generator().manual_seed(init),
            marginals=self._marginals(),
        ).to(device=device, dtype=dtype)
        self.optimiser = Optimiser(self.network, config.train, seed=noise, backend=self.choice.backend)
        self.pieces = self.network.pieces(self.sequences["train"], backend=self.choice.backend)
        self.valid = prepare(self.network, self.sequences["valid"], backend=self.choice.backend)
        self.batches = Batches(self.sequences["train"], config.train.batch, order)
        self.transpositions = self._transpositions(keys)
        self.position = Position(backend=self.choice.exact)
        self.judged = network.build(config.model).to(self.network.flat) if config.train.smoothing else self.network
        self.judged.flat.copy_(self.network.flat)
        self.best = self.network.flat.clone()
        self.carried: truncate.States | None = None
        self._began: float | None = None
        self._made: list[tuple[Learn, Learned | Unread]] = []
        if state is not None:
            self._restore(*state, stacked=choice is not None)

    # -- the stream -------------------------------------------------------------------------------------------------

    def events(self, should_stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Trains until it is over or `should_stop()` says so, which is asked before every update.

        Whenever an event is yielded the run stands between two updates, so `state()` may be taken. After `Diverged`
        the weights are those before the update that failed.
        """
        asking, answer = self.asking(should_stop), None
        while True:
            try:
                asked = asking.send(answer)
            except StopIteration:
                return
            answer = None
            if isinstance(asked, Learn):
                answer = self._learn(asked)
            elif isinstance(asked, Judge):
                answer = score(self.judged, self.valid, backend=self.choice.backend)
            else:
                yield asked

    def asking(self, should_stop: Callable[[], bool], how: str = "") -> Generator[Event | Learn | Judge, Any, None]:
        """The stream of `events`, with whoever iterates doing the work, so that several runs can be trained as one.

        `Learn` wants to be sent a `Learned`, or an `Unread`, which is read four times a second and at an epoch's end;
        `Judge` wants the `Score` of `judged` on `valid`. `how` is what is to be said of the way it is done.
        """
        at = self.position
        if at.updates == 0:
            yield self._started(how)
        if self.resumed:
            yield Resumed(at.updates, at.epoch)
        self._began = time.perf_counter()
        while not self._over():
            last_step = time.perf_counter()
            for chunk, is_last in self._rest_of_epoch():
                if should_stop():
                    if trouble := self._settle():
                        yield self._diverged(trouble)
                        return
                    yield Stopped(at.updates, at.epoch)
                    return
                began, wanted = time.perf_counter(), self._wanted(chunk, is_last)
                learned = yield wanted
                self._made.append((wanted, learned))
                now = time.perf_counter()
                at.seconds += now - began
                if isinstance(learned, Unread) and now - last_step < STEP_EVERY_S and self.judged is self.network:
                    continue
                if trouble := self._settle():
                    yield self._diverged(trouble)
                    return
                if now - last_step >= STEP_EVERY_S:
                    last_step = now
                    yield Step(at.updates, at.epoch + 1, at.nll_sum / at.frames, at.frames / max(at.seconds, 1e-9))
            if trouble := self._settle():
                yield self._diverged(trouble)
                return
            valid: Score = yield Judge()
            event = self._close_epoch(valid)
            if not math.isfinite(valid.frame):
                yield self._diverged(f"the validation NLL of epoch {at.epoch} is '{valid.frame}'.")
                return
            yield event
        yield self._finished()

    def _over(self) -> bool:
        at, train = self.position, self.config.train
        waited = at.epoch - at.best_epoch
        return at.epoch >= train.epochs or bool(train.patience and at.epoch and waited >= train.patience)

    def _rest_of_epoch(self) -> Iterator[tuple[Batch | Minibatch, bool]]:
        """What each update of the epoch's rest learns from, and whether it is the last of its minibatch."""
        at = self.position
        shifts = None if self.transpositions is None else self.transpositions.epoch(at.epoch)
        if self.pieces is not None and not self._cut():
            for rows in self.batches.order(at.epoch)[at.batch :]:
                yield self.pieces.take(rows, None if shifts is None else shifts[rows]), True
            return
        for batch in self.batches.epoch(at.epoch, start=at.batch, shifts=shifts):
            chunks = truncate.chunks(batch, self.config.train.truncate)
            for number in range(at.chunk, len(chunks)):
                yield chunks[number], number + 1 == len(chunks)

    def _wanted(self, batch: Batch | Minibatch, is_last: bool) -> Learn:
        train = self.config.train
        frames = batch.frames if isinstance(batch, Minibatch) else int(batch.lengths.sum())
        rows = batch.rows if isinstance(batch, Minibatch) else len(batch.rows)
        scale = 1 / (frames if train.loss == "mean" else rows)
        return Learn(batch, is_last, frames, scale, rate(train, self.position.epoch))

    def _learn(self, wanted: Learn) -> Learned:
        """One update; nothing is updated when the loss or the gradient's norm is not finite."""
        if isinstance(wanted.batch, Minibatch):
            stepped = self.optimiser.learn(wanted.batch, scale=wanted.scale, lr=wanted.lr)
            return Learned(stepped.nll, stepped.norm)
        return self._in_pieces(wanted.batch, wanted.scale, wanted.lr)

    def _settle(self) -> str:
        """Counts the updates made since it was last called, and the wait for them; gives what went wrong with one."""
        made, self._made, began = self._made, [], time.perf_counter()
        for wanted, learned in made:
            if trouble := self._account(wanted, learned.read() if isinstance(learned, Unread) else learned):
                return trouble
        self.position.seconds += time.perf_counter() - began
        return ""

    def _account(self, wanted: Learn, learned: Learned) -> str:
        """Counts an update; gives what went wrong instead when a number is not finite."""
        at = self.position
        if not math.isfinite(learned.nll):
            return f"the loss of update {at.updates + 1} is '{learned.nll}'."
        if not math.isfinite(learned.norm):
            return f"the gradient of update {at.updates + 1} has the norm '{learned.norm}'."
        at.updates += 1
        self._smooth()
        at.batch, at.chunk = (at.batch + 1, 0) if wanted.is_last else (at.batch, at.chunk + 1)
        self.carried = None if wanted.is_last else learned.states
        at.nll_sum += learned.nll
        at.frames += wanted.frames
        at.norm_sum += learned.norm
        at.norms += 1
        return ""

    def _in_pieces(self, batch: Batch, scale: float, lr: float) -> Learned:
        """One update by scan, loss and update."""
        x, y = tensors(batch.x, batch.y, self.network)
        before = None if self.carried is None else truncate.carried(self.carried, len(batch.rows))
        dropped = self.optimiser.dropped(batch.lengths, len(x), len(batch.rows))
        with self.optimiser.noise():
            h, states = self.network.scan(x, before, batch.lengths, backend=self.choice.backend, dropped=dropped)
            total = self.network.nll(h, y, batch.lengths, backend=self.choice.backend).sum()
            gradient = self.network.gradient(total * scale)
        loss, norm = total.item(), float(torch.linalg.vector_norm(gradient))
        if math.isfinite(loss) and math.isfinite(norm):
            self.optimiser.step(gradient, lr=lr)
        return Learned(loss, norm, states)

    def _smooth(self) -> None:
        """Brings the running mean of the weights up to date; early on it forgets faster, so that the start soon fades.

        The factor rises as (1 + n) / (10 + n) to the one asked for. (Polyak and Juditsky 1992, *Acceleration of
        stochastic approximation by averaging*, with a mean that forgets.)
        """
        factor, n = self.config.train.smoothing, self.position.updates
        if factor:
            self.judged.flat.lerp_(self.network.flat, 1 - min(factor, (1 + n) / (10 + n)))

    def _close_epoch(self, valid: Score) -> Epoch:
        at = self.position
        at.epoch += 1
        if valid.frame < at.best_nll:
            at.best_nll, at.best_epoch = valid.frame, at.epoch
            at.scores = {"valid_nll": valid.frame, "valid_nll_sequence": valid.sequence}
            self.best.copy_(self.judged.flat)
        event = Epoch(
            epoch=at.epoch,
            updates=at.updates,
            frames=at.frames,
            train_nll=at.nll_sum / at.frames,
            valid_nll=valid.frame,
            valid_nll_sequence=valid.sequence,
            grad_norm=at.norm_sum / at.norms,
            lr=rate(self.config.train, at.epoch - 1),
            frames_per_s=at.frames / max(at.seconds, 1e-9),
            elapsed_s=self.elapsed_s,
        )
        at.batch, at.frames, at.norms, at.nll_sum, at.norm_sum, at.seconds = 0, 0, 0, 0.0, 0.0, 0.0
        return event

    def _diverged(self, what: str) -> Diverged:
        at, lr = self.position, self.config.train.lr
        slower = replace(self.config, train=replace(self.config.train, lr=float(f"{lr / 3:.2g}")))
        hint = f"Try a smaller learning rate: {shlex.join(plan.command(plan.again(slower)))}"
        return Diverged(at.updates, at.epoch, what, hint)

    def _started(self, how: str = "") -> Started:
        config = self.config
        return Started(
            run=self.run,
            unit=config.model.unit,
            data=self.data.name,
            recipe=config.train.recipe,
            seed=config.seed,
            parameters=self.network.counts(),
            kernel=self.choice.backend,
            kernel_why=self.choice.why + how + self.place.why + self._cut(),
            device=str(self.network.flat.device),
            threads=torch.get_num_threads(),
            marginal_nll=marginal_nll(self.data)[0],
            paper_nll=modelfile.paper_nll(config.model, self.data.name),
            epochs=config.train.epochs,
            host=platform.node(),
        )

    def _cut(self) -> str:
        """What is to be said of truncated backpropagation, where it cuts anything."""
        steps, longest = self.config.train.truncate, max(len(x) for x, _ in self.sequences["train"])
        return f"; backpropagation cut every {steps} steps, an update each" if 0 < steps < longest else ""

    def _transpositions(self, seed: int) -> Transpositions | None:
        """How the pieces are moved; none of speech."""
        most = self.config.train.transpose
        return Transpositions(self.sequences["train"], most, seed) if most and self.data.kind == "music" else None

    def _marginals(self) -> np.ndarray:
        """What the head starts from: how often each pitch sounds, or target frames from all over the training set."""
        if self.data.kind == "music":
            return marginals(self.data.splits["train"])
        targets = np.concatenate([y for _, y in self.sequences["train"]])
        return targets[:: -(-len(targets) // TARGETS)]

    def _finished(self) -> Finished:
        """Scores the best model, once, on what it was trained on and on the test split."""
        at = self.position
        best = network.build(self.config.model).to(self.network.flat)
        best.flat.copy_(self.best)
        train, test = (score(best, self.sequences[split], backend=self.choice.backend) for split in ("train", "test"))
        at.scores |= {
            "train_nll_frame": train.frame,
            "train_nll_sequence": train.sequence,
            "test_nll_frame": test.frame,
            "test_nll_sequence": test.sequence,
        }
        return Finished(at.best_epoch, at.best_nll, train.frame, train.sequence, test.frame, test.sequence)

    # -- what is saved ----------------------------------------------------------------------------------------------

    @property
    def elapsed_s(self) -> float:
        """Seconds of training, over all resumes."""
        return self.position.elapsed_s + (time.perf_counter() - self._began if self._began is not None else 0.0)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Everything the rest of the run depends on: tensors, and the position as plain values."""
        held = {"weights": self.network.flat, "best": self.best}
        held |= {f"optimiser.{name}": value for name, value in self.optimiser.state().items()}
        if self.judged is not self.network:
            held["smoothed"] = self.judged.flat
        held |= {f"carried.{name}": value for name, value in truncate.to_tensors(self.carried).items()}
        position = vars(self.position) | {"elapsed_s": self.elapsed_s}
        if not math.isfinite(self.position.best_nll):
            position["best_nll"] = None
        return {name: value.detach().cpu().numpy().copy() for name, value in held.items()}, position

    def _restore(self, held: Tensors, position: dict[str, Any], *, stacked: bool) -> None:
        try:
            values = {name: torch.from_numpy(np.array(value)) for name, value in held.items()}
            at = Position.of(position)
            if at.backend != self.choice.exact:
                here = "Resume it on the machine it was started on, or start it anew."
                hint = "Leave out --stack: what began alone goes on alone." if stacked else here
                raise DeviceError(f"The run began with the kernel '{at.backend}', not '{self.choice.exact}'.", hint)
            into = {"weights": self.network.flat, "best": self.best}
            if self.judged is not self.network:
                into["smoothed"] = self.judged.flat
            for name, flat in into.items():
                if values[name].shape != flat.shape:  # one number would be copied into all
                    raise ValueError(f"'{name}' of shape {tuple(values[name].shape)} instead of {tuple(flat.shape)}")
                flat.copy_(values[name])
            if not torch.isfinite(self.best).all():
                raise ValueError("the best weights are not finite numbers")
            self.optimiser.load({name[10:]: value for name, value in values.items() if name.startswith("optimiser.")})
            carried = {name[8:]: value for name, value in values.items() if name.startswith("carried.")}
            self.carried = truncate.from_tensors({name: value.to(self.network.flat) for name, value in carried.items()})
            batch = next(self.batches.epoch(at.epoch, start=at.batch), None) if at.chunk else None
            truncate.check(self.carried, batch, at.chunk, self.config.train.truncate, self.network.units)
            self.position = at
        except (LookupError, TypeError, ArithmeticError, ValueError, RuntimeError) as error:
            raise BadSource(
                f"The saved state of '{self.run}' does not fit its config ({error}).", "Train it anew."
            ) from None

    def best_checkpoint(self) -> Checkpoint | None:
        """The best model so far with all that `sample` and `eval` need, or None before the first epoch's end."""
        at = self.position
        if not at.best_epoch:
            return None
        held = network.build(self.config.model).to(self.network.flat)
        held.flat.copy_(self.best)
        weights = {name: value.detach().cpu().numpy().copy() for name, value in held.named_parameters()}
        train = self.sequences["train"]
        first = [train[place][0][0] for place in np.linspace(0, len(train) - 1, min(STARTS, len(train))).astype(int)]
        nll = {"epoch": at.best_epoch, **at.scores}
        start = {"start": np.stack(first).astype(np.float32)}
        return Checkpoint(self.config, about(self.data), nll, weights | start, self.run)


def train(config: RunConfig, data: DataSet, *, run: str = "") -> Iterator[Event]:
    """Trains from the beginning to the end: the whole loop in one call, for use from Python.

    Args:
        config: the whole config.
        data: the prepared data set.
        run: a name for the first event.
    """
    yield from Training(config, data, run=run).events()
