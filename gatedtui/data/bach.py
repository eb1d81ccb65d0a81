"""The default data set: Bach's four-part chorales, read from the scores that come with music21.

The encodings' rights differ from file to file, so they are converted on the user's machine and only there.
"""

import importlib.metadata
import importlib.util
import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from gatedtui.data import dataset, grid, key, scores, split
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import DataSet
from gatedtui.errors import BadSource

STEPS_PER_QUARTER = 4
PARTS = 4


def files() -> list[Path]:
    """music21's Bach scores, in the order of their BWV numbers; found without importing it or using its index.

    The few second encodings of the same pieces (`.krn`, `.xml`) are not among them.

    Raises:
        BadSource: music21 or its corpus is not installed.
    """
    found = importlib.util.find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise BadSource("The package 'music21', which holds the Bach scores, is not installed.", "pip install music21")
    folder = Path(found.submodule_search_locations[0]) / "corpus" / "bach"
    listed = sorted(folder.glob("*.mxl"), key=lambda path: _number(path.stem))
    if not listed:
        raise BadSource(
            f"The folder '{folder}' holds no Bach scores.", "pip install --force-reinstall music21, with its corpus"
        )
    return listed


def build(entry: Entry, *, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """All the chorales, 16 to 21 s on one core; nothing is fetched, so `cache` and `mirror` are not looked at."""
    return convert(files(), entry.name, progress)


def convert(paths: Sequence[Path], name: str, progress: Progress | None = None) -> DataSet:
    """Read, transpose and divide chorales.

    Pieces in exactly four parts are kept, moved to C major or A minor by the nearest shift. Pieces under one BWV
    number, and pieces that share a fifth of their harmony (`split.likeness`), are all for training.

    Args:
        paths: the scores, in the order the pieces shall have.
        name: what the set is called.
        progress: told what is being done, how many are done, and how many there are.

    Raises:
        BadSource: no score is in four parts.
    """
    titles: list[str] = []
    rolls: list[np.ndarray] = []
    other_parts, unreadable = 0, []
    for done, path in enumerate(paths):
        if progress:
            progress("reading chorales", done, len(paths))
        try:
            pieces = scores.read(path)
        except BadSource:
            unreadable.append(path.name)
            continue
        for piece in pieces:
            if len(piece.parts) == PARTS:
                titles.append(piece.title)
                rolls.append(grid.roll(key.transposed(piece.notes), STEPS_PER_QUARTER))
            else:
                other_parts += 1
    if not rolls:
        raise BadSource("None of the Bach scores is in four parts.", "pip install --force-reinstall music21")
    if progress:
        progress("dividing chorales", len(paths), len(paths))
    same_harmony = [pair for pair, shared in split.likeness(rolls, STEPS_PER_QUARTER).items() if shared >= split.ALIKE]
    together = split.groups(len(titles), _same_number(titles) + same_harmony)
    parts = split.divide(titles, together)
    version = importlib.metadata.version("music21")
    notes = [
        f"{len(rolls)} pieces in four parts, from the scores that come with music21 {version}.",
        "Moved to C major or A minor; the key is found from how long each pitch class sounds.",
        f"{sum(len(group) > 1 for group in together)} groups of versions of one piece are all for training.",
    ]
    if other_parts:
        notes.append(f"{other_parts} pieces are left out: they are not in exactly four parts.")
    if unreadable:
        notes.append(f"{len(unreadable)} scores are left out: they cannot be read ({', '.join(unreadable)}).")
    return dataset.build(
        name,
        "music",
        {part: tuple(rolls[i] for i in numbers) for part, numbers in parts.items()},
        {part: tuple(titles[i] for i in numbers) for part, numbers in parts.items()},
        steps_per_quarter=STEPS_PER_QUARTER,
        notes=tuple(notes),
    )


def _number(title: str) -> list[int | str]:
    """A sort key that puts bwv9.7 before bwv10.7: numbers and the text between them take turns."""
    return [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", title)]


def _same_number(titles: Sequence[str]) -> list[tuple[int, int]]:
    """Neighbouring pairs of places whose titles carry the same BWV number."""
    works: dict[str, list[int]] = defaultdict(list)
    for place, title in enumerate(titles):
        works["".join(str(word) for word in _number(title)[:2])].append(place)
    return [pair for places in works.values() for pair in pairwise(places)]
