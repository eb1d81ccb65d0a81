import mido
import numpy as np
import pretty_midi
import pytest

from gatedtui.errors import BadArgument, BadSource
from gatedtui.sound.held import held_notes
from gatedtui.sound.midi import MAX_STEPS, read_midi, read_primer, write_midi


def random_roll(generator):
    """Held notes, single steps, silence at either end, all 88 keys."""
    steps = int(generator.integers(1, 120))
    roll = (generator.random((steps, 88)) < generator.choice([0.0, 0.02, 0.3, 1.0])).astype(np.uint8)
    for _ in range(int(generator.integers(0, 20))):
        first = int(generator.integers(0, steps))
        roll[first : first + int(generator.integers(1, 30)), int(generator.integers(0, 88))] = 1
    roll[: int(generator.integers(0, 4))] = 0
    roll[steps - int(generator.integers(0, 4)) :] = 0
    return roll


@pytest.mark.parametrize("steps_per_quarter", [1, 2, 3, 4, 7, 16, 480])
@pytest.mark.parametrize("qpm", [96.0, 61.7, 4.0, 1000.0])
def test_a_roll_comes_back_from_its_midi_file_unchanged(tmp_path, steps_per_quarter, qpm):
    generator = np.random.default_rng(steps_per_quarter)
    for number in range(3):
        roll = random_roll(generator)
        path = tmp_path / f"{number}.mid"
        write_midi(roll, path, qpm=qpm, steps_per_quarter=steps_per_quarter)
        back = read_midi(path, steps_per_quarter=steps_per_quarter)
        assert back.dtype == np.uint8
        assert np.array_equal(back, roll)


def test_held_notes_are_the_runs_of_a_roll():
    roll = np.zeros((6, 88), np.uint8)
    roll[0:3, 39] = 1
    roll[4:6, 39] = 1
    roll[0:6, 87] = 1
    assert held_notes(roll).tolist() == [[0, 3, 60], [0, 6, 108], [4, 6, 60]]
    with pytest.raises(ValueError, match="88"):
        held_notes(np.zeros((3, 87), np.uint8))
    with pytest.raises(ValueError, match="integers"):
        held_notes(np.zeros((3, 88)))


def test_another_reader_finds_held_notes_the_tempo_the_title_and_the_whole_length(tmp_path):
    roll = np.zeros((8, 88), np.uint8)
    roll[0:6, 39] = 1
    write_midi(roll, tmp_path / "a.mid", qpm=100, steps_per_quarter=4, program=19, velocity=33, title="Für 音 \udcff")
    song = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"), charset="utf-8")
    (voice,) = song.instruments
    (note,) = voice.notes
    assert (voice.program, voice.is_drum, voice.name) == (19, False, "Für 音 ?")
    assert (note.pitch, note.velocity, note.start) == (60, 33, 0.0)
    assert note.end == pytest.approx(6 * 0.15)
    assert song.get_end_time() == pytest.approx(8 * 0.15)


@pytest.mark.parametrize("qpm", [4.0, 59.9, 96.0, 100.0, 133.7, 1000.0])
def test_the_tempo_is_rounded_and_not_cut_off(tmp_path, qpm):
    write_midi(np.ones((2, 88), np.uint8), tmp_path / "a.mid", qpm=qpm, steps_per_quarter=4)
    (tempo,) = (event.tempo for event in mido.MidiFile(tmp_path / "a.mid").tracks[0] if event.type == "set_tempo")
    assert tempo == round(6e7 / qpm)


def test_the_same_roll_gives_the_same_bytes_in_an_ordinary_file(tmp_path):
    roll = random_roll(np.random.default_rng(5))
    for name in ("a.mid", "b.mid"):
        write_midi(roll, tmp_path / name, steps_per_quarter=4)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    (tmp_path / "c").touch()
    assert (tmp_path / "a.mid").stat().st_mode == (tmp_path / "c").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mid", "b.mid", "c"]


def test_a_failed_write_leaves_the_older_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.mid"
    path.write_bytes(b"older")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BadSource, match="No space left"):
        write_midi(np.ones((2, 88), np.uint8), path, steps_per_quarter=4)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["missing/a.mid", "."])
