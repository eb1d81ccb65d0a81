"""Much of everything: bounded memory, a progress bar, and an app that opens. `pytest -n0 -m load tests/load`.

What is allowed is what was measured on a 2-core Linux machine (Python 3.11, torch 2.13) and half as much again.
"""

import wave
from pathlib import Path

import numpy as np
import pytest

from gatedtui import config, events
from gatedtui.runs.folder import RunFolder, create
from gatedtui.sound.midi import write_midi

from .measured import App, Done, gated, peak

pytestmark = [pytest.mark.load, pytest.mark.timeout(900)]
RUNS = 1_000
LINES = 500_000
SOUND_BYTES = 500 * 10**6
TIME = "2026-11-20T14:02:20.000Z"


@pytest.fixture
def note(record_property):
    """Notes a measurement, and that it stays within what is allowed."""
    rows = []
    record_property("load", rows)

    def noted(what: str, held: float, allowed: float, took_s: float) -> None:
        rows.append([what, held, allowed, took_s])
        assert held <= allowed, f"{what}: {held:.0f} MiB, allowed are {allowed:.0f}"

    return noted


def a_run(runs: Path, name: str, epochs: int, *, over: bool = True) -> RunFolder:
    """A run of so many epochs, a step between two."""
    made = create(runs, name, config.build({"data.name": "jsb", "train.epochs": 1_000_000}))
    epoch = events.to_line(
        events.Epoch(
            epoch=111_111_111,
            updates=222_222_222,
            frames=13_578,
            train_nll=8.123456,
            valid_nll=8.654321,
            valid_nll_sequence=8.6,
            grad_norm=0.4,
            lr=1e-3,
            frames_per_s=643_000.0,
            elapsed_s=333_333_333.0,
            time=TIME,
        )
    )
    step = events.to_line(
        events.Step(updates=222_222_222, epoch=111_111_111, loss=8.1, frames_per_s=643_000.0, time=TIME)
    )
    with made.events_path.open("w") as file:
        for number in range(1, epochs + 1):
            for line in (step, epoch):
                told = line.replace("111111111", str(number)).replace("222222222", str(29 * number))
                file.write(told.replace("333333333", str(number)))
        if over:
            zeros = {"valid_nll": 8.6, "train_nll_frame": 8.0, "train_nll_sequence": 8.0}
            zeros |= {"test_nll_frame": 8.5, "test_nll_sequence": 8.4}
            file.write(events.to_line(events.Finished(best_epoch=1, **zeros, time=TIME)))
    return made


def well(done: Done) -> Done:
    """The command, if it went well."""
    assert done.code == 0 and "Traceback" not in done.err, done.err[-2000:]
    return done


def open_app(pattern: str, keys: str = "", shown: str = "", settle_s: float = 5) -> tuple[float, float]:
    """Opens the app, presses keys, waits for what is to be seen: MiB it held at most, and seconds until then."""
    app = App()
    try:
        took_s = app.wait_for(pattern)
        if keys:
            app.type(keys)
            took_s += app.wait_for(shown)
        app.read(settle_s)
        held = peak(app.child.pid)
    finally:
        code = app.close()
    assert code == 0
    return held, took_s


def test_a_thousand_runs(runs: Path, note):
    for number in range(RUNS):
        a_run(runs, f"run-{number:04}", 40)
    listed = well(gated("runs", "list"))
    assert listed.out.count("\n") == RUNS + 1
    note("gated runs list, 1,000 runs", listed.peak, 100, listed.took_s)
    note("the app on 1,000 runs", *_allowed(open_app("run-0999", "3", "run-0990"), 150))
    shown = well(gated("table"))
    note("gated table, 1,000 runs", shown.peak, 200, shown.took_s)


def test_an_event_file_of_half_a_million_lines(runs: Path, note):
    run = a_run(runs, "long", LINES // 2)
    size = run.events_path.stat().st_size / 1e6
    listed = well(gated("runs", "list"))
    note(f"gated runs list, {LINES:,} lines ({size:.0f} MB)", listed.peak, 100, listed.took_s)
    shown = well(gated("runs", "show", "long"))
    note("gated runs show", shown.peak, 400, shown.took_s)
    watched = well(gated("watch", "long"))
    assert "reading the events of 'long'" in shown.err and "75 %" in shown.err
    assert watched.out.count("\n") >= LINES // 2
    note("gated watch", watched.peak, 150, watched.took_s)
    as_json = well(gated("watch", "long", "--json"))
    note("gated watch --json", as_json.peak, 150, as_json.took_s)
    note("the app", *_allowed(open_app("long", "2", "long", 40), 500))
    a_run(runs, "cut", LINES // 2, over=False)
    listed = well(gated("runs", "list"))
    assert "cut   crashed" in listed.out
    note("gated runs list, of a run that crashed", listed.peak, 100, listed.took_s)


def _allowed(found: tuple[float, float], allowed: float) -> tuple[float, float, float]:
    return found[0], allowed, found[1]


def test_half_a_gigabyte_of_recordings(tmp_path: Path, note):
    folder, chance = tmp_path / "recordings", np.random.default_rng(3)
    folder.mkdir()
    each = 25 * 10**6
    for number in range(SOUND_BYTES // each):
        with wave.open(str(folder / f"{number:02}.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(44_100)
            tone = np.sin(np.arange(each // 4) * (0.01 + 0.002 * number))[:, None] + chance.normal(
                0, 0.1, (each // 4, 2)
            )
            file.writeframes((8000 * tone).astype("<i2").tobytes())
    assert sum(path.stat().st_size for path in folder.iterdir()) >= SOUND_BYTES
    # 47 minutes at 8,000 Hz are 22.7 million samples: 86 MiB as float32.
    made = well(gated("data", "info", folder))
    assert "25 %" in made.err and "75 %" in made.err
    note("gated data info, 500 MB of recordings", made.peak, 800, made.took_s)
    again = well(gated("data", "info", folder))
    note("again, from the cache", again.peak, 600, again.took_s)


def test_three_hours_of_midi(tmp_path: Path, note):
    chance = np.random.default_rng(4)
    steps = 3 * 60 * 96 * 4  # three hours at 96 quarter notes a minute, on the sixteenth-note grid
    roll = np.zeros((steps, 88), np.uint8)
    for voice in range(4):
        roll[np.arange(steps), 20 + 10 * voice + np.repeat(chance.integers(0, 10, steps // 4), 4)] = 1
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(3):
        write_midi(np.roll(roll, number, axis=1), folder / f"{number}.mid", steps_per_quarter=4)
    song = folder / "0.mid"
    assert song.stat().st_size > 100_000
    made = well(gated("data", "info", folder))
    note("gated data info, three songs of three hours", made.peak, 400, made.took_s)
    words = ["sample", "gru-bach", "--prime", song, "--keep-prime", "--steps", 16, "--out", tmp_path / "on.mid"]
    drawn = well(gated(*words))
    note("gated sample --prime, three hours", drawn.peak, 600, drawn.took_s)
    heard = well(gated("gates", "gru-bach", "--input", song, "--brief", "--json"))
    note("gated gates --input, three hours", heard.peak, 1200, heard.took_s)
    epochs = ["--epochs", 1, "--plain", "--name", "long"]
    trained = well(gated("train", "--data", folder, *epochs))
    note("gated train, three songs of three hours", trained.peak, 650, trained.took_s)
    played = gated("play", song)
    assert played.code == 3 and "180 minutes" in played.err  # an hour's sound is what is held at once
    note("gated play, three hours: refused", played.peak, 250, played.took_s)
