"""The error tree: what went wrong, what to type next, and the exit code of the process.

Codes: 1 a run failed or diverged · 2 an unknown name, key or bad number · 3 a path or source that is missing or not
what it claims · 4 device or kernel · 130 interrupted.
"""

import difflib
from collections.abc import Iterable


class GatedError(Exception):
    """Something the user should hear about in one sentence.

    Args:
        what: one sentence saying what is wrong, with the offending value in quotes.
        hint: the command to type, or the thing to do, next.
    """

    exit_code = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class BadArgument(GatedError):
    """An unknown unit, data name, key, model, run name or file ending, or a number out of range (NaN too)."""

    exit_code = 2


class BadSource(GatedError):
    """A path, file or source that is missing, empty, unreadable or not what it claims to be."""

    exit_code = 3


class DeviceError(GatedError):
    """A device or kernel that cannot do what was asked."""

    exit_code = 4


class Interrupted(GatedError):
    """The user interrupted; what was done is saved."""

    exit_code = 130


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, small and capital letters alike, or None when none is close."""
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(name.casefold(), name)
    found = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[found[0]] if found else None


def unknown(kind: str, value: str, known: Iterable[str]) -> BadArgument:
    """The error for an unknown name: the value, the nearest known name, and all of them."""
    names = list(known)
    guess = nearest(value, names)
    hint = f"Did you mean {guess!r}? Known: {', '.join(names)}." if guess else f"Known: {', '.join(names)}."
    return BadArgument(f"There is no {kind} {value!r}.", hint)
