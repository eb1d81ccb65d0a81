import json
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gatedtui import config
from gatedtui.checkpoint import Checkpoint, save, shapes
from gatedtui.data import prepare
from gatedtui.errors import BadArgument, BadSource
from gatedtui.listen.gather import PRIME, Choice, gather
from gatedtui.listen.items import drawn_again
from gatedtui.sound.midi import write_midi
from gatedtui.sound.wav import write_audio


@pytest.fixture
def places(tmp_path):
    """Two models of music and one of speech, none of them trained, and where things are."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name, unit, kind in (("one", "gru", "music"), ("two", "tanh", "music"), ("three", "lstm", "speech")):
        data = {"name": "tiny", "kind": kind, "digest": "0" * 64, "steps_per_quarter": 4, "rate_hz": 8000, "scale": 0.1}
        own = config.build(
            {"model.unit": unit, "model.hidden": 3, **({"model.head": "mixture"} if kind == "speech" else {})}
        )
        tensors = {key: np.zeros(shape, np.float32) for key, shape in shapes(own).items()}
        tensors["start"] = np.zeros((1, 88 if kind == "music" else 20), np.float32)
        save(folder / f"{name}.safetensors", Checkpoint(own, data, {"epoch": 1}, tensors))
    return tmp_path


class Sampler:
    """Stands for `gated sample`: writes what it was asked for, and remembers the words."""

    def __init__(self):
        self.asked = []

    def __call__(self, words):
        self.asked.append(list(words))
        told = dict(pairwise(words))
        out, steps = Path(told["--out"]), int(told.get("--steps", 0))
        facts = {"nll_frame": 2.5, "files": [str(out)]}
        if out.suffix == ".mid":
            primed = int(told.get("--prime-steps", 0))
            roll = np.zeros((primed + steps, 88), np.uint8)
            roll[:, 40] = 1
            write_midi(roll, out, qpm=float(told["--qpm"]), steps_per_quarter=4)
            return [facts | {"steps_per_quarter": 4, "primer_steps": primed}]
        write_audio(np.full(round(float(told["--seconds"]) * 8000), 0.1), 8000, out)
        return [facts | {"primer_samples": 0}]


def collect(words, choice, places, sample=None):
    from gatedtui import paths

    sample = sample or Sampler()
    found = gather(words, choice, runs=places / "runs", cache=paths.cache_folder(), sample=sample)
    return found, sample


def model(places, name):
    return str(places / "models" / f"{name}.safetensors")


def test_models_go_on_from_the_pieces_beginning_and_the_piece_is_the_real_continuation(places):
    from gatedtui import paths

    piece = prepare.prepare("tiny", cache=paths.cache_folder()).splits["test"][1]
    words = ["tiny:1", model(places, "one"), model(places, "two")]
    (real, one, two), sample = collect(words, Choice(seed=7, qpm=120.0), places)
    primed = min(PRIME["music"], len(piece) // 2)
    for asked in sample.asked:
        told = dict(pairwise(asked))
        assert (told["--seed"], told["--prime"], told["--prime-steps"]) == ("7", "tiny:1", str(primed))
        assert int(told["--steps"]) == min(len(piece) - primed, 240)
        assert "--keep-prime" in asked
    assert [found.label for found in (real, one, two)] == ["tiny:1", "one", "two"]
    assert [found.kind for found in (real, one, two)] == ["real", "model", "model"]
    assert (one.unit, two.unit, one.nll, real.nll) == ("gru", "tanh", 2.5, None)
    assert np.array_equal(real.roll, piece[: primed + min(len(piece) - primed, 240)])
    assert len(real.roll) == len(one.roll) == len(two.roll)
    assert real.primer_s == one.primer_s == primed * 60 / 120 / 4
    assert real.samples.shape == one.samples.shape
    assert one.command[:3] == ("gated", "sample", model(places, "one"))
    assert shlex.split(drawn_again(one)) == [*one.command, "--out", "one.mid"] and drawn_again(real) == ""
    assert one.statistics["polyphony"] == 1.0
    json.dumps([one.statistics, one.facts])


def test_a_typed_primer_and_length_are_the_models_own(places):
    choice = Choice(prime="C4,E4*8", seconds=2.0, temperature=0.8)
    (real, _), sample = collect(["tiny:0", model(places, "one")], choice, places)
    told = dict(pairwise(sample.asked[0]))
    assert (told["--prime"], told["--steps"], told["--temperature"]) == ("C4,E4*8", "13", "0.8")
    assert "--prime-steps" not in sample.asked[0]
    assert real.primer_s == 0.0
    assert len(real.roll) == 13


def test_without_a_piece_models_begin_by_themselves(places):
    (one,), sample = collect([model(places, "one")], Choice(), places)
    assert "--prime" not in sample.asked[0]
    assert dict(pairwise(sample.asked[0]))["--steps"] == "192"
    assert one.primer_s == 0.0


def test_where_hardly_anything_is_left_of_the_piece_models_draw_their_default_length(places):
    from gatedtui import paths

    piece = prepare.prepare("tiny", cache=paths.cache_folder()).splits["test"][0]
    (real, _), sample = collect(["tiny:0", model(places, "one")], Choice(qpm=120.0, prime_steps=len(piece) - 2), places)
    assert dict(pairwise(sample.asked[0]))["--steps"] == "240"
    assert len(real.roll) == len(piece)


def test_another_excerpt_is_another_piece_and_another_seed(places):
    (real, _), sample = collect(["tiny:0", model(places, "one")], Choice(seed=5, excerpt=1, seconds=1.0), places)
    told = dict(pairwise(sample.asked[0]))
    assert (real.label, told["--prime"], told["--seed"]) == ("tiny:1", "tiny:1", "6")


def test_files_are_what_they_are(places):
    roll = np.zeros((8, 88), np.uint8)
    roll[:4, 39] = roll[4:, 43] = 1
    write_midi(roll, places / "song.mid", qpm=60, steps_per_quarter=4)
    write_audio(0.1 * np.sin(np.arange(8000)), 8000, places / "voice.flac")
    write_audio(0.1 * np.sin(np.arange(44_100) * 0.05), 44_100, places / "tune.mp3")
    (song, voice, tune), sample = collect(
        [str(places / n) for n in ("song.mid", "voice.flac", "tune.mp3")], Choice(), places
    )
    assert not sample.asked
    assert (song.label, song.content, song.kind) == ("song.mid", "music", "file")
    assert song.roll.shape == (32, 88)
    assert song.roll[:16, 39].all() and song.roll[16:, 43].all() and song.roll.sum() == 32
    assert song.statistics["note_length"] == 1.0
    assert (voice.rate_hz, voice.content, voice.roll) == (8000, "audio", None)
    assert tune.duration_s == pytest.approx(1.0, abs=0.1)
    assert voice.statistics["rms"] == pytest.approx(0.0707, rel=0.01)


def test_speech_is_drawn_as_sound(places):
    (voice,), sample = collect([model(places, "three")], Choice(seconds=0.5), places)
    assert (voice.content, voice.roll, voice.rate_hz, voice.unit) == ("speech", None, 8000, "lstm")
    assert dict(pairwise(sample.asked[0]))["--out"].endswith(".wav")


def test_what_does_not_belong_together_is_one_sentence(places):
    with pytest.raises(BadArgument, match=r"is music and .* is speech"):
        collect([model(places, "one"), model(places, "three")], Choice(), places)
    with pytest.raises(BadArgument, match="no piece 'tiny:999'"):
        collect(["tiny:999"], Choice(), places)
    with pytest.raises(BadSource, match="leaves nothing"):
        collect(["tiny:0", model(places, "one")], Choice(prime_steps=100_000), places)
    with pytest.raises(BadArgument, match="'nobody'"):
        collect(["nobody"], Choice(), places)
    with pytest.raises(BadSource, match=r"There is no file 'gone\.mp3'"):
        collect(["gone.mp3"], Choice(), places)
    (places / "text.wav").write_text("no sound")
    with pytest.raises(BadSource, match=r"text\.wav"):
        collect([str(places / "text.wav")], Choice(), places)


def test_what_a_childs_error_says_is_said(places):
    def broken(words):
        raise BadSource("The model is damaged.", "Train again.")

    with pytest.raises(BadSource, match="The model is damaged"):
        collect([model(places, "one"), model(places, "two")], Choice(), places, broken)


def test_the_same_model_twice_has_two_names(places):
    found, _ = collect([model(places, "one")] * 2, Choice(seconds=1.0), places)
    assert [one.label for one in found] == ["one", "one (2)"]
