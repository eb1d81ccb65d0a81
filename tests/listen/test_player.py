import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from gatedtui.errors import BadSource
from gatedtui.listen import player
from gatedtui.sound.midi import write_midi
from gatedtui.sound.room import TAIL_S
from gatedtui.sound.strings import LONGEST_RELEASE_S
from gatedtui.sound.wav import measure_audio, write_audio

ROOT = Path(player.__file__).parents[2]
TAIL = LONGEST_RELEASE_S + TAIL_S
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake players are shell scripts")

NO_PORTAUDIO = "raise OSError('PortAudio library not found')"
NO_DEVICE = """
class PortAudioError(Exception): ...
def query_devices(kind): raise PortAudioError('Error querying device -1')
"""
FAKE_DEVICE = """
import os, sys, time
import numpy
print('ALSA lib confmisc.c: noise', file=sys.stderr)
RATE = {rate}
class PortAudioError(Exception): ...
def query_devices(kind): return {{'default_samplerate': float(RATE or 48000)}}
def check_output_settings(samplerate, channels, dtype):
    if RATE and (samplerate, channels) != (RATE, 2): raise PortAudioError('Invalid sample rate')
class OutputStream:
    def __init__(self, samplerate, channels, dtype):
        self.about, self.heard = (samplerate, channels), []
    def __enter__(self): return self
    def write(self, block):
        assert block.dtype == 'float32' and block.flags.c_contiguous
        self.heard.append(block.copy())
        time.sleep({delay})
    def __exit__(self, *error):
        numpy.savez({heard!r}, about=self.about, heard=numpy.concatenate(self.heard))
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing to play sound: no PortAudio, an empty PATH. Tests add what they need."""
    binaries, modules, temporary = (tmp_path / name for name in ("bin", "modules", "tmp"))
    for folder in (binaries, modules, temporary):
        folder.mkdir()
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (modules / "sounddevice.py").write_text(NO_PORTAUDIO)
    return tmp_path


def fake_player(machine, name, *, code=0, then=""):
    """A player that writes down its arguments and keeps a copy of the file it was given last."""
    script = machine / "bin" / name
    copy = 'for file; do :; done; /bin/cp "$file" "$0.copy"'
    script.write_text(f'#!/bin/sh\necho noise; echo noise >&2\necho "$@" > "$0.log"\n{copy}\n{then}\nexit {code}\n')
    script.chmod(0o755)
    return script


def arguments(script):
    return Path(f"{script}.log").read_text().split()


def fake_device(machine, *, rate=0, delay=0.0):
    heard = machine / "heard.npz"
    (machine / "modules" / "sounddevice.py").write_text(FAKE_DEVICE.format(rate=rate, delay=delay, heard=str(heard)))
    return heard


def tone(machine, name="a tone.wav", *, length_s=0.2, rate_hz=8000):
    path = machine / name
    write_audio(0.5 * np.sin(np.arange(int(length_s * rate_hz)) * 0.3), rate_hz, path)
    return path


def song(machine):
    path = machine / "song.mid"
    roll = np.zeros((4, 88), np.uint8)
    roll[:, 39] = 1
    write_midi(roll, path, qpm=120, steps_per_quarter=4)
    return path


def test_the_sound_device_plays_the_samples_of_the_file(machine, capfd):
    heard, path = fake_device(machine), tone(machine)
    other = fake_player(machine, "aplay")
    outcome = player.play(path)
    assert (outcome.end, outcome.how, outcome.duration_s) == ("played", "sounddevice", 0.2)
    with np.load(heard) as kept:
        assert kept["about"].tolist() == [8000, 1]
        assert np.array_equal(kept["heard"][:, 0], soundfile.read(path, dtype="float32")[0])
    assert not Path(f"{other}.log").exists()
    assert capfd.readouterr() == ("", "")


def test_a_device_that_takes_neither_the_rate_nor_mono_gets_both_converted(machine):
    heard = fake_device(machine, rate=44_100)
    assert player.play(tone(machine)).how == "sounddevice"
    with np.load(heard) as kept:
        sound = kept["heard"]
        assert kept["about"].tolist() == [44_100, 2]
    assert np.array_equal(sound[:, 0], sound[:, 1])
    assert len(sound) == round(0.2 * 44_100)
    spectrum = np.abs(np.fft.rfft(sound[:, 0]))
    assert np.argmax(spectrum) * 44_100 / len(sound) == pytest.approx(0.3 * 8000 / 2 / np.pi, abs=5)


@pytest.mark.parametrize("name", [program.name for program in player.PROGRAMS])
def test_without_a_device_a_player_on_path_gets_the_file(machine, name, capfd):
    script, path = fake_player(machine, name), tone(machine)
    outcome = player.play(path)
    assert (outcome.end, outcome.how) == ("played", name)
    assert " ".join(arguments(script)).endswith(str(path))
    assert Path(f"{script}.copy").read_bytes() == path.read_bytes()
    assert capfd.readouterr() == ("", "")


