"""Voices: `gated sample` with a model of speech."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from gatedtui import checkpoint, config, paths
from gatedtui.cli.main import run as gated
from gatedtui.data import prepare
from gatedtui.data.dataset import DataSet
from gatedtui.events import Diverged
from gatedtui.network import restore
from gatedtui.sample import draw_speech
from gatedtui.sound.statistics import describe_sound
from gatedtui.sound.wav import read_audio, write_audio
from gatedtui.train.loop import Training


@pytest.fixture(scope="module")
def vowels(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return prepare.prepare("vowels", cache=tmp_path_factory.getbasetemp() / "cache")


@pytest.fixture(scope="module")
def model(vowels: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small GRU after 95 updates: it hums."""
    values = {"model.head": "mixture", "model.hidden": 24, "data.name": "vowels", "train.recipe": "modern"}
    values |= {"train.optimiser": "adam", "train.lr": 3e-3, "train.batch": 64, "train.epochs": 5, "train.noise": 0.0}
    training = Training(config.build(values | {"train.averaging": 0.999, "train.eps": 1e-8}), vowels, run="hum")
    assert not any(isinstance(event, Diverged) for event in training.events())
    made, path = training.best_checkpoint(), tmp_path_factory.mktemp("model") / "hum.safetensors"
    assert made is not None
    checkpoint.save(path, made)
    return path


def voice(model: Path, out: Path, *more: str) -> tuple[np.ndarray, dict]:
    assert gated(["sample", str(model), "--out", str(out), "--seed", "7", *more]) == 0
    samples, rate_hz = read_audio(out)
    assert rate_hz == 8000
    return samples, json.loads(out.with_suffix(".json").read_text())


def test_a_voice_has_the_datas_rate_and_the_length_asked_for(model: Path, tmp_path: Path):
    samples, about = voice(model, tmp_path / "v.wav", "--seconds", "1.2345")
    assert len(samples) == about["samples"] == 9876
    assert len(voice(model, tmp_path / "s.wav", "--steps", "33")[0]) == 330
    assert len(voice(model, tmp_path / "short.wav", "--steps", "1")[0]) == 10
    assert len(voice(model, tmp_path / "default.wav")[0]) == 40_000


def test_free_running_neither_blows_up_nor_dies(model: Path, vowels: DataSet):
    drawn = draw_speech(checkpoint.load(model), samples=80_000, n=2, seed=1)
    for wave in drawn.waves:
        each_second = np.sqrt(np.square(wave.reshape(10, 8000)).mean(1))
        assert (each_second > 1 / 3).all() and (each_second < 3).all(), each_second
        peak = max(np.abs(w).max() for w in vowels.splits["train"])
        assert np.abs(wave).max() <= peak
        assert np.count_nonzero(np.abs(wave) > 0.999 * peak) <= 8, "nothing is clipped"
    assert np.isfinite(drawn.nll).all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(model: Path, tmp_path: Path):
    for name in ("a", "b"):
        voice(model, tmp_path / f"{name}.wav", "--steps", "50")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert gated(["sample", str(model), "--out", str(tmp_path / "c.wav"), "--steps", "50", "--seed", "8"]) == 0
    assert (tmp_path / "c.wav").read_bytes() != (tmp_path / "a.wav").read_bytes()


def test_voice_k_does_not_depend_on_how_many_there_are_nor_on_their_length(model: Path):
    held = checkpoint.load(model)
    alone = draw_speech(held, samples=6000, n=1, seed=7)
    many = draw_speech(held, samples=4000, n=3, seed=7)
    assert np.array_equal(many.waves[0], alone.waves[0, :4000])
    assert not np.array_equal(many.waves[1], many.waves[0])


def test_the_first_twenty_samples_come_from_the_models_own_start(model: Path, vowels: DataSet):
    drawn = draw_speech(checkpoint.load(model), samples=20, n=5, seed=3)
    firsts = {tuple(wave[:20]) for wave in vowels.splits["train"]}
    assert {tuple(wave) for wave in drawn.waves} <= firsts
    assert drawn.scored == 0 and np.isnan(drawn.nll).all()


def test_the_nll_is_the_models_own_score_of_what_was_drawn(model: Path):
    held = checkpoint.load(model)
    drawn = draw_speech(held, samples=5030, seed=2, temperature=0.8)
    wave = torch.from_numpy(drawn.waves[0])
    x, y = wave.unfold(0, 20, 10)[:-1, None], wave[20:].reshape(-1, 1, 10)
    with torch.no_grad():
        nll = restore(held.config.model, held.weights).losses(x, y, backend="reference").mean().item()
    assert drawn.scored == 501
    assert float(drawn.nll[0]) == pytest.approx(nll, rel=1e-4)


def test_a_kept_primer_stands_before_what_was_drawn(model: Path, vowels: DataSet, tmp_path: Path):
    words = ["--prime", "vowels:5", "--prime-steps", "23", "--steps", "40"]
    kept, about = voice(model, tmp_path / "kept.wav", *words, "--keep-prime")
    dropped, _ = voice(model, tmp_path / "dropped.wav", *words)
    piece = vowels.splits["test"][5][:230] * vowels.scale
    np.testing.assert_allclose(kept[:230], piece, rtol=0, atol=1 / 32767)
    assert np.array_equal(kept[230:], dropped)
    assert about["primer_samples"] == 230 and about["samples"] == 400 and about["scored_frames"] == 40


