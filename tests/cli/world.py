"""A folder in which every example can be typed: small data under the names of the large, three runs, a stopped one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from gatedtui import paths
from gatedtui.cli.main import run as gated
from gatedtui.data import catalogue, dataset, prepare
from gatedtui.data.dataset import SPLITS
from gatedtui.runs import folder as folders
from gatedtui.runs.status import status
from gatedtui.sound.midi import write_midi
from gatedtui.sound.wav import write_audio

MUSIC = ("bach", "jsb", "nottingham", "muse", "piano")
SOUND = ("vowels", "speech-a")


def plant() -> None:
    """Puts small sets into the cache under the names of the catalogue, as if they had been prepared."""
    cache = paths.cache_folder()
    tiny = prepare.prepare("tiny", cache=cache)
    for name in MUSIC:
        file = catalogue.cache_file(name, cache=cache)
        steps = catalogue.CATALOGUE[name].steps_per_quarter
        dataset.save(dataset.build(name, "music", tiny.splits, tiny.titles, steps_per_quarter=steps), file)
    chance = np.random.default_rng(5)
    for name in SOUND:
        waves = {split: [np.sin(chance.uniform(0.1, 0.9) * np.arange(500)) for _ in range(6)] for split in SPLITS}
        made = dataset.build(
            name,
            "speech",
            {split: tuple(wave.astype(np.float32) for wave in waves[split]) for split in SPLITS},
            {split: tuple(f"{split} {number}" for number in range(6)) for split in SPLITS},
            rate_hz=8000,
        )
        dataset.save(made, catalogue.cache_file(name, cache=cache))


def make(place: Path) -> None:
    """Runs, songs and a mirror in `place`, which is the working folder."""
    plant()
    tiny = prepare.load("tiny", cache=paths.cache_folder())
    (place / "songs").mkdir()
    (place / "mirror").mkdir()
    rolls = [roll for split in SPLITS for roll in tiny.splits[split]]
    for number, roll in enumerate(rolls):
        write_midi(roll, place / "songs" / f"{number}.mid", steps_per_quarter=4)
    write_midi(rolls[0], place / "song.mid", steps_per_quarter=4)
    write_audio(0.3 * np.sin(np.arange(8000) / 9), 8000, place / "song.wav")
    for unit in ("tanh", "lstm", "gru"):
        assert gated(["train", "--unit", unit, "--data", "bach", "--epochs", "2", "--plain"]) == 0
    words = ["--data", "jsb", "--set", "patience=0", "--detach", "--name", "gru-jsb-1"]
    subprocess.run([sys.executable, "-m", "gatedtui", "train", *words, "--epochs", "1000000"], check=True)
    run = folders.find(place / "runs", "gru-jsb-1")
    deadline = time.monotonic() + 60
    while not run.state_path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert gated(["stop", run.name]) == 0
    while status(run).word != "stopped":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # What is left of its epochs is trained in a moment.
    text = run.config_path.read_text()
    run.config_path.write_text(text.replace("epochs = 1000000", "epochs = 1"))
    os.utime(run.config_path, (1, 1))
