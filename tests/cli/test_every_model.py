"""A model of each kind, and each variant of a unit: trained for a moment, then all that can be done with it.

What is done here has often been written for the paper's three units alone.
"""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from gatedtui import paths
from gatedtui.cli.main import run as gated
from gatedtui.config import VARIANTS
from gatedtui.runs.folder import find
from gatedtui.sound.wav import write_audio
from gatedtui.tui import form

SMALL = ["--epochs", "1", "--set", "model.hidden=5", "--plain"]
MUSIC = ["music-gru", "music-lstm-nade", *(f"music-{unit}" for unit in VARIANTS)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def everything(run: str, heard: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What can be done with a run; gives its report."""
    capsys.readouterr()
    assert gated(["gates", run, "--input", heard]) == 0
    said = capsys.readouterr().out
    assert "inf" not in said and "nan" not in said
    assert gated(["eval", run, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["unit"]) > 0
    assert gated(["table", "--json"]) == 0
    assert capsys.readouterr().out.count('"trials"') == 1
    assert gated(["report", run, "--out", "page.html", "--samples", "1", "--seconds", "1"]) == 0
    old = find(paths.runs_folder(), run).config()
    assert form.planned(form.like(old))[0].config == old
    return Path("page.html").read_text()


@pytest.mark.parametrize("model", MUSIC)
def test_all_that_can_be_done_with_a_model_of_music(model: str, capsys: pytest.CaptureFixture[str]):
    assert gated(["train", "--data", "tiny", "--model", model, "--name", "own", *SMALL]) == 0
    page = everything("own", "tiny:0", capsys)
    assert ("joint outputs" in page) == model.endswith("-nade")
    (again,) = (line for line in page.splitlines() if "gated train --unit" in line)
    words = shlex.split(again[again.index("gated train") :].partition("<")[0])
    assert words[-2:] == ["--name", "own"] and gated([*words[1:-1], "again", "--plain"]) == 0
    assert find(paths.runs_folder(), "again").config() == find(paths.runs_folder(), "own").config()


@pytest.mark.parametrize("unit", ["gru", "gru-no-reset", "lstm-coupled"])
def test_all_that_can_be_done_with_a_model_of_recordings_at_a_rate_of_their_own(
    unit: str, capsys: pytest.CaptureFixture[str]
):
    chance = np.random.default_rng(3)
    Path("voices").mkdir()
    for number in range(9):
        sound = np.sin(np.arange(6_000) * chance.uniform(0.05, 0.4)) + 0.1 * chance.standard_normal(6_000)
        write_audio((0.3 * sound).astype(np.float32), 16_000, Path("voices") / f"{number}.wav")
    own = ["--data", "voices", "--set", "data.rate_hz=16000", "--unit", unit, "--name", "own"]
    assert gated(["train", *own, *SMALL]) == 0
    kept = sorted(path.name for path in (paths.cache_folder() / "data").iterdir())
    assert gated(["train", "--data", "tiny", "--name", "later", *SMALL]) == 0
    for words in (["gates", "--input", "voices/3.wav"], ["sample", "--data", "voices", "--out", "a.wav"]):
        assert gated([*words, "--json"]) == 0, "without a name the newest that fits"
        assert f"{unit} 5 on" in capsys.readouterr().err
    assert gated(["sample", "later", "--data", "voices", "--out", "a.mid"]) == 3
    assert gated(["runs", "rm", "later", "--yes"]) == 0
    everything("own", "voices/3.wav", capsys)
    assert gated(["sample", "own", "--seconds", "0.1", "--stats", "--out", "voice.wav"]) == 0
    assert sorted(path.name for path in (paths.cache_folder() / "data").iterdir()) == kept, "at no other rate"
