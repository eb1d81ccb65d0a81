"""Ctrl-C in commands that take a while: one word, 130, nothing half-made; and questions that get no answer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gatedtui import config
from gatedtui.cli.main import run as gated
from gatedtui.runs.folder import create

SONGS = ["--n", "50", "--seconds", "600", "--out"]
EARLY = """
import sys
class Pressed:
    def find_spec(self, name, *_):
        if name == "gatedtui.cli.table":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
from gatedtui.__main__ import main
main()
"""


def interrupted(words: list[str], until: str) -> str:
    """Types a command, presses Ctrl-C once it has said `until`; gives all it said, on both streams."""
    command = [sys.executable, "-m", "gatedtui", *words]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = ""
    assert child.stdout is not None
    while until not in said:
        line = child.stdout.readline()
        assert line, said
        said += line
    child.send_signal(signal.SIGINT)
    said += child.communicate(timeout=60)[0]
    assert child.returncode == 130, said
    assert said.endswith("interrupted\n") and "Traceback" not in said
    return said


def test_an_interrupted_preparation_leaves_nothing_but_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATED_CACHE", str(tmp_path))
    interrupted(["data", "fetch", "bach"], "reading chorales")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["bach-1.npz.lock"]


@pytest.mark.parametrize("file", ["song.mid", "song.wav"])
def test_an_interrupted_render_leaves_what_was_there(file: str, tmp_path: Path):
    there = [tmp_path / file.replace(".", f"-{number}.") for number in (1, 2)]
    for path in there:
        path.write_text("precious")
    interrupted(["sample", "gru-bach", "--seed", "1", *SONGS, str(tmp_path / file)], "released model")
    assert sorted(tmp_path.iterdir()) == there
    assert {path.read_text() for path in there} == {"precious"}


def test_an_interrupted_page_leaves_the_page_that_was_there(tmp_path: Path):
    assert gated(["train", "--data", "tiny", "--epochs", "2", "--name", "r"]) == 0
    page = tmp_path / "page.html"
    page.write_text("precious")
    interrupted(["report", "r", "--samples", "9", "--seconds", "300", "--out", str(page)], "r")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"] and page.read_text() == "precious"


def test_before_its_modules_are_loaded_there_is_no_traceback_either():
    done = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_question_that_gets_no_answer_removes_nothing(runs: Path):
    create(runs, "kept", config.RunConfig())
    words = [sys.executable, "-m", "gatedtui", "runs", "rm", "kept"]
    for answer in ("", "\n", "n\n"):
        done = subprocess.run(words, input=answer, capture_output=True, text=True, env=os.environ)
        assert done.returncode == 130 and done.stderr.endswith(
            "Nothing was removed; --yes removes without asking.\n"
        ), done.stderr
        assert "unforeseen" not in done.stderr and (runs / "kept" / "run.toml").exists()
    assert subprocess.run(words, input="y\n", capture_output=True, text=True).returncode == 0
    assert not list(runs.iterdir())
