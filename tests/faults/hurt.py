"""Runs that are hurt on purpose, and what has to be true of them afterwards."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gatedtui import checkpoint, config, events, paths
from gatedtui.data import prepare
from gatedtui.events import Epoch, Finished
from gatedtui.kernels import present
from gatedtui.runs import launch, lock
from gatedtui.runs.folder import RunFolder, create

CLOCK = ("elapsed_s", "frames_per_s", "time")
FILES = {"run.toml", "lock", "events.jsonl", "best.safetensors", "state.safetensors", "worker.log"}
OFTEN = "import sys; from gatedtui.train import worker; worker.SAVE_EVERY_S = {}; sys.exit(worker.main([sys.argv[1]]))"
"""A worker that saves more often than every 5 s, so that a kill meets it while it writes."""
VALUES = {
    "data.name": "tiny",
    "train.epochs": 300,
    "train.patience": 0,
    "train.batch": 2,
    "model.hidden": 16,
    "train.kernel": present()[0],
}


def make(runs: Path, name: str, **more: object) -> RunFolder:
    """A run on the tests' set."""
    prepare.prepare("tiny", cache=paths.cache_folder())
    return create(runs, name, config.build(VALUES | {key.replace("__", "."): value for key, value in more.items()}))


def often(run: RunFolder, every_s: float = 0.02) -> list[str]:
    """The command of a worker that saves every so many seconds."""
    return [sys.executable, "-c", OFTEN.format(every_s), str(run.path)]


def finish(run: RunFolder) -> int:
    """Trains it to its end."""
    return launch.start(run).wait(timeout=150)


def told(run: RunFolder) -> list[dict[str, object]]:
    """Epochs and the end, without what a clock says."""
    read = [events.from_line(line) for line in run.events_path.read_bytes().splitlines()]
    kept = [events.to_dict(event) for event in read if isinstance(event, Epoch | Finished)]
    return [{key: value for key, value in event.items() if key not in CLOCK} for event in kept]


def epochs(run: RunFolder) -> int:
    """The last epoch in the saved state, 0 where there is none."""
    if not run.state_path.exists():
        return 0
    return int(checkpoint.read(run.state_path)[1]["position"]["epoch"])


def check_folder(run: RunFolder) -> None:
    """Nobody holds it; whatever stands under its name is whole."""
    assert not lock.is_held(run.lock_path)
    assert {path.name for path in run.path.iterdir() if not path.name.endswith(".part")} <= FILES
    if run.state_path.exists():
        checkpoint.read(run.state_path)
    if run.best_path.exists():
        checkpoint.load(run.best_path)
    assert run.config()


def same(one: RunFolder, other: RunFolder) -> bool:
    """Whether two runs came to the same epochs and the same bits, and left nothing else behind."""
    if told(one) != told(other):
        return False
    for path in ("best_path", "state_path"):
        a, b = checkpoint.read(getattr(one, path))[0], checkpoint.read(getattr(other, path))[0]
        if a.keys() != b.keys() or not all(np.array_equal(a[key], b[key]) for key in a):
            return False
    return {path.name for path in one.path.iterdir()} == FILES


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def gated(*words: str) -> list[str]:
    """The command line `gated …`."""
    return [sys.executable, "-m", "gatedtui", *words]


def environ(**more: str) -> dict[str, str]:
    """This process's environment and more."""
    return os.environ | more
