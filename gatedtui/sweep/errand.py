"""One trial trained on whatever machine this runs on, from bytes to bytes: what the Ray engine sends out.

The machine needs this package in the same version, and nothing else: data and settings come along, artefacts go back.
"""

import os
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from gatedtui.runs.folder import RunFolder
from gatedtui.sweep.local import Hand

KEPT = ("run.toml", "events.jsonl", "best.safetensors", "state.safetensors", "worker.log")
"""Files of a run that are its own; its lock is not."""
Files = Mapping[str, bytes]


def run(name: str, files: Files, cache: Files, made_with: str) -> tuple[str, dict[str, bytes]]:
    """Trains a trial in a temporary folder, from the state that comes along or from the beginning.

    Args:
        name: the trial's.
        files: of its run folder, at least `run.toml`.
        cache: of the data cache, by their path in it.
        made_with: the version of the package that sends it.

    Returns:
        Why it could not be trained here, or nothing; and the files of its run folder afterwards.

    Raises:
        ChildProcessError: the process that trained it died.
    """
    here = version("gatedtui")
    if here != made_with:
        return f"A node has gatedtui '{here}', and the sweep is made with '{made_with}'.", {}
    with tempfile.TemporaryDirectory(prefix="gated-") as place:
        trial, log = RunFolder(Path(place) / name), Path(place) / "workers.log"
        _unpack(cache, Path(place) / "cache")
        _unpack(files, trial.path)
        hand = Hand.start(log, environ={**os.environ, "GATED_CACHE": str(Path(place) / "cache")})
        try:
            hand.give(trial)
            code = hand.answer()
        finally:
            hand.end()
        if code is None:
            words = log.read_text(errors="replace").strip().splitlines()
            raise ChildProcessError(f"the process that trained {name} died: {words[-1] if words else 'no last words'}")
        return "", pack(trial)


def pack(trial: RunFolder) -> dict[str, bytes]:
    """The files of a run folder that are there."""
    return {name: path.read_bytes() for name in KEPT if (path := trial.path / name).is_file()}


def _unpack(files: Files, folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
