import sys
import time

import pytest

from gatedtui.errors import BadSource, Interrupted
from gatedtui.plan import plan
from gatedtui.runs import launch
from gatedtui.runs.status import status
from gatedtui.tui import playing, starting


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def test_runs_start_stop_and_go_on(runs):
    plans = plan(data="tiny", settings=["train.epochs=100000", "train.patience=0"])
    [(run, process)] = starting.start(plans, runs, "a 'b' [c]", lambda: False)
    assert process is not None and run.name == "a 'b' [c]"
    wait_for(lambda: run.state_path.exists())
    assert launch.request_stop(run, process=process)
    wait_for(lambda: process.poll() is not None)
    assert status(run).word == "stopped"
    again = starting.resume(run, lambda: False)
    assert again is not None and launch.wait_until_locked(run, again)
    assert launch.request_stop(run, process=again)
    again.wait(timeout=60)


def test_the_data_is_asked_for_in_a_child_before_any_folder_is_made(runs, monkeypatch):
    asked = []

    def refuse(words, cancelled):
        asked.append(words)
        raise BadSource("There is no data.")

    monkeypatch.setattr(starting.launch, "run_json", refuse)
    with pytest.raises(BadSource, match="There is no data"):
        starting.start(plan(unit="all", data="tiny"), runs, None, lambda: False)
    assert asked == [("data", "info", "tiny")]
    assert not runs.exists() or not list(runs.iterdir())


def test_preparing_can_be_given_up(runs):
    with pytest.raises(Interrupted):
        starting.start(plan(data="tiny"), runs, None, lambda: True)
    assert not runs.exists() or not list(runs.iterdir())


def test_the_model_to_hear_first_leads_the_released_ones(tmp_path, monkeypatch):
    for name in ("lstm-bach", "gru-bach", "tanh-bach"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"")
    monkeypatch.setattr(playing.paths, "bundled", lambda folder: tmp_path)
    assert playing.released() == ["gru-bach", "lstm-bach", "tanh-bach"]


def test_a_song_is_drawn_into_the_cache(runs, monkeypatch):
    asked = []
    monkeypatch.setattr(playing.launch, "run_json", lambda words, cancelled: asked.append(words))
    path = playing.draw("a run", runs, 7, lambda: False)
    assert path == playing.paths.cache_folder() / "songs" / "a run.wav" and path.parent.is_dir()
    assert asked == [["sample", "a run", "--out", str(path), "--seconds", "30", "--seed", "7", "--runs", str(runs)]]


def test_a_machine_without_sound_is_a_sentence_and_a_hint(tmp_path):
    code = "import sys; sys.stderr.write('Nothing can play here.\\n  apt install x\\n'); sys.exit(4)"
    with pytest.raises(playing.Silent, match="Nothing can play here") as error:
        playing.play(tmp_path / "song.wav", lambda: False, command=[sys.executable, "-c", code])
    assert error.value.hint == "apt install x"


def test_a_song_is_silenced_as_by_ctrl_c(tmp_path):
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    code = f"""
import pathlib, time
try:
    pathlib.Path({str(begun)!r}).touch()
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path({str(ended)!r}).touch()
"""
    playing.play(tmp_path / "song.wav", begun.exists, command=[sys.executable, "-c", code])
    assert ended.exists()
