"""One way from notes to sound, whichever instrument plays them."""

from pathlib import Path

import numpy as np

from gatedtui.sound import piano
from gatedtui.sound.expression import perform
from gatedtui.sound.midi import check_tempo


def play_roll(
    roll: np.ndarray,
    *,
    qpm: float,
    steps_per_quarter: int,
    restrike: int = 0,
    soundfont: Path | None = None,
    program: int = 0,
) -> np.ndarray:
    """A roll as sound: on the built-in piano, or through FluidSynth where a SoundFont is given.

    Args:
        roll, qpm, steps_per_quarter, restrike: as for `piano.render`.
        soundfont: the SoundFont's file; None = the built-in piano, which has no other programs.
        program: General MIDI instrument of the SoundFont.

    Returns:
        (samples, 2) float32 at `piano.RATE_HZ`, `loudness.TARGET_LUFS` loud.

    Raises:
        BadArgument, BadSource, DeviceError: as `piano.render` and `fluid.render_notes`.
    """
    if soundfont is None:
        return piano.render(roll, qpm=qpm, steps_per_quarter=steps_per_quarter, restrike=restrike)
    from gatedtui.sound import fluid

    check_tempo(qpm, steps_per_quarter)
    step_s = 60.0 / (qpm * steps_per_quarter)
    played = perform(roll, steps_per_quarter=steps_per_quarter, restrike=restrike)
    notes = np.column_stack([played[:, 2], played[:, 0] * step_s, played[:, 1] * step_s, played[:, 3]])
    return fluid.render_notes(notes, soundfont=soundfont, program=program, length_s=len(roll) * step_s)
