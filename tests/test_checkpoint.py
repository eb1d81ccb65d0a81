import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
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
    made = replace(example(unit), version="0.0.7")
    checkpoint.save(tmp_path / "m.safetensors", made)
    again = checkpoint.load(tmp_path / "m.safetensors")
    assert (again.config, again.data, again.nll, again.run) == (made.config, made.data, made.nll, made.run)
    assert again.version == "0.0.7"
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


def test_the_same_model_gives_the_same_bytes_in_whatever_order_its_facts_were_found(tmp_path: Path):
    for name, data in (("a", DATA), ("b", dict(reversed(DATA.items())))):
        checkpoint.save(tmp_path / name, replace(example(), data=data))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_shapes_are_those_of_the_equations_in_every_layer():
    lstm = build({"model.unit": "lstm", "model.hidden": 3, "model.layers": 2})
    assert checkpoint.shapes(lstm) == {
        "unit.W": (12, 88), "unit.U": (12, 3), "unit.b": (12,), "unit.V": (3, 3),
        "unit2.W": (12, 3), "unit2.U": (12, 3), "unit2.b": (12,), "unit2.V": (3, 3),
        "head.weight": (88, 3), "head.bias": (88,),
    }  # fmt: skip
    assert checkpoint.shapes(speech().config)["unit.W"] == (9, 20)  # as wide as the input, not the output of 10


def test_a_tensor_that_is_a_view_is_written_as_it_reads(tmp_path: Path):
    grid = np.arange(12, dtype=np.float32).reshape(3, 4)
    views = {"turned": grid.T, "thinned": grid[:, ::2]}  # safetensors would write the memory behind them
    checkpoint.write(tmp_path / "m.safetensors", views, {})
    tensors, _ = checkpoint.read(tmp_path / "m.safetensors")
    assert all(np.array_equal(tensors[name], view) for name, view in views.items())


def test_a_figure_that_is_not_finite_is_kept_as_none_and_never_written_as_it_is(tmp_path: Path):
    path, nll = tmp_path / "m.safetensors", {"valid_nll": float("nan"), "test_nll": float("inf"), "epoch": 3}
    checkpoint.save(path, replace(example(), nll=nll))
    assert checkpoint.load(path).nll == {"valid_nll": None, "test_nll": None, "epoch": 3}
    with pytest.raises(ValueError, match="not JSON compliant"):  # NaN is no JSON
        checkpoint.write(tmp_path / "other", {}, {"scale": float("nan")})
    assert not (tmp_path / "other").exists()


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


def speech() -> Checkpoint:
    config = build({"model.unit": "gru", "model.hidden": 3, "model.head": "mixture", "model.parts": 2})
    tensors = {name: np.ones(shape, np.float32) for name, shape in checkpoint.shapes(config).items()}
    tensors["start"] = np.zeros((1, 20), np.float32)
    data = {"name": "vowels", "kind": "speech", "digest": "0" * 64, "steps_per_quarter": 0, "rate_hz": 8000}
    return Checkpoint(config, data | {"scale": 0.5, "peak": 3.0}, {"valid_nll": None, "epoch": 0}, tensors, "a-run")


def test_a_model_of_speech_has_its_rate_in_hertz(tmp_path: Path):
    made = speech()
    checkpoint.save(tmp_path / "m.safetensors", made)
    again = checkpoint.load(tmp_path / "m.safetensors")
    assert (again.config, again.data, again.nll) == (made.config, made.data, made.nll)
    checkpoint.save(tmp_path / "m.safetensors", replace(made, data=made.data | {"rate_hz": 0, "steps_per_quarter": 4}))
    with pytest.raises(BadSource, match="at rate '0'"):
        checkpoint.load(tmp_path / "m.safetensors")


