"""A saved state that was changed: refused in a sentence before anything is trained, where it once was a traceback."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatedtui import checkpoint
from gatedtui.errors import BadSource, DeviceError
from gatedtui.runs.folder import RunFolder
from gatedtui.train import worker

from ..fuzz import seeds

Change = Callable[[dict[str, Any], dict[str, np.ndarray]], object]


def at(**more: object) -> Change:
    """Other words in the position."""
    return lambda about, _: about["position"].update(more)


CHANGES: dict[str, Change] = {
    "no position": lambda about, _: about.pop("position"),
    "a list for a position": lambda about, _: about.update(position=[1]),
    "no length": lambda about, _: about.pop("events_bytes"),
    "length below nothing": lambda about, _: about.update(events_bytes=-5),
    "length in words": lambda about, _: about.update(events_bytes="x"),
    "no digest": lambda about, _: about.pop("data_digest"),
    "updates in words": at(updates="x"),
    "epoch before the first": at(epoch=-1),
    "half a minibatch": at(batch=0.5),
    "seconds without end": at(seconds=10**400),
    "no seconds": at(elapsed_s=None),
    "a word too many": at(more=1),
    "scores in a list": at(scores=[1]),
    "scores within scores": at(scores={"valid_nll": {}}),
    "a best epoch to come": at(best_epoch=9),
    "updates of no frames": at(frames=0),
    "a chunk that is not there": at(chunk=2**63),
    "states of no chunk": at(chunk=0),
    "no states": lambda _, held: [held.pop(f"carried.{name}") for name in "hc"],
    "half the states": lambda _, held: held.pop("carried.c"),
    "states of fewer rows": lambda _, held: held.update({f"carried.{n}": held[f"carried.{n}"][:1] for n in "hc"}),
    "states of nothing": lambda _, held: held.update({f"carried.{n}x": held.pop(f"carried.{n}") for n in "hc"}),
    "one number for all weights": lambda _, held: held.update(weights=held["weights"][:1]),
    "one number for the best": lambda _, held: held.update(best=held["best"][:1]),
    "best weights that are none": lambda _, held: held.update(best=held["best"] * np.nan),
    "no best": lambda _, held: held.pop("best"),
    "no optimiser": lambda _, held: held.pop("optimiser.mean"),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run that was stopped between two chunks of a minibatch, and its data."""
    monkeypatch.setenv("GATED_CACHE", str(tmp_path / "cache"))
    seeds.state(tmp_path)
    return RunFolder(tmp_path)


def change(run: RunFolder, made: Change) -> None:
    held, about = checkpoint.read(run.state_path)
    made(about, held)
    # As it would stand in the file, also where JSON has numbers that Python's own writer would not write.
    checkpoint.write(run.state_path, held, json.loads(json.dumps(about)))


@pytest.mark.parametrize("name", CHANGES)
def test_a_state_that_no_run_left_is_refused_and_nothing_is_written(name: str, run: RunFolder):
    change(run, CHANGES[name])
    before = {path: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
    with pytest.raises(BadSource):
        worker.begin(run)
    assert {path: path.read_bytes() for path in run.path.iterdir() if path.is_file()} == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # its events stay open
def test_a_state_as_it_was_left_goes_on(run: RunFolder):
    change(run, lambda about, held: None)
    training = worker.begin(run).training
    assert training.position.updates == 4 and training.position.chunk == 4 and training.carried is not None


def test_a_state_of_another_kernel_is_4_whatever_it_calls_it(run: RunFolder):
    change(run, at(backend="x"))
    with pytest.raises(DeviceError, match="'x'"):
        worker.begin(run)