def test_a_primer_file_of_another_rate_is_heard_at_the_models(model: Path, tmp_path: Path):
    t = np.arange(22_050) / 44_100
    write_audio(0.3 * np.sin(2 * np.pi * 220 * t), 44_100, tmp_path / "tone.wav")
    words = ["--prime", str(tmp_path / "tone.wav"), "--keep-prime", "--steps", "40"]
    samples, about = voice(model, tmp_path / "v.wav", *words)
    assert about["primer_samples"] == 4000 and len(samples) == 4400
    expected = 0.3 * np.sin(2 * np.pi * 220 * np.arange(4000) / 8000)
    np.testing.assert_allclose(samples[200:3800], expected[200:3800], rtol=0, atol=2e-3)


def test_a_primer_changes_what_is_drawn(model: Path):
    held = checkpoint.load(model)
    quiet = draw_speech(held, samples=400, seed=1, primer=np.zeros(100, np.float32)).waves
    loud = draw_speech(held, samples=400, seed=1, primer=2 * np.sin(np.arange(100, dtype=np.float32))).waves
    assert not np.array_equal(quiet, loud)
    # what is left over by steps of 10 is left out at the primer's beginning
    odd = np.concatenate([np.full(7, 5, np.float32), np.zeros(100, np.float32)])
    assert np.array_equal(draw_speech(held, samples=400, seed=1, primer=odd).waves, quiet)


@pytest.mark.parametrize(
    ("prime", "code", "value"),
    [
        ("C4,E4,G4", 2, "C4,E4,G4"),
        ("vowels:900", 2, "vowels:900"),
        ("tiny:1", 2, "tiny:1"),
        ("nothing.wav", 3, "nothing.wav"),
        ("short.wav", 3, "short.wav"),
    ],
)
def test_a_primer_that_cannot_be_one_is_named(
    model: Path, tmp_path: Path, prime: str, code: int, value: str, capsys: pytest.CaptureFixture[str]
):
    write_audio(np.zeros(15) + 0.1, 8000, tmp_path / "short.wav")
    typed = str(tmp_path / prime) if prime.endswith(".wav") else prime
    assert gated(["sample", str(model), "--out", str(tmp_path / "v.wav"), "--prime", typed]) == code
    assert value in capsys.readouterr().err
    assert not (tmp_path / "v.wav").exists()


def test_a_voice_is_no_midi_file(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["sample", str(model), "--out", str(tmp_path / "v.mid")]) == 3
    assert "speech" in capsys.readouterr().err
    assert gated(["sample", str(model), "--seconds", "36000", "--out", str(tmp_path / "v.wav")]) == 2
    assert "too much" in capsys.readouterr().err


def test_temperature_makes_a_voice_more_or_less_likely(model: Path):
    held = checkpoint.load(model)
    nll = [draw_speech(held, samples=8000, seed=1, temperature=t).nll[0] for t in (0.5, 1.0, 1.5)]
    assert nll[0] < nll[1] < nll[2]


def test_greedy_with_a_primer_leaves_nothing_to_chance(model: Path):
    held, primer = checkpoint.load(model), np.sin(np.arange(100, dtype=np.float32))
    one, other = (draw_speech(held, samples=400, seed=s, primer=primer, greedy=True).waves for s in (1, 2))
    assert np.array_equal(one, other)


def test_the_sidecar_describes_the_sound(model: Path, tmp_path: Path):
    samples, about = voice(model, tmp_path / "v.wav", "--seconds", "2")
    for key, value in describe_sound(samples, 8000).items():
        assert about[key] == pytest.approx(value, rel=0.02, abs=0.01), key
    assert about["gain"] == 1.0 and about["training_rms"] == checkpoint.load(model).data["scale"]
    assert math.isfinite(about["nll_frame"]) and about["options"]["seed"] == 7 and about["steps"] == 1600


def test_the_newest_run_that_fits_is_taken_whatever_it_models(runs: Path, tmp_path: Path):
    prepare.prepare("vowels", cache=paths.cache_folder())
    words = ["train", "--data", "vowels", "--epochs", "1", "--set", "model.hidden=5", "--plain", "--name", "v"]
    assert gated(words) == 0
    assert gated(["sample", "--out", str(tmp_path / "v.wav"), "--steps", "30"]) == 0
    assert json.loads((tmp_path / "v.json").read_text())["data"] == "vowels"
    assert (
        gated(["sample", "--unit", "gru", "--data", "vowels", "--out", str(tmp_path / "w.wav"), "--steps", "30"]) == 0
    )
    assert gated(["eval", "v", "--data", "vowels"]) == 0


def test_a_model_that_runs_away_is_held_back(model: Path):
    held = checkpoint.load(model)
    wild = dict(held.tensors)
    wild["head.bias"] = held.tensors["head.bias"].copy()
    wild["head.bias"][-200:] += 5  # every scale 148 times as wide
    drawn = draw_speech(checkpoint.Checkpoint(held.config, held.data, held.nll, wild), samples=24_000, n=2, seed=1)
    assert (drawn.held > 0.5).all() and (drawn.held < 1).all()
    rms = np.sqrt(np.square(drawn.waves.reshape(2, 3, 8000)).mean(2))
    assert (rms > 1).all() and (rms < 3).all(), rms
    peak = held.data["peak"]
    assert np.abs(drawn.waves).max() < peak, "cut-off normals pile up nowhere"
    assert np.count_nonzero(np.abs(drawn.waves) > 0.999 * peak) < 0.001 * drawn.waves.size
    assert (draw_speech(held, samples=8000, seed=1).held < 0.2).all()
