"""Every command that takes a file, or looks into a folder, meets pickles there: refused, and proven not to run."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from gatedtui import config
from gatedtui.runs.folder import create

from .test_pickles import Bomb

CHILD = """
import contextlib, io, json, sys
from gatedtui.cli.main import run
reached = []
sys.addaudithook(lambda event, words: reached.append(str(words)) if event == "pickle.find_class" else None)
told = []
for words in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = run(words)
    told.append([code, said.getvalue(), reached[:]])
    reached.clear()
print(json.dumps(told))
"""
MODELS = ("m.safetensors", "m.pt", "m.pth", "m.pkl", "m.bin", "m.npz", "m.ckpt")
SONGS = ("s.mid", "s.xml", "s.mxl", "s.abc", "s.krn", "s.p", "s.pgz", "s.npy")
SOUNDS = ("s.wav", "s.mp3", "s.flac", "s.ogg")
REFUSED = [
    *([command, name, *more] for name in MODELS for command, *more in (["eval"], ["sample", "--out", "o.mid"])),
    ["gates", "m.safetensors", "--input", "bach:0", "--json"],
    ["report", "m.safetensors", "--out", "o.html"],
    *(["train", "--model", name] for name in ("m.toml", "m.pt", "m.pkl")),
    *(["sample", "gru-bach", "--out", "o.mid", "--prime", name] for name in SONGS),
    ["gates", "gru-bach", "--input", "s.mid", "--json"],
    *(["listen", name, "--plain", "--out", "clips"] for name in ("s.mid", "s.mxl", *SOUNDS)),
    *(["play", name] for name in ("s.mid", *SOUNDS)),
    ["sample", "gru-bach", "--steps", "8", "--out", "o.wav", "--soundfont", "s.sf2"],
    ["listen", "bach:0", "gru-bach", "--blind", "--results", "r.json"],
    ["train", "--data", "songs"],
    ["data", "info", "songs"],
    ["data", "import", "mine", "songs"],
    ["data", "fetch", "jsb", "--mirror", "mirror"],
    ["data", "info", "mine"],
    ["runs", "show", "config"],
    ["resume", "config", "--plain"],
    ["eval", "whole"],
    ["sample", "whole", "--out", "o.mid"],
    ["report", "whole", "--out", "o.html"],
    ["resume", "whole", "--plain"],
    ["sweep", "--name", "sweep", "--data", "tiny"],
    ["table", "sweep"],
]
PASSED_OVER = [
    ["table"],
    ["runs", "list"],
    ["runs", "show", "whole"],
    ["watch", "whole", "--plain"],
    ["models", "list"],
]
"""Commands that tell what else there is."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which everything that can be a file of somebody else's is a pickle; its mark would be `it-ran`."""
    bomb = pickle.dumps(Bomb(tmp_path / "it-ran"))
    names = {*MODELS, *SONGS, *SOUNDS, "m.toml", "r.json", "s.sf2", "mirror/JSB_Chorales.mat", "runs/sweep/sweep.toml"}
    names |= {f"songs/{name}" for name in SONGS} | {"cache/imports.json", "cache/files/JSB_Chorales.mat"}
    names |= {f"cache/data/{name}-1.npz" for name in ("jsb", "bach", "tiny")}
    for run in ("whole", "config"):
        create(tmp_path / "runs", run, config.build({"data.name": "tiny"}))
        held = ("events.jsonl", "state.safetensors", "best.safetensors", "lock", "worker.log")
        names |= {f"runs/{run}/{name}" for name in (*held, *(["run.toml"] if run == "config" else []))}
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bomb)
    os.utime(tmp_path / "runs/whole/run.toml", (1, 1))  # else its worker would be waited for
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GATED_RUNS", str(tmp_path / "runs"))
    return tmp_path


def typed(*commands: list[str]) -> list[tuple[int, str]]:
    """The exit code of each command, and its words; that none reached a pickle's names is made sure of."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=json.dumps(commands), capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stderr
    told = []
    for words, (code, said, reached) in zip(commands, json.loads(done.stdout), strict=True):
        assert not reached, (words, reached)
        assert "Traceback" not in said and "unforeseen" not in said, (words, said)
        told.append((code, said))
    return told


def test_the_pickle_would_leave_its_mark(here: Path):
    pickle.loads((here / "m.pt").read_bytes())
    assert (here / "it-ran").exists()


def test_every_command_refuses_a_pickle_in_a_sentence(here: Path):
    for words, (code, said) in zip(REFUSED, typed(*REFUSED), strict=True):
        assert code in (2, 3) and "error: " in said, (words, code, said)
    assert not (here / "it-ran").exists()
    assert not {"o.mid", "o.wav", "o.html", "clips"} & set(os.listdir(here))  # noqa: PTH208


def test_commands_that_tell_what_there_is_pass_pickles_over(here: Path):
    for words, (code, said) in zip(PASSED_OVER, typed(*PASSED_OVER), strict=True):
        assert code == 0, (words, said)
    assert not (here / "it-ran").exists()


def test_a_cache_of_pickles_is_prepared_anew(here: Path):
    ((code, said),) = typed(["data", "info", "tiny"])
    assert code == 0 and "is damaged" in said and not (here / "it-ran").exists()
