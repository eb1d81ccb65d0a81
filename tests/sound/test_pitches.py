import numpy as np
import pytest

from gatedtui.errors import BadArgument
from gatedtui.sound.midi import parse_pitches


def sounding(text):
    return [(np.flatnonzero(step) + 21).tolist() for step in parse_pitches(text)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("60,64,67", [[60, 64, 67]]),
        ("60, 64 ,67", [[60, 64, 67]]),
        ("60,64,67 62,65,69", [[60, 64, 67], [62, 65, 69]]),
        ("C4 E4 G4 | D4 F4 A4", [[60], [64], [67], [62], [65], [69]]),
        ("C4+E4*3|-*2 g4", [[60, 64]] * 3 + [[], [], [67]]),
        ("A0 C8 bb3 Cb4 B#3 F##4 E♭4 F♯4", [[21], [108], [58], [59], [60], [67], [63], [66]]),
        (" | - ", [[]]),
        ("60,60", [[60]]),
    ],
)
def test_typed_pitches_become_the_steps_they_spell(text, steps):
    assert sounding(text) == steps
    assert parse_pitches(text).dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("60 H4 62", "'H4'"),
        ("60,x,62", "'x' in '60,x,62'"),
        ("20", "'20'"),
        ("C4 109", "'109'"),
        ("C9", "'C9'"),
        ("C4,Ab0", "'Ab0' in 'C4,Ab0'"),
        ("60,", "'' in '60,'"),
        ("-,60", "'-' in '-,60'"),
        ("C4*0", "'0' in 'C4*0'"),
        ("C4*-2", "'-2'"),
        ("C4*x", "'x'"),
        ("C4*2*2", "'2*2'"),
        ("C4*9999999", "'9999999'"),
        ("C4*150000 D4*150000", "'D4*150000'"),
        ("9" * 5000, "neither"),
        ("٦٠", "neither"),
        ("60.5", "'60.5'"),
        ("C", "'C'"),
        ("", "''"),
        (" | ", "' | '"),
    ],
)
def test_what_is_no_pitch_is_named(text, named):
    with pytest.raises(BadArgument) as caught:
        parse_pitches(text)
    assert named in caught.value.what
