import hashlib
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gatedtui.data import audio, catalogue, dataset, folder
from gatedtui.errors import BadSource
from gatedtui.sound.midi import write_midi

SPLITS = dataset.SPLITS


def roll(seed, steps=40):
    generator = np.random.default_rng(seed)
    made = np.repeat(generator.random((steps // 4, 88)) < 0.06, 4, axis=0).astype(np.uint8)
    made[0, 40] = made[-1, 40] = 1
    return made


def songs(place, count, **options):
    place.mkdir(exist_ok=True)
    for number in range(count):
        write_midi(roll(number), place / f"{number}.mid", steps_per_quarter=4, **options)
    return place


def tone(seconds, rate_hz, hz=440.0, level=0.3):
    return (level * np.sin(2 * math.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def recordings(place, count):
    place.mkdir(exist_ok=True)
    for number in range(count):
        soundfile.write(place / f"{number}.wav", tone(0.2, 8000, 300 + 50 * number), 8000)
    return place


def built(place, **options):
    return folder.build(catalogue.entry(str(place), **options), cache=None, mirror=None, progress=None)


def pieces(data):
    """All pieces by their titles."""
    return {title: one for s in SPLITS for title, one in zip(data.titles[s], data.splits[s], strict=True)}


def skipped(data):
    return [note.removeprefix("skipped ") for note in data.notes if note.startswith("skipped ")]


def test_the_rolls_are_those_of_the_files_on_four_steps_a_quarter_note(tmp_path):
    data = built(songs(tmp_path / "songs", 12))
    assert (data.kind, data.steps_per_quarter, data.window, data.name) == ("music", 4, 0, str(tmp_path / "songs"))
    for split in SPLITS:
        for title, content in zip(data.titles[split], data.splits[split], strict=True):
            assert np.array_equal(content, roll(int(title.removesuffix(".mid"))))


@pytest.mark.parametrize(("count", "sizes"), [(3, (1, 1, 1)), (4, (2, 1, 1)), (12, (10, 1, 1)), (20, (16, 2, 2))])
def test_files_are_divided_by_their_content_with_one_in_each_part_at_least(tmp_path, count, sizes):
    place = songs(tmp_path / "songs", count)
    data = built(place)
    assert tuple(len(data.splits[split]) for split in SPLITS) == sizes
    for path in list(place.iterdir()):
        path.rename(place / f"renamed {100 - int(path.stem)}.mid")
    again = built(place)
    for split in SPLITS:
        assert sorted(map(bytes, data.splits[split])) == sorted(map(bytes, again.splits[split]))


def test_what_a_file_holds_counts_once_so_no_piece_is_on_two_sides(tmp_path):
    place = songs(tmp_path / "songs", 6)
    shutil.copy(place / "1.mid", place / "copy.mid")
    write_midi(roll(2), place / "slow.mid", steps_per_quarter=4, qpm=50, title="other bytes, same notes")
    (place / "link.mid").symlink_to("3.mid")
    data = built(place)
    assert skipped(data) == [
        "copy.mid: it holds the same as 1.mid",
        "link.mid: it holds the same as 3.mid",
        "slow.mid: it holds the same as 2.mid",
    ]
    assert sum(len(data.splits[split]) for split in SPLITS) == 6


ABSURD = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x01MTrk\x00\x00\x00\x0e" + (
    b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x3c\x00\x00\xff\x2f\x00"
)


def test_files_that_cannot_be_used_are_named_with_the_reason(tmp_path):
    place = songs(tmp_path / "songs", 3)
    good = (place / "0.mid").read_bytes()
    (place / "absurd.mid").write_bytes(ABSURD)
    (place / "cut.mid").write_bytes(good[: len(good) // 2])
    (place / "empty.mid").touch()
    (place / "huge.mid").write_bytes(good + bytes(5 << 20))
    (place / "words.mid").write_text("words")
    (place / "words.xml").write_text("<words/>")
    (place / "notes.txt").touch()
    write_midi(np.eye(1, 88, 40, dtype=np.uint8), place / "one step.mid", steps_per_quarter=4)
    data = built(place)
    assert sum(len(data.splits[split]) for split in SPLITS) == 3
    assert [line.replace("(1)", "") for line in skipped(data)] == [
        "empty.mid: it is empty",
        "absurd.mid: it lasts longer than 200,000 steps",
        "cut.mid: it ends inside track 2 of 2",
        "huge.mid: it is larger than 4 MiB",
        "one step.mid: it holds no piece of two steps or more between A0 and C8",
        "words.mid: it is not a MIDI file",
        next(line for line in skipped(data) if line.startswith("words.xml: it cannot be parsed")),
    ]
    assert "Files of other kinds are passed over: 1 (.txt)." in data.notes


def test_drums_and_notes_no_piano_has_are_left_out_and_counted(tmp_path):
    import mido

    place = songs(tmp_path / "songs", 3)
    song = mido.MidiFile(place / "0.mid")
    song.tracks.append(
        mido.MidiTrack(
            mido.Message(kind, note=note, channel=channel, time=time)
            for note, channel in ((36, 9), (10, 0), (120, 1))
            for kind, time in (("note_on", 0), ("note_off", 480))
        )
    )
    song.save(place / "0.mid")
    data = built(place)
    assert "Left out: 1 drum note." in data.notes and "Left out: 2 notes outside A0 to C8." in data.notes
    assert np.array_equal(pieces(data)["0.mid"], roll(0))


def test_musicxml_is_read_beside_midi(tmp_path):
    place = songs(tmp_path / "songs", 3)
    note = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration></note>"
    (place / "a.musicxml").write_text(
        '<?xml version="1.0"?><score-partwise><part-list><score-part id="P1"><part-name>A</part-name></score-part>'
        '</part-list><part id="P1"><measure number="1"><attributes><divisions>4</divisions><time><beats>4</beats>'
        f"<beat-type>4</beat-type></time></attributes>{note * 4}</measure></part></score-partwise>"
    )
    data = built(place)
    found = pieces(data)["a.musicxml"]
    assert found.sum() == 16 and found[:, 60 - 21].all()


def test_pieces_are_moved_to_c_only_where_that_is_asked_for(tmp_path):
    from dataclasses import replace

    place = tmp_path / "songs"
    place.mkdir()
    scale = [0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0]
    for tonic in (60, 62, 64, 65):
        made = np.zeros((44, 88), np.uint8)
        for i, step in enumerate(scale):
            made[4 * i : 4 * i + 4, tonic + step - 21] = 1
        write_midi(made, place / f"{tonic}.mid", steps_per_quarter=4)
    plain = built(place)
    assert sum(len(plain.splits[split]) for split in SPLITS) == 4
    entry = replace(catalogue.entry(str(place)), transposed=True)
    with pytest.raises(BadSource, match=r"1 usable file, and 3 are needed .*holds the same as 60\.mid"):
        folder.build(entry, cache=None, mirror=None, progress=None)


@pytest.mark.parametrize("count", [1, 2])
def test_under_three_usable_files_is_a_bad_source(tmp_path, count):
    for place in (songs(tmp_path / "songs", count), recordings(tmp_path / "sounds", count)):
        (place / f"x{next(iter(place.iterdir())).suffix}").write_text("x")
        with pytest.raises(BadSource, match=f"holds {count} usable files?, and 3 are needed .x") as caught:
            built(place)
        assert caught.value.exit_code == 3


def test_recordings_of_any_format_rate_and_channels_become_one_channel_at_one_rate(tmp_path):
    place = tmp_path / "sounds"
    place.mkdir()
    for ending, rate_hz, hz in (("wav", 8000, 300), ("flac", 44_100, 400), ("ogg", 16_000, 500), ("mp3", 48_000, 600)):
        wave = tone(0.5, rate_hz, hz)
        soundfile.write(place / f"{hz}.{ending}", np.stack([wave, wave], 1), rate_hz)
    data = built(place)
    assert (data.kind, data.rate_hz, data.window) == ("speech", 8000, 8000)
    assert skipped(data) == []
    for split in SPLITS:
        for title, wave in zip(data.titles[split], data.splits[split], strict=True):
            assert wave.dtype == np.float32 and len(wave) == pytest.approx(4000, abs=300)
            power = np.abs(np.fft.rfft(wave, 80_000))
            assert np.argmax(power) / 10 == pytest.approx(float(Path(title).stem), abs=3)
            inner = wave[500:3000].astype(np.float64) * data.scale
            assert inner.std() == pytest.approx(0.3 / math.sqrt(2), rel=0.05)
    train = np.concatenate(data.splits["train"]).astype(np.float64)
    assert train.std() == pytest.approx(1.0, abs=1e-5)
    other = built(place, rate_hz=16_000)
    assert other.rate_hz == 16_000
    assert len(other.splits["train"][0]) == pytest.approx(2 * len(data.splits["train"][0]), abs=30)


def test_what_lies_above_half_the_rate_is_filtered_out_and_not_folded_back():
    wave = tone(0.5, 44_100, 1000) + tone(0.5, 44_100, 6000)
    found = folder.resampled(wave, 44_100, 8000)[400:-400]
    power = np.abs(np.fft.rfft(found * np.hanning(len(found)), 8000))
    assert abs(int(np.argmax(power)) - 1000) <= 1
    assert power[1900:2100].max() < 0.01 * power.max()


def test_silence_is_cut_off_at_both_ends_and_kept_inside():
    quiet = np.full(100, 10 ** (-51 / 20), np.float32)
    loud = np.full(10, -(10 ** (-49 / 20)), np.float32)
    assert np.array_equal(
        folder.trimmed(np.concatenate([quiet, loud, quiet, loud, quiet])), np.concatenate([loud, quiet, loud])
    )
    assert len(folder.trimmed(quiet)) == 0


def test_recordings_that_cannot_be_used_are_named_with_the_reason(tmp_path):
    place = recordings(tmp_path / "sounds", 3)
    soundfile.write(place / "silent.wav", np.zeros(8000), 8000)
    soundfile.write(place / "short.wav", np.full(20, 0.5), 8000)
    soundfile.write(place / "slow.wav", np.full(2000, 0.5), 100)
    soundfile.write(place / "nan.wav", np.full(100, np.nan), 8000, subtype="FLOAT")
    (place / "liar.wav").write_bytes((place / "0.wav").read_bytes()[:-100])
    (place / "text.mp3").write_text("hello")
    content = bytearray((place / "0.wav").read_bytes())
    content[24:28] = (0x7FFFFFFF).to_bytes(4, "little")
    (place / "fast.wav").write_bytes(content)
    shutil.copy(place / "0.wav", place / "again.wav")
    assert skipped(built(place)) == [
        "again.wav: it holds the same as 0.wav",
        "fast.wav: it has 2,147,483,647 samples a second, outside 1,000 to 384,000",
        "liar.wav: it promises 3,200 bytes of sound and holds 3,100",
        "nan.wav: it holds values that are not numbers",
        "short.wav: it sounds for only 20 samples",
        "silent.wav: it is silent: no sample reaches −50 dB of full scale",
        "slow.wav: it has 100 samples a second, outside 1,000 to 384,000",
        "text.mp3: it is in no known audio format",
    ]


def test_the_set_has_bounds(tmp_path, monkeypatch):
    place = recordings(tmp_path / "sounds", 5)
    monkeypatch.setattr(folder, "MAX_TOTAL_SAMPLES", 5000)
    assert [line.split(":")[0] for line in skipped(built(place))] == ["3.wav", "4.wav"]
    monkeypatch.setattr(folder, "MAX_SOUND_BYTES", 3000)
    with pytest.raises(BadSource, match="is larger than 0 MB"):
        built(place)
    monkeypatch.setattr(folder, "MAX_TOTAL_STEPS", 130)
    assert [line.split(":")[0] for line in skipped(built(songs(tmp_path / "songs", 5)))] == ["3.mid", "4.mid"]
    monkeypatch.setattr(audio, "MAX_DECODED_BYTES", 100)
    monkeypatch.setattr(folder, "MAX_SOUND_BYTES", 10**6)
    with pytest.raises(BadSource, match="too long to read"):
        built(place)


def test_recordings_of_one_value_have_no_deviation(tmp_path):
    place = tmp_path / "sounds"
    place.mkdir()
    for number in range(3):
        soundfile.write(place / f"{number}.wav", np.full(100 + number, 0.5), 8000)
    with pytest.raises(BadSource, match="every sample is the same"):
        built(place)


def test_the_digest_is_of_the_content_whatever_the_folder_is_called(tmp_path):
    one = built(songs(tmp_path / "one", 8))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert built(tmp_path / "two").digest == one.digest
    write_midi(roll(3, steps=44), tmp_path / "two" / "3.mid", steps_per_quarter=4)
    assert built(tmp_path / "two").digest != one.digest


def test_the_division_is_that_of_the_sha256_of_the_files(tmp_path):
    place = songs(tmp_path / "songs", 20)
    data = built(place)

    def rank(title):
        digest = hashlib.sha256((place / title).read_bytes()).hexdigest()
        return hashlib.sha256(digest.encode()).digest()

    order = sorted((path.name for path in place.iterdir()), key=rank)
    assert set(data.titles["test"]) == set(order[:2]) and set(data.titles["valid"]) == set(order[2:4])
