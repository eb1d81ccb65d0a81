"""Every example of every help is typed as it stands; those that need something are parsed."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from gatedtui import recipes
from gatedtui.cli.examples import EXAMPLES
from gatedtui.cli.main import app
from gatedtui.cli.main import run as gated

from . import world

RUNNABLE = {name: [one for one in examples if not one.needs] for name, examples in EXAMPLES.items()}
BEFORE = {"table": ["gated sweep --data jsb --unit gru --draws 1 --name jsb"]}
"""What has to have been typed first."""


def commands(group=None, words=()) -> dict[str, object]:
    """All commands by their words; a group counts as one."""
    group = get_command(app) if group is None else group
    found = {" ".join(words): group}
    for name, command in getattr(group, "commands", {}).items():
        found |= commands(command, (*words, name))
    return found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder and the cache that each command's examples get a copy of; made once."""
    place = tmp_path_factory.mktemp("world")
    before, kept = Path.cwd(), {name: os.environ.get(name) for name in ("GATED_RUNS", "GATED_CACHE")}
    os.environ |= {"GATED_RUNS": "runs", "GATED_CACHE": str(place / "cache")}
    os.chdir(place)
    try:
        world.make(place)
    finally:
        os.chdir(before)
        os.environ |= {name: value for name, value in kept.items() if value is not None}
    return place


@pytest.fixture
def here(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of one command's examples."""
    place = tmp_path / "here"
    shutil.copytree(prepared, place)
    monkeypatch.chdir(place)
    monkeypatch.setenv("GATED_RUNS", str(place / "runs"))
    monkeypatch.setenv("GATED_CACHE", str(place / "cache"))
    for recipe in recipes.RECIPES.values():
        monkeypatch.setitem(recipe.train, "epochs", 2)
        monkeypatch.setitem(recipe.speech, "epochs", 2)
    return place


@pytest.mark.xdist_group("examples")
@pytest.mark.parametrize("command", [name for name, examples in RUNNABLE.items() if examples])
def test_every_example_does_what_it_says(command: str, here: Path, capsys: pytest.CaptureFixture[str]):
    for line in [*BEFORE.get(command, ()), *(one.command for one in RUNNABLE[command])]:
        words = shlex.split(line)[1:]
        # A worker that is left alone is no child of the tests.
        detached = [sys.executable, "-m", "gatedtui", *words] if "--detach" in words else None
        code = subprocess.run(detached, capture_output=True).returncode if detached else gated(words)
        assert code == 0, f"{line}: {code}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("example", [one for found in EXAMPLES.values() for one in found if one.needs])
def test_what_needs_something_is_at_least_understood(example):
    words = shlex.split(example.command)[1:]
    command = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    command.make_context("gated", words)


def test_every_command_has_examples_and_every_example_its_command():
    assert EXAMPLES.keys() == commands().keys()
    for name, examples in EXAMPLES.items():
        assert examples
        for example in examples:
            assert name == "" or example.command.startswith(f"gated {name}"), example
            assert example.does.endswith((".", "?")), example


@pytest.mark.parametrize("columns", [80, 20])
@pytest.mark.parametrize("command", EXAMPLES)
def test_help_shows_every_example_on_one_line(command: str, columns: int, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert gated([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    examples = [one.command for one in EXAMPLES[command]]
    lines = said.splitlines()
    assert {f"  {one}" for one in examples} <= set(lines)
    # Nothing but what is to be copied, or one long word, is wider than the terminal.
    wide = [line for line in lines if len(line) > columns and line.strip() not in examples and " " in line.strip()]
    assert not [line for line in wide if "<" not in line and not line.strip().startswith(("-", "Usage"))], wide


def test_the_commands_stand_in_groups(capsys):
    assert gated(["--help"]) == 0
    said = capsys.readouterr().out
    places = [said.index(f"\n{title}:\n") for title in ("Train", "Hear", "Look", "Data and machine")]
    assert places == sorted(places) and "Commands:" not in said
    for name in commands():
        if name and " " not in name:
            assert f"\n  {name} " in said
