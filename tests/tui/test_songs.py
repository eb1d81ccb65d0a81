import numpy as np
import pytest

from gatedtui.data.audio import read_audio
from gatedtui.errors import BadArgument, BadSource, Interrupted
from gatedtui.sound.midi import read_midi
from gatedtui.tui import pieces, rounds, song_lines, songs
from gatedtui.tui.models import Model
from gatedtui.tui.songs import Song, Take

from .recorded import PRIMER, Recorded, answer

TAKE = Take("tiny:0", prime_steps=PRIMER, steps=16, temperature=0.9, seed=7)


def a_model(unit, name="", *, data="tiny", kind="music"):
    return Model(name or f"run-{unit}", f"/runs/{name or unit}", unit, 6, 1, data, kind)


def ask(recorded):
    return lambda words: recorded(words, environ={"OMP_NUM_THREADS": "1"})


def drawn(take, recorded, folder, units=("tanh", "gru")):
    told, scored, settled = [], {}, []
    rounds.draw_all(
        [a_model(unit) for unit in units],
        take,
        folder,
        "1",
        ask=ask(recorded),
        tell=lambda place, song: told.append((place, song)),
        scored=scored.__setitem__,
        settled=settled.append,
    )
    return told, scored, settled


def test_every_song_is_asked_for_with_one_seed_primer_length_and_temperature(tmp_path):
    recorded = Recorded()
    drawn(TAKE, recorded, tmp_path)
    samples = [words for words in recorded.asked if words[0] == "sample"]
    assert [words[1] for words in samples] == ["/runs/tanh", "/runs/gru"]
    for words in samples:
        line = " ".join(words)
        assert "--steps 16 --temperature 0.9 --seed 7 --prime tiny:0 --prime-steps 8 --keep-prime" in line
    assert "--prime" not in songs.sample_words(a_model("gru"), Take(), [])


def test_the_real_piece_comes_first_then_each_song_then_what_the_models_think_of_it(tmp_path):
    told, scored, settled = drawn(TAKE, Recorded(), tmp_path)
    assert [(place, song.state) for place, song in told] == [
        (0, "drawing"),
        (0, "ready"),
        (1, "drawing"),
        (1, "ready"),
        (2, "drawing"),
        (2, "ready"),
    ]
    assert scored == {1: pytest.approx(np.mean(answer("tanh")["nll"][8:])), 2: songs.real_nll(answer("gru"), TAKE)}
    assert settled == []
    real, song = told[1][1], told[3][1]
    assert real.model is None and real.piece.primer == song.piece.primer == PRIMER
    assert song.nll == 2.5 and song.facts[0] == "polyphony 3.0" and "D3–D5" in song.facts
    assert [note for note in song.piece.notes if note[0] >= PRIMER] == [(8, 24, p) for p in (50, 62, 74)]


def test_the_real_piece_is_rendered_and_described_without_its_primer(tmp_path):
    about = answer("gru")
    song = songs.real(about, TAKE, tmp_path / "real")
    samples, rate_hz = read_audio(song.wav)
    assert 0 <= len(samples) / rate_hz - song.piece.length_s < 3, "the last tones may fade"
    assert np.abs(samples).max() > 0.1
    mean = np.mean([len(frame) for frame in about["roll"][PRIMER:]])
    assert song.facts[0] == f"polyphony {mean:.1f}"


def test_of_a_short_test_piece_only_half_is_given(tmp_path):
    told, _, settled = drawn(Take("tiny:0", prime_steps=32), Recorded(), tmp_path)
    assert settled[0].prime_steps == 12 and told[1][1].piece.primer == 12
    _, _, settled = drawn(Take("song.mid", prime_steps=32), Recorded(), tmp_path)
    assert settled == [], "a file that was chosen is given as it was asked for"


def test_where_nothing_follows_the_primer_there_is_no_real_song(tmp_path):
    told, scored, _ = drawn(Take("C4*24", prime_steps=32), Recorded(), tmp_path)
    assert told[1] == (0, None) and scored == {}
    told, scored, _ = drawn(Take(""), Recorded(), tmp_path)
    assert {place for place, _ in told} == {1, 2} and scored == {}