def test_a_place_that_cannot_be_written_is_named(tmp_path, place):
    with pytest.raises(BadSource) as caught:
        write_midi(np.ones((2, 88), np.uint8), tmp_path / place, steps_per_quarter=4)
    assert f"'{tmp_path / place}'" in caught.value.what


@pytest.mark.parametrize(
    "wrong",
    [
        {"qpm": float("nan")},
        {"qpm": 3.9},
        {"qpm": float("inf")},
        {"steps_per_quarter": 0},
        {"steps_per_quarter": 481},
        {"program": 128},
        {"velocity": 0},
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path, wrong):
    with pytest.raises(BadArgument) as caught:
        write_midi(np.ones((2, 88), np.uint8), tmp_path / "a.mid", **({"steps_per_quarter": 4} | wrong))
    assert f"'{next(iter(wrong.values()))}'" in caught.value.what
    assert not list(tmp_path.iterdir())


def test_a_roll_without_steps_is_no_music(tmp_path):
    with pytest.raises(ValueError, match="without steps"):
        write_midi(np.zeros((0, 88), np.uint8), tmp_path / "a.mid", steps_per_quarter=4)


def song(path, events, *, kind=1, ticks=480):
    """Writes (absolute tick, message) pairs as one track, with mido as the judge of what MIDI is."""
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    mido.MidiFile(type=kind, ticks_per_beat=ticks, tracks=[track]).save(path)
    return path


def note(first, end, pitch, channel=0):
    return [
        (first, mido.Message("note_on", note=pitch, channel=channel)),
        (end, mido.Message("note_off", note=pitch, channel=channel)),
    ]


def test_a_primer_counts_quarter_notes_so_its_tempos_do_not_matter(tmp_path):
    events = note(0, 480, 60) + note(480, 960, 62) + note(960, 1440, 64)
    plain = song(tmp_path / "plain.mid", events)
    tempos = [(tick, mido.MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in ((0, 10**6), (500, 1), (700, 9**7))]
    wild = song(tmp_path / "wild.mid", tempos + events)
    assert np.array_equal(read_midi(plain, steps_per_quarter=2), read_midi(wild, steps_per_quarter=2))
    assert read_primer(wild, steps_per_quarter=2).qpm == 60.0
    assert read_primer(plain, steps_per_quarter=2).qpm == 120.0


def test_starts_and_ends_are_rounded_and_short_notes_kept(tmp_path):
    # Ticks a hair off the grid of 120, and a note of one tick.
    roll = read_midi(song(tmp_path / "a.mid", note(119, 241, 60) + note(359, 360, 62)), steps_per_quarter=4)
    assert np.flatnonzero(roll[:, 39]).tolist() == [1]
    assert np.flatnonzero(roll[:, 41]).tolist() == [3]


def test_drums_and_pitches_no_piano_has_are_left_out_and_counted(tmp_path):
    events = note(0, 480, 60) + note(0, 480, 36, channel=9) + note(0, 9, 20) + note(0, 9, 109) + note(9, 10, 0)
    primer = read_primer(song(tmp_path / "a.mid", events), steps_per_quarter=1)
    assert (primer.drums, primer.outside, int(primer.roll.sum())) == (1, 3, 1)
    assert primer.said == "Left out: 1 drum note and 3 notes outside A0 to C8."
    assert read_primer(song(tmp_path / "b.mid", note(0, 480, 60)), steps_per_quarter=1).said == ""
    with pytest.raises(BadSource, match="no notes between A0 and C8"):
        read_midi(song(tmp_path / "c.mid", note(0, 480, 36, channel=9)), steps_per_quarter=1)


def test_running_status_zero_velocity_open_notes_and_unknown_chunks_are_read(tmp_path):
    header = bytes.fromhex("4d546864 00000006 0001 0002 0060")
    strange = bytes.fromhex("58595a51 00000002 ffff")  # a chunk XYZQ, to be passed over
    track = bytes.fromhex(
        "00 90 3c 40"  # C4 on
        "00 40 40"  # E4 on, running status
        "60 3c 00"  # after a quarter: C4 off, by velocity 0
        "00 ff 59 02 40 09"  # a key signature that does not exist
        "00 f0 03 01 02 f7"  # something for one maker's synthesizer
        "60 3c 40"  # C4 on again, running status across both, never off
        "60 ff 2f 00"
    )
    chunks = b"MTrk" + len(track).to_bytes(4, "big") + track
    (tmp_path / "a.mid").write_bytes(header + chunks + strange + chunks + b"rubbish behind the end")
    roll = read_midi(tmp_path / "a.mid", steps_per_quarter=1)
    assert roll.shape == (3, 88)
    assert roll[:, 39].tolist() == [1, 0, 1]
    assert roll[:, 43].tolist() == [1, 1, 1]


def header(kind=1, tracks=1, division=480):
    return b"MThd" + (6).to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (kind, tracks, division))


def track(data, size=None):
    return b"MTrk" + (len(data) if size is None else size).to_bytes(4, "big") + data


END = b"\x00\xff\x2f\x00"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a MIDI file"),
        (b"RIFF but long enough", "not a MIDI file"),
        (b"MThd\x00\x00", "ends inside its header"),
        (header()[:13], "ends inside its header"),
        (header(), "ends after 0 of its 1 tracks"),
        (header() + track(b"\x00\x90\x3c\x40", size=9000), "ends inside track 1"),
        (header() + track(b"\x00\x90\x3c"), "in the middle of an event of track 1"),
        (header() + track(b"\x00\xff\x01\x7f"), "in the middle of an event of track 1"),
        (header() + track(b"\x00\x3c\x40"), "byte 3C where an event should begin in track 1"),
        (header() + track(b"\x00\xf8"), "byte F8"),
        (header() + track(b"\x00\x90\x3c\x80"), "above 127"),
        (header() + track(b"\xff" * 5), "more than four bytes"),
        (header() + track(b"\x00\xff\x51\x03\x00\x00\x00"), "tempo without end"),
        (header(kind=2) + track(END), "type 2"),
        (header(kind=7) + track(END), "type 7"),
        (header(division=0) + track(END), "0 ticks"),
        (header(division=0xE728) + track(END), "film frames"),
        (header() + track(END), "holds no notes"),
        (header(tracks=0), "holds no notes"),
        (header(division=1) + track(b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x3c\x00" + END), "steps, more than 200,000"),
        (header(division=1) + track(b"\xff\xff\xff\x7f\x90\x3c\x40\x00\x3c\x00" + END), "steps, more than 200,000"),
        (header() + track(bytes(5 << 20)), "larger than 4 MiB"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_one_clear_sentence(tmp_path, content, reason):
    path = tmp_path / "prime.mid"
    path.write_bytes(content)
    with pytest.raises(BadSource) as caught:
        read_midi(path, steps_per_quarter=4)
    assert f"'{path}'" in caught.value.what
    assert reason in caught.value.what
    assert "\n" not in caught.value.what


@pytest.mark.parametrize("place", ["missing.mid", "."])
def test_a_missing_file_is_named(tmp_path, place):
    with pytest.raises(BadSource, match="There is no file"):
        read_midi(tmp_path / place, steps_per_quarter=4)


def test_damaged_files_are_refused_or_read_but_never_crash(tmp_path):
    generator = np.random.default_rng(11)
    write_midi(random_roll(generator), tmp_path / "good.mid", steps_per_quarter=4, title="damage")
    good = (tmp_path / "good.mid").read_bytes()
    path, refused = tmp_path / "bad.mid", 0
    for _ in range(300):
        bad = bytearray(good[: int(generator.integers(1, len(good) + 1))])
        for place in generator.integers(0, len(bad), 3):
            bad[place] = generator.integers(0, 256)
        path.write_bytes(bad)
        try:
            roll = read_midi(path, steps_per_quarter=4)
        except BadSource:
            refused += 1
        else:
            assert 1 <= len(roll) <= MAX_STEPS
    assert refused > 100


def test_many_long_overlapping_notes_cost_no_more_than_their_bytes(tmp_path):
    # 100,000 notes of 150,000 steps each: filled one by one this would write 15 GB.
    strikes = b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 99_999
    content = header(division=1) + track(strikes + b"\x89\x93\x70\x3c\x00")
    (tmp_path / "a.mid").write_bytes(content)
    roll = read_midi(tmp_path / "a.mid", steps_per_quarter=1)
    assert roll[:, 39].all()
    assert roll.sum() == len(roll) > 100_000
