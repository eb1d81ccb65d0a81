"""What the dashboard says of its runs: alerts, silence, deaths, any name, and a song of the focused one."""

import json
import subprocess
import sys
import threading
import time

import pytest

from gatedtui.runs import lock
from gatedtui.tui import alerts, playing
from gatedtui.tui import app as app_module
from gatedtui.tui.app import GatedApp
from gatedtui.tui.screens.log import LogScreen
from gatedtui.tui.widgets.card import RunCard

from .conftest import drive, epochs, falling, finished, started, until


def test_alerts_stand_in_the_line_of_news_with_a_sign_and_in_the_log(make_run, runs, screen_text, monkeypatch):
    run = make_run([started(), *epochs([*falling(20), 30.0])], name="[b]jumpy")
    monkeypatch.setattr(app_module, "free_bytes", lambda path: 300 << 20)
    with lock.held(run.lock_path):

        async def script(pilot):
            await until(pilot, lambda: "! disk nearly full: 300M free" in screen_text(pilot.app))
            await until(pilot, lambda: "! [b]jumpy loss spike: 29.70 in epoch 21" in screen_text(pilot.app))
            await pilot.press("e")
            await until(pilot, lambda: isinstance(pilot.app.screen, LogScreen))
            text = screen_text(pilot.app)
            assert "disk nearly full" in text and "[b]jumpy loss spike" in text
            await pilot.press("q")
            await until(pilot, lambda: not isinstance(pilot.app.screen, LogScreen))

        drive(GatedApp(runs), script, size=(120, 30))


def test_a_silent_run_is_said_to_be_stalled(make_run, runs, screen_text, monkeypatch):
    monkeypatch.setattr(alerts, "STALLED_S", 0.2)
    run = make_run([started(), *epochs(falling(5))])
    with lock.held(run.lock_path):

        async def script(pilot):
            await until(pilot, lambda: "gru-jsb-1 stalled: silent for" in screen_text(pilot.app))

        drive(GatedApp(runs), script)


def test_a_run_that_is_killed_shows_as_crashed_with_the_key_that_goes_on(make_run, runs, screen_text):
    run = make_run([started(), *epochs(falling(9))])
    code = "import sys; from pathlib import Path; from gatedtui.runs import lock\n"
    code += "with lock.held(Path(sys.argv[1])): print(flush=True); input()"
    words = [sys.executable, "-c", code, str(run.lock_path)]
    worker = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()

    async def script(pilot):
        await until(pilot, lambda: "⠋ training" in screen_text(pilot.app) or "training" in screen_text(pilot.app))
        worker.kill()
        worker.wait()
        await until(pilot, lambda: "✖ crashed" in screen_text(pilot.app))
        await until(pilot, lambda: "r resume" in screen_text(pilot.app))
        assert "r goes on with it" in screen_text(pilot.app)
        await until(pilot, lambda: "gru-jsb-1 crashed" in screen_text(pilot.app))

    try:
        drive(GatedApp(runs), script)
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.parametrize("name", ["a b", "it's", '"quoted"', "[red]x", "日本語", "%s {x} \\n".replace("\\", "")])
def test_any_name_a_run_may_have_is_shown_as_it_is(make_run, runs, screen_text, name):
    make_run([started(), *epochs(falling(9)), finished(9, 8.4)], name=name)

    async def script(pilot):
        for key in ("1", "2", "3"):
            await pilot.press(key)
            await until(pilot, lambda: name.strip() in screen_text(pilot.app))

    drive(GatedApp(runs), script, size=(120, 30))


def test_the_dashboard_finds_the_runs_at_work_among_newer_ones(make_run, runs, screen_text):
    old = make_run([started(), *epochs(falling(9))], name="still-going")
    for number in range(9):
        make_run([started(), *epochs(falling(5)), finished(5, 8.4)], name=f"new-{number}")
    with lock.held(old.lock_path):

        async def script(pilot):
            await until(pilot, lambda: "still-going" in screen_text(pilot.app))
            await until(pilot, lambda: len(pilot.app.screen.query(RunCard)) == 6)

        drive(GatedApp(runs), script, size=(120, 40))


def test_p_plays_a_song_of_the_focused_run_and_silences_it(three, runs, screen_text, monkeypatch):
    drawn, silenced = [], threading.Event()

    def play(path, cancelled):
        while not cancelled():
            time.sleep(0.01)
        silenced.set()

    def draw(source, runs, seed, cancelled):
        drawn.append((source, seed))
        return runs / "song.wav"

    monkeypatch.setattr(playing, "draw", draw)
    monkeypatch.setattr(playing, "play", play)

    async def script(pilot):
        await until(pilot, lambda: "valid" in screen_text(pilot.app))
        await pilot.press("p")
        await until(pilot, lambda: "♪ tanh-jsb-1 plays" in screen_text(pilot.app))
        assert "p silence" in screen_text(pilot.app)
        await pilot.press("p")
        await until(pilot, silenced.is_set)
        await until(pilot, lambda: "♪" not in screen_text(pilot.app))
        await pilot.press("p")
        await until(pilot, lambda: drawn == [("tanh-jsb-1", 1), ("tanh-jsb-1", 2)])

    drive(GatedApp(runs), script, size=(120, 30))


def test_a_run_without_a_model_says_that_another_is_heard(make_run, runs, screen_text, monkeypatch):
    drawn = []
    make_run([started()])
    monkeypatch.setattr(playing, "released", lambda: ["lstm-bach"])
    monkeypatch.setattr(playing, "draw", lambda source, runs, seed, cancelled: drawn.append(source) or runs)
    monkeypatch.setattr(playing, "play", lambda path, cancelled: None)

    async def script(pilot):
        await pilot.press("p")
        await until(pilot, lambda: "gru-jsb-1 has no model yet; a released one plays." in screen_text(pilot.app))
        await until(pilot, lambda: drawn == ["lstm-bach"])

    drive(GatedApp(runs), script)


def test_without_sound_the_file_is_named(runs, screen_text, monkeypatch):
    def silent(path, cancelled):
        raise playing.Silent("Nothing here can play sound.", "apt install libportaudio2")

    monkeypatch.setattr(playing, "draw", lambda source, runs, seed, cancelled: runs / "song.wav")
    monkeypatch.setattr(playing, "play", silent)
    monkeypatch.setattr(playing, "released", lambda: ["gru-bach"])

    async def script(pilot):
        await until(pilot, lambda: "plays a song of a released model" in screen_text(pilot.app))
        await pilot.press("p")
        await until(pilot, lambda: "apt install libportaudio2" in screen_text(pilot.app))
        await until(pilot, lambda: "the song of gru-bach is in" in screen_text(pilot.app))

    drive(GatedApp(runs), script, size=(120, 30))


def test_the_app_at_work_has_neither_torch_nor_numpy(three, runs):
    code = f"""
import asyncio, json, sys
from pathlib import Path
from gatedtui.tui.app import GatedApp
async def main():
    app = GatedApp(Path({str(runs)!r}))
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("1", "2", "x", "v", "3", "slash", "a", "enter", "n", "down", "escape", "question_mark", "q"):
            await pilot.press(key)
            await pilot.pause(0.1)
asyncio.run(main())
print(json.dumps([name for name in ("torch", "numpy", "scipy", "music21", "typer") if name in sys.modules]))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout.splitlines()[-1]) == []
