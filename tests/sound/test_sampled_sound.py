"""`gated sample`: files of every ending, instruments, all units at once, and measures beside the training set."""

import json

import mido
import numpy as np
import pytest

from gatedtui import config
from gatedtui.checkpoint import Checkpoint, save, shapes
from gatedtui.cli.main import run as gated
from gatedtui.runs import folder as folders
from gatedtui.sound.loudness import loudness
from gatedtui.sound.midi import read_midi
from gatedtui.sound.statistics import describe
from gatedtui.sound.wav import measure_audio, read_stereo

DATA = {"name": "tiny", "kind": "music", "digest": "0" * 64, "steps_per_quarter": 4, "rate_hz": 0, "scale": 1.0}


@pytest.fixture
def models(runs):
    """A run of each unit whose model plays what its bias says: rarely anything."""
    for unit in ("gru", "tanh", "lstm"):
        own = config.build({"model.unit": unit, "model.hidden": 3, "data.name": "tiny"})
        tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes(own).items()}
        tensors["head.bias"] = np.full(88, -3.5, np.float32)
        tensors["start"] = np.zeros((1, 88), np.float32)
        folder = folders.create(runs, f"{unit}-run", own)
        save(folder.best_path, Checkpoint(own, DATA, {"epoch": 1, "valid_nll": 9.0}, tensors, folder.name))
    return runs


def sample(*words):
    return gated(["sample", *map(str, words)])


def test_every_ending_is_written_with_the_same_song(models, tmp_path):
    outs = [tmp_path / f"s{ending}" for ending in (".mid", ".wav", ".flac", ".ogg", ".mp3")]
    assert sample("gru-run", "--steps", 32, *(word for out in outs for word in ("--out", out))) == 0
    for out, form in zip(outs[1:], ("WAV", "FLAC", "OGG", "MP3"), strict=True):
        facts = measure_audio(out)
        assert (facts.format, facts.rate_hz, facts.channels) == (form, 44_100, 2)
        assert loudness(*read_stereo(out)) == pytest.approx(-18.0, abs=0.5)


def test_all_units_write_a_song_each_from_one_seed_and_primer(models, tmp_path, capsys):
    words = ["--unit", "all", "--out", tmp_path / "song.mid", "--steps", 32, "--prime", "C4,E4*4", "--keep-prime"]
    assert sample(*words, "--seed", 4, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [song["unit"] for song in told] == ["tanh", "lstm", "gru"]
    rolls = [read_midi(tmp_path / f"song-{unit}.mid", steps_per_quarter=4) for unit in ("tanh", "lstm", "gru")]
    for roll in rolls:
        assert np.array_equal(roll[:4], rolls[0][:4])
        assert roll[0].nonzero()[0].tolist() == [39, 43]
        assert len(roll) == 36
    assert {song["options"]["seed"] for song in told} == {4}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"song-{unit}.{ending}" for unit in ("tanh", "lstm", "gru") for ending in ("mid", "json")
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["gru-run", "--unit", "all", "--out", "s.mid"], 2, "'gru-run'"),
        (["--out", "s.aac"], 2, "'s.aac'"),
        (["--out", "s.mid", "--program", "128"], 2, "'128'"),
        (["--out", "s.wav", "--program", "40"], 2, "'40'"),
        (["--out", "s.mid", "--restrike", "-1"], 2, "'-1'"),
        (["--out", "s.wav", "--soundfont", "no.sf2"], 3, "'no.sf2'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_drawn(models, tmp_path, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(tmp_path)
    assert sample(*words) == code
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_unit_without_a_model_is_named(models, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("gatedtui.sources.released", dict)
    (models / "lstm-run" / "best.safetensors").unlink()
    assert sample("--unit", "all", "--out", tmp_path / "s.mid") == 3
    assert "lstm" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_program_is_in_the_midi_file_and_the_audio_says_what_it_is(models, tmp_path, capsys):
    words = ["gru-run", "--out", tmp_path / "s.mid", "--out", tmp_path / "s.wav", "--steps", 16]
    assert sample(*words, "--program", 40) == 0
    assert "built-in piano" in capsys.readouterr().err
    programs = [m.program for m in mido.MidiFile(tmp_path / "s.mid").tracks[1] if m.type == "program_change"]
    assert programs == [40]


def test_held_notes_are_struck_anew_where_that_is_asked_for(models, tmp_path):
    strikes = []
    for restrike in (0, 1):
        out = tmp_path / f"{restrike}.mid"
        words = ["gru-run", "--out", out, "--steps", 1, "--prime", "C4*16", "--keep-prime", "--restrike", restrike]
        assert sample(*words) == 0
        notes = [m for m in mido.MidiFile(out).tracks[1] if m.type == "note_on" and m.velocity and m.note == 60]
        strikes.append(len(notes))
    assert strikes[0] in (1, 2)
    assert strikes[1] - strikes[0] == 3


def test_measures_stand_beside_those_of_the_training_set(models, tmp_path, capsys):
    out = tmp_path / "s.mid"
    assert sample("gru-run", "--out", out, "--steps", 48, "--stats") == 0
    table = capsys.readouterr().out
    assert "middle 90 %" in table
    assert "notes at a time" in table
    about = json.loads((tmp_path / "s.json").read_text())
    roll = read_midi(out, steps_per_quarter=4)
    assert about | describe(roll, steps_per_quarter=4) == about
    assert set(about["training"]["polyphony"]) == {"median", "low", "high"}
    assert about["training"]["polyphony"]["low"] <= about["training"]["polyphony"]["high"]
    assert sample("gru-run", "--out", out, "--steps", 8) == 0
    assert "training" not in json.loads((tmp_path / "s.json").read_text())
