"""Paths that no file system takes, that nobody may read, or that cannot be spelled: one sentence, nothing written."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from gatedtui.cli.main import app
from gatedtui.cli.main import run as gated

LONG = "x" * 300


def said(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err
    assert "Traceback" not in text and "unforeseen" not in text
    return text


@pytest.mark.parametrize(
    "arguments",
    [
        ["play", f"{LONG}.mid"],
        ["listen", f"{LONG}.mid"],
        ["listen", "bach:0", "--html", f"{LONG}.html"],
        ["report", "--out", f"{LONG}.html"],
        ["sample", "gru-bach", "--out", "s.mid", "--prime", f"{LONG}.mid"],
        ["sample", "gru-bach", "--out", "s.mid", "--soundfont", f"{LONG}.sf2"],
        ["sample", "gru-bach", "--out", f"{LONG}.mid", "--steps", "1"],
        ["train", "--data", f"./{LONG}"],
        ["eval", "gru-bach", "--data", f"./{LONG}"],
        ["data", "info", f"./{LONG}"],
        ["data", "import", "mine", LONG],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_path_that_no_file_system_takes_is_3(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert gated(arguments) == 3
    assert f"error: '{LONG}" in (text := said(capsys)) and "File name too long" in text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["stop", LONG], ["train", "--data", LONG], ["eval", "gru-bach", "--data", LONG]])
def test_a_name_that_no_file_system_takes_is_an_unknown_name(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert gated(arguments) == 2
    assert f"'{LONG}'" in said(capsys)


@pytest.mark.parametrize("arguments", [["play", "locked/a.mid"], ["train", "--data", "locked/songs"]])
def test_a_folder_without_permission_is_3(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def refused(path: Path, **_: bool) -> os.stat_result:
        if "locked" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return os.stat(path)  # noqa: PTH116

    monkeypatch.setattr(Path, "stat", refused)
    assert gated(arguments) == 3
    assert f"'{arguments[-1]}' cannot be read (Permission denied)." in said(capsys)


def test_a_runs_folder_that_cannot_be_read_is_3(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def refused(path: Path) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    monkeypatch.setattr(os, "listdir", refused)
    assert gated(["runs", "list", "--runs", str(runs)]) == 3
    assert f"'{runs}' cannot be listed: Permission denied." in said(capsys)


def test_no_path_is_refused_in_typers_words():
    commands: list[Any] = [get_command(app)]
    for command in commands:
        commands += getattr(command, "commands", {}).values()
        for parameter in command.params:
            described = getattr(parameter, "type_descriptor", None)
            assert "Path" not in str(described.annotation) or not described.parameter_info.readable, parameter.name


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "gru-bach", "--steps", "1", "--out", "\udcff.mid"],
        ["report", "--out", "\udcff.html"],
        ["train", "--data", "d\udcffd"],
        ["play", "d\udcffd/a.mid"],
    ],
)
def test_a_path_that_is_not_utf_8_is_3_before_anything_is_done(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d\udcffd").mkdir()
    assert gated(arguments) == 3
    assert "\\udcff" in (text := said(capsys)) and "UTF-8" in text
    assert [path.name for path in tmp_path.iterdir()] == ["d\udcffd"]


def test_a_sidecar_that_cannot_be_written_is_said_before_anything_is_drawn(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    (tmp_path / "d-2.json").mkdir()
    assert gated(["sample", "gru-bach", "--steps", "2", "--n", "2", "--out", str(tmp_path / "d.mid")]) == 3
    assert "d-2.json' cannot be written: it is a folder." in said(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["d-2.json"]