def test_a_relative_name_with_a_dash_is_not_taken_for_an_option(machine, monkeypatch):
    script = fake_player(machine, "aplay")
    tone(machine, "-q.wav")
    monkeypatch.chdir(machine)
    assert player.play("-q.wav").end == "played"
    assert arguments(script) == ["-q", str(machine / "-q.wav")]


def test_a_player_that_fails_hands_over_to_the_next(machine):
    first, second = fake_player(machine, "paplay", code=1), fake_player(machine, "ffplay")
    (machine / "bin" / "pw-play").write_text("no program at all")
    (machine / "bin" / "pw-play").chmod(0o755)
    assert player.play(tone(machine)).how == "ffplay"
    assert arguments(first)
    assert arguments(second)


def test_only_wav_files_are_given_to_aplay(machine):
    """It would play a FLAC file as noise."""
    script = fake_player(machine, "aplay")
    soundfile.write(machine / "a.flac", np.zeros(800), 8000)
    outcome = player.play(machine / "a.flac")
    assert (outcome.end, outcome.duration_s) == ("silent", 0.1)
    assert not Path(f"{script}.log").exists()


def test_a_midi_file_is_played_on_the_piano_and_the_temporary_file_removed(machine):
    script, path = fake_player(machine, "aplay"), song(machine)
    outcome = player.play(path)
    assert (outcome.end, outcome.path) == ("played", path)
    assert outcome.duration_s == pytest.approx(0.5 + TAIL, abs=0.01)
    facts = measure_audio(f"{script}.copy")
    assert (facts.format, facts.rate_hz, facts.duration_s) == ("WAV", 44_100, outcome.duration_s)
    assert not list((machine / "tmp").iterdir())


def test_a_midi_file_keeps_its_changes_of_tempo_and_its_loudness(machine):
    # Two notes of a quarter; the second, softer one at a quarter of the speed: 0.5 s and 2 s.
    track = bytes.fromhex(
        "00903c7f 60803c00 00ff5103 1e8480 00903c40 60803c00 00994040 60894040 00ff2f00".replace(" ", "")
    )
    header = b"MThd" + bytes.fromhex("00000006 0000 0001 0060")
    path = machine / "a.mid"
    path.write_bytes(header + b"MTrk" + len(track).to_bytes(4, "big") + track)
    script = fake_player(machine, "aplay")
    assert player.play(path).duration_s == pytest.approx(2.5 + TAIL, abs=0.01)
    sound, rate_hz = soundfile.read(f"{script}.copy")
    first, second = (np.abs(sound[int(at * rate_hz) : int((at + 0.3) * rate_hz)]).max() for at in (0.1, 0.6))
    assert second / first == pytest.approx((64 / 127) ** 2, rel=0.15)


def test_without_any_way_the_outcome_names_the_file_and_what_to_install(machine, monkeypatch, capfd):
    monkeypatch.setattr(sys, "platform", "linux")
    for path in (tone(machine), song(machine)):
        outcome = player.play(path)
        assert (outcome.end, outcome.how, outcome.elapsed_s) == ("silent", "", 0.0)
        assert f"'{path}'" in outcome.what
        assert "PortAudio is missing" in outcome.what
        assert "no player is on PATH" in outcome.what
        assert "apt-get install libportaudio2" in outcome.hint
        assert "to a machine with sound" in outcome.hint
    assert capfd.readouterr() == ("", "")
    assert not list((machine / "tmp").iterdir())


def test_without_a_device_nothing_is_to_be_installed(machine):
    (machine / "modules" / "sounddevice.py").write_text(NO_DEVICE)
    fake_player(machine, "aplay", code=1)
    outcome = player.play(tone(machine))
    assert outcome.end == "silent"
    assert "no sound device was found, and aplay failed" in outcome.what
    assert "install" not in outcome.hint


def test_a_player_that_ends_far_too_early_is_not_believed_blindly(machine):
    fake_player(machine, "ffplay")
    outcome = player.play(tone(machine, length_s=60.0))
    assert "of 60.0 s" in outcome.what
    assert "to a machine with sound" in outcome.hint


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.mid", "a"])
@pytest.mark.parametrize("content", [b"", b"neither sound nor notes", b"MThd but then nothing", b"RIFF0000WAVEfmt "])
def test_a_broken_file_is_refused_before_anything_starts(machine, name, content, capfd):
    script, path = fake_player(machine, "aplay"), machine / name
    path.write_bytes(content)
    with pytest.raises(BadSource) as caught:
        player.play(path)
    assert f"'{path}'" in caught.value.what
    assert not Path(f"{script}.log").exists()
    assert capfd.readouterr() == ("", "")
    assert not list((machine / "tmp").iterdir())


def test_missing_files_folders_and_endless_midi_files_are_refused(machine):
    endless = machine / "endless.mid"
    track = bytes.fromhex("00903c40 ffffff7f803c00 00ff2f00")
    endless.write_bytes(
        b"MThd" + bytes.fromhex("00000006 0000 0001 0001") + b"MTrk" + len(track).to_bytes(4, "big") + track
    )
    for path in (endless, machine / "missing.wav", machine):
        with pytest.raises(BadSource) as caught:
            player.start(path)
        assert f"'{path}'" in caught.value.what


