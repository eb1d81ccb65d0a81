import pickle
import zipfile
from itertools import pairwise

import mido
import numpy as np
import pytest

from gatedtui.data import bach, grid, scores
from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource

MUSICXML = """<?xml version="1.0"?>
<score-partwise version="3.1">
<part-list>
  <score-part id="P1"><part-name>Clarinet in B flat</part-name></score-part>
  <score-part id="P2"><part-name>Bass</part-name></score-part>
</part-list>
<part id="P1">
  <measure number="1">
    <attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time>
      <transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>
    <note><grace/><pitch><step>G</step><octave>5</octave></pitch><voice>1</voice></note>
    <note><pitch><step>D</step><octave>5</octave></pitch><duration>6</duration><voice>1</voice></note>
    <note><pitch><step>E</step><octave>5</octave></pitch><duration>2</duration><tie type="start"/></note>
  </measure>
  <measure number="2">
    <note><pitch><step>E</step><octave>5</octave></pitch><duration>4</duration><tie type="stop"/><voice>1</voice></note>
    <note><rest/><duration>4</duration><voice>1</voice></note>
  </measure>
</part>
<part id="P2">
  <measure number="1">
    <attributes><divisions>2</divisions></attributes>
    <note><pitch><step>C</step><octave>3</octave></pitch><duration>4</duration><voice>1</voice></note>
    <note><chord/><pitch><step>G</step><octave>3</octave></pitch><duration>4</duration><voice>1</voice></note>
    <backup><duration>4</duration></backup>
    <note><rest/><duration>4</duration><voice>2</voice></note>
    <note><pitch><step>F</step><alter>1</alter><octave>3</octave></pitch><duration>4</duration><voice>2</voice></note>
  </measure>
  <measure number="2"><note><rest/><duration>8</duration><voice>1</voice></note></measure>
</part>
</score-partwise>
"""

ABC = """X:1
T:First
M:4/4
L:1/4
K:D
"D"D2 A-|A z (3F/F/F/ {g}d|]

X:2
T:Second
M:4/4
L:1/4
K:C
[CE]4|]
"""


def test_musicxml_gives_sounding_pitches_ties_as_one_note_and_no_grace_notes(tmp_path):
    path = tmp_path / "duet.musicxml"
    path.write_text(MUSICXML)
    (piece,) = scores.read(path)
    assert piece.title == "duet"
    clarinet, bass = piece.parts
    assert clarinet.tolist() == [[0, 3, 72], [3, 6, 74]]
    assert sorted(bass.tolist()) == [[0, 2, 48], [0, 2, 55], [2, 4, 54]]
    assert piece.notes.shape == (5, 3)
    assert grid.roll(piece.notes, 1)[:, [72 - 21, 74 - 21]].tolist() == [[1, 0]] * 3 + [[0, 1]] * 3


def test_abc_gives_every_tune_its_key_signature_triplets_and_rests(tmp_path):
    path = tmp_path / "tunes.abc"
    path.write_text(ABC)
    first, second = scores.read(path)
    assert (first.title, second.title) == ("tunes-1", "tunes-2")
    sixth = 1 / 3
    want = [
        [0, 2, 62],
        [2, 4, 69],
        [5, 5 + sixth, 66],
        [5 + sixth, 5 + 2 * sixth, 66],
        [5 + 2 * sixth, 6, 66],
        [6, 7, 74],
    ]
    np.testing.assert_allclose(first.notes, want, atol=1e-9)
    assert second.notes.tolist() == [[0, 4, 60], [0, 4, 64]]


