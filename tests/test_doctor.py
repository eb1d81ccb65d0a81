"""`gated doctor`: everything is looked at, what is missing says what to type, and only what keeps training fails."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from gatedtui import doctor
from gatedtui.cli.main import run as gated
from gatedtui.kernels import library

LOOKED_AT = {"python", "system", "cpu", "memory", "kernel", "gpu", "compiler", "audio files", "instruments"}
LOOKED_AT |= {"sound card", "system player", "cache", "data", "runs", "models", "mirror", "ray", "terminal", "torch"}


def found(capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, dict[str, str]]:
    assert gated(["doctor", "--json"]) == code
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)}


def test_everything_is_looked_at_and_training_works_here(capsys):
    checks = found(capsys)
    assert checks.keys() >= LOOKED_AT
    assert all(check["found"] and check["state"] in ("ok", "warning") for check in checks.values())
    assert all(check["fix"] for check in checks.values() if check["state"] == "warning")
    assert checks["torch"]["found"] == metadata.version("torch")
    assert checks["kernel"]["found"].split(":")[0] in ("native", "bptt", "reference")


def test_every_finding_is_a_line_with_a_sign_and_what_to_type(capsys, monkeypatch):
    monkeypatch.setenv("GATED_MIRROR", "/no/such/mirror")
    assert gated(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if " mirror " in line)
    assert lines[place].startswith("! mirror") and "'/no/such/mirror'" in lines[place]
    assert lines[place + 1].strip().startswith("→ unset GATED_MIRROR")


def test_a_runs_folder_that_cannot_be_one_fails(tmp_path: Path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GATED_RUNS", str(tmp_path / "file" / "runs"))
    checks = found(capsys, code=4)
    assert checks["runs"]["state"] == "failed" and "GATED_RUNS" in checks["runs"]["fix"]


def test_a_package_that_is_missing_fails(capsys, monkeypatch):
    real = metadata.version

    def version(name: str) -> str:
        if name == "textual":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    assert found(capsys, code=4)["textual"]["fix"] == "pip install textual"


def test_without_torch_all_else_is_still_looked_at():
    code = "import sys; sys.modules['torch'] = None; from gatedtui.cli.main import run; sys.exit(run(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 4 and not done.stderr
    assert "✗ kernel         failed   torch cannot be loaded" in done.stdout and "terminal  " in done.stdout


def test_a_compiler_that_failed_is_a_warning(capsys, monkeypatch):
    monkeypatch.setattr(library, "find", lambda: library.Found(None, "the C++ compiler 'false' failed"))
    monkeypatch.setenv("CXX", "false")
    compiler = found(capsys)["compiler"]
    assert compiler["state"] == "warning" and compiler["found"].endswith("false, but the C++ compiler 'false' failed")
    assert "gatedtui.kernels.build" in compiler["fix"]


def test_little_memory_room_and_no_compiler_are_warnings(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "MEMORY_NEEDED", 1 << 60)
    monkeypatch.setattr(doctor, "ROOM_NEEDED", 1 << 60)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("CXX", "")
    checks = found(capsys)
    assert {checks[name]["state"] for name in ("memory", "cache", "runs", "compiler")} == {"warning"}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "no colours"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "no colours"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "no colours (NO_COLOR)"),
        ({"TERM": "xterm-256color"}, "256 colours"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "16 million colours"),
        ({"TERM": "linux"}, "16 colours"),
    ],
)
def test_colours_are_told_by_the_terminals_variables(environ: dict[str, str], words: str):
    assert doctor.colours(environ) == words


def test_a_terminal_that_is_small_dumb_or_not_unicode_is_a_warning(monkeypatch):
    def terminal(**environ: str) -> doctor.Check:
        for name, value in ({"COLUMNS": "80", "LINES": "24", "TERM": "xterm"} | environ).items():
            monkeypatch.setenv(name, value)
        return doctor._terminal()

    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    assert terminal().state == "ok"
    assert "80×24" in terminal(COLUMNS="79").fix
    assert "TERM=" in terminal(TERM="dumb").fix
    code = "from gatedtui import doctor; print(doctor._terminal().fix.encode())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={"PYTHONIOENCODING": "ascii"})
    assert b"LANG=C.UTF-8" in done.stdout or b"No module" in done.stderr
