"""A song of a model, drawn and played by child processes: this one has neither torch nor a sound library."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gatedtui import paths
from gatedtui.errors import GatedError
from gatedtui.runs import launch

SECONDS = 30
DEFAULT = "lstm-bach-nade"
"""The released model that is heard first."""
POLL_S = 0.1
NO_SOUND = 4
"""The exit code of `gated play` where nothing can play."""


class Silent(GatedError):
    """Nothing on this machine can play; the file is there."""


def released() -> list[str]:
    """The released models' names, the one to hear first in front."""
    names = sorted(path.stem for path in paths.bundled("checkpoints").glob("*.safetensors"))
    return sorted(names, key=lambda name: name != DEFAULT)


def draw(source: str, runs: Path, seed: int, cancelled: Callable[[], bool]) -> Path:
    """Draws half a minute from a model into the cache folder, over the one before; gives the file.

    Args:
        source: a run's name, a released name or a path.
        runs: the runs folder.
        seed: another one is another song.
        cancelled: True gives up.

    Raises:
        GatedError: what `gated sample` has to say.
    """
    folder = paths.cache_folder() / "songs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GatedError(f"{str(folder)!r} cannot be made: {error.strerror}.", "Set GATED_CACHE elsewhere.") from None
    path = folder / f"{Path(source).stem}.wav"
    words = ["sample", source, "--out", str(path), "--seconds", str(SECONDS), "--seed", str(seed), "--runs", str(runs)]
    launch.run_json(words, cancelled=cancelled)
    return path


def play(path: Path, cancelled: Callable[[], bool], *, command: Sequence[str] | None = None) -> None:
    """Plays a file to its end, or until it is cancelled.

    Args:
        path: the file.
        cancelled: asked ten times a second; True silences it.
        command: what to run, in place of `python -m gatedtui play`.

    Raises:
        Silent: there is nothing to play it with; what `gated play` says about that.
    """
    words = [*(command or [sys.executable, "-m", "gatedtui", "play"]), str(path)]
    environ = dict(os.environ)
    if not {"", str(Path.cwd())} & set(sys.path):
        environ["PYTHONSAFEPATH"] = "1"  # `-m` would look for modules in the working folder first
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        words, env=environ, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, start_new_session=True
    ) as child:
        try:
            while child.poll() is None and not cancelled():
                time.sleep(POLL_S)
        finally:
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):  # as Ctrl-C: it then ends the sound it has started
                    os.kill(child.pid, signal.SIGINT)
        said = child.stderr.read().decode(errors="replace") if child.stderr else ""
    if child.returncode == NO_SOUND:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        raise Silent(lines[0] if lines else "Nothing here can play sound.", " ".join(lines[1:]))
