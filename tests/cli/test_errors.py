"""Bad input: one sentence, a hint, the right exit code, no traceback, nothing left behind."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gatedtui.cli.main import run as gated
from gatedtui.config import RunConfig
from gatedtui.runs import folder

TRAIN = ["train", "--data", "tiny", "--epochs", "1"]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err and "unforeseen" not in captured.err
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "--unit", "grv"], 2, ("'grv'", "gru")),
        (["train", "--data", "bahc"], 2, ("'bahc'", "bach")),
        (["train", "--recipe", "papr"], 2, ("'papr'", "paper")),
        (["train", "--set", "train.lrr=1"], 2, ("'train.lrr'", "train.lr")),
        (["train", "--set", "lr"], 2, ("'lr'", "--set train.lr=1e-3")),
        (["train", "--lr", "nan"], 2, ("'nan'", "train.lr")),
        (["train", "--lr", "inf"], 2, ("'inf'", "train.lr")),
        (["train", "--epochs", "0"], 2, ("'0'", "train.epochs")),
        (["train", "--seed", "-1"], 2, ("'-1'", "seed")),
        (["train", "--name", "../away"], 2, ("../away", "slash")),
        (["train", "--name", ".hidden"], 2, (".hidden",)),
        (["train", "--device", "tpu"], 2, ("'tpu'", "cpu")),
        (["train", "--model", "nowhere/model.toml"], 3, ("nowhere/model.toml",)),
        (["train", "--data", "no/such/folder"], 3, ("no/such/folder",)),
        (["train", "--unit", "GRU"], 2, ("'GRU'", "Did you mean 'gru'?")),
        (["train", "--epochs", "many"], 2, ("--epochs must be a whole number, not 'many'.", "gated train --help")),
        (["train", "--epochs", "0"], 2, ("must lie in 1..1,000,000,",)),
        (["train", "--device", "gpu"], 2, ("did you mean 'cuda'?",)),
        (
            ["train", "--uint", "gru"],
            2,
            ("There is no option '--uint'. Did you mean '--unit'?\n", "gated train --help"),
        ),
        (["train", "--frobnicate"], 2, ("--frobnicate",)),
        (["trian"], 2, ("'trian'. Did you mean 'train'?\n",)),
        (["stop"], 2, ("'RUN' is missing after 'gated stop'.", "gated stop --help")),
        (["stop", "one", "two"], 2, ("'gated stop' takes no further word, not 'two'.",)),
        (["resume", ""], 2, ("The word after 'resume' is empty",)),
        (["train", "--recipe", ""], 2, ("The word after '--recipe' is empty",)),
        (["train", "--runs="], 2, ("The word after '--runs=' is empty",)),
        (["runs", "list", "--runs", ""], 2, ("'--runs'",)),
        (["frobnicate"], 2, ("frobnicate",)),
        (["resume", "nobody"], 2, ("'nobody'", "gated runs list")),
        (["stop", "nobody"], 2, ("'nobody'",)),
        (["watch", "nobody"], 2, ("'nobody'",)),
        (["runs", "show", "nobody"], 2, ("'nobody'",)),
        (["eval", "no/such.safetensors"], 3, ("no/such.safetensors",)),
        (["eval", "--split", "tset"], 2, ("'tset'", "test")),
        (["sample"], 2, ("gated sample --out song.mid",)),
        (["sample", "--out", "song.mdi"], 2, ("song.mdi", ".mid")),
        (["sample", "--out", "s.mid", "--n", "0"], 2, ("--n", "'0'")),
        (["sample", "--out", "s.mid", "--steps", "0"], 2, ("--steps", "'0'")),
        (["sample", "--out", "s.mid", "--steps", "3", "--seconds", "4"], 2, ("'3'", "'4.0'")),
        (["sample", "--out", "s.mid", "--temperature", "nan"], 2, ("--temperature", "'nan'")),
        (["sample", "--out", "s.mid", "--qpm", "-5"], 2, ("--qpm", "'-5.0'")),
        (["sample", "nobody", "--out", "s.mid"], 2, ("'nobody'",)),
        (["sample", "--out", "s.mid", "--prime-steps", "4"], 2, ("'--prime-steps 4'", "--prime bach:0")),
        (["sample", "--out", "s.mid", "--keep-prime"], 2, ("'--keep-prime'", "--prime bach:0")),
        (["listen", "bcah:0"], 2, ("no data set 'bcah'", "'bach'")),
        (["listen", "gru-bach", "--prime-steps", "4"], 2, ("'--prime-steps 4'",)),
        (["sample", "--unit", "tahn", "--out", "s.mid"], 2, ("'tahn'", "Did you mean 'tanh'?")),
        (["sample", "--data", "bahc", "--out", "s.mid"], 2, ("'bahc'", "Did you mean 'bach'?")),
        (["sample", "--data", "speech-a", "--out", "s.mid"], 3, ("'speech-a'", "with the ending .wav")),
        (["sample", "--data", "vowels", "--out", "s.wav"], 3, ("on 'vowels'", "gated train --data vowels")),
        (["sample", "--out", "song"], 2, ("'song' has no ending", "--out song.mid")),
        (["play", "nothing.mid"], 3, ("nothing.mid",)),
        (["models", "show", "music-grv"], 2, ("'music-grv'", "music-gru")),
        (["models", "show", "gru-bach"], 2, ("'gru-bach' is a released model", "gated models show music-gru tells")),
        (["data", "info", "bahc"], 2, ("'bahc'", "bach")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_sentence_and_a_code(
    arguments: list[str], code: int, words: tuple[str, ...], capsys: pytest.CaptureFixture[str], runs: Path
):
    assert gated(arguments) == code
    text = said(capsys)
    assert text.startswith("error: ")
    for word in words:
        assert word in text
    assert not list(runs.iterdir())


def test_a_device_or_kernel_that_is_not_there_is_4(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*TRAIN, "--set", "train.kernel=cuda"]) == 4
    assert "'cuda'" in said(capsys)
    import torch

    if not torch.cuda.is_available():
        assert gated([*TRAIN, "--device", "cuda"]) == 4
        assert "gated doctor" in said(capsys)
    assert not list(runs.iterdir())


def test_a_model_file_with_a_wrong_count_leaves_no_run(tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "wrong.toml"
    path.write_text('[model]\nunit = "gru"\nhidden = 5\n[parameters]\nrecurrent = 7\n')
    assert gated([*TRAIN, "--model", str(path)]) == 3
    assert "'7'" in said(capsys) and not list(runs.iterdir())


def test_an_existing_run_name_is_2_and_names_resume(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*TRAIN, "--name", "mine"]) == 0
    before = {path: path.read_bytes() for path in (runs / "mine").iterdir()}
    capsys.readouterr()
    assert gated([*TRAIN, "--name", "mine"]) == 2
    assert "gated resume mine" in said(capsys)
    assert {path: path.read_bytes() for path in (runs / "mine").iterdir()} == before


def test_a_runs_folder_that_cannot_be_written_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("x")
    assert gated([*TRAIN, "--runs", str(tmp_path / "file" / "runs")]) == 3
    assert "file" in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@contextmanager
def mounted(place: Path, options: str) -> Iterator[Path]:
    """While inside, a small file system of its own at this place."""
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("this needs the right to mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_read_only_runs_folder_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with mounted(tmp_path / "read-only", "ro") as place:
        assert gated([*TRAIN, "--runs", str(place)]) == 3
        assert "Read-only" in said(capsys)
        assert not list(place.iterdir())


def test_a_full_disk_is_3_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with mounted(tmp_path / "small", "size=64k") as place:
        with (place / "filler").open("ab", buffering=0) as file, pytest.raises(OSError, match="space"):
            while True:
                file.write(b"x" * 4096)
        assert gated([*TRAIN, "--runs", str(place)]) == 3
        assert "No space left" in said(capsys)
        assert [path.name for path in place.iterdir()] == ["filler"]


def test_a_disk_that_fills_up_during_training_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with mounted(tmp_path / "small", "size=128k") as place:
        assert gated(["train", "--data", "tiny", "--epochs", "100000", "--runs", str(place), "--name", "r"]) == 3
        assert "cannot be written" in said(capsys)
        assert not list((place / "r").glob(".*"))


@pytest.fixture
def model(runs: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert gated([*TRAIN, "--name", "model"]) == 0
    capsys.readouterr()
    return runs / "model" / "best.safetensors"


def test_a_checkpoint_cut_in_half_is_3(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    half = tmp_path / "half.safetensors"
    half.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    for command in (["eval", str(half)], ["sample", str(half), "--out", str(tmp_path / "s.mid")]):
        assert gated(command) == 3
        assert "half.safetensors" in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["half.safetensors"]


class Bomb:
    def __init__(self, proof: Path):
        self.proof = proof

    def __reduce__(self):
        return (os.mkdir, (str(self.proof),))


def test_a_pickle_named_safetensors_is_3_and_does_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    bomb = tmp_path / "m.safetensors"
    bomb.write_bytes(pickle.dumps(Bomb(tmp_path / "it-ran")))
    assert gated(["eval", str(bomb)]) == 3
    assert "not a whole safetensors file" in said(capsys)
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize(
    ("primer", "code"),
    [("song.mid", 3), ("missing.mid", 3), ("tiny:99", 2), ("H9,x", 2), ("", 2)],
)
def test_a_bad_primer_writes_nothing(
    model: Path,
    tmp_path: Path,
    primer: str,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.mid").write_text("This is no music.\n")
    assert gated(["sample", str(model), "--out", "new.mid", "--prime", primer]) == code
    assert primer in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["song.mid"]


def test_a_missing_folder_to_write_to_is_3(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["sample", str(model), "--out", str(tmp_path / "no" / "song.mid")]) == 3
    assert "mkdir -p" in said(capsys)


def test_a_reader_that_leaves_is_no_error(runs: Path):
    command = f"{sys.executable} -m gatedtui models show music-gru | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr and "Broken" not in done.stderr


def test_a_package_that_is_missing_is_named(tmp_path: Path):
    code = "import sys; sys.modules['torch'] = None; from gatedtui.cli.main import run; sys.exit(run(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "sample", "gru-bach", "--out", str(tmp_path / "s.mid")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 4 and "The package 'torch' is not installed." in done.stderr
    assert "gated doctor" in done.stderr and not list(tmp_path.iterdir())


def test_a_group_without_a_command_gives_its_help_and_no_error(capsys: pytest.CaptureFixture[str]):
    assert gated(["runs"]) == 2
    text = said(capsys)
    assert text.startswith("Usage: gated runs") and text.rstrip().endswith("All runs, newest first.")


def started(*arguments: str, **streams: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "gatedtui", *arguments], check=False, timeout=60, **streams)


def test_a_reader_that_leaves_is_no_failure(runs: Path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = started("models", "list", stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this needs a device that is always full")
def test_a_full_disk_below_stdout_is_said(runs: Path):
    with Path("/dev/full").open("wb") as full:
        done = started("models", "list", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 3 and done.stderr.startswith(b"error: The results cannot be written")


def test_closed_streams_are_no_failure(runs: Path):
    shell = f"exec '{sys.executable}' -m gatedtui runs list"
    for closed in (">&-", "2>&-", ">&- 2>&- <&-"):
        assert subprocess.run(["sh", "-c", f"{shell} {closed}"], timeout=60, capture_output=True).returncode == 0


def test_removing_asks_and_nobody_there_is_a_no(runs: Path, capsys: pytest.CaptureFixture[str]):
    folder.create(runs, "mine", RunConfig())
    done = started("runs", "rm", "mine", "--runs", str(runs), stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 130 and b"--yes removes without asking" in done.stderr and b"error" not in done.stderr
    assert (runs / "mine").is_dir()


def test_what_is_to_be_typed_next_is_quoted_for_the_shell(
    tmp_path: Path, runs: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "süß lied.mid"
    assert gated(["sample", "gru-bach", "--seconds", "1", "--out", str(out)]) == 0
    assert f"gated play '{out}'" in said(capsys)


def test_where_released_models_are_said_to_be_listed_they_are(capsys: pytest.CaptureFixture[str]):
    assert gated(["models", "list"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line}
    assert {"music-gru", "gru-bach", "lstm-bach-nade", "tanh-speech-a"} <= listed


@pytest.mark.parametrize(
    ("model", "piece", "words"),
    [
        ("gru-bach", "bcah:0", ("There is no data set 'bcah'.", "Did you mean 'bach'?")),
        ("gru-speech-a", "C4", ("'C4' is neither a sound file", "--input voice.wav")),
        ("gru-bach", "jsb", ("'jsb' is a whole data set", "'jsb:0'")),
        ("gru-jsb", "tiny:0", ("its steps are 4 to a quarter note", "are 1 to a quarter")),
    ],
)
def test_a_piece_that_a_model_cannot_hear_is_said_with_one_it_can(
    model: str, piece: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    assert gated(["gates", model, "--input", piece]) == 2
    text = said(capsys)
    assert all(word in text for word in words)
