"""Position, seek, pause, loop and switch, through a sound device that keeps all it is given and takes its time."""

import os
import time

import numpy as np
import pytest

from gatedtui.listen import device, player
from gatedtui.sound.wav import write_audio

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake players are shell scripts")

RATE = 8000
DEVICE = """
import os, time
class PortAudioError(Exception): ...
def query_devices(kind): return {{'default_samplerate': 48000.0}}
def check_output_settings(samplerate, channels, dtype): pass
class OutputStream:
    latency = {latency}
    def __init__(self, samplerate, channels, dtype): self.rate = samplerate
    def __enter__(self): return self
    def write(self, block):
        assert block.dtype == 'float32' and block.flags.c_contiguous and block.ndim == 2
        with open({heard!r}, 'ab') as file: file.write(block[:, 0].tobytes())
        if os.path.exists({broken!r}): raise PortAudioError('device unplugged')
        time.sleep(len(block) / self.rate / {speed})
    def __exit__(self, *error): open({heard!r} + '.closed', 'w').close()
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with that device and an empty PATH."""
    binaries, modules, temporary = (tmp_path / name for name in ("bin", "modules", "tmp"))
    for folder in (binaries, modules, temporary):
        folder.mkdir()
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    install(tmp_path)
    return tmp_path


def install(machine, *, latency=0.0, speed=1.0):
    (machine / "modules" / "sounddevice.py").write_text(
        DEVICE.format(heard=str(machine / "heard"), broken=str(machine / "broken"), latency=latency, speed=speed)
    )


def heard(machine):
    path = machine / "heard"
    return np.frombuffer(path.read_bytes(), np.float32) if path.exists() else np.zeros(0, np.float32)


def ramps(machine, count=2, length_s=6.0):
    """Clips in which every sample tells its clip and its place: clip k climbs from 0.1 + 0.3 k by 0.2."""
    paths = []
    for number in range(count):
        samples = 0.1 + 0.3 * number + 0.2 * np.arange(round(length_s * RATE)) / (length_s * RATE)
        paths.append(machine / f"{number}.wav")
        write_audio(samples, RATE, paths[-1])
    return paths


def place_of(sample, clip, length_s=6.0):
    """The place in seconds that a sample of clip `clip` comes from."""
    return (sample - 0.1 - 0.3 * clip) / 0.2 * length_s


def until(true, deadline_s=20.0):
    end = time.monotonic() + deadline_s
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_a_switch_keeps_the_place_and_leaves_no_gap(machine):
    with player.start_clips(ramps(machine)) as playing:
        assert not playing.playing
        playing.resume()
        until(lambda: playing.position_s > 0.3)
        playing.switch(1)
        assert playing.clip == 1
        switched = playing.position_s
        until(lambda: playing.position_s > switched + 0.4)
        assert playing.gapless
    sound = heard(machine)
    border = int(np.argmax(sound > 0.35))
    first, second = place_of(sound[border - 100], 0), place_of(sound[border + 100], 1)
    assert second - first == pytest.approx(200 / RATE, abs=2e-3), "not a sample is lost or played twice"
    assert np.abs(np.diff(sound[100:])).max() < 0.3 / (0.008 * RATE), "a fade, no jump"
    assert sound[100:].min() > 0.09, "never silent"


def test_a_seek_goes_there_with_a_short_fade(machine):
    with player.start_clips(ramps(machine, 1)) as playing:
        playing.resume()
        until(lambda: playing.position_s > 0.2)
        playing.seek(4.0)
        assert playing.position_s == pytest.approx(4.0, abs=0.2)
        until(lambda: playing.position_s > 4.3)
        playing.seek(1.0)
        until(lambda: 1.2 < playing.position_s < 2.0)
    places = place_of(heard(machine), 0)
    assert [int(np.argmax(places > at)) > 0 for at in (3.99, 4.2)] == [True, True]
    assert places[-1] == pytest.approx(1.3, abs=0.3)
    assert ((places > 0.8) & (places < 0.95)).sum() < 100, "what was jumped over was not played, but for the fade"


def test_a_pause_keeps_the_place_and_is_silent(machine):
    with player.start_clips(ramps(machine, 1)) as playing:
        playing.resume()
        until(lambda: playing.position_s > 0.3)
        playing.pause()
        until(lambda: len(heard(machine)) and heard(machine)[-1] == 0.0)
        time.sleep(0.1)
        before, place = len(heard(machine)), playing.position_s
        time.sleep(0.2)
        assert (len(heard(machine)), playing.position_s, playing.playing) == (before, place, False)
        playing.seek(3.0)
        assert playing.position_s == 3.0
        playing.toggle()
        until(lambda: playing.position_s > 3.2)
        assert playing.playing
    places = place_of(heard(machine), 0)
    assert places[before + 200] == pytest.approx(3.0 + 200 / RATE, abs=0.01)


def test_the_end_is_kept_and_play_begins_again(machine):
    install(machine, speed=10.0)
    with player.start_clips(ramps(machine, 2, 1.0)) as playing:
        playing.resume()
        until(lambda: playing.over)
        assert (playing.playing, playing.position_s, playing.poll()) == (False, 1.0, None)
        playing.switch(1)
        playing.resume()
        until(lambda: len(heard(machine)) > 1.5 * RATE)
    sound = heard(machine)
    assert place_of(sound[RATE - 1], 0, 1.0) == pytest.approx(1.0, abs=1e-3)
    assert place_of(sound[RATE + 200], 1, 1.0) == pytest.approx(200 / RATE, abs=1e-2)


