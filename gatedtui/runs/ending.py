"""The end of a run's `events.jsonl`, without reading the rest of it."""

from pathlib import Path


def last_lines(path: Path, most: int) -> tuple[list[bytes], bool]:
    """The lines that stand whole in the last `most` bytes of a file, without their ends; whether that is all of it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - most))
        lines = file.read(most).split(b"\n")[:-1]  # what follows the last line's end is still being written
    return (lines, True) if size <= most else (lines[1:], False)