def is_gone(pid, deadline_s=20.0):
    """Whether the process ends within that time (one that nobody has collected yet has ended)."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def started(log, playing=None, deadline_s=20.0):
    """Waits for a fake player to say its process id; a handle moves on to the next player when it is asked."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        assert playing is None or playing.poll() is None
        if log.exists() and log.read_text().endswith("\n"):
            return int(log.read_text())
        time.sleep(0.01)
    raise AssertionError("the player was never started")


LONG = 'echo $$ > "$0.pid"\nexec /bin/sleep 60'


def test_a_handle_tells_the_place_and_stops_the_player_at_once(machine):
    script = fake_player(machine, "aplay", then=LONG)
    playing = player.start(tone(machine, length_s=50.0))
    assert playing.duration_s == 50.0
    assert playing.wait(timeout_s=0.0) is None
    pid = started(Path(f"{script}.pid"), playing)
    assert 0.0 <= playing.position_s < 50.0
    outcome = playing.stop()
    assert (outcome.end, outcome.how) == ("stopped", "aplay")
    assert is_gone(pid)
    assert playing.wait() is playing.stop() is outcome
    assert playing.position_s == pytest.approx(outcome.elapsed_s, abs=0.01)


def test_stopping_from_another_thread_ends_the_wait_and_starts_no_other_player(machine):
    script, other = fake_player(machine, "aplay", then=LONG), fake_player(machine, "ffplay")
    playing = player.start(tone(machine, length_s=50.0))
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(playing.wait()))
    thread.start()
    started(Path(f"{script}.pid"))
    playing.stop()
    thread.join(20)
    assert [outcome.end for outcome in outcomes] == ["stopped"]
    assert not Path(f"{other}.log").exists()


def test_leaving_the_handle_stops_the_sound(machine):
    script = fake_player(machine, "aplay", then=LONG)
    with player.start(song(machine)) as playing:
        thread = threading.Thread(target=playing.wait)
        thread.start()
        pid = started(Path(f"{script}.pid"))
    thread.join(20)
    assert is_gone(pid)
    assert not list((machine / "tmp").iterdir())


def slow(machine, how):
    """Something that plays for a minute, and the file in which it says its process id."""
    log = Path(f"{fake_player(machine, 'aplay', then=LONG)}.pid")
    if how == "sounddevice":
        fake_device(machine, delay=60.0)
        module = machine / "modules" / "sounddevice.py"
        module.write_text(f"{module.read_text()}\nopen({str(log)!r}, 'w').write(f'{{os.getpid()}}\\n')\n")
    return log


@pytest.mark.parametrize("how", ["aplay", "sounddevice"])
def test_ctrl_c_stops_the_child_quietly(machine, how):
    log = slow(machine, how)
    code = (
        f"import sys; sys.path.append({str(ROOT)!r})\n"
        "from gatedtui.listen.player import play\n"
        "outcome = play(sys.argv[1]); sys.stdout.write(f'{outcome.end} {outcome.how}')\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tone(machine, length_s=50.0))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    pid = started(log)
    time.sleep(0.2)
    os.killpg(parent.pid, signal.SIGINT)  # as a terminal does: to parent and child
    out, err = parent.communicate(timeout=20)
    assert (out.decode(), err.decode()) == (f"interrupted {how}", "")
    assert is_gone(pid)


@pytest.mark.parametrize("how", ["aplay", "sounddevice"])
def test_the_sound_ends_when_the_program_is_killed(machine, how):
    log = slow(machine, how)
    code = f"import sys; sys.path.append({str(ROOT)!r})\nfrom gatedtui.listen.player import play\nplay(sys.argv[1])\n"
    parent = subprocess.Popen([sys.executable, "-c", code, str(tone(machine, length_s=50.0))])
    pid = started(log)
    parent.kill()
    parent.wait()
    assert is_gone(pid)


def test_a_file_in_the_current_folder_cannot_pose_as_a_module(machine, monkeypatch):
    heard = fake_device(machine)
    trap = machine / "here"
    trap.mkdir()
    for name in ("numpy.py", "soundfile.py", "threading.py"):
        (trap / name).write_text("raise SystemExit(1)")
    path = tone(machine)
    monkeypatch.chdir(trap)
    assert player.play(path).how == "sounddevice"
    assert heard.exists()


def test_the_player_needs_neither_torch_nor_a_sound_library_to_be_imported():
    code = (
        f"import sys; sys.path.append({str(ROOT)!r})\nimport gatedtui.listen.player\n"
        "heavy = {'torch', 'scipy', 'sounddevice', 'soundfile', 'pretty_midi', 'music21', 'matplotlib'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_doubtful_mp3_plays_without_a_word_on_the_terminal(machine, capfd):
    """libsndfile's decoder comments on files that were cut off."""
    soundfile.write(machine / "whole.mp3", np.sin(np.arange(44_100) * 0.05), 44_100, format="MP3")
    content = (machine / "whole.mp3").read_bytes()
    (machine / "cut.mp3").write_bytes(content[: len(content) // 2])
    fake_player(machine, "mpv")
    assert player.play(machine / "cut.mp3").how == "mpv"
    assert capfd.readouterr() == ("", "")
