"""Where things live: what is bundled with the package, the cache, and the runs folder.

The one module that reads the environment variables `GATED_RUNS`, `GATED_CACHE` and `GATED_MIRROR`.
"""

import os
import shlex
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def bundled(folder: str) -> Path:
    """The read-only folder `models`, `assets` or `checkpoints`: inside an installed wheel, else at the repo's root."""
    inside = PACKAGE / "_bundled" / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def is_path(text: str) -> bool:
    """Whether a typed word is meant as a path: it holds `/`, ends in an extension, or exists."""
    return bool(text) and ("/" in text or bool(Path(text).suffix) or exists(text))


def exists(text: str) -> bool:
    """Whether there is anything at a path; False for names that no file system takes."""
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # longer than 255 bytes; a zero byte
        return False


def cache_folder() -> Path:
    """Where prepared data is kept: `GATED_CACHE`, else the platform's cache folder (honours `XDG_CACHE_HOME`)."""
    chosen = os.environ.get("GATED_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("gated", appauthor=False))


def runs_folder() -> Path:
    """Where runs are kept when no `--runs` is given: `GATED_RUNS`, else `./runs`."""
    return Path(os.environ.get("GATED_RUNS") or "runs").expanduser()


def runs_flag(runs: Path) -> str:
    """What a printed command needs so that it finds these runs: ` --runs PLACE`, or nothing for the default place."""
    return "" if runs.absolute() == runs_folder().absolute() else f" --runs {shlex.quote(str(runs))}"


def mirror() -> str | None:
    """The folder or URL tried first for data files: `GATED_MIRROR`, else None."""
    return os.environ.get("GATED_MIRROR") or None
