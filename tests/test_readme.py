"""The README is typed: its tour, its Python, and every command it names; what comes is what it says."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.main import get_command

from gatedtui import paths
from gatedtui.cli.main import app
from gatedtui.data import prepare
from gatedtui.kernels import library

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = MarkdownIt().parse(README.read_text(encoding="utf-8"))
MASKED = (
    (re.compile(r"\d+k frames/s  +[\d.]+ s$", re.M), "SPEED"),
    (re.compile(r"; \w+: .*; cpu, 1 thread$", re.M), "KERNEL"),
)
"""All that may differ from one machine to the next: how fast it is, and which kernel it has."""
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def fences(language: str) -> list[str]:
    return [block.content for block in BLOCKS if block.type == "fence" and block.info == language]


def typed(console: str) -> Iterator[tuple[str, str]]:
    """The command lines of a block, each with what is said to come of it."""
    for part in console.removeprefix("$ ").split("\n$ "):
        line, _, told = part.partition("\n")
        yield line, told.rstrip("\n")


def masked(text: str) -> str:
    for pattern, word in MASKED:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def same(one: str, other: str) -> bool:
    """Whether two outputs are the same; with another kernel than the README's the last bits of weights differ, and
    with them what is drawn, so that numbers may then differ by a fifth."""
    found = library.installed().library
    if found is not None and found.build == "avx512":
        return one == other
    pairs = list(zip(NUMBER.findall(one), NUMBER.findall(other), strict=False))
    close = all(abs(float(a) - float(b)) <= max(0.2 * float(b), 3) for a, b in pairs)
    return close and NUMBER.sub("#", one).split() == NUMBER.sub("#", other).split()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An empty working folder with the default places for runs, and the data prepared; gives the environment."""
    prepare.prepare("bach", cache=paths.cache_folder())
    monkeypatch.chdir(tmp_path)
    environ = {key: value for key, value in os.environ.items() if key not in ("GATED_RUNS", "COLUMNS", "LINES")}
    return environ | {"PYTHONPATH": str(README.parent), "PYTHONUTF8": "1"}


@pytest.mark.xdist_group("readme")
def test_the_tour_says_what_comes(here: dict[str, str]):
    commands = [one for block in fences("console") for one in typed(block)]
    assert len(commands) >= 7
    for line, told in commands:
        words = [sys.executable, "-m", "gatedtui", *shlex.split(line)[1:]]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=here, timeout=100
        )
        came = done.stdout.decode()
        assert done.returncode == 0, f"{line}\n{came}"
        assert same(masked(came), masked(told)), f"{line}\n--- the README\n{masked(told)}\n--- came\n{masked(came)}"


@pytest.mark.xdist_group("readme")
def test_the_python_runs(here: dict[str, str]):
    (code,) = fences("python")
    words = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, env=here, timeout=100)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2", "epoch 3", "test"]
    assert Path("song.mid").read_bytes().startswith(b"MThd")


def named() -> list[str]:
    """Every command line the README names, in a sentence or in a block of its own."""
    inline = [child.content for block in BLOCKS for child in block.children or () if child.type == "code_inline"]
    lines = [line for content in fences("") for line in content.splitlines()]
    found = {re.split(r"  +", line.strip())[0] for line in [*inline, *lines] if line.strip().startswith("gated ")}
    return sorted(line for line in found if not re.search(r"[\[…]|, `|COMMAND", line))


@pytest.mark.parametrize("line", named())
def test_every_command_that_is_named_is_understood(line: str):
    words = shlex.split(line)[1:]
    command = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if words in (["--install-completion"], ["--version"]):
        assert words[0] in {option for one in command.params for option in one.opts}
        return
    command.make_context("gated", words, resilient_parsing=line.isupper())


def test_what_it_links_to_is_there():
    text = README.read_text(encoding="utf-8")
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    anchors = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    for target in re.findall(r"[^`\"]\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif "://" not in target:
            assert (README.parent / target).exists(), target