def test_a_model_that_fails_leaves_the_others(tmp_path):
    recorded = Recorded(fails={"/runs/tanh": "The grid of '[b]' differs."})
    told, scored, _ = drawn(TAKE, recorded, tmp_path, units=("gru", "tanh", "lstm"))
    last = dict(told)
    assert [last[place].state for place in range(4)] == ["ready", "ready", "failed", "ready"]
    assert last[2].problem == "The grid of '[b]' differs. Take another." and set(scored) == {1, 3}


def test_a_round_that_is_cancelled_ends_without_a_word(tmp_path):
    def stop(words):
        raise Interrupted("cancelled")

    told = []
    rounds.draw_all(
        [a_model("gru")], TAKE, tmp_path, "1", ask=stop, tell=lambda *one: told.append(one), scored=print, settled=print
    )
    assert [song.state for _, song in told] == ["drawing"]


def test_speech_is_read_as_a_waveform(tmp_path):
    from gatedtui.sound.wav import write_audio

    def speak(words):
        out = tmp_path / "1.wav"
        assert words[words.index("--out") + 1] == str(out) and words.count("--out") == 1
        write_audio(np.sin(np.arange(800)), 8000, out)
        return [{"nll_frame": -3.0, "primer_samples": 200, "rms": 0.07, "zero_crossings_hz": 1234.5}]

    song = songs.draw(a_model("gru", kind="speech"), Take("speech-b:0", 20, 60), tmp_path / "1", speak)
    assert song.piece.kind == "speech" and song.piece.steps == 80 and song.piece.primer == 20
    assert song.piece.length_s == pytest.approx(0.1) and song.facts == ("rms 0.070", "1,234 crossings/s")
    assert songs.first_take(a_model("gru", kind="speech"), "").steps == 1600


def test_of_speech_the_nll_begins_with_the_first_frame_after_the_primer():
    about = {"kind": "speech", "steps": 5, "nll": [None, 1.0, 2.0, 3.0, 4.0]}
    assert songs.steps_of(about) == 6
    assert songs.real_nll(about, Take("speech-b:0", prime_steps=3)) == pytest.approx((2 + 3 + 4) / 3)


def test_files_are_written_under_names_that_say_what_they_are(tmp_path):
    told, _, _ = drawn(TAKE, Recorded(), tmp_path)
    written = songs.write(dict(told), TAKE, tmp_path / "samples")
    assert sorted(path.name for path in written) == [
        "0-real-tiny-0.mid",
        "0-real-tiny-0.wav",
        "1-run-tanh-tiny-0-t0.90-seed7.json",
        "1-run-tanh-tiny-0-t0.90-seed7.mid",
        "1-run-tanh-tiny-0-t0.90-seed7.wav",
        "2-run-gru-tiny-0-t0.90-seed7.json",
        "2-run-gru-tiny-0-t0.90-seed7.mid",
        "2-run-gru-tiny-0-t0.90-seed7.wav",
    ]
    assert all(path.exists() for path in written)
    roll = read_midi(tmp_path / "samples" / "0-real-tiny-0.mid", steps_per_quarter=4)
    assert [(np.flatnonzero(frame) + 21).tolist() for frame in roll] == answer("gru")["roll"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "samples").write_text("")
    with pytest.raises(BadSource, match="samples"):
        songs.write({}, TAKE, tmp_path / "samples")


def test_names_never_lead_out_of_the_folder():
    stem = songs.file_stem(Song(a_model("gru")), 1, Take("../../etc/x.mid"))
    assert "/" not in stem and not stem.startswith(".")


def test_the_real_line_has_the_sign_of_each_model_that_scored_it():
    song = Song(None, "ready", pieces.of_roll(answer("gru")["roll"], 0.1), facts=("polyphony 3.9",))
    words = song_lines.figures(song, {1: 3.314, 2: 3.0}, [a_model("tanh"), a_model("gru"), a_model("lstm")])
    assert words == ("▲ 3.31  ● 3.00 nats", "polyphony 3.9")
    assert song_lines.figures(song, {}, [])[0] == ""


def test_an_error_is_no_song(tmp_path):
    with pytest.raises(BadArgument):
        songs.draw(a_model("gru"), TAKE, tmp_path / "x", ask(Recorded(fails={"--prime": "No."})))
