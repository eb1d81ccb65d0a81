"""Which data sets there are: names, what they hold, where they come from, and how each is made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatedtui.errors import BadSource, unknown

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0 when that is not known)."""


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue."""

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


def entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        BadArgument: there is none of that name.
        BadSource: it is a path (it holds a slash, ends in an extension, or exists).
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    shown = [known.name for known in CATALOGUE.values() if not known.hidden]
    if name and ("/" in name or "\\" in name or Path(name).suffix or Path(name).exists()):
        raise BadSource(
            f"The path '{name}' cannot be used as data: folders and files of your own are not read yet.",
            f"Known data sets: {', '.join(shown)}.",
        )
    raise unknown("data set", name, shown)
