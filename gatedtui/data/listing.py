"""What lies in a user's folder: which files can be read, what kind of set they make, and whether they have changed."""

import hashlib
import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gatedtui.errors import BadSource

SCORES = (".mid", ".midi", ".mxl", ".musicxml", ".xml")
"""Endings of MIDI and MusicXML files. ABC and kern files are not taken: music21 needs more than five minutes for an ABC
file of 200 kB, and what lies in a folder may come from anywhere."""
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".opus", ".aif", ".aiff")
"""Endings of recordings."""
MAX_FILES = 50_000
"""Most files that a folder may hold."""


@dataclass(frozen=True)
class Listing:
    """The files of a folder and of the folders in it; those whose names begin with a dot are not looked at."""

    root: Path
    """The folder, without links in its path."""
    kind: str
    """"music" or "speech"."""
    files: tuple[str, ...]
    """What can be read, as paths below the root, sorted."""
    skipped: tuple[str, ...]
    """A line for each file of the right kind that is not even opened: its name and the reason."""
    others: str
    """How many files of other kinds there are, as a sentence; empty when there are none."""
    stamp: str
    """SHA-256 over names, sizes and times of change: another one means that the folder has changed."""


def look(folder: Path) -> Listing:
    """Looks at names, sizes and times; nothing is opened.

    Links that lead out of the folder are not followed, since a folder from elsewhere could point at anything.

    Raises:
        BadSource: there is no such folder, it holds too many files, nothing that can be read, or both scores and
            recordings.
    """
    if not folder.is_dir():
        reason = "is not a folder" if folder.exists() else "does not exist"
        raise BadSource(
            f"The data path '{folder}' {reason}.", "Give a folder of MIDI or MusicXML files, or one of audio files."
        )
    root = folder.resolve()
    names, skipped, others = _names(root)
    scores = [name for name in names if name.lower().endswith(SCORES)]
    sounds = [name for name in names if name.lower().endswith(SOUNDS)]
    if scores and sounds:
        raise BadSource(
            f"The folder '{folder}' holds both scores ({len(scores)}, as '{shown(scores[0])}') and recordings "
            f"({len(sounds)}, as '{shown(sounds[0])}').",
            "Put them into two folders and give one of them.",
        )
    files, total = [], hashlib.sha256()
    for name in scores or sounds:
        problem, size, changed_ns = _status(root, name)
        total.update(f"{os.fsencode(name).hex()} {problem} {size} {changed_ns}\n".encode())
        if problem:
            skipped.append(f"{shown(name)}: it {problem}")
        else:
            files.append(name)
    if not files and not skipped:
        raise BadSource(
            f"The folder '{folder}' holds nothing that can be read as data.",
            f"Readable: {' '.join(SCORES)} as music, {' '.join(SOUNDS)} as sound.",
        )
    kind = "speech" if sounds else "music"
    return Listing(root, kind, tuple(files), tuple(skipped), _sentence(others), total.hexdigest())


def shown(name: str) -> str:
    """A file's name fit for a terminal and for UTF-8: what cannot be printed becomes a question mark."""
    return "".join(sign if sign.isprintable() else "?" for sign in name.encode("utf-8", "replace").decode())


def _names(root: Path) -> tuple[list[str], list[str], Counter[str]]:
    """The readable files below the root, the folders that could not be looked into, and the endings of all others."""
    names: list[str] = []
    skipped: list[str] = []
    others: Counter[str] = Counter()

    def refused(error: OSError) -> None:
        place = os.path.relpath(error.filename, root)
        skipped.append(f"{shown(place)}: it is a folder that cannot be opened ({error.strerror})")

    for place, folders, files in os.walk(root, onerror=refused):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        inside = os.path.relpath(place, root)
        for folder in folders:
            if Path(place, folder).is_symlink():
                skipped.append(f"{shown(os.path.normpath(f'{inside}/{folder}'))}: it is a link to a folder")
        for file in files:
            if file.startswith("."):
                continue
            if file.lower().endswith((*SCORES, *SOUNDS)):
                names.append(os.path.normpath(f"{inside}/{file}"))
            else:
                others[Path(file).suffix.lower()] += 1
        if len(names) + others.total() > MAX_FILES:
            raise BadSource(f"The folder '{root}' holds more than {MAX_FILES:,} files.", "Give a smaller one.")
    return sorted(names), skipped, others


def _status(root: Path, name: str) -> tuple[str, int, int]:
    """What keeps a file from being opened (or ""), its size, and its time of change in nanoseconds."""
    path = root / name
    try:
        if path.is_symlink() and not path.resolve(strict=True).is_relative_to(root):
            return "is a link that leads out of the folder", 0, 0
        status = path.stat()
    except (OSError, RuntimeError):
        return ("is a link that leads nowhere" if path.is_symlink() else "cannot be looked at"), 0, 0
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file", 0, 0
    return ("is empty" if status.st_size == 0 else ""), status.st_size, status.st_mtime_ns


def _sentence(others: Counter[str]) -> str:
    if not others:
        return ""
    most = sorted(others.items(), key=lambda item: (-item[1], item[0]))[:5]
    endings = ", ".join(shown(ending) or "without ending" for ending, _ in most)
    return f"Files of other kinds are passed over: {others.total()} ({endings})."
