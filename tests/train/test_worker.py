import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from gatedtui import checkpoint, config, events, paths
from gatedtui.data import prepare
from gatedtui.events import Diverged, Epoch, Event, Failed, Finished, Started
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder, create
from gatedtui.runs.status import status
from gatedtui.train import worker


def make(runs: Path, name: str, **more: object) -> RunFolder:
    prepare.prepare("tiny", cache=paths.cache_folder())
    values = {"data.name": "tiny", "train.epochs": 60, "train.patience": 0, "train.batch": 3, "model.hidden": 9}
    return create(runs, name, config.build(values | {key.replace("__", "."): value for key, value in more.items()}))


def finish(run: RunFolder) -> int:
    return launch.start(run).wait(timeout=100)


def read(run: RunFolder) -> list[Event]:
    return [event for line in run.events_path.read_bytes().splitlines() if (event := events.from_line(line))]


def told(run: RunFolder) -> list[dict[str, object]]:
    """Epochs and the end, without what a clock says."""
    clock = ("elapsed_s", "frames_per_s", "time")
    kept = [event for event in read(run) if isinstance(event, Epoch | Finished)]
    return [{k: v for k, v in events.to_dict(event).items() if k not in clock} for event in kept]


def same_weights(one: RunFolder, other: RunFolder) -> bool:
    for path in ("best_path", "state_path"):
        a, b = checkpoint.read(getattr(one, path))[0], checkpoint.read(getattr(other, path))[0]
        if a.keys() != b.keys() or not all(np.array_equal(a[key], b[key]) for key in a):
            return False
    return True


def test_a_worker_computes_in_float32_whatever_the_environment_says_of_tf32(runs: Path, monkeypatch):
    monkeypatch.setattr(worker, "Keeper", lambda *_: None)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")  # as TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=1 does
    try:
        worker.begin(make(runs, "precise"))
        assert torch.get_float32_matmul_precision() == "highest"
    finally:
        torch.set_float32_matmul_precision(before)


def test_a_run_from_start_to_finish_leaves_what_the_contract_names(runs: Path):
    run = make(runs, "whole")
    assert finish(run) == 0
    found = read(run)
    assert isinstance(found[0], Started) and isinstance(found[-1], Finished)
    assert status(run).word == "finished"
    held = {path.name for path in run.path.iterdir()}
    assert held == {"run.toml", "lock", "events.jsonl", "best.safetensors", "state.safetensors", "worker.log"}
    best = checkpoint.load(run.best_path)
    assert best.nll["test_nll_frame"] == found[-1].test_nll_frame
    assert best.data["digest"] == prepare.load("tiny", cache=paths.cache_folder()).digest
    for line in run.events_path.read_text().splitlines():
        assert {"event", "time"} <= json.loads(line).keys()


@pytest.mark.timeout(170)
def test_ten_kills_at_random_moments_change_nothing(runs: Path):
    chance = random.Random(3)
    values = {"train__epochs": 600, "model__unit": "gru", "train__batch": 2, "model__hidden": 20}
    calm, killed = make(runs, "calm", **values), make(runs, "killed", **values)
    assert finish(calm) == 0
    kills = 0
    while kills < 10:
        written = killed.events_path.stat().st_size if killed.events_path.exists() else 0
        worker = launch.start(killed)
        while worker.poll() is None and (
            not killed.events_path.exists() or killed.events_path.stat().st_size == written
        ):
            time.sleep(0.002)  # until it trains: to have torch takes longer than what follows
        time.sleep(chance.uniform(0.0, 0.3))
        if worker.poll() is not None:
            break
        worker.send_signal(signal.SIGKILL)
        if worker.wait() == 0:
            break
        kills += 1
        assert status(killed).word in ("crashed", "starting", "finished")
    if status(killed).word != "finished":
        assert finish(killed) == 0
    assert kills >= 3
    assert told(killed) == told(calm)
    assert same_weights(killed, calm)


def test_a_stop_saves_and_resume_repeats_the_uninterrupted_run(runs: Path):
    calm, stopped = make(runs, "calm", train__epochs=400), make(runs, "stopped", train__epochs=400)
    assert finish(calm) == 0
    worker = launch.start(stopped)
    assert launch.request_stop(stopped, process=worker)
    assert worker.wait(timeout=30) == 0
    assert status(stopped).word == "stopped" and stopped.state_path.exists()
    assert finish(stopped) == 0
    assert told(stopped) == told(calm)
    assert same_weights(stopped, calm)


def test_a_diverging_run_ends_with_1_and_keeps_its_best(runs: Path):
    run = make(runs, "wild", train__epochs=100_000)
    worker = launch.start(run)
    assert launch.wait_until_locked(run, worker)
    while not run.best_path.exists():
        time.sleep(0.02)
    launch.request_stop(run)
    assert worker.wait(timeout=30) == 0
    best = run.best_path.read_bytes()
    held, about = checkpoint.read(run.state_path)
    held["weights"][5] = np.nan
    checkpoint.write(run.state_path, held, about)
    state = run.state_path.read_bytes()
    assert finish(run) == 1
    last = read(run)[-1]
    assert status(run).word == "diverged" and isinstance(last, Diverged)
    assert "nan" in last.what and "--lr" in last.hint
    assert run.state_path.read_bytes() == state
    assert run.best_path.read_bytes() == best


def test_data_that_vanished_fails_with_3_and_says_what_to_type(runs: Path, monkeypatch: pytest.MonkeyPatch):
    run = make(runs, "orphan")
    monkeypatch.setenv("GATED_CACHE", str(runs / "empty-cache"))
    assert finish(run) == 3
    last = read(run)[-1]
    assert isinstance(last, Failed) and "tiny" in last.what and "gated data fetch" in last.hint
    assert status(run).word == "failed"


def test_a_cut_state_fails_with_3(runs: Path):
    run = make(runs, "cut", train__epochs=2)
    assert finish(run) == 0
    run.state_path.write_bytes(run.state_path.read_bytes()[:1000])
    run.events_path.write_text("")
    assert finish(run) == 3
    assert isinstance(read(run)[-1], Failed)


def test_a_second_worker_is_turned_away(runs: Path):
    run = make(runs, "one", train__epochs=100_000)
    first = launch.start(run)
    assert launch.wait_until_locked(run, first)
    assert finish(run) == 2
    assert "already running" in run.log_path.read_text()
    assert first.poll() is None
    launch.request_stop(run)
    assert first.wait(timeout=30) == 0


def limited_size() -> None:
    """A file may have 40 KB at most, as on a disk that fills up; writing more is an error, not a signal."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))


def test_a_full_disk_ends_the_run_with_a_sentence_and_no_half_file(runs: Path):
    run = make(runs, "full", train__epochs=100_000, model__hidden=46)
    command = [sys.executable, "-m", "gatedtui.train.worker", str(run.path)]
    # without coverage, which could not write its own file either
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, env=environ, preexec_fn=limited_size, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert not list(run.path.glob(".*"))
    assert not run.state_path.exists() or checkpoint.read(run.state_path)
    assert isinstance(read(run)[-1], Failed)


def test_the_worker_writes_nothing_outside_its_folder(runs: Path):
    run = make(runs, "tidy", train__epochs=2)
    before = {path for path in runs.rglob("*") if run.path not in path.parents}
    assert finish(run) == 0
    assert {path for path in runs.rglob("*") if run.path not in path.parents} == before
    assert run.log_path.read_text() == ""
    assert os.listdir(runs) == ["tidy"]  # noqa: PTH208
