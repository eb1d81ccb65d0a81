"""Files that are either whole or not there: written beside their place, synced, then moved onto it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from gatedtui.errors import BadSource


@contextlib.contextmanager
def replacing(path: Path, hint: str = "Choose another place, or make room there.") -> Iterator[Path]:
    """Gives a temporary sibling of `path` to write to; when the block ends well it becomes `path`.

    Nothing is left behind when the block raises, and a file that stood at `path` stays as it was.

    Raises:
        BadSource: the place cannot be written (missing folder, read-only, disk full); `hint` says what to do.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BadSource(f"'{path}' cannot be written ({error.strerror or error}).", hint) from None
