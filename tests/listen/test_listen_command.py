"""`gated listen`: without a terminal, on one, and blind."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from gatedtui.cli.main import run
from gatedtui.sound.wav import write_audio

from .test_deck import DEVICE, RATE
from .test_play_terminal import NO_PORTAUDIO, Terminal

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Two clips, a sound device that keeps what it is given, nothing on PATH, and an empty working folder."""
    modules, binaries, here = (tmp_path / name for name in ("modules", "bin", "here"))
    for folder in (modules, binaries, here):
        folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.chdir(here)
    values = {"heard": str(tmp_path / "heard"), "broken": str(tmp_path / "broken"), "latency": 0.0, "speed": 1.0}
    (modules / "sounddevice.py").write_text(DEVICE.format(**values))
    time_s = np.arange(20 * RATE) / RATE
    write_audio(0.5 * np.sin(2 * np.pi * 300 * time_s), RATE, tmp_path / "low.wav")
    write_audio(0.1 * np.sin(2 * np.pi * 900 * time_s), RATE, tmp_path / "high.wav")
    return tmp_path


def gated(*words, typed="", code=0):
    """A command without a terminal, and what it wrote."""
    command = [sys.executable, "-m", "gatedtui", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, input=typed, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_without_a_terminal_there_is_a_table_and_nothing_plays(machine):
    done = gated("listen", machine / "low.wav", machine / "high.wav")
    assert done.stdout.splitlines()[0].split() == ["clip", "kind", "length", "nats/frame", "polyphony", "in", "scale"]
    assert "low.wav" in done.stdout
    assert not (machine / "heard").exists()
    told = json.loads(gated("listen", machine / "low.wav", "--json").stdout)
    assert (told[0]["label"], told[0]["kind"], told[0]["seconds"]) == ("low.wav", "file", 20.0)


def test_clips_are_written_equally_loud(machine):
    gated("listen", machine / "low.wav", machine / "high.wav", "--out", "clips")
    clips = sorted((machine / "here" / "clips").iterdir())
    assert [clip.name for clip in clips] == ["1-low-wav.wav", "2-high-wav.wav"]
    low, high = (soundfile.read(clip)[0] for clip in clips)
    # K-weighting rates 900 Hz about 0.5 dB above 300 Hz.
    assert np.std(high) / np.std(low) == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nobody"], 2, "'nobody'"),
        (["gone.wav"], 3, "gone.wav"),
        (["LOW", "--blind"], 2, "two things"),
        (["LOW", "LOW", "--blind", "--task", "abd"], 2, "Did you mean 'abx'"),
        (["LOW", "LOW", "--blind", "--task", "real"], 2, "none of them is"),
        (["LOW", "LOW", "--blind", "--trials", "0"], 2, "'0'"),
        (["LOW", "--qpm", "nan"], 2, "'nan'"),
        (["LOW", "--program", "40"], 2, "'40'"),
        (["LOW", "--soundfont", "no.sf2"], 3, "no.sf2"),
        (["LOW"] * 10, 2, "'10'"),
        (["LOW", "--trials", "3"], 2, "'--trials 3'"),
        (["LOW", "--task", "abx"], 2, "'--task abx'"),
        (["LOW", "--out", "LOW"], 3, "not a folder"),
        (["LOW", "LOW", "--blind", "--results", "LOW"], 3, "does not hold blind tests"),
    ],
)
def test_what_is_wrong_is_one_sentence(machine, words, code, said, capsys):
    assert run(["listen", *[str(machine / "low.wav") if word == "LOW" else word for word in words]]) == code
    told = capsys.readouterr()
    assert said in told.err and "Traceback" not in told.err and "unforeseen" not in told.err
    assert told.out == ""
    assert not list((machine / "here").iterdir())


