"""Notes through FluidSynth and a SoundFont, for whoever prefers a sampled instrument to the built-in piano.

FluidSynth runs in a child process, `fluid_child.py`: it is a C library that writes what it likes to standard output and
error, and a SoundFont is a file from anywhere. SoundFonts are used where they lie and never copied.
"""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gatedtui.errors import BadArgument, BadSource, DeviceError, GatedError
from gatedtui.sound import fluid_child
from gatedtui.sound.loudness import normalise
from gatedtui.sound.piano import MAX_LENGTH_S, RATE_HZ

BUNDLED = "TimGM6mb"
"""The name that stands for the SoundFont inside the package pretty_midi."""
TAIL_S = 1.5
"""Time for the last notes and the synthesizer's room to fade."""


def soundfont(name: str) -> Path:
    """The file that `--soundfont` means.

    Args:
        name: a path, or `TimGM6mb`.

    Raises:
        BadSource: there is no such file, or it is no SoundFont.
    """
    path = _bundled() if name == BUNDLED else Path(name)
    if not path.is_file():
        raise BadSource(f"There is no SoundFont '{name}'.", f"Give an .sf2 or .sf3 file, or: --soundfont {BUNDLED}")
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise BadSource(f"The file '{name}' is no SoundFont.", f"Give an .sf2 or .sf3 file, or: --soundfont {BUNDLED}")
    return path


def render_notes(
    notes: np.ndarray, *, soundfont: Path, program: int = 0, length_s: float = 0.0, rate_hz: int = RATE_HZ
) -> np.ndarray:
    """Notes as sound, through FluidSynth.

    Args:
        notes: (N, 4) float: MIDI pitch 0..127, start and end in seconds, MIDI velocity 1..127.
        soundfont: the file.
        program: General MIDI instrument, 0..127.
        length_s: at least so long.
        rate_hz: samples a second, 8,000..96,000.

    Returns:
        (samples, 2) float32 at `loudness.TARGET_LUFS`, `TAIL_S` longer than the notes.

    Raises:
        BadArgument: a number is out of range, or the sound is longer than an hour.
        BadSource: FluidSynth cannot read the SoundFont, or it has no such program.
        DeviceError: FluidSynth or its Python package is not installed.
    """
    if not 0 <= program <= 127:
        raise BadArgument(f"There is no MIDI program '{program}'.", "Programs are 0 to 127; 0 is a grand piano.")
    if not 8_000 <= rate_hz <= 96_000:
        raise BadArgument(f"The sample rate '{rate_hz}' is out of range.", "FluidSynth takes 8000 to 96000 Hz.")
    length_s = max(length_s, float(notes[:, 2].max(initial=0.0))) + TAIL_S
    if not length_s <= MAX_LENGTH_S:
        raise BadArgument(
            f"A sound of '{length_s:.0f}' seconds is too long.", f"At most {MAX_LENGTH_S:.0f} s are rendered at once."
        )
    with tempfile.TemporaryDirectory(prefix="gated-fluid-") as folder:
        before, after = Path(folder, "notes.npy"), Path(folder, "sound.npy")
        np.save(before, np.asarray(notes, np.float64), allow_pickle=False)
        words = [str(soundfont.absolute()), str(program), str(rate_hz), str(round(length_s * rate_hz))]
        # -P: a file called numpy.py in the folder the user happens to be in must not be imported.
        command = [sys.executable, "-P", fluid_child.__file__, str(before), str(after), *words]
        try:
            code = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            ).returncode
        except OSError as error:
            raise GatedError(f"'FluidSynth' cannot be started: {error.strerror}.", "gated doctor says more.") from None
        if code:
            raise _error(code, soundfont, program)
        sound = np.load(after, allow_pickle=False)
    return normalise(sound.astype(np.float32) / np.float32(32768.0), rate_hz)


def _bundled() -> Path:
    found = find_spec("pretty_midi")
    return Path((found.origin if found else None) or ".").parent / "TimGM6mb.sf2"


def _error(code: int, soundfont: Path, program: int) -> GatedError:
    if code == fluid_child.NO_PACKAGE:
        return DeviceError("The package 'pyfluidsynth' is not installed.", "pip install 'gatedtui[fluid]'")
    if code == fluid_child.NO_LIBRARY:
        hint = "Install it: apt-get install libfluidsynth3 (Fedora: dnf install fluidsynth-libs, macOS: brew install "
        return DeviceError("The library 'FluidSynth' is not installed.", f"{hint}fluid-synth).")
    if code == fluid_child.BAD_FONT:
        return BadSource(f"FluidSynth cannot read the SoundFont '{soundfont}'.", f"Try: --soundfont {BUNDLED}")
    if code == fluid_child.NO_PROGRAM:
        return BadSource(f"The SoundFont '{soundfont}' has no program '{program}'.", "--program 0")
    return GatedError(f"FluidSynth failed on the SoundFont '{soundfont}' (exit code {code}).", f"--soundfont {BUNDLED}")
