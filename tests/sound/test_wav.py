import io
import os
import struct

import numpy as np
import pytest
import soundfile

from gatedtui.errors import BadArgument, BadSource, GatedError
from gatedtui.sound import wav
from gatedtui.sound.wav import measure_audio, read_audio, read_stereo, write_audio


def tone(samples=4000, peak=0.5):
    return (peak * np.sin(np.arange(samples) * 0.1)).astype(np.float32)


def test_written_samples_come_back_within_half_a_step(tmp_path):
    assert write_audio(tone(), 8000, tmp_path / "a.wav") == 1.0
    samples, rate_hz = read_audio(tmp_path / "a.wav")
    assert (samples.dtype, rate_hz) == (np.float32, 8000)
    assert np.abs(samples * 32768 / 32767 - tone()).max() <= 0.5 / 32767 + 1e-7
    facts = measure_audio(tmp_path / "a.wav")
    assert (facts.format, facts.channels, facts.duration_s) == ("WAV", 1, 0.5)
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"


def test_stereo_is_written_as_it_is_and_read_as_its_mean(tmp_path):
    both = np.stack([tone(), np.zeros(4000, np.float32)], axis=1)
    write_audio(both, 8000, tmp_path / "a.wav")
    assert measure_audio(tmp_path / "a.wav").channels == 2
    assert np.abs(read_audio(tmp_path / "a.wav")[0] - tone() / 2).max() < 1e-4


def test_the_same_samples_give_the_same_bytes_and_leave_nothing_else(tmp_path):
    for name in ("a.wav", "b.wav"):
        write_audio(tone(), 8000, tmp_path / name)
    content = (tmp_path / "a.wav").read_bytes()
    assert content == (tmp_path / "b.wav").read_bytes()
    assert len(content) == 44 + 2 * 4000
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("peak", [1.0, 1.0001, 3.0, 1e6])
def test_a_signal_beyond_full_scale_is_made_quieter_and_never_clipped(tmp_path, peak):
    samples = np.linspace(-peak, peak, 1001)
    gain = write_audio(samples, 8000, tmp_path / "a.wav")
    assert gain == pytest.approx(1 / peak)
    written, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert (written.min(), written.max()) == (-32767, 32767)
    assert np.abs(written - 32767 * samples * gain).max() <= 0.51


def test_long_sounds_are_converted_in_blocks_without_a_seam(tmp_path, monkeypatch):
    monkeypatch.setattr(wav, "_BLOCK", 77)
    write_audio(tone(), 8000, tmp_path / "a.wav")
    samples, _ = read_audio(tmp_path / "a.wav")
    assert np.abs(samples - tone()).max() < 1e-4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_samples_that_are_not_numbers_are_not_written(tmp_path, value):
    samples = tone()
    samples[7] = value
    with pytest.raises(GatedError, match="not numbers"):
        write_audio(samples, 8000, tmp_path / "a.wav")
    assert not list(tmp_path.iterdir())


def test_nothing_and_bad_rates_are_refused(tmp_path):
    with pytest.raises(ValueError, match="audio is"):
        write_audio(np.zeros(0), 8000, tmp_path / "a.wav")
    with pytest.raises(BadArgument, match="'0'"):
        write_audio(tone(), 0, tmp_path / "a.wav")
    with pytest.raises(BadSource, match="missing"):
        write_audio(tone(), 8000, tmp_path / "missing" / "a.wav")


def encoded(form, subtype=None, samples=None, rate_hz=8000):
    content = io.BytesIO()
    soundfile.write(content, tone() if samples is None else samples, rate_hz, format=form, subtype=subtype)
    return content.getvalue()


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "FLOAT"), ("FLAC", None), ("OGG", "VORBIS"), ("AIFF", None)])
def test_other_formats_are_read(tmp_path, form, subtype):
    (tmp_path / "a").write_bytes(encoded(form, subtype))
    samples, rate_hz = read_audio(tmp_path / "a")
    assert (len(samples), rate_hz) == (4000, 8000)
    assert np.abs(samples - tone()).max() < 0.1


