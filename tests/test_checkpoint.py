import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from gatedtui import checkpoint
from gatedtui.checkpoint import Checkpoint
from gatedtui.config import build
from gatedtui.errors import BadSource

DATA = {"name": "tiny", "kind": "music", "digest": "0" * 64, "steps_per_quarter": 4, "rate_hz": 0, "scale": 1.0}


def example(unit: str = "lstm", layers: int = 2) -> Checkpoint:
    config = build({"model.unit": unit, "model.hidden": 3, "model.layers": layers})
    generator = np.random.default_rng(0)
    tensors = {
        name: generator.normal(size=shape).astype(np.float32) for name, shape in checkpoint.shapes(config).items()
    }
    tensors["start"] = np.zeros((2, 88), np.float32)
    return Checkpoint(config, DATA, {"valid_nll": 8.5, "epoch": 3}, tensors, "a-run")


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
def test_a_checkpoint_survives_its_file(tmp_path: Path, unit: str):
    made = example(unit)
    checkpoint.save(tmp_path / "m.safetensors", made)
    again = checkpoint.load(tmp_path / "m.safetensors")
    assert (again.config, again.data, again.nll, again.run) == (made.config, made.data, made.nll, made.run)
    assert all(np.array_equal(again.tensors[name], value) for name, value in made.tensors.items())
    assert ("unit2.V" in again.tensors) == (unit == "lstm")
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def test_a_joint_head_s_own_tensors_are_kept_and_missed(tmp_path: Path):
    config = build({"model.unit": "gru", "model.hidden": 3, "model.head": "nade", "model.parts": 5})
    shapes = checkpoint.shapes(config)
    assert shapes["head.weight"] == (93, 3) and shapes["head.V"] == shapes["head.W"] == (88, 5)
    tensors = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    tensors["start"] = np.zeros((2, 88), np.float32)
    checkpoint.save(tmp_path / "m.safetensors", Checkpoint(config, DATA, {}, tensors, "r"))
    assert set(checkpoint.load(tmp_path / "m.safetensors").tensors) == set(tensors)
    del tensors["head.V"]
    checkpoint.save(tmp_path / "m.safetensors", Checkpoint(config, DATA, {}, tensors, "r"))
    with pytest.raises(BadSource, match=r"head\.V"):
        checkpoint.load(tmp_path / "m.safetensors")


def test_the_same_model_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        checkpoint.save(tmp_path / name, example())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


class Bomb:
    def __init__(self, proof: Path):
        self.proof = proof

    def __reduce__(self):
        return (Path.touch, (self.proof,))


def test_a_pickle_is_refused_and_not_run(tmp_path: Path):
    path, proof = tmp_path / "m.safetensors", tmp_path / "it-ran"
    path.write_bytes(pickle.dumps(Bomb(proof)))
    with pytest.raises(BadSource, match="safetensors"):
        checkpoint.load(path)
    assert not proof.exists()


def test_every_way_to_cut_a_file_short_is_refused(tmp_path: Path):
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, example("tanh", 1))
    whole = path.read_bytes()
    for length in [*range(64), *range(64, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(BadSource):
            checkpoint.load(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path):
    import safetensors.numpy

    path = tmp_path / "m.safetensors"
    safetensors.numpy.save_file({"w": np.zeros(3)}, path)
    with pytest.raises(BadSource, match="does not say what it holds"):
        checkpoint.load(path)


@pytest.mark.parametrize("damage", ["nan", "shape", "missing", "stray", "start"])
def test_tensors_that_do_not_fit_the_config_are_refused(tmp_path: Path, damage: str):
    made = example("gru", 1)
    tensors = dict(made.tensors)
    if damage == "nan":
        tensors["unit.W"] = tensors["unit.W"].copy()
        tensors["unit.W"][0, 0] = np.nan
    elif damage == "shape":
        tensors["unit.U"] = tensors["unit.U"][:-1]
    elif damage == "missing":
        del tensors["head.bias"]
    elif damage == "stray":
        tensors["more"] = np.zeros(1)
    else:
        tensors["start"] = np.zeros((0, 88))
    checkpoint.save(tmp_path / "m.safetensors", Checkpoint(made.config, made.data, made.nll, tensors))
    with pytest.raises(BadSource):
        checkpoint.load(tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "speech"},
        {"kind": "opera"},
        {"steps_per_quarter": 0},
        {"scale": 0.0},
        {"scale": float("nan")},
        {"peak": float("inf")},
        {"peak": "loud"},
        {"scale": None},
    ],
)
def test_impossible_facts_about_the_data_are_refused(tmp_path: Path, data: dict[str, object]):
    path, made = tmp_path / "m.safetensors", example("gru", 1)
    checkpoint.save(path, made)
    tensors, about = checkpoint.read(path)
    about["data"] |= data
    import safetensors.numpy

    path.write_bytes(safetensors.numpy.save(tensors, metadata={"gated": json.dumps(about)}))
    with pytest.raises(BadSource):
        checkpoint.load(path)


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, example("tanh", 1))
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadSource, match="No space left"):
        checkpoint.save(path, example("gru", 1))
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["m.safetensors"]
