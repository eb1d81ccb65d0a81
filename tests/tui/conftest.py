"""Recorded runs on disk, an app driven by keys, and the text of what it shows."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from gatedtui import config, events, paths
from gatedtui.runs import folder as folders
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder

SIZES = {"tanh": (100, 9.10), "lstm": (36, 8.67), "gru": (46, 8.54)}
MakeRun = Callable[..., RunFolder]


def started(unit: str = "gru", **changes: object) -> events.Started:
    """The first event of a run."""
    fields: dict[str, object] = {
        "run": f"{unit}-jsb-1",
        "unit": unit,
        "data": "jsb",
        "recipe": "paper",
        "seed": 1,
        "parameters": {"recurrent": 18_630, "output": 4_136, "total": 22_766},
        "kernel": "native",
        "kernel_why": "avx512 found",
        "device": "cpu",
        "threads": 1,
        "marginal_nll": 11.09,
        "paper_nll": SIZES[unit][1],
        "epochs": 500,
        "time": "2026-11-20T14:02:11.000Z",
    }
    return events.Started(**(fields | changes))  # pyright: ignore[reportArgumentType]


def epochs(valid: Sequence[float], seconds: float = 0.1) -> list[events.Epoch]:
    """One epoch a value of validation NLL."""
    return [
        events.Epoch(
            epoch=number,
            updates=29 * number,
            frames=13_578 * number,
            train_nll=value - 0.3,
            valid_nll=value,
            valid_nll_sequence=value - 0.05,
            grad_norm=0.4,
            lr=1e-3,
            frames_per_s=643_000.0,
            elapsed_s=seconds * number,
            time="2026-11-20T14:02:12.000Z",
        )
        for number, value in enumerate(valid, 1)
    ]


def falling(count: int, end: float = 8.43) -> list[float]:
    """A curve that falls steeply, then slowly."""
    return [end + 2.5 * math.exp(-i / 4) + 0.3 * math.exp(-i / 20) for i in range(count)]


def finished(best: int, valid: float) -> events.Finished:
    """The last event of a run that went well."""
    return events.Finished(
        best_epoch=best,
        valid_nll=valid,
        train_nll_frame=8.0,
        train_nll_sequence=7.9,
        test_nll_frame=8.54,
        test_nll_sequence=8.52,
        time="2026-11-20T14:02:20.000Z",
    )


def append(folder: RunFolder, written: Iterable[events.Event]) -> None:
    """Adds events to a run's file."""
    with folder.events_path.open("a", encoding="utf-8") as file:
        file.writelines(events.to_line(event) for event in written)


def drive(app: Any, script: Callable[[Pilot[Any]], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> Any:
    """Runs the script against the app once it has looked at its runs, and gives the app's outcome."""

    async def run() -> Any:
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: app.looked)
            await pilot.pause()
            await script(pilot)
        return app.return_value

    return asyncio.run(run())


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Waits until something holds; a hundred seconds are a failure: a busy machine starts a child in ten."""
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        await pilot.pause(0.02)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A runs folder that does not exist yet."""
    return tmp_path / "runs"


@pytest.fixture
def make_run(runs: Path) -> MakeRun:
    """Makes a run folder with these events: `make_run(events, unit=…, name=…, settings…)`."""

    def make(written: Iterable[events.Event] = (), unit: str = "gru", name: str = "", **settings: object) -> RunFolder:
        values = {"model.unit": unit, "model.hidden": SIZES[unit][0], "data.name": "jsb"}
        values |= {key.replace("__", "."): value for key, value in settings.items()}
        folder = folders.create(runs, name or folders.free_name(runs, unit, "jsb"), config.build(values))
        append(folder, written)
        return folder

    return make


@pytest.fixture
def screen_text() -> Callable[[App[object]], str]:
    """The one helper that reads an app's screen: the text of its rendered lines."""

    def read(app: App[object]) -> str:
        lines = app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)

    return read


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of released models: empty, so that tests see only what they make."""
    place = tmp_path / "bundled"
    place.mkdir()
    others = paths.bundled
    monkeypatch.setattr(paths, "bundled", lambda folder: place if folder == "checkpoints" else others(folder))
    return place


@pytest.fixture
def three(make_run):
    """Three runs: one at work (its lock held by this process), one finished, one stopped."""
    made = [make_run([started(unit), *epochs(falling(48))], unit=unit) for unit in ("tanh", "lstm", "gru")]
    append(made[1], [finished(40, 8.43)])
    append(made[2], [events.Stopped(updates=1392, epoch=48)])
    with lock.held(made[0].lock_path):
        yield made
