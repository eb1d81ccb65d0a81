"""Following a run's `events.jsonl` while its worker writes it, truncates it on a resume, or someone removes it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from subprocess import Popen
from typing import Any, BinaryIO

from gatedtui.events import Event, from_line
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status

LIMIT = 1 << 18
"""Bytes taken in one `read`: about a thousand events, some milliseconds of parsing."""
MARK = 512
"""Bytes before the place reached that are compared with the file's at each `read`. A line carries its time to the
millisecond and has some 200, so a file that was cut and grew past that place again does not look unchanged."""


@dataclass(frozen=True)
class Batch:
    """What one `read` found."""

    reset: bool
    """The file was cut short or replaced: forget what came before, these events are the first."""
    events: list[Event]
    more: bool = False
    """There is more to read at once."""


@dataclass
class Lines:
    """A place in a growing file of event lines. Half a line at its end is left for the next time."""

    limit: int = LIMIT
    _offset: int = 0
    _mark: bytes = b""
    """The bytes that lay before `_offset`."""
    _in_long_line: bool = False
    """The place lies within a line longer than `limit`, which is no event of ours."""

    def read(self, file: BinaryIO) -> Batch:
        """The events of at most `limit` further bytes."""
        start = self._offset - len(self._mark)
        file.seek(start)
        data = file.read(len(self._mark) + self.limit)
        reset = not data.startswith(self._mark)
        if reset:
            self.rewind()
            file.seek(0)
            data = file.read(self.limit)
        more = len(data) == len(self._mark) + self.limit
        end = data.rfind(b"\n", len(self._mark)) + 1
        if not end and not more:
            return Batch(reset, [])
        lines = data[len(self._mark) : end].split(b"\n")[:-1]
        if self._in_long_line:
            lines = lines[1:]
        self._in_long_line = not end
        end = end or len(data)
        self._offset += end - len(self._mark)
        self._mark = data[max(0, end - MARK) : end]
        return Batch(reset, [event for line in lines if (event := from_line(line)) is not None], more)

    def rewind(self) -> bool:
        """Goes back to the file's start; whether that was anywhere else."""
        moved = self._offset > 0
        self._offset, self._mark, self._in_long_line = 0, b"", False
        return moved


@dataclass
class Tail:
    """The events of one run, as they come.

    Attributes:
        folder: the run.
    """

    folder: RunFolder
    _lines: Lines = field(default_factory=Lines)

    def read(self) -> Batch:
        """The events in the whole lines written since the last call, at most 256 KiB of them; the first call begins at
        the file's start. A file that cannot be read has none."""
        try:
            with self.folder.events_path.open("rb", buffering=0) as file:
                return self._lines.read(file)
        except OSError:
            return Batch(self._lines.rewind(), [])


@dataclass
class _Reader:
    """One run's events, each once: those that come again after a reset are passed over."""

    tail: Tail
    seen: list[int] = field(default_factory=list)
    """Hashes of the events so far."""
    place: int = 0
    """How many of them the tail has come past since its last reset."""

    def drain(self) -> Iterator[Event]:
        more = True
        while more:
            batch = self.tail.read()
            if batch.reset:
                self.place = 0
            for event in batch.events:
                key = hash(repr(event))  # of the text, where NaN equals NaN
                known = self.place < len(self.seen) and self.seen[self.place] == key
                if not known:
                    del self.seen[self.place :]
                    self.seen.append(key)
                self.place += 1
                if not known:
                    yield event
            more = batch.more


def follow(
    folders: Sequence[RunFolder],
    *,
    poll_s: float = 0.1,
    stop: Callable[[], bool] = lambda: False,
    from_start: bool = True,
    processes: Mapping[RunFolder, Popen[Any]] | None = None,
) -> Iterator[tuple[RunFolder, Event]]:
    """The events of several runs, as they come, until every run is over and has been read to its end.

    A run is over when nobody trains it: it finished, stopped, diverged, failed, crashed or was removed. A resume cuts
    the file back to the saved state; the events that remain are not given again.

    Args:
        folders: the runs.
        poll_s: seconds between looks, where there was nothing new.
        stop: asked at each look and after each event; True ends the following, whatever the runs do.
        from_start: whether to give the events that are there already.
        processes: the workers this process has just started. A run whose worker is alive is not over, even before it
            has taken its lock; one whose worker died before its first event is over at once.

    Yields:
        The run and the event.
    """
    readers = {folder: _Reader(Tail(folder)) for folder in folders}
    if not from_start:
        for reader in readers.values():
            for _ in reader.drain():
                pass
    while readers:
        idle = True
        for folder, reader in list(readers.items()):
            over = _is_over(folder, (processes or {}).get(folder))  # asked first, so that the end is read after it
            for event in reader.drain():
                idle = False
                yield folder, event
                if stop():
                    return
            if over:
                del readers[folder]
        if stop():
            return
        if idle and readers:
            time.sleep(poll_s)


def _is_over(folder: RunFolder, process: Popen[Any] | None) -> bool:
    ended = process is None or process.poll() is not None  # before the status: it tells what the worker left behind
    word = status(folder).word
    return ended and word != "running" and not (word == "starting" and process is None)
