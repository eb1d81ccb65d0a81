"""The house rules, checked: style, types, who imports whom, what stays light, and that the README tells the truth."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

REPO = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=REPO, capture_output=True, text=True, timeout=160)


def tool(name: str) -> str:
    found = shutil.which(name, path=str(TOOLS)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; pip install -e '.[dev]' brings it")
    return found


def test_style():
    done = run(tool("ruff"), "check", ".")
    assert done.returncode == 0, done.stdout
    done = run(tool("ruff"), "format", "--check", ".")
    assert done.returncode == 0, done.stdout


@pytest.mark.xdist_group("types")
def test_types():
    done = run(tool("basedpyright"), "--warnings")
    assert done.returncode == 0, done.stdout


def test_import_contracts():
    done = run(tool("lint-imports"), "--no-cache")
    assert done.returncode == 0, done.stdout


LIGHT = [
    ["--help"],
    ["--version"],
    ["train", "--help"],
    ["models", "list"],
    ["models", "show", "music-gru"],
    ["runs", "list"],
    ["data", "list"],
    ["sweep", "--help"],
    ["table", "--help"],
]


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_light_commands_import_no_heavy_module(arguments: list[str]):
    code = (
        "import sys; from gatedtui.cli.main import run; code = run(sys.argv[1:]);"
        "print(code, sorted({'torch', 'scipy', 'music21', 'matplotlib', 'sounddevice'} & set(sys.modules)))"
    )
    done = run(sys.executable, "-c", code, *arguments)
    assert done.stdout.splitlines()[-1] == "0 []", done.stdout + done.stderr


def test_watching_a_run_imports_no_torch(runs: Path):
    from gatedtui import config
    from gatedtui.runs.folder import create

    made = create(runs, "a-run", config.RunConfig())
    made.events_path.write_text('{"event": "finished", "time": "2026-01-01T00:00:00Z"}\n')
    code = (
        "import sys; from gatedtui.cli.main import run; code = run(['watch', 'a-run', '--plain']);"
        "print(code, 'torch' in sys.modules)"
    )
    done = run(sys.executable, "-c", code)
    assert done.stdout.splitlines()[-1] == "0 False", done.stdout + done.stderr


@pytest.mark.parametrize("module", ["gatedtui.tui.app", "gatedtui.tui.inline", "gatedtui.start", "gatedtui.cli.follow"])
def test_the_live_views_process_imports_no_torch(module: str):
    done = run(sys.executable, "-c", f"import sys, {module}; print('torch' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


def test_the_readmes_tree_names_what_there_is():
    text = (REPO / "README.md").read_text()
    tree = text.partition("## Files")[2].partition("```")[2].partition("```")[0]
    named: set[str] = set()
    folders: list[str] = []
    for line in tree.splitlines()[1:]:
        found = re.match(r"( *)(\S+)", line)
        if found is None:
            continue
        depth, name = len(found[1]) // 2, found[2]
        folders = [*folders[:depth], name.rstrip("/")]
        named.add("/".join(folders))
    missing = sorted(path for path in named if not (REPO / path).exists())
    assert not missing, f"named, but not there: {missing}"
    there = {
        str(path.relative_to(REPO))
        for path in (REPO / "gatedtui").rglob("*")
        if path.suffix in (".py", ".cpp", ".h") and path.name not in ("__init__.py",) and "_bundled" not in path.parts
    }
    assert not sorted(there - named), f"there, but not named: {sorted(there - named)}"


def test_what_ci_runs_is_the_readmes_test_lines_and_nothing_else():
    blocks = MarkdownIt().parse((REPO / "README.md").read_text())
    start = next(n for n, block in enumerate(blocks) if block.type == "inline" and block.content == "Start")
    shell = [block.content for block in blocks[start:] if block.type == "fence" and block.info == "sh"]
    assert run(str(REPO / ".ci/run"), "--show").stdout == shell[1]


def test_every_source_file_is_small():
    long = {
        str(path.relative_to(REPO)): count
        for folder in ("gatedtui", "tests")
        for path in (REPO / folder).rglob("*.py")
        if (count := len(path.read_text().splitlines())) > 400
    }
    assert not long
