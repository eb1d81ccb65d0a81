"""`gated report` and `gated listen --html` as they are typed."""

import json
import re

import numpy as np
import pytest

from gatedtui.cli.main import run as gated
from gatedtui.page.sealed import unseal
from gatedtui.sound.wav import write_audio


@pytest.fixture
def sounds(tmp_path):
    """Two short files."""
    time_s = np.arange(8000) / 8000
    for name, hz in (("low", 300), ("high", 900)):
        write_audio(0.3 * np.sin(2 * np.pi * hz * time_s), 8000, tmp_path / f"{name}.wav")
    return [str(tmp_path / "low.wav"), str(tmp_path / "high.wav")]


def test_a_trained_run_becomes_a_page(tmp_path, capsys):
    words = ["--data", "tiny", "--unit", "gru", "--epochs", "2", "--set", "model.hidden=5", "--name", "mine"]
    assert gated(["train", *words]) == 0
    out = tmp_path / "report.html"
    capsys.readouterr()
    assert gated(["report", "--samples", "1", "--seconds", "1", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}   ") and "mine: gru 5 on tiny, finished" in said.err
    page = out.read_text(encoding="utf-8")
    assert page.count("<audio ") == 2
    assert "gated report mine --samples 1 --seconds 1 --out report.html" in page
    assert (
        "gated train --unit gru --data tiny --recipe paper --set model.hidden=5 --epochs 2 --seed 1 --name mine" in page
    )


def test_clips_become_a_page(tmp_path, sounds, capsys):
    out = tmp_path / "page.html"
    assert gated(["listen", *sounds, "--html", str(out)]) == 0
    assert capsys.readouterr().out.startswith(str(out))
    page = out.read_text(encoding="utf-8")
    assert page.count("<audio ") == 2 and "low.wav" in page


def test_a_blind_page_holds_the_terminals_test_and_no_name(tmp_path, sounds, capsys):
    out = tmp_path / "page.html"
    assert gated(["listen", *sounds, "--blind", "--task", "prefer", "--trials", "3", "--html", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert "low" not in re.sub(r'="data:[^"]*"|<script>.*?</script>|<style>.*?</style>', "", page, flags=re.S)
    about = json.loads(re.search(r'id="player-1-data">(.*?)</script>', page)[1])
    assert len(unseal(about["order"])) == 3 and unseal(about["names"])["labels"] == ["low.wav", "high.wav"]
    assert about["task"] == "prefer"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["report"], 2, "gated report --out report.html"),
        (["report", "--out", "report.pdf"], 2, "'.pdf'"),
        (["report", "--out", "no/such/report.html"], 3, "no/such"),
        (["report", "nobody", "--out", "r.html"], 2, "'nobody'"),
        (["report", "gone/best.safetensors", "--out", "r.html"], 3, "gone/best.safetensors"),
        (["report", "--samples", "10", "--out", "r.html"], 2, "'10'"),
        (["report", "--temperature", "nan", "--out", "r.html"], 2, "'nan'"),
        (["report", "--seconds", "0", "--out", "r.html"], 2, "'0.0'"),
        (["listen", "LOW", "--html", "page.txt"], 2, "'.txt'"),
        (["listen", "LOW", "--html", "no/such/page.html"], 3, "no/such"),
        (["listen", "LOW", "--blind", "--html", "page.html"], 2, "two things"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_no_file(words, code, said, tmp_path, sounds, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert gated([sounds[0] if word == "LOW" else word for word in words]) == code
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and "unforeseen" not in error
    assert sorted(tmp_path.iterdir()) == before
