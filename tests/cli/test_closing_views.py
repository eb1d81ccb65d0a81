"""What stands on the terminal after the app or the live view is closed."""

from pathlib import Path

import pytest

from gatedtui.cli import app as cli_app
from gatedtui.cli import output
from gatedtui.cli.main import run as gated
from gatedtui.config import RunConfig
from gatedtui.runs import folder, lock
from gatedtui.tui import app as tui_app
from gatedtui.tui import inline


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(output, "on_a_terminal", lambda: True)
    monkeypatch.setattr(tui_app, "run_app", lambda runs, focus: "closed")


@pytest.mark.usefixtures("at_a_terminal")
def test_closing_the_app_tells_which_runs_go_on(runs: Path, capsys: pytest.CaptureFixture[str]):
    made = folder.create(runs, "mine", RunConfig())
    with lock.held(made.lock_path):
        assert gated([]) == 0
    assert "'mine' goes on training; gated watch" in capsys.readouterr().err


@pytest.mark.usefixtures("at_a_terminal")
def test_closing_the_app_says_nothing_where_nothing_is_trained(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("at_a_terminal")
@pytest.mark.parametrize("outcome", ["open", "detached"])
def test_what_is_chosen_in_gated_watch_is_done(
    outcome: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    opened = []
    monkeypatch.setattr(inline, "run_live", lambda *_, **__: outcome)
    monkeypatch.setattr(cli_app, "terminal_app", lambda *words: opened.append(words))
    made = folder.create(runs, "my run", RunConfig())
    with lock.held(made.lock_path):
        assert gated(["watch", "my run"]) == 0
    assert opened == ([(runs, made.path)] if outcome == "open" else [])
    assert ("gated watch 'my run'" in capsys.readouterr().err) == (outcome == "detached")