def test_midi_gives_quarter_notes_whatever_the_tempo_and_leaves_drums_out(tmp_path):
    track = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(70)),
            mido.Message("note_on", note=60, velocity=80, time=0),
            mido.Message("note_on", note=36, velocity=80, channel=9, time=0),
            mido.Message("note_off", note=60, time=480),
            mido.Message("note_off", note=36, channel=9, time=0),
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(133)),
            mido.Message("note_on", note=64, velocity=80, time=240),
            mido.Message("note_off", note=64, time=720),
        ]
    )
    file = mido.MidiFile(type=0, ticks_per_beat=480)
    file.tracks.append(track)
    path = tmp_path / "song.MID"
    file.save(path)
    (piece,) = scores.read(path)
    assert (piece.title, piece.drums) == ("song", 1)
    np.testing.assert_allclose(piece.notes, [[0, 1, 60], [1.5, 3, 64]], atol=1e-6)


# music21 does not close an ABC file in which it finds nothing.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["a.mid", "a.musicxml", "a.mxl", "a.abc", "a.krn"])
def test_a_file_that_is_not_what_its_ending_says_is_a_bad_source(tmp_path, name):
    path = tmp_path / name
    path.write_text("nonsense")
    with pytest.raises(BadSource, match=f"{name}' (cannot be read as|holds no notes)"):
        scores.read(path)


def test_other_endings_and_missing_files_are_bad_sources(tmp_path):
    pickled = tmp_path / "song.p"
    pickled.write_bytes(pickle.dumps("never loaded"))
    with pytest.raises(BadSource, match=r"song\.p' is not a score"):
        scores.read(pickled)
    with pytest.raises(BadSource, match=r"There is no file '.*gone\.mid'"):
        scores.read(tmp_path / "gone.mid")


class Reached(Exception):
    """A pickle would have been loaded."""


def refuse(*_, **__):
    raise Reached


def test_reading_a_score_reaches_no_pickle_even_where_one_is_waiting(tmp_path, monkeypatch):
    import jsonpickle
    from music21 import converter, environment, freezeThaw

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setitem(environment.envSingleton()._ref, "directoryScratch", str(scratch))
    path = tmp_path / "chorale.mxl"
    path.write_bytes(bach.files()[1].read_bytes())
    waiting = converter.PickleFilter(path).getPickleFp(zipType="gz")
    assert waiting.parent == scratch
    waiting.write_bytes(b"planted")

    for module in (pickle, jsonpickle):
        for name in ("load", "loads", "Unpickler", "decode"):
            monkeypatch.setattr(module, name, refuse, raising=False)
    for name in ("open", "openStr"):
        monkeypatch.setattr(freezeThaw.StreamThawer, name, refuse)
    (piece,) = scores.read(path)
    assert len(piece.parts) == 4
    assert [file.name for file in scratch.iterdir()] == [waiting.name]
    assert waiting.read_bytes() == b"planted"
    with pytest.raises(Reached):  # what music21 does when asked in its usual way
        converter.parse(path)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghij"))
    + "]><score-partwise>&j;</score-partwise>"
)
NO_METER = """<?xml version="1.0"?><score-partwise><part-list><score-part id="P1"><part-name>A</part-name></score-part>
</part-list><part id="P1">%s</part></score-partwise>"""


def test_scores_that_would_unpack_or_work_without_end_are_refused(tmp_path):
    (tmp_path / "bomb.xml").write_text(BOMB)
    (tmp_path / "bars.xml").write_text(NO_METER % ("<measure></measure>" * 8000))
    (tmp_path / "wide.xml").write_text(NO_METER % ("<measure></measure>" * 8000), encoding="utf-16")
    (tmp_path / "large.xml").write_bytes(bytes(scores.MAX_BYTES + 1))
    with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", bytes(scores.MAX_BYTES + 1))
    with zipfile.ZipFile(tmp_path / "bars.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", NO_METER % ("<measure></measure>" * 8000))
    for name, reason in (
        ("bomb.xml", "defines entities"),
        ("bars.xml", "too many bars to be read .8,000"),
        ("wide.xml", "too many bars"),
        ("large.xml", "is larger than 16 MiB"),
        ("bomb.mxl", "unpacks to more than 16 MiB"),
        ("bars.mxl", "too many bars"),
    ):
        with pytest.raises(Broken, match=reason):
            scores.pieces(tmp_path / name)
