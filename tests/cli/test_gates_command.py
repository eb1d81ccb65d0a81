import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch

from gatedtui import checkpoint, paths
from gatedtui.cli.main import run as gated
from gatedtui.data import prepare
from gatedtui.sound.midi import write_midi
from gatedtui.units import UNITS


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with a small trained model of each unit."""
    place = tmp_path_factory.mktemp("models")
    for unit in UNITS:
        words = ["train", "--data", "tiny", "--unit", unit, "--epochs", "3", "--set", "model.hidden=7"]
        assert gated([*words, "--name", unit, "--runs", str(place)]) == 0
    return place


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    capsys.readouterr()
    assert gated(["gates", *words, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("unit", UNITS)
def test_the_json_equals_the_reference_cell(trained: Path, unit: str, dtype: torch.dtype, capsys):
    about = answer(capsys, str(trained / unit), "--input", "tiny:0")
    held = checkpoint.load(trained / unit / "best.safetensors")
    roll = prepare.load("tiny", cache=paths.cache_folder()).splits["test"][0]
    cell = UNITS[unit](88, 7).to(dtype)
    state = None
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            parameter.copy_(torch.from_numpy(held.tensors[f"unit.{name}"]))
        assert about["steps"] == len(roll)
        for t, frame in enumerate(torch.from_numpy(roll).to(dtype)[:, None]):
            state, values = cell.step(frame, state)
            for name, value in values.items():
                np.testing.assert_allclose(about["gates"][name]["values"][t], value[0], rtol=0, atol=1e-6)


def test_a_file_and_pitches_are_heard_too(trained: Path, tmp_path: Path, capsys):
    roll = np.zeros((12, 88), np.uint8)
    roll[:, [39, 43, 46]] = 1
    write_midi(roll, tmp_path / "chord.mid", steps_per_quarter=4)
    from_file = answer(capsys, str(trained / "gru"), "--input", str(tmp_path / "chord.mid"))
    from_pitches = answer(capsys, str(trained / "gru"), "--input", "C4,E4,G4*12")
    assert from_file["gates"] == from_pitches["gates"] and from_file["roll"] == [[60, 64, 67]] * 12
    assert answer(capsys, str(trained / "gru"), "--input", "C4,E4,G4*12", "--steps", "5")["steps"] == 5


def test_without_json_the_gates_are_told_in_lines(trained: Path, capsys):
    assert gated(["gates", str(trained / "lstm"), "--input", "tiny:1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("lstm 7 hears tiny:1:") and [line.split()[0] for line in lines[1:]] == ["i", "f", "o"]
    assert "holds" in lines[2] and "holds" not in lines[1] + lines[3]
    assert gated(["gates", str(trained / "lstm"), "--input", "C4"]) == 0
    assert "hears C4: 1 step\n" in capsys.readouterr().out
    assert gated(["gates", str(trained / "tanh"), "--input", "tiny:1"]) == 0
    assert "no gates" in capsys.readouterr().out


@pytest.mark.parametrize("unit", UNITS)
def test_the_picture_is_an_svg_of_every_gate(trained: Path, tmp_path: Path, unit: str, capsys):
    out = tmp_path / "gates.svg"
    assert gated(["gates", str(trained / unit), "--input", "tiny:0", "--out", str(out)]) == 0
    tree = ElementTree.parse(out)
    texts = {element.text for element in tree.iter() if element.tag.endswith("text")}
    assert {"tanh": {"|h|"}, "gru": {"r", "z", "|h|"}, "lstm": {"i", "f", "o", "|h|"}}[unit] <= texts
    assert "http" not in out.read_text().replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--input", "tiny:99"], 2, "tiny:99"),
        (["--input", "missing.mid"], 3, "missing.mid"),
        (["--input", "tiny:0", "--layer", "2"], 2, "The model has one: --layer 1"),
        (["--input", "tiny:0", "--steps", "0"], 2, "'0'"),
        (["--input", "tiny:0", "--out", "gates.png"], 2, ".svg"),
        (["--input", "tiny:0", "--out", "no/such/folder/gates.svg"], 3, "no/such/folder"),
        ([], 2, "gated gates --input bach:0"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_sentence(trained: Path, words: list[str], code: int, said: str, capsys):
    assert gated(["gates", str(trained / "gru"), *words]) == code
    error = capsys.readouterr().err
    assert said in error and "error: " in error and "Traceback" not in error and "unforeseen" not in error
