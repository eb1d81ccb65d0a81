"""Stands in for `gated … --json` as a child: recorded answers about three small models, and songs written anew."""

import json
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np

from gatedtui.errors import BadArgument, Interrupted
from gatedtui.sound.midi import write_midi
from gatedtui.sound.wav import write_audio

ANSWERS = Path(__file__).parent / "answers"
PRIMER = 8
SONG = {"gru": (60, 64, 67), "lstm": (57, 60, 64), "tanh": (50, 62, 74)}


def answer(unit):
    """What `gated gates --brief --json` says about 24 steps of a piece and six units."""
    return json.loads((ANSWERS / f"{unit}.json").read_text())


class Recorded:
    """Callable as `runs.launch.run_json` is; `asked` keeps what it was asked.

    Args:
        fails: `word in arguments -> sentence` of errors.
        holds: commands wait until this is set, or they are cancelled.
    """

    def __init__(self, fails=None, holds=None):
        self.asked = []
        self.fails = fails or {}
        self.holds = holds or threading.Event()
        if holds is None:
            self.holds.set()

    def __call__(self, words, *, cancelled=lambda: False, environ=None):
        self.asked.append(list(words))
        assert environ is not None and environ["OMP_NUM_THREADS"] == "1"
        while not self.holds.wait(0.01):
            if cancelled():
                raise Interrupted("cancelled")
        for word, sentence in self.fails.items():
            if any(word in argument for argument in words):
                raise BadArgument(sentence, "Take another.")
        unit = next(unit for unit in SONG if unit in Path(words[1]).stem)
        if words[0] == "gates":
            if "--out" in words:
                Path(words[words.index("--out") + 1]).write_text("<svg/>")
            return answer(unit)
        return [self._sample(unit, words)]

    @staticmethod
    def _sample(unit, words):
        outs = [Path(after) for word, after in pairwise(words) if word == "--out"]
        steps = int(words[words.index("--steps") + 1])
        primer = PRIMER if "--prime" in words else 0
        roll = np.zeros((primer + steps, 88), np.uint8)
        roll[:primer, [pitch - 21 for pitch in answer("gru")["roll"][0]]] = 1
        roll[primer:, [pitch - 21 for pitch in SONG[unit]]] = 1
        for out in outs:
            if out.suffix == ".mid":
                write_midi(roll, out, steps_per_quarter=4)
            else:
                write_audio(np.zeros(800), 8000, out)
        outs[0].with_suffix(".json").write_text("{}")
        return {
            "unit": unit,
            "steps": steps,
            "primer_steps": primer,
            "steps_per_quarter": 4,
            "nll_frame": 2.5,
            "polyphony": 3.0,
            "scale_consistency": 0.95,
            "pitch_low": 50.0,
            "pitch_high": 74.0,
            "empty_rate": 0.0,
        }