def test_a_blind_test_by_lines_hides_the_labels_until_the_end(machine):
    (machine / "modules" / "sounddevice.py").write_text(NO_PORTAUDIO)
    words = ["listen", machine / "low.wav", machine / "high.wav", "--blind", "--trials", "4", "--seed", "3"]
    done = gated(*words, typed="1\n2\nwhat\nb\nA\n")
    before = done.stderr.partition("  1 ")[0]
    assert "low" not in before.replace(str(machine), "")
    assert "high" not in before.replace(str(machine), "")
    assert "'what' is no answer" in done.stderr
    assert "of 4 right" in done.stdout
    (session,) = json.loads((machine / "here" / "listen-results.json").read_text())["sessions"]
    assert [trial["answer"] for trial in session["trials"]] == ["a", "b", "b", "a"]
    assert session["result"]["correct"] == sum(trial["correct"] for trial in session["trials"])
    assert (session["items"], session["complete"], session["played_with"]) == (["low.wav", "high.wav"], True, "")
    clips = machine / "here" / "listen-blind"
    assert len(list(clips.iterdir())) == 12
    for number, trial in enumerate(session["trials"], 1):
        sound = {letter: (clips / f"trial-{number:02}-{letter}.wav").read_bytes() for letter in "abx"}
        assert sound["x"] == sound[trial["right"]] != sound["ab".replace(trial["right"], "")]


def test_a_blind_test_that_is_left_keeps_what_was_answered(machine):
    words = ["listen", machine / "low.wav", machine / "high.wav", "--blind", "--task", "prefer", "--results", "r.json"]
    done = gated(*words, "--json", typed="1\nq\n")
    session = json.loads(done.stdout)
    assert (session["complete"], len(session["trials"]), session["task"]) == (False, 1, "prefer")
    assert json.loads((machine / "here" / "r.json").read_text())["sessions"] == [session]
    assert "No answers" in gated(*words, typed="q\n").stderr
    assert len(json.loads((machine / "here" / "r.json").read_text())["sessions"]) == 1


def test_a_blind_test_by_keys_switches_and_counts(machine):
    with Terminal("listen", machine / "low.wav", machine / "high.wav", "--blind", "--trials", "3") as terminal:
        terminal.wait_for("trial 1/3 A")
        terminal.type("b")
        terminal.wait_for("▶ trial 1/3 B  0:0")
        terminal.type("x")
        terminal.wait_for("▶ trial 1/3 X")
        terminal.type("1")
        terminal.wait_for("‖ trial 2/3 A  0:00")
        terminal.type("2")
        terminal.wait_for("trial 3/3 A")
        shown = terminal.written
        terminal.type("1")
        assert terminal.leave() == 0
    for name in ("low.wav", "high.wav"):
        assert name not in shown
    assert "of 3 right" in terminal.written
    (session,) = json.loads((machine / "here" / "listen-results.json").read_text())["sessions"]
    assert [trial["answer"] for trial in session["trials"]] == ["a", "b", "a"]
    assert session["played_with"] == "sounddevice"
    assert not (machine / "here" / "listen-blind").exists()


def test_ctrl_c_in_a_blind_test_keeps_the_answers_and_the_terminal(machine):
    with Terminal("listen", machine / "low.wav", machine / "high.wav", "--blind", "--trials", "3") as terminal:
        terminal.wait_for("trial 1/3 A")
        terminal.type("1")
        terminal.wait_for("trial 2/3 A")
        terminal.type("\x03")
        terminal.leave()
    (session,) = json.loads((machine / "here" / "listen-results.json").read_text())["sessions"]
    assert (len(session["trials"]), session["complete"]) == (1, False)


def test_on_a_terminal_the_screen_switches_plays_and_leaves_it_as_it_was(machine):
    with Terminal("listen", machine / "low.wav", machine / "high.wav") as terminal:
        terminal.wait_for("▸1")
        terminal.type(" ")
        terminal.wait_for(r"▶ 0:0\d/0:20")
        terminal.type("2")
        terminal.wait_for("▸2")
        terminal.type("q")
        assert terminal.leave() == 0
    assert (machine / "heard").stat().st_size > 0
    assert terminal.written.rindex("\x1b[?1049l") > terminal.written.rindex("\x1b[?1049h")
