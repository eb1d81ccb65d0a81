"""Poor terminals: `LANG=C`, `TERM=dumb`, `NO_COLOR`, 20 columns. Nothing fails, and nothing is drawn that cannot be."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from gatedtui.cli.examples import EXAMPLES
from gatedtui.cli.main import run as gated

POOR = {
    "LANG=C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "TERM=dumb": {"TERM": "dumb"},
    "NO_COLOR": {"NO_COLOR": "1"},
    "20 columns": {"COLUMNS": "20", "LINES": "10"},
}
COMMANDS = {
    "--help": 0,
    "models show music-gru": 0,
    "data list": 0,
    "train --data tiny --epochs 2": 0,
    "eval nobody": 2,
    "": 2,
}
GREYS = {"16", "59", "102", "145", "188", "231", *map(str, range(232, 256))}
"""Of the 256 colours: what Textual draws with instead of colours, where none are wanted."""


def coloured(drawn: str) -> list[str]:
    """The colour codes in what was drawn that are no greys."""
    found = []
    for codes in re.findall(r"\x1b\[([0-9;]+)m", drawn):
        for kind, *numbers in re.findall(r"(?:^|;)[34]8;(5|2);(\d+)(?:;(\d+);(\d+))?", codes):
            if (kind == "5" and numbers[0] not in GREYS) or (kind == "2" and len(set(numbers)) > 1):
                found.append(codes)
        plain = re.sub(r"[34]8;(5;\d+|2;\d+;\d+;\d+)", "", codes).split(";")
        found += [code for code in plain if re.fullmatch("[34][1-6]|9[1-6]|10[1-6]", code)]
    return found


def environ(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("COLORTERM", "NO_COLOR", "COLUMNS", "LINES")}
    return kept | {"TERM": "xterm-256color"} | more


@pytest.mark.parametrize("poor", POOR)
def test_every_command_says_what_it_has_to_say(poor: str):
    for line, code in COMMANDS.items():
        words = [sys.executable, "-m", "gatedtui", *line.split()]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=environ(**POOR[poor]))
        said = done.stdout + done.stderr
        assert done.returncode == code, (line, said)
        assert said and b"Traceback" not in said and b"unforeseen" not in said and b"\x1b" not in said
        if poor == "LANG=C":
            said.decode("ascii")


def test_signs_without_a_code_are_spelled(capfdbinary):
    words = [sys.executable, "-m", "gatedtui", "train", "--data", "tiny", "--epochs", "1"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=environ(**POOR["LANG=C"]))
    assert b"o gru 46  test" in done.stdout and b" a frame - " in done.stdout and b"?" not in done.stdout


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *words: str, **more: str) -> None:
        self.main, side = pty.openpty()
        self.child = subprocess.Popen(
            [sys.executable, "-m", "gatedtui", *words], stdin=side, stdout=side, stderr=side, env=environ(**more)
        )
        os.close(side)
        self.drawn = ""

    def read(self, until: str = "", seconds: float = 60) -> str:
        """What is drawn until this comes, or until it ends."""
        give_up = time.monotonic() + seconds
        while not (until and re.search(until, self.drawn)):
            assert time.monotonic() < give_up, repr(self.drawn[-2000:])
            if select.select([self.main], [], [], 0.05)[0]:
                try:
                    self.drawn += os.read(self.main, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            elif self.child.poll() is not None:
                break
        return self.drawn

    def end(self) -> int:
        code = self.child.wait(timeout=30)
        os.close(self.main)
        return code

    def go_away(self) -> int:
        """The terminal goes, and what was on it is waited for."""
        os.close(self.main)
        return self.child.wait(timeout=30)


def test_on_a_dumb_terminal_training_is_told_in_lines():
    terminal = Terminal("train", "--data", "tiny", "--epochs", "3", TERM="dumb")
    drawn = terminal.read()
    assert "epoch 3" in drawn and "\x1b" not in drawn and terminal.end() == 0


def test_on_a_dumb_terminal_the_app_says_that_it_cannot_draw():
    terminal = Terminal(TERM="dumb")
    drawn = terminal.read()
    assert "'dumb'" in drawn and "\x1b" not in drawn and terminal.end() == 2


LONG = ("train", "--data", "tiny", "--epochs", "1000000", "--set", "patience=0", "--name", "long")


@pytest.mark.parametrize(("words", "leave"), [((), b"q"), (LONG, b"d")], ids=["app", "train"])
def test_where_no_colours_are_wanted_there_are_none(words: tuple[str, ...], leave: bytes):
    assert gated(["train", "--data", "tiny", "--epochs", "2"]) == 0
    for wanted, more in ((True, {}), (False, {"NO_COLOR": "1"})):
        terminal = Terminal(*(word if wanted else word.replace("long", "other") for word in words), **more)
        terminal.read("paper" if words else "Dashboard")
        time.sleep(1)
        os.write(terminal.main, leave)
        drawn = terminal.read()
        assert terminal.end() == 0 and bool(coloured(drawn)) == wanted


@pytest.mark.parametrize("poor", ["LANG=C", "20 columns", "latin-1"])
def test_the_app_opens_and_closes(poor: str):
    terminal = Terminal(**POOR[poor])
    terminal.read(r"\x1b\[\?1049h")
    time.sleep(1.5)
    for key in b"23456?\x1b1":
        os.write(terminal.main, bytes([key]))
        time.sleep(0.3)
    os.write(terminal.main, b"q")
    drawn = terminal.read()
    assert terminal.end() == 0 and "Traceback" not in drawn and "broke" not in drawn


def test_help_is_in_ascii(capsys):
    """The library that prints it writes UTF-8 whatever the terminal's encoding."""
    for words in EXAMPLES:
        assert gated([*words.split(), "--help"]) == 0
        said = capsys.readouterr().out
        assert said.isascii(), [line for line in said.splitlines() if not line.isascii()]


@pytest.mark.parametrize(("words", "shown"), [((), "Dashboard"), (LONG, "paper")], ids=["app", "train"])
def test_where_the_terminal_goes_without_a_word_so_does_what_is_shown_on_it(words: tuple[str, ...], shown: str):
    """No SIGHUP comes: it is not this process's controlling terminal."""
    terminal = Terminal(*words)
    terminal.read(shown)
    assert terminal.go_away() == 128 + signal.SIGHUP
    if words:
        assert gated(["stop", "long"]) == 0, "the training itself went on"


def test_help_names_what_to_put_behind_an_option_and_no_python_type(capsys):
    for words in EXAMPLES:
        assert gated([*words.split(), "--help"]) == 0
        said = capsys.readouterr().out
        assert not [line for line in said.splitlines() if "<" in line and ">" in line], words
    assert gated(["train", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {one} " in said for one in ("--set KEY=VALUE", "--epochs N", "--lr X", "--runs DIR", "--unit UNIT"))
