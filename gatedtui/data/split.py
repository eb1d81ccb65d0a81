"""Dividing a set into training, validation and test so that no piece is heard on both sides."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from gatedtui.data.grid import PITCHES

QUARTERS = 3
"""Quarter notes in the chord progressions that are compared."""
ALIKE = 0.2
"""The shared part of their progressions above which two pieces count as versions of one. Among the 364 four-part Bach
chorales 41 pairs lie above; the new settings of an old tune, which share a cadence or two, lie below."""


def likeness(rolls: Sequence[np.ndarray], steps_per_quarter: int) -> dict[tuple[int, int], float]:
    """How much of the shorter piece's harmony the other one has too, for all pairs that share any.

    A piece is taken as the set of its progressions: the chords at three moments a quarter note apart, from every step
    on, counted from the lowest note of the first so that a transposed copy is found. Ornaments between the beats do
    not matter, nor where in the piece a passage stands.

    Args:
        rolls: (T, 88) uint8 each.
        steps_per_quarter: their grid.

    Returns:
        For pairs (i, j), i < j, of places in `rolls`: 0 to 1, the size of the common set over that of the smaller.
    """
    sets = [_progressions(roll, steps_per_quarter) for roll in rolls]
    where: dict[bytes, list[int]] = defaultdict(list)
    for number, progressions in enumerate(sets):
        for progression in progressions:
            where[progression].append(number)
    common = Counter((i, j) for numbers in where.values() for k, j in enumerate(numbers) for i in numbers[:k])
    return {(i, j): count / min(len(sets[i]), len(sets[j])) for (i, j), count in common.items()}


def _progressions(roll: np.ndarray, steps_per_quarter: int) -> set[bytes]:
    found = set()
    for first in range(len(roll) - (QUARTERS - 1) * steps_per_quarter):
        chords = roll[first : first + QUARTERS * steps_per_quarter : steps_per_quarter]
        sounding = np.flatnonzero(chords.any(axis=0))
        if sounding.size:
            moved = np.zeros((QUARTERS, PITCHES), np.uint8)
            moved[:, : PITCHES - sounding[0]] = chords[:, sounding[0] :]
            found.add(np.packbits(moved).tobytes())
    return found


def groups(count: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The numbers below `count`, those linked directly or by way of others together; each group rising."""
    leader = list(range(count))

    def first(number: int) -> int:
        while leader[number] != number:
            number = leader[number]
        return number

    for i, j in links:
        a, b = sorted((first(i), first(j)))
        leader[b] = a
    members: dict[int, list[int]] = defaultdict(list)
    for number in range(count):
        members[first(number)].append(number)
    return list(members.values())


def divide(titles: Sequence[str], together: Sequence[Sequence[int]], *, least: int = 0) -> dict[str, list[int]]:
    """A fixed division, 80/10/10 by pieces, that keeps every group in one part.

    Pieces that stand alone are taken in the order of the SHA-256 of their titles: a tenth of all pieces for the test,
    the next tenth for validation. The others, and every group of several, are for training: so what is held out has
    no relative anywhere, and no piece counts twice in a score.

    Args:
        titles: one a piece, all different.
        together: the groups of places in `titles`, every place in one of them.
        least: pieces that test and validation get at least, where a tenth would be fewer.

    Returns:
        Under "train", "valid" and "test" the places in `titles`, rising.
    """
    alone = [group[0] for group in together if len(group) == 1]
    alone.sort(key=lambda place: hashlib.sha256(titles[place].encode()).digest())
    tenth = max(least, round(len(titles) / 10))
    test, valid = set(alone[:tenth]), set(alone[tenth : 2 * tenth])
    train = [place for place in range(len(titles)) if place not in test | valid]
    return {"train": train, "valid": sorted(valid), "test": sorted(test)}