def changed(path: Path, name: str, value: np.ndarray | None) -> None:
    """The example's file with one tensor put in its place, or left out."""
    made = example("gru", 1)
    tensors = {key: kept for key, kept in made.tensors.items() if key != name}
    checkpoint.save(path, replace(made, tensors=tensors if value is None else tensors | {name: value}))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("unit.W", np.full((9, 88), np.nan, np.float32), "values in 'unit.W' that are not finite numbers"),
        ("unit.W", np.zeros((9, 88), np.int32), "values in 'unit.W' that are not finite numbers"),
        ("unit.U", np.zeros((8, 3), np.float32), "'unit.U' of shape '(8, 3)' instead of '(9, 3)'"),
        ("head.bias", None, "lacks the tensor 'head.bias'"),
        ("more", np.zeros(1), "the unexpected tensor 'more'"),
        ("start", None, "a usable tensor 'start'"),
        ("start", np.zeros((0, 88)), "a usable tensor 'start'"),
        ("start", np.zeros(88), "a usable tensor 'start'"),
        ("start", np.zeros((1, 87)), "a usable tensor 'start'"),
        ("start", np.full((1, 88), np.inf), "a usable tensor 'start'"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_said_with_its_name_the_file_and_what_to_do(
    tmp_path: Path, name: str, value: np.ndarray | None, said: str
):
    path = tmp_path / "m.safetensors"
    changed(path, name, value)
    with pytest.raises(BadSource) as caught:
        checkpoint.load(path)
    assert said in caught.value.what and f"'{path}'" in caught.value.what
    assert caught.value.hint == "The file is damaged or was changed: train again, or take another model."


def test_the_start_of_a_model_of_speech_is_as_wide_as_its_input(tmp_path: Path):
    made = speech()
    for width in (10, 88):
        tensors = made.tensors | {"start": np.zeros((1, width), np.float32)}
        checkpoint.save(tmp_path / "m.safetensors", replace(made, tensors=tensors))
        with pytest.raises(BadSource, match="'start'"):
            checkpoint.load(tmp_path / "m.safetensors")


def metadata(path: Path, text: str) -> None:
    import safetensors.numpy

    path.write_bytes(safetensors.numpy.save({"w": np.zeros(3)}, metadata={"gated": text}))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.mkdir(), "The checkpoint '{}' is not a plain file."),
        (lambda path: os.mkfifo(path), "The checkpoint '{}' is not a plain file."),
        (lambda path: None, "The checkpoint '{}' cannot be read (No such file or directory)."),
        (lambda path: path.write_bytes(b"?" * 99), "'{}' is not a whole safetensors file ("),
        (lambda path: metadata(path, "?"), "'{}' is not a checkpoint of gated: it does not say what it holds."),
        (lambda path: metadata(path, '{"format": 2}'), "'{}' has the checkpoint format '2'; this version reads '1'."),
        (lambda path: metadata(path, "{}"), "'{}' has the checkpoint format 'None'; this version reads '1'."),
        (lambda path: metadata(path, "7"), "'{}' has the checkpoint format '7'; this version reads '1'."),
    ],
)
def test_a_path_that_is_no_checkpoint_is_named_with_the_commands_that_list_them(
    tmp_path: Path, write: Callable[[Path], object], said: str
):
    path = tmp_path / "m.safetensors"
    write(path)
    with pytest.raises(BadSource) as caught:
        checkpoint.read(path)
    assert caught.value.what.startswith(said.format(path))
    assert caught.value.hint == "gated runs list names the runs, gated models list the released models."


def test_the_largest_size_is_read_and_one_byte_more_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, example("tanh", 1))
    size = path.stat().st_size
    monkeypatch.setattr(checkpoint, "LARGEST", size)
    assert checkpoint.read(path)
    monkeypatch.setattr(checkpoint, "LARGEST", size - 1)
    with pytest.raises(BadSource) as caught:
        checkpoint.read(path)
    assert caught.value.what == f"'{path}' is too large for a checkpoint ({size:,} bytes)."
    assert caught.value.hint == "gated runs list names the runs, gated models list the released models."


@pytest.mark.parametrize("value", ["far", [8.5]])
def test_an_nll_that_is_no_number_is_refused(tmp_path: Path, value: object):
    checkpoint.save(tmp_path / "m.safetensors", replace(example(), nll={"valid_nll": value}))
    with pytest.raises(BadSource, match="whole config"):
        checkpoint.load(tmp_path / "m.safetensors")


def restated(path: Path, facts: dict[str, object]) -> None:
    """The example's file with other facts in its metadata; None leaves one out."""
    checkpoint.save(path, example("gru", 1))
    tensors, about = checkpoint.read(path)
    checkpoint.write(path, tensors, {key: value for key, value in (about | facts).items() if value is not None})


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"nll": None}, "does not hold a whole config."),
        ({"run": "\x1b[2J"}, "holds names that cannot be printed."),
        ({"data": DATA | {"name": "\x1b[2J"}}, "holds names that cannot be printed."),
        ({"data": DATA | {"digest": "0\n"}}, "holds names that cannot be printed."),
        ({"data": DATA | {"kind": "speech", "rate_hz": 8000}}, "says it models 'speech' at rate '8000'."),
        ({"data": DATA | {"steps_per_quarter": 0}}, "says it models 'music' at rate '0'."),
        ({"data": DATA | {"scale": 0.0}}, "states the sound levels '[0.0, 1.0]'."),
        ({"data": DATA | {"peak": -1}}, "states the sound levels '[1.0, -1.0]'."),
    ],
)
def test_what_a_file_says_wrongly_of_itself_is_said_with_the_file_and_what_to_do(
    tmp_path: Path, facts: dict[str, object], said: str
):
    path = tmp_path / "m.safetensors"
    restated(path, facts)
    with pytest.raises(BadSource) as caught:
        checkpoint.load(path)
    assert caught.value.what == f"'{path}' {said}"
    assert caught.value.hint == "Train again, or take another model."


def test_one_step_a_quarter_is_a_rate_and_a_run_or_version_unnamed_is_empty(tmp_path: Path):
    path = tmp_path / "m.safetensors"
    restated(path, {"data": DATA | {"steps_per_quarter": 1}, "run": None, "version": None})
    again = checkpoint.load(path)
    assert (again.data["steps_per_quarter"], again.run, again.version) == (1, "", "")
