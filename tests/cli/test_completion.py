"""What <Tab> offers, asked as bash, zsh and fish ask; in a process of its own, as they do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gatedtui import config, events
from gatedtui.runs.folder import create
from gatedtui.sweep.folder import SweepFolder

SHELLS = ("bash", "zsh", "fish")


def ask(shell: str, line: str, **more: str) -> list[str]:
    """The words a shell would offer at the end of this line."""
    environ = os.environ | more | {"_GATED_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    environ |= {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    code = (
        "import sys; sys.argv = ['gated']; from gatedtui.cli.main import main\n"
        "try:\n    main()\nfinally:\n"
        "    print(sorted({'torch', 'numpy', 'textual', 'scipy', 'music21'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.strip() == "[]", done.stderr
    if shell == "zsh":
        inside = done.stdout.partition("((")[2].rpartition("))")[0]
        return [item.split('"')[1] for item in inside.splitlines()]
    return [item.partition("\t")[0] for item in done.stdout.splitlines() if item]


@pytest.fixture
def there(runs: Path) -> Path:
    """A finished run, a stopped one and a sweep."""
    for name, last in (("gru-one", events.Finished), ("gru two", events.Stopped)):
        made = create(runs, name, config.build({"data.name": "jsb"}))
        zeros = {field: 0 for field in last.__dataclass_fields__ if field != "time"}
        made.events_path.write_text(events.to_line(last(**zeros, time="2026-11-20T14:02:20.000Z")))
    SweepFolder(runs / "rates").path.mkdir()
    SweepFolder(runs / "rates").about_path.write_text("")
    return runs


@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_runs_are_offered(shell: str, there: Path):
    assert set(ask(shell, "gated runs show gru")) == {"gru-one", "gru two"}
    assert ask(shell, "gated runs show gru-") == ["gru-one"]


@pytest.mark.parametrize(
    ("line", "offered", "held_back"),
    [
        ("gated resume ", {"gru two"}, {"gru-one"}),
        ("gated stop ", {"gru-one", "rates"}, {"gru-bach"}),
        ("gated eval ", {"gru-one", "gru-bach", "lstm-jsb"}, {"bach"}),
        ("gated table ", {"rates"}, {"gru-one"}),
        ("gated sweep --name ", {"rates"}, {"gru-one"}),
        ("gated train --data ", {"bach", "jsb", "speech-a", "vowels"}, {"tiny"}),
        ("gated data info sp", {"speech-a", "speech-b"}, {"bach"}),
        ("gated train --model music-g", {"music-gru"}, {"music-lstm"}),
        ("gated train --recipe ", {"paper", "modern", "librnn"}, set()),
        ("gated train --set train.l", {"train.lr=", "train.loss="}, {"model.unit="}),
        ("gated train --unit ", {"tanh", "lstm", "gru", "all"}, set()),
        ("gated listen gru-one bach", {"bach:0"}, {"gru-one"}),
        ("gated gates --input ", {"jsb:0"}, {"jsb"}),
        ("gated models show speech-", {"speech-gru"}, {"music-gru"}),
        ("gated tr", {"train"}, {"table"}),
        ("gated train --de", {"--detach", "--device"}, {"--data"}),
    ],
)
def test_what_fits_is_offered_and_nothing_else(line: str, offered: set[str], held_back: set[str], there: Path):
    found = set(ask("bash", line))
    assert offered <= found and not held_back & found


def test_the_runs_folder_that_was_typed_is_looked_into(there: Path, tmp_path: Path):
    assert set(ask("bash", f"gated runs show --runs {there} ", GATED_RUNS=str(tmp_path))) == {"gru-one", "gru two"}
    assert ask("bash", "gated runs show ", GATED_RUNS=str(tmp_path)) == []


def test_where_nothing_can_be_read_nothing_is_offered_and_nothing_is_said(runs: Path, tmp_path: Path):
    (tmp_path / "imports.json").write_text("{")
    assert ask("bash", "gated train --data ", GATED_CACHE=str(tmp_path)) == []
    (tmp_path / "file").write_text("")
    assert ask("bash", "gated runs show ", GATED_RUNS=str(tmp_path / "file")) == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_to_install_is_shown(shell: str):
    environ = os.environ | {"_GATED_COMPLETE": f"source_{shell}"}
    words = [sys.executable, "-c", "import sys; sys.argv = ['gated']; from gatedtui.cli.main import main; main()"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and f"_GATED_COMPLETE=complete_{shell}" in done.stdout
