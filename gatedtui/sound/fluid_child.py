"""FluidSynth, in a process of its own: run as a script by `fluid.py`. It imports nothing of this package.

    python fluid_child.py NOTES.npy SOUND.npy SOUNDFONT PROGRAM RATE_HZ SAMPLES

NOTES are (N, 4) float64 rows of pitch, start and end in seconds, velocity; SOUND becomes (SAMPLES, 2) int16. The exit
code says how it went.
"""

import sys
from pathlib import Path
from typing import Any

NO_PACKAGE = 10
NO_LIBRARY = 11
BAD_FONT = 12
NO_PROGRAM = 13

_GAIN = 0.4
"""Of FluidSynth, whose own default is 0.2: loud for 16 bits, with room for a dozen voices."""


def main(arguments: list[str]) -> int:
    """Does what the arguments say and returns an exit code."""
    import numpy as np

    before, after, font, program, rate_hz, samples = arguments
    try:
        import fluidsynth  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        return NO_PACKAGE
    except (ImportError, OSError):
        return NO_LIBRARY
    synth: Any = fluidsynth.Synth(gain=_GAIN, samplerate=int(rate_hz))
    font_id = synth.sfload(font)
    if font_id < 0:
        return BAD_FONT
    if synth.program_select(0, font_id, 0, int(program)) < 0:
        return NO_PROGRAM
    sound = _synthesize(synth, np.load(Path(before), allow_pickle=False), int(rate_hz), int(samples))
    np.save(Path(after), sound, allow_pickle=False)
    return 0


def _synthesize(synth: Any, notes: Any, rate_hz: int, samples: int) -> Any:
    import numpy as np

    events = []
    for pitch, start, end, velocity in notes.tolist():
        events.append((round(start * rate_hz), 1, round(pitch), round(velocity)))
        events.append((round(end * rate_hz), 0, round(pitch), 0))
    sound, at = np.zeros((samples, 2), np.int16), 0
    for when, is_on, pitch, velocity in [*sorted(events), (samples, 0, -1, 0)]:
        when = min(when, samples)
        while at < when:
            count = min(when - at, 1 << 16)
            sound[at : at + count] = np.asarray(synth.get_samples(count)).reshape(-1, 2)
            at += count
        if is_on:
            synth.noteon(0, pitch, velocity)
        elif pitch >= 0:
            synth.noteoff(0, pitch)
    return sound


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
