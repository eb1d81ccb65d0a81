"""What the user has done to runs and songs: each in a thread of its own, which tells by messages how it went."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.worker import Worker, get_current_worker

from gatedtui.errors import BadSource, GatedError, Interrupted
from gatedtui.plan import Plan
from gatedtui.runs import folder as folders
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.tui import looks, playing
from gatedtui.tui.messages import Begun, Busy, Done, Opened, Sounding, Trouble
from gatedtui.tui.starting import Resume, Start

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp


class Doing:
    """The threads' side of the app. Its methods are called on the event loop and return at once.

    Args:
        app: which is told.
        start, resume: how workers are started (see `starting`).
    """

    def __init__(self, app: "GatedApp", start: Start, resume: Resume) -> None:
        self._app = app
        self._start = start
        self._resume = resume
        self._song: Worker[None] | None = None
        self._songs = 0

    def start(self, plans: Callable[[], Sequence[Plan]], name: str | None) -> None:
        """Prepares the data and starts a run a plan."""
        app = self._app

        def start(gives_up: Callable[[], bool]) -> str:
            try:
                workers = self._start(plans(), app.home, name, gives_up)
            finally:
                app.post_message(Busy(""))
            for run, process in workers:
                if process is not None:
                    app.newest.started(run.path, process)
            app.post_message(Begun(workers[0][0].path))
            return f"started {', '.join(run.name for run, _ in workers)}"

        self._in_thread("start", start)

    def resume(self, path: Path) -> None:
        """Goes on with a run."""

        def resume(gives_up: Callable[[], bool]) -> str:
            process = self._resume(RunFolder(path), gives_up)
            if process is not None:
                self._app.newest.started(path, process)
            return f"going on with {path.name}"

        self._in_thread("resume", resume)

    def remove(self, paths: Sequence[Path]) -> None:
        """Removes runs that are not at work, for good; whoever calls this has asked. One that cannot be removed is
        told, and the others go nevertheless."""

        def remove(gives_up: Callable[[], bool]) -> str:
            gone: list[str] = []
            failed: list[GatedError] = []
            for path in paths:
                try:
                    folders.remove(RunFolder(path))
                    gone.append(path.name)
                except GatedError as error:
                    failed.append(error)
            for error in failed if gone else failed[1:]:
                self._app.post_message(Trouble(error.what, error.hint))
            if not gone:
                raise failed[0]
            return f"removed {gone[0]}" if len(gone) == 1 else f"removed {len(gone)} runs"

        self._in_thread("remove", remove)

    def stop_sweep(self, path: Path) -> None:
        """Asks the process that trains a sweep to save all trials and stop."""

        def stop(gives_up: Callable[[], bool]) -> str:
            asked = launch.request_stop(RunFolder(path))
            return f"asked the sweep {path.name} to save and stop" if asked else f"{path.name} is not being trained"

        self._in_thread("stop", stop)

    def resume_sweep(self, path: Path) -> None:
        """Goes on with a sweep in a process of its own, as `gated sweep --detach` does."""

        def resume(gives_up: Callable[[], bool]) -> str:
            words = ["sweep", "--name", path.name, "--runs", str(path.parent.absolute()), "--plain"]
            log = path / "sweep.log"
            process = launch.start_detached(words, log)
            if not launch.wait_until_locked(RunFolder(path), process) and process.returncode:
                raise GatedError(f"The sweep '{path.name}' does not go on.", f"Why is in '{log}'.")
            return f"going on with the sweep {path.name}"

        self._in_thread("resume", resume)

    def open(self, path: str, home: Path | None = None) -> None:
        """Looks whether a path is a run's folder or one of many runs, and has the app go there; `home` as in
        `Opened`."""

        def look(gives_up: Callable[[], bool]) -> str:
            place = Path(path).expanduser()
            if not os.path.isdir(place):  # noqa: PTH112 - no error for names that no file system takes
                raise BadSource(f"There is no folder {path!r}.", "o asks again; the runs shown are still the old ones.")
            one = (place / "run.toml").is_file()
            self._app.post_message(Opened(place.parent if one else place, place if one else None, home))
            return f"opened {looks.clean(str(place))}"

        self._in_thread("open", look)

    def play(self, source: str | None) -> None:
        """Draws a song from a run or a released model (by default the first) and plays it; silences the one that is
        heard instead."""
        if self._song is not None and self._song.is_running:
            self._song.cancel()
        else:
            self._songs += 1
            self._song = self._in_thread("song", lambda gives_up: self._play(source, self._songs, gives_up))

    def _play(self, source: str | None, seed: int, gives_up: Callable[[], bool]) -> str:
        app = self._app
        source = source or next(iter(playing.released()), None)
        if source is None:
            raise GatedError("No model is released with this version.", "Train one: n")
        known = looks.clean(source)
        try:
            app.post_message(Sounding(f"drawing a song from {known} …"))
            path = playing.draw(source, app.runs_folder, seed, gives_up)
            app.post_message(Sounding(f"{known} plays for {playing.SECONDS} s"))
            try:
                playing.play(path, gives_up)
            except playing.Silent as error:
                app.post_message(Trouble(error.what, error.hint))
            return f"the song of {known} is in {path}"
        finally:
            app.post_message(Sounding(""))

    def _in_thread(self, group: str, what: Callable[[Callable[[], bool]], str]) -> Worker[None]:
        app = self._app

        def work() -> None:
            worker = get_current_worker()
            try:
                app.post_message(Done(what(lambda: worker.is_cancelled or not app.is_running)))
            except Interrupted:
                pass
            except GatedError as error:
                app.post_message(Trouble(error.what, error.hint))
            except Exception as error:  # whatever it is, the user hears of it and the app goes on
                app.post_message(Trouble(f"Something unforeseen happened: {type(error).__name__}: {error}."))

        return app.run_worker(work, thread=True, group=group, exit_on_error=False)