def test_a_loop_begins_again_without_a_gap(machine):
    install(machine, speed=5.0)
    with player.start_clips(ramps(machine, 1, 0.43)) as playing:
        playing.loop(True)
        playing.resume()
        until(lambda: len(heard(machine)) > 1.5 * RATE)
        assert playing.looping
        assert playing.position_s < 0.43
        assert not playing.over
    length = round(0.43 * RATE)
    sound = heard(machine)
    assert np.allclose(sound[:length], sound[length : 2 * length], atol=1e-4)


def test_the_place_is_what_is_heard_and_not_what_was_handed_over(machine):
    install(machine, latency=0.5)
    with player.start_clips(ramps(machine, 1)) as playing:
        playing.resume()
        until(lambda: len(heard(machine)) > 0.4 * RATE)
        assert playing.position_s < 0.2
        until(lambda: playing.position_s > 0.3)
        assert len(heard(machine)) > 0.7 * RATE


def test_a_single_file_ends_by_itself_and_the_device_is_closed(machine):
    install(machine, speed=10.0)
    outcome = player.start(ramps(machine, 1, 0.5)[0]).wait()
    assert outcome is not None
    assert (outcome.end, outcome.how) == ("played", "sounddevice")
    assert len(heard(machine)) == 0.5 * RATE
    assert (machine / "heard.closed").exists()
    assert not list((machine / "tmp").iterdir())


def aplay(machine):
    """A player that keeps copies of the files it was given, and plays for ever."""
    script = machine / "bin" / "aplay"
    script.write_text(
        '#!/bin/sh\nfor file; do :; done\nn=$(/bin/ls "$0".copy.* 2>/dev/null | /usr/bin/wc -l)\n'
        '/bin/cp "$file" "$0.part"; /bin/mv "$0.part" "$0.copy.$n"\nexec /bin/sleep 60\n'
    )
    script.chmod(0o755)
    return lambda n: machine / "bin" / f"aplay.copy.{n}"


def test_a_program_is_started_anew_on_the_rest_of_the_file(machine):
    (machine / "modules" / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    copy = aplay(machine)
    with player.start_clips(ramps(machine)) as playing:
        playing.resume()
        until(lambda: playing.poll() is None and copy(0).exists())
        assert (playing.how, playing.gapless) == ("aplay", False)
        assert copy(0).read_bytes() == (machine / "0.wav").read_bytes()
        playing.seek(3.0)
        until(copy(1).exists)
        playing.switch(1)
        until(copy(2).exists)
        assert 3.0 <= playing.position_s < 6.0
        playing.pause()
        place = playing.position_s
        time.sleep(0.05)
        assert playing.position_s == place
        assert not playing.playing
    for number, clip in ((1, 0), (2, 1)):
        rest = np.frombuffer(copy(number).read_bytes()[44:], np.int16) / 32767
        assert place_of(rest[0], clip) == pytest.approx(3.0, abs=0.01 if number == 1 else 2.0)
        assert len(rest) == pytest.approx((6.0 - place_of(rest[0], clip)) * RATE, abs=20)
    assert not list((machine / "tmp").iterdir())


def test_a_device_that_goes_away_hands_over_at_the_place_that_was_reached(machine):
    copy = aplay(machine)
    with player.start_clips(ramps(machine, 1)) as playing:
        playing.resume()
        until(lambda: playing.position_s > 0.5)
        (machine / "broken").touch()
        until(lambda: playing.poll() is None and copy(0).exists())
        assert playing.how == "aplay"
    rest = np.frombuffer(copy(0).read_bytes()[44:], np.int16) / 32767
    assert place_of(rest[0], 0) == pytest.approx(0.6, abs=0.25)


def test_a_machine_without_any_way_says_so_and_still_answers(machine):
    (machine / "modules" / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    with player.start_clips(ramps(machine)) as playing:
        until(lambda: playing.poll() is not None)
        playing.resume()
        playing.seek(2.0)
        playing.switch(1)
        assert (playing.how, playing.playing, playing.clip) == ("", False, 1)
        outcome = playing.poll()
    assert outcome is not None
    assert outcome.end == "silent"
    assert "PortAudio is missing" in outcome.what


def test_words_that_make_no_sense_are_passed_over():
    place = device.Place(clip=1, frame=5)
    for line in (["7"], [], ["x", "play"], ["7", "seek", "nan"], ["7", "seek", "inf"], ["7", "seek", "a"]):
        wishes = device.Wishes()
        wishes._lines = [line, ["9", "play"]]
        assert wishes.take(place, 8000, 2) == device.Place(playing=True, clip=1, frame=5, number=9)
    wishes = device.Wishes()
    wishes._lines = [["1", "switch", "9"], ["2", "seek", "-3"], ["3", "loop", "1"], ["4", "dance"], ["5", "quit"]]
    assert wishes.take(place, 8000, 2) == device.Place(clip=1, frame=0, loop=True, quit=True, number=5)
