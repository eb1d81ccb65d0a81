import os
from pathlib import Path

import numpy as np
import pytest

from gatedtui import checkpoint, config, sources
from gatedtui.checkpoint import Checkpoint
from gatedtui.errors import BadArgument, BadSource
from gatedtui.runs.folder import RunFolder, create


def save(path: Path, unit: str = "gru", data: str = "tiny", kind: str = "music") -> Path:
    head = "mixture" if kind == "speech" else "bernoulli"
    made = config.build({"model.unit": unit, "model.hidden": 2, "model.head": head, "data.name": data})
    tensors = {name: np.zeros(shape, np.float32) for name, shape in checkpoint.shapes(made).items()}
    tensors["start"] = np.zeros((1, 20 if kind == "speech" else 88), np.float32)
    rates = {"steps_per_quarter": 0, "rate_hz": 8000} if kind == "speech" else {"steps_per_quarter": 4, "rate_hz": 0}
    about = {"name": data, "kind": kind, "digest": "0", "scale": 1.0} | rates
    checkpoint.save(path, Checkpoint(made, about, {"epoch": 1, "valid_nll": 9.0}, tensors))
    return path


def make(runs: Path, name: str, made_at: int, **words: str) -> RunFolder:
    run = create(runs, name, config.RunConfig())
    save(run.best_path, **words)
    os.utime(run.config_path, (made_at, made_at))
    return run


@pytest.fixture(autouse=True)
def no_released_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "released"
    place.mkdir()
    monkeypatch.setattr(sources.paths, "bundled", lambda folder: place)
    return place


def test_the_newest_run_that_fits_is_taken(runs: Path):
    make(runs, "old", 100, unit="lstm")
    make(runs, "new", 200, unit="gru")
    make(runs, "newest", 300, unit="gru", data="voices", kind="speech")
    assert sources.find(None, runs=runs).path.parent.name == "newest"
    assert sources.find(None, runs=runs, kind="music").path.parent.name == "new"
    assert sources.find(None, runs=runs, unit="lstm").path.parent.name == "old"
    assert sources.find(None, runs=runs, data="voices").path.parent.name == "newest"
    assert "newest run new: gru 2 on tiny, epoch 1, valid 9.00" in sources.find(None, runs=runs, kind="music").described


def test_a_released_model_serves_where_no_run_fits(runs: Path, no_released_models: Path):
    save(no_released_models / "lstm-tiny.safetensors", unit="lstm")
    save(no_released_models / "gru-tiny.safetensors", unit="gru")
    assert sources.find(None, runs=runs).path.stem == "gru-tiny"
    assert sources.find(None, runs=runs, unit="lstm").path.stem == "lstm-tiny"
    assert sources.find("lstm-tiny", runs=runs).checkpoint.config.model.unit == "lstm"


def test_the_released_voice_is_bach_with_joint_outputs_unless_a_unit_is_asked_for(runs: Path, no_released_models: Path):
    for name in ("gru-bach", "lstm-bach", "lstm-bach-nade", "gru-jsb", "lstm-jsb-nade"):
        save(no_released_models / f"{name}.safetensors", unit=name.split("-")[0], data=name.split("-")[1])
    assert sources.find(None, runs=runs).path.stem == "lstm-bach-nade"
    assert sources.find(None, runs=runs, data="jsb").path.stem == "lstm-jsb-nade"
    assert sources.find(None, runs=runs, unit="lstm").path.stem == "lstm-bach"
    assert sources.find(None, runs=runs, unit="lstm", data="jsb").path.stem == "lstm-jsb-nade"  # there is no other
    assert sources.find(None, runs=runs, unit="gru", data="jsb").path.stem == "gru-jsb"


def test_a_path_comes_before_a_run_and_a_run_before_a_released_model(
    runs: Path, tmp_path: Path, no_released_models: Path, monkeypatch: pytest.MonkeyPatch
):
    save(no_released_models / "same.safetensors", unit="tanh")
    assert sources.find("same", runs=runs).checkpoint.config.model.unit == "tanh"
    make(runs, "same", 100, unit="lstm")
    assert sources.find("same", runs=runs).checkpoint.config.model.unit == "lstm"
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "same", unit="gru")
    assert sources.find("same", runs=runs).checkpoint.config.model.unit == "gru"


def test_a_run_whose_name_has_a_dot_is_found(runs: Path):
    make(runs, "lr-0.01", 100)
    assert sources.find("lr-0.01", runs=runs).path.parent.name == "lr-0.01"


def test_what_does_not_fit_is_said(runs: Path):
    make(runs, "one", 100)
    with pytest.raises(BadSource, match="'gru' units"):
        sources.find("one", runs=runs, unit="lstm")
    with pytest.raises(BadSource, match="models music"):
        sources.find("one", runs=runs, kind="speech")
    with pytest.raises(BadSource, match="no trained model"):
        sources.find(None, runs=runs, unit="lstm")
    with pytest.raises(BadArgument) as caught:
        sources.find("onee", runs=runs)
    assert "'one'" in caught.value.hint


def test_a_folder_that_is_no_run_is_said(runs: Path):
    with pytest.raises(BadSource, match="is no run"):
        sources.find(str(runs), runs=runs)
    made = make(runs, "bare", 100)
    made.config_path.unlink()
    assert sources.find(str(made.path), runs=runs).path == made.best_path


def test_a_run_without_a_model_is_said_and_a_damaged_one_hides_no_other(runs: Path):
    make(runs, "good", 100)
    create(runs, "empty", config.RunConfig())
    damaged = make(runs, "damaged", 300)
    damaged.best_path.write_bytes(b"x")
    with pytest.raises(BadSource, match="no best model yet"):
        sources.find("empty", runs=runs)
    assert sources.find(None, runs=runs).path.parent.name == "good"
