import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gatedtui.errors import BadArgument, BadSource, DeviceError
from gatedtui.sound import fluid
from gatedtui.sound.instrument import play_roll
from gatedtui.sound.loudness import TARGET_LUFS, loudness

ROLL = np.zeros((8, 88), np.uint8)
ROLL[:, [39, 43, 46]] = 1
FAKE = """
import sys
print("a library's opinion"); print("noise", file=sys.stderr)
class Synth:
    def __init__(self, gain, samplerate): self.on, self.rate, self.at = {}, samplerate, 0
    def sfload(self, path): return -1 if "broken" in path else 1
    def program_select(self, channel, font, bank, program): return -1 if program == 99 else 0
    def noteon(self, channel, pitch, velocity): self.on[pitch] = velocity
    def noteoff(self, channel, pitch): self.on.pop(pitch, None)
    def get_samples(self, count):
        import numpy
        time = (numpy.arange(count) + self.at) / self.rate
        self.at += count
        sound = 0 * time
        for pitch, velocity in self.on.items():
            sound += 30 * velocity * numpy.sin(6.2832 * 440 * 2 ** ((pitch - 69) / 12) * time)
        return numpy.repeat(sound.astype(numpy.int16), 2)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose `fluidsynth` module is this test's."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "font.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    (tmp_path / "broken.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    (tmp_path / "fluidsynth.py").write_text(FAKE)
    return tmp_path


def play(machine, font="font.sf2", **more):
    return play_roll(ROLL, qpm=120, steps_per_quarter=4, soundfont=fluid.soundfont(str(machine / font)), **more)


def test_notes_go_to_the_synthesizer_and_come_back_as_loud_as_the_piano(machine, capfd):
    sound = play(machine)
    assert sound.dtype == np.float32
    assert sound.shape == (round((8 * 60 / 120 / 4 + fluid.TAIL_S) * 44_100), 2)
    assert loudness(sound, 44_100) == pytest.approx(TARGET_LUFS, abs=0.1)
    assert np.abs(sound[:44_100]).max() > 0.01
    assert not sound[45_000:].any(), "all notes were let go"
    assert capfd.readouterr() == ("", "")


def test_what_is_missing_is_said_with_what_to_install(machine):
    (machine / "fluidsynth.py").write_text('raise ImportError("Couldn\'t find the FluidSynth library.")')
    with pytest.raises(DeviceError) as caught:
        play(machine)
    assert "libfluidsynth3" in caught.value.hint
    (machine / "fluidsynth.py").write_text("raise ModuleNotFoundError('fluidsynth')")
    with pytest.raises(DeviceError) as caught:
        play(machine)
    assert "gatedtui[fluid]" in caught.value.hint


def test_bad_fonts_programs_and_files_are_one_sentence(machine):
    for wrong in (
        lambda: play(machine, "broken.sf2"),
        lambda: play(machine, program=99),
        lambda: play(machine, "no.sf2"),
    ):
        with pytest.raises(BadSource):
            wrong()
    (machine / "text.sf2").write_text("no font")
    with pytest.raises(BadSource, match="no SoundFont"):
        play(machine, "text.sf2")
    with pytest.raises(BadArgument, match="'128'"):
        play(machine, program=128)


def test_the_bundled_soundfont_is_used_where_it_lies():
    found = fluid.soundfont(fluid.BUNDLED)
    assert found.parent.name == "pretty_midi"


def test_the_real_synthesizer_plays_the_bundled_soundfont():
    known = subprocess.run([sys.executable, "-P", "-c", "import fluidsynth"], capture_output=True, check=False)
    if known.returncode:
        pytest.skip("FluidSynth or pyfluidsynth is not installed")
    font = fluid.soundfont(fluid.BUNDLED)
    sounds = [play_roll(ROLL, qpm=120, steps_per_quarter=4, soundfont=font, program=p) for p in (0, 40)]
    for sound in sounds:
        assert loudness(sound, 44_100) == pytest.approx(TARGET_LUFS, abs=0.1)
    assert not np.array_equal(*sounds)
    assert Path(font).is_file()
