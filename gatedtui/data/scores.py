"""Reading scores as plain notes: MusicXML, ABC and kern files through music21, MIDI files through `smf`."""

import re
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from gatedtui.data import smf
from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource

MAX_BYTES = 16 << 20
"""Largest score of any kind but MIDI, unpacked: 8 MB of MusicXML take music21 6 s."""
MAX_WORK = 50_000_000
"""Most that the squares of the parts' numbers of bars may add up to. Where no time signature is in force music21 looks
through all bars before each bar: one part of 4,000 bars takes 17 s, of 20,000 more than five minutes."""

MAX_BEATS = 300_000
"""Most that the squares of the beats in all time signatures may add up to: music21 takes 2 s for one of 256 beats, 9 s
for one of 512, and fills the memory for one of 99,999."""
LARGEST_NUMBER = {"fifths": 30, "ending": 99}
"""Most accidentals in a key signature (three minutes for 99,999,999), and the highest number of an ending: "1-99999999"
becomes a list of as many numbers, 4 GB."""
XML = (".xml", ".musicxml", ".mxl", ".mx")
"""Endings of the files in a packed score that music21 takes for the score."""

FORMATS = {
    ".mxl": "musicxml",
    ".musicxml": "musicxml",
    ".xml": "musicxml",
    ".krn": "humdrum",
    ".abc": "abc",
    ".mid": "midi",
    ".midi": "midi",
}
"""The file endings that are read, and the format each stands for, in music21's words."""


@dataclass(frozen=True, eq=False)
class Score:
    """One piece as written."""

    title: str
    """The file's name without its ending; with a number behind it where a file holds several pieces."""
    parts: tuple[np.ndarray, ...]
    """A part is (N, 3) float64: onset and end in quarter notes from the start, MIDI pitch as it sounds. Tied notes are
    one note; grace notes, chord symbols and unpitched percussion are left out."""
    drums: int = 0
    """Notes of a MIDI file's drum channel, which are in no part."""

    @property
    def notes(self) -> np.ndarray:
        """The notes of all parts together, (N, 3) float64."""
        return np.concatenate([np.zeros((0, 3)), *self.parts])