def test_a_wav_header_that_promises_gigabytes_gives_what_is_there(tmp_path):
    content = bytearray(encoded("WAV", "PCM_16"))
    struct.pack_into("<I", content, 4, 0x7FFFFFF0)
    struct.pack_into("<I", content, 40, 0x7FFFFFC0)
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_audio(tmp_path / "a.wav")[0]) == 4000


def test_a_flac_header_that_promises_terabytes_is_refused(tmp_path):
    content = bytearray(encoded("FLAC"))
    content[21] |= 0x0F
    content[22:26] = b"\xff\xff\xff\xff"
    (tmp_path / "a.flac").write_bytes(content)
    with pytest.raises(BadSource, match="too long"):
        read_audio(tmp_path / "a.flac")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cannot be read as audio"),
        (b"not audio at all", "cannot be read as audio"),
        (encoded("WAV", "PCM_16")[:30], "cannot be read as audio"),
        (encoded("FLAC")[:200], "cannot be read as audio"),
        (encoded("WAV", "PCM_16", samples=np.zeros(0)), "holds no sound"),
        (encoded("WAV", "FLOAT", samples=np.array([0.0, np.nan])), "not numbers"),
    ],
    ids=["empty", "text", "half a header", "half a FLAC", "no samples", "NaN"],  # a float WAV's bytes hold the time
)
def test_a_broken_file_is_one_clear_sentence(tmp_path, content, reason):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadSource) as caught:
        read_audio(path)
    assert f"'{path}'" in caught.value.what
    assert reason in caught.value.what
    assert "\n" not in caught.value.what


def test_raw_samples_folders_pipes_and_missing_files_are_refused(tmp_path):
    (tmp_path / "a.raw").write_bytes(bytes(100))
    os.mkfifo(tmp_path / "pipe.wav")
    for name in ("a.raw", "pipe.wav", ".", "missing.wav"):
        with pytest.raises(BadSource):
            read_audio(tmp_path / name)


@pytest.mark.parametrize(("ending", "form"), [(".wav", "WAV"), (".flac", "FLAC"), (".ogg", "OGG"), (".MP3", "MP3")])
@pytest.mark.parametrize("shape", ["mono", "stereo"])
def test_the_ending_chooses_the_format(tmp_path, ending, form, shape):
    sound = tone(30_000) if shape == "mono" else np.stack([tone(30_000), 0.3 * tone(30_000)], axis=1)
    path = tmp_path / f"a{ending}"
    assert write_audio(sound, 22_050, path) == 1.0
    facts = measure_audio(path)
    assert (facts.format, facts.rate_hz, facts.channels) == (form, 22_050, sound.ndim)
    assert facts.frames == pytest.approx(30_000, abs=3000 if form == "MP3" else 0)
    both, rate_hz = read_stereo(path)
    assert (both.shape[1], rate_hz, both.dtype) == (2, 22_050, np.float32)
    part = slice(5000, 20_000)
    expected = np.sqrt(np.mean((sound if shape == "stereo" else np.stack([sound] * 2, axis=1))[part] ** 2, axis=0))
    assert np.sqrt(np.mean(both[part] ** 2, axis=0)) == pytest.approx(expected, rel=0.05)


def test_a_minute_of_stereo_vorbis_is_written_in_blocks(tmp_path):
    """Given at once, libsndfile overflows its stack."""
    write_audio(np.zeros((44_100 * 60, 2), np.float32), 44_100, tmp_path / "a.ogg")
    assert measure_audio(tmp_path / "a.ogg").duration_s == 60


def test_an_mp3_file_refuses_rates_it_cannot_hold(tmp_path):
    with pytest.raises(BadArgument, match="'10000'"):
        write_audio(tone(), 10_000, tmp_path / "a.mp3")
    assert not list(tmp_path.iterdir())


def test_reading_both_channels_refuses_what_reading_one_does(tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full((10, 2), np.nan), 8000, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("no sound")
    for name in ("nan.wav", "text.wav", "missing.wav"):
        with pytest.raises(BadSource) as caught:
            read_stereo(tmp_path / name)
        assert f"'{tmp_path / name}'" in caught.value.what


def test_of_more_than_two_channels_the_first_two_are_taken(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile([0.1, 0.2, 0.3], (50, 1)), 8000)
    assert read_stereo(tmp_path / "a.wav")[0][7].tolist() == pytest.approx([0.1, 0.2], abs=1e-4)
