"""The engine that trains trials as one: in groups of one shape, saved and continued like all others."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from gatedtui import config, paths, plan
from gatedtui.cli.main import run as gated
from gatedtui.data import prepare
from gatedtui.events import Epoch, Finished
from gatedtui.runs.history import load
from gatedtui.runs.lock import probe
from gatedtui.runs.status import status
from gatedtui.sweep import folder as sweeps
from gatedtui.sweep import local, stacks
from gatedtui.sweep.local import Began, Ended
from gatedtui.sweep.plan import sweep, trials
from gatedtui.train.loop import train

SETTINGS = ["hidden=7", "lr=log(1e-3,1e-2)", "dtype=float64", "kernel=bptt"]


def make(runs: Path, name: str, **words):
    prepare.prepare("tiny", cache=paths.cache_folder())
    made = sweep(**({"data": ["tiny"], "units": ["gru"], "draws": 3, "epochs": 4, "settings": SETTINGS} | words))
    return sweeps.create(runs, name, made), trials(made)


def nlls(events) -> list[float]:
    epochs = [value for one in events if isinstance(one, Epoch) for value in (one.train_nll, one.valid_nll)]
    return epochs + [one.test_nll_frame for one in events if isinstance(one, Finished)]


def test_stacked_trials_are_what_they_are_alone_also_when_stopped_in_between(runs: Path):
    together, planned = make(runs, "together")
    seen: list[int] = []
    happened = []
    for one in stacks.train(together, planned, size=8, should_stop=lambda: bool(seen)):
        happened.append(one)
        if together.run(planned[0].slot).state_path.exists():
            seen.append(1)
    words = {status(together.run(trial.slot)).word for trial in planned}
    assert words <= {"stopped", "finished"}
    assert sum(isinstance(one, Began) for one in happened) == sum(isinstance(one, Ended) for one in happened) == 3
    list(stacks.train(together, planned, size=8))
    for trial in planned:
        run = together.run(trial.slot)
        assert status(run).word == "finished"
        history = load(run)
        assert history.finished is not None
        alone = nlls(list(train(trial.config, prepare.load("tiny", cache=paths.cache_folder()))))
        np.testing.assert_allclose(nlls([*history.epochs, history.finished]), alone, rtol=1e-11)
        files = {"run.toml", "lock", "events.jsonl", "best.safetensors", "state.safetensors"}
        assert {path.name for path in run.path.iterdir()} == files


def test_a_killed_stack_goes_on_from_what_was_saved(runs: Path):
    folder, planned = make(runs, "s", draws=2, epochs=3000, settings=[*SETTINGS, "patience=0"])
    run, words = folder.run(planned[0].slot), []
    for one in stacks.train(folder, planned, size=2):
        pid = probe(run.lock_path)
        if pid and run.state_path.exists():
            os.kill(pid, signal.SIGKILL)
        if isinstance(one, Ended):
            words.append(one.word)
    assert words == ["crashed", "crashed"]
    assert [status(folder.run(trial.slot)).can_resume for trial in planned] == [True, True]


def test_a_trial_whose_folder_is_hurt_ends_alone(runs: Path):
    folder, planned = make(runs, "s", draws=2)
    run = local.place(folder, planned[0])
    run.state_path.write_bytes(b"no state")
    ended = {one.trial.name: one.word for one in stacks.train(folder, planned, size=2) if isinstance(one, Ended)}
    assert ended == {planned[0].name: "failed", planned[1].name: "finished"}


def test_groups_hold_one_shape_each_and_no_more_than_asked_for(runs: Path):
    _, planned = make(runs, "s", units=["tanh", "gru"], draws=3)
    found = stacks.groups(planned, 2)
    assert [len(group) for group in found] == [2, 1, 2, 1]
    assert [{trial.slot.unit for trial in group} for group in found] == [{"tanh"}, {"tanh"}, {"gru"}, {"gru"}]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dropout", 0.5),
        ("truncate", 9),
        ("kernel", "native"),
        ("kernel", "reference"),
        ("head", "nade"),
        ("unit", "gru-no-reset"),
    ],
)
def test_what_cannot_be_stacked_is_named(key: str, value: object):
    assert plan.obstacle(config.RunConfig()) == ""
    assert plan.obstacle(config.build({config.find_key(key): value})) == f"{config.find_key(key)} is '{value}'"


@pytest.mark.parametrize(
    "words", [["--stack", "0"], ["--stack", "2", "--jobs", "2"], ["--stack", "2", "--engine", "ray"]]
)
def test_the_flag_stands_for_itself(words: list[str], capsys: pytest.CaptureFixture[str]):
    assert gated(["sweep", "--data", "tiny", *words]) == 2
    assert f"'--stack {words[1]}'" in capsys.readouterr().err


def test_the_command_trains_in_stacks_and_says_how_to_go_on(runs: Path, capsys: pytest.CaptureFixture[str]):
    prepare.prepare("tiny", cache=paths.cache_folder())
    words = ["--data", "tiny", "--draws", "2", "--epochs", "2", "--set", "hidden=5", "--name", "s", "--stack", "4"]
    assert gated(["sweep", "--unit", "gru", "--plain", *words]) == 0
    assert all(status(sweeps.SweepFolder(runs / "s").run(slot)).word == "finished" for slot in _slots(runs))
    assert gated(["sweep", "--set", "dropout=0.5", "--data", "tiny", "--stack", "2"]) == 2
    assert "cannot be stacked: train.dropout is '0.5'" in capsys.readouterr().err


def _slots(runs: Path):
    return sweeps.SweepFolder(runs / "s").about().slots()