def read(path: Path) -> tuple[Score, ...]:
    """The pieces in a file: one, except for an ABC or kern file that holds several.

    Repeat signs are not played out: every bar comes once, in written order. The parts of a MIDI file are its channels,
    without drums; its times are taken from its ticks, so tempo does not matter.

    Raises:
        BadSource: the ending is not one of `FORMATS`, or the file cannot be read as what its ending says, or no note
            is in it.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise BadSource(f"The file '{path}' is not a score that can be read.", f"Readable: {' '.join(FORMATS)}.")
    if not path.is_file():
        raise BadSource(f"There is no file '{path}'.", "Check the path.")
    try:
        return pieces(path)
    except Broken as error:
        raise BadSource(
            f"The file '{path}' cannot be read as {form}: it {error}.", "Check that another program opens it."
        ) from error


def pieces(path: Path) -> tuple[Score, ...]:
    """As `read`, for a file whose ending is one of `FORMATS`.

    Raises:
        Broken: it cannot be opened, is not what its ending says, is larger than the limits above, or holds no note.
    """
    form = FORMATS[path.suffix.lower()]
    try:
        if form != "midi":
            _check_work(path, form)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = (_midi(path),) if form == "midi" else _written(path, form)
    except Broken:
        raise
    except OSError as error:
        raise Broken(f"cannot be opened ({error.strerror or error})") from error
    except Exception as error:  # the parsers raise whatever a broken file provokes in them
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise Broken(f"cannot be parsed ({reason[:120]})") from error
    if not any(len(piece.notes) for piece in found):
        raise Broken("holds no notes")
    return found


def _midi(path: Path) -> Score:
    with path.open("rb") as file:
        score = smf.score(file.read(smf.MAX_BYTES + 1))
    is_drum = score.notes[:, 4] == smf.DRUMS
    rows = score.notes[~is_drum]
    quarters = np.column_stack([rows[:, :2] / score.ticks_per_quarter, rows[:, 2]])
    parts = tuple(quarters[rows[:, 4] == channel] for channel in np.unique(rows[:, 4]))
    return Score(path.name.removesuffix(path.suffix), parts, int(is_drum.sum()))


def _check_work(path: Path, form: str) -> None:
    """Raises Broken for a score that would take music21 minutes, or more memory than there is."""
    if path.stat().st_size > MAX_BYTES:
        raise Broken(f"is larger than {MAX_BYTES >> 20} MiB")
    if path.suffix.lower() == ".mxl":
        with zipfile.ZipFile(path) as archive:
            # zipfile never unpacks more of a member than the archive's directory states, so the sum is a bound.
            if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
                raise Broken(f"unpacks to more than {MAX_BYTES >> 20} MiB")
            members = {member.filename: archive.read(member) for member in archive.infolist() if not member.is_dir()}
    else:
        members = {path.name: path.read_bytes()}
    content = b"".join(members.values())
    content = content.replace(b"\0", b"")  # UTF-16 puts zeros between letters
    if b"<!ENTITY" in content:  # MusicXML has none; expat unpacks 16 MiB of them to 1.6 GB
        raise Broken("defines entities")
    bars = [part.count(b"<measure") for part in content.split(b"<part ")]
    if sum(count * count for count in bars) > MAX_WORK:
        raise Broken(f"holds too many bars to be read ({sum(bars):,})")
    if form == "musicxml":
        _check_numbers([content for name, content in members.items() if name.lower().endswith(XML)])


def _check_numbers(scores: list[bytes]) -> None:
    """Raises Broken where a number would have music21 work, or take memory, without end."""
    beats = 0
    for content in scores:
        for element in ElementTree.fromstring(content).iter():
            name = str(element.tag)
            text = element.get("number") if name == "ending" else element.text
            if name == "beats":
                beats += sum(int(number) for number in re.findall(r"\d+", text or "")) ** 2
            elif name in LARGEST_NUMBER:
                for number in re.findall(r"\d+", text or ""):
                    if int(number) > LARGEST_NUMBER[name]:
                        raise Broken(f"holds the number {number[:20]} as '{name}'")
    if beats > MAX_BEATS:
        raise Broken("holds time signatures of too many beats")


def _written(path: Path, form: str) -> tuple[Score, ...]:
    stream = parse(path, form)
    pieces = list(getattr(stream, "scores", None) or [stream])
    title = path.name.removesuffix(path.suffix)
    titles = [title] if len(pieces) == 1 else [f"{title}-{number}" for number in range(1, len(pieces) + 1)]
    return tuple(
        Score(title, tuple(part_notes(part) for part in getattr(piece, "parts", None) or [piece]))
        for title, piece in zip(titles, pieces, strict=True)
    )


def parse(path: Path, form: str) -> Any:
    """The file as a music21 stream: the only place where music21 is asked to read anything.

    music21's usual `parse` keeps pickles in a temporary folder that other users can write, and loads what it finds
    there; a file that is itself a pickle it loads as well. Here the source is read anew each time, nothing is stored,
    and the format is always named, so no pickle can be reached.
    """
    from music21.converter import Converter

    converter = Converter()
    converter.parseFile(path.resolve(), format=form, forceSource=True, storePickle=False)
    return converter.stream


def part_notes(part: Any) -> np.ndarray:
    """The notes of one music21 part, (N, 3) float64 as in `Score.parts`."""
    from music21 import note

    if part.atSoundingPitch is not True:
        part = part.toSoundingPitch()
    found: list[list[float]] = []
    tied: dict[int, list[float]] = {}
    for element in part.flatten().notes:
        if "Harmony" in element.classes or not element.quarterLength:
            continue
        onset = float(element.offset)
        end = onset + float(element.quarterLength)
        for tone in element.notes if element.isChord else (element,):
            if not isinstance(tone, note.Note):
                continue
            pitch = tone.pitch.midi
            tie = tone.tie.type if tone.tie else ""
            begun = tied.pop(pitch, None) if tie in ("continue", "stop") else None
            if begun is not None and abs(begun[1] - onset) < 1e-6:
                begun[1] = end
            else:
                begun = [onset, end, float(pitch)]
                found.append(begun)
            if tie in ("start", "continue"):
                tied[pitch] = begun
    return np.array(found, np.float64).reshape(-1, 3)
