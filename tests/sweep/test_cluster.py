"""The Ray engine. The tests marked `ray` start clusters on this machine; the others need no Ray."""

import importlib.util
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from gatedtui import paths
from gatedtui.cli.main import run as gated
from gatedtui.data import prepare
from gatedtui.errors import BadSource
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import load
from gatedtui.runs.lock import probe
from gatedtui.runs.status import status
from gatedtui.sweep import cluster, errand, local
from gatedtui.sweep import folder as sweeps
from gatedtui.sweep.local import Ended, Manned
from gatedtui.sweep.plan import sweep, trials
from gatedtui.table.cells import as_dict, cells
from gatedtui.table.results import read

CLOCK = ("time", "elapsed_s", "frames_per_s")
with_ray = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="pip install 'gatedtui[ray]'"),
]


def make(runs: Path, name: str, **words):
    prepare.prepare("tiny", cache=paths.cache_folder())
    made = sweep(**({"data": ["tiny"], "draws": 1, "epochs": 6, "settings": ["hidden=7", "lr=log(1e-4,1e-2)"]} | words))
    return sweeps.create(runs, name, made), trials(made)


def told(run: RunFolder) -> list:
    history = load(run)
    events = [*history.epochs, *([history.finished] if history.finished else [])]
    return [{k: v for k, v in asdict(event).items() if k not in CLOCK} for event in events]


def table(runs: Path, name: str) -> list[dict]:
    """`gated table --json` of a sweep, without what a clock or a folder's name says."""
    found = [as_dict(cell) for cell in cells(read([name], runs=runs)[0])]
    for cell in found:
        for key in ("source", "seconds", "total_seconds"):
            cell.pop(key)
        for one in cell["picked"]:
            one.pop("elapsed_s")
            one["run"] = Path(one["run"]).name
    return found


def test_an_errand_trains_a_trial_from_bytes_to_bytes(runs: Path):
    folder, planned = make(runs, "s", units=["gru"])
    trial = planned[0]
    data = cluster._cache_files(trial.config.data)
    files = {"run.toml": cluster._config(trial)}
    problem, made = errand.run(trial.name, files, data, errand.version("gatedtui"))
    assert problem == "" and set(made) == set(errand.KEPT)
    home = cluster.bring_home(folder, trial.name, made)
    assert status(home).word == "finished" and home.config() == trial.config
    other, again = make(runs, "local", units=["gru"])
    list(local.train(other, again, jobs=1))
    assert told(home) == told(other.run(trial.slot))
    assert home.best_path.read_bytes() == other.run(trial.slot).best_path.read_bytes()


def test_a_node_of_another_version_says_so(runs: Path):
    problem, made = errand.run("x", {}, {}, "0.0.1")
    assert "'0.0.1'" in problem and made == {}


def test_what_comes_home_takes_the_place_of_what_was_there_and_no_other_file_is_written(runs: Path):
    folder, planned = make(runs, "s", units=["gru"])
    run = local.place(folder, planned[0])
    run.log_path.write_text("old")
    content = {"run.toml": b"seed = 1\n", "events.jsonl": b"", "../escape": b"x", "lock": b"1"}
    cluster.bring_home(folder, planned[0].name, content)
    assert {path.name for path in run.path.iterdir()} == {"run.toml", "events.jsonl"}
    assert not (folder.path / "escape").exists() and not list(folder.path.glob(".home-*"))


def test_a_trial_whose_driver_was_killed_just_before_it_got_its_name_is_there(runs: Path):
    folder, planned = make(runs, "s", units=["gru"])
    run = local.place(folder, planned[0])
    run.path.rename(folder.path / f".home-old-{run.name}")
    whole, half = (folder.path / f".home-{name}" for name in (run.name, "other"))
    whole.mkdir()
    half.mkdir()
    (whole / "events.jsonl").write_text("new")
    cluster.tidy(folder)
    assert run.events_path.read_text() == "new" and not list(folder.path.glob(".home-*"))
    assert not (folder.path / "other").exists()


def test_without_ray_it_says_what_to_install(runs: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    assert gated(["sweep", "--data", "tiny", "--draws", "1", "--epochs", "1", "--engine", "ray"]) == 4
    assert "pip install 'gatedtui[ray]'" in capsys.readouterr().err


def test_a_set_that_is_not_prepared_cannot_be_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("GATED_CACHE", str(tmp_path))
    with pytest.raises(BadSource, match="not prepared"):
        cluster._cache_files(trials(sweep(data=["tiny"], draws=1))[0].config.data)


class TestOnRay:
    pytestmark = with_ray

    def test_two_nodes_one_of_them_killed_give_the_local_table(
        self, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        from ray.cluster_utils import Cluster

        monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # Ray's sockets want a short path
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        words = {"draws": 2, "epochs": 900, "settings": ["hidden=30", "batch=1", "patience=0", "lr=log(1e-4,1e-2)"]}
        here, planned = make(runs, "local", **words)
        list(local.train(here, planned, jobs=1))
        away, _ = make(runs, "ray", **words)
        node = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
        nodes = Cluster(initialize_head=True, head_node_args=node)
        killed = []
        try:
            node.pop("include_dashboard")
            second = nodes.add_node(**node)
            for happening in cluster.train(away, planned, address=nodes.address):
                if isinstance(happening, Manned):
                    assert happening.jobs == 2
                if isinstance(happening, Ended):
                    assert happening.word == "finished"
                if not killed and len(list(tmp_path.glob("gated-*/*/state.safetensors"))) == 2:  # both nodes are busy
                    nodes.remove_node(second, allow_graceful=False)
                    killed.append(1)
        finally:
            nodes.shutdown()
        assert killed
        broken_off = [path.name for path in tmp_path.glob("gated-*/*-tiny-*")]  # what a killed node leaves behind
        assert broken_off, "no trial was under way on the node that was killed"
        for trial in planned:
            assert told(away.run(trial.slot)) == told(here.run(trial.slot))
            both = [folder.run(trial.slot).best_path.read_bytes() for folder in (here, away)]
            assert both[0] == both[1]
        assert table(runs, "ray") == table(runs, "local")
        figures = [(cell["unit"], cell["test_nll_frame"]) for cell in table(runs, "ray")]
        with capsys.disabled():
            sys.stdout.write(f"\nthe same table by both engines: {figures}; a node was killed during {broken_off}\n")

    def test_a_cluster_of_its_own_goes_on_where_the_local_engine_stopped(self, runs: Path, capsys):
        words = ["sweep", "--data", "tiny", "--unit", "gru", "--draws", "2", "--epochs", "5", "--set", "hidden=7"]
        folder, planned = make(runs, "s", units=["gru"], draws=2, epochs=5, settings=["hidden=7"])
        list(local.train(folder, planned[:1], jobs=1))
        assert gated([*words, "--name", "s", "--engine", "ray", "--jobs", "1"]) == 0
        captured = capsys.readouterr()
        assert "on Ray" in captured.err and "2/2" in captured.out
        assert gated([*words, "--name", "calm", "--jobs", "1"]) == 0
        assert table(runs, "s") == table(runs, "calm")

    def test_an_address_where_nobody_answers_ends_with_3(self, runs: Path, capsys):
        words = ["sweep", "--data", "tiny", "--draws", "1", "--epochs", "1", "--engine", "ray"]
        assert gated([*words, "--address", "127.0.0.1:1"]) == 3
        assert "No Ray cluster at '127.0.0.1:1'" in capsys.readouterr().err
        assert not [path for path in runs.glob("*/*/lock") if probe(path)]
