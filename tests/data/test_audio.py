import io
import struct

import numpy as np
import pytest
import soundfile

from gatedtui.data import audio
from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource


def written(path, *, rate_hz=8000, channels=1, samples=4000, **options):
    wave = (0.5 * np.sin(np.arange(samples * channels) * 0.1)).astype(np.float32).reshape(samples, channels)
    soundfile.write(path, wave, rate_hz, **options)
    return path


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 1), (44_100, 2)])
def test_a_whole_file_of_every_kind_is_read(tmp_path, ending, rate_hz, channels):
    path = written(tmp_path / f"a.{ending}", rate_hz=rate_hz, channels=channels)
    samples, found_hz = audio.read_audio(path, whole=True)
    assert (samples.shape, samples.dtype, found_hz) == ((4000,), np.float32, rate_hz)


def test_blocks_are_joined_without_a_seam(tmp_path, monkeypatch):
    path = written(tmp_path / "a.wav")
    want, _ = audio.read_audio(path)
    monkeypatch.setattr(audio, "BLOCK", 77)
    assert np.array_equal(audio.read_audio(path)[0], want)


def lying(path, promised):
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 40, promised)
    path.write_bytes(content)


@pytest.mark.parametrize("promised", [8002, 0x7FFFFFC0, 0xFFFFFFFF])
def test_a_wav_header_that_promises_more_than_there_is_is_refused_where_the_whole_is_asked_for(tmp_path, promised):
    path = written(tmp_path / "a.wav")
    lying(path, promised)
    with pytest.raises(Broken, match=f"promises {promised:,} bytes of sound and holds 8,000"):
        audio.samples(path, whole=True)
    assert len(audio.read_audio(path)[0]) == 4000
    with pytest.raises(BadSource, match=r"a\.wav' cannot be read as audio: it promises"):
        audio.read_audio(path, whole=True)


def test_a_wav_file_that_was_cut_off_is_refused_where_the_whole_is_asked_for(tmp_path):
    path = written(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(Broken, match="promises 8,000 bytes of sound and holds 7,000"):
        audio.samples(path, whole=True)


def test_chunks_before_and_behind_the_samples_are_no_lie(tmp_path):
    content = written(tmp_path / "a.wav").read_bytes()
    extra = b"LIST" + struct.pack("<I", 5) + b"words\0"
    (tmp_path / "a.wav").write_bytes(content[:12] + extra + content[12:] + extra)
    assert len(audio.samples(tmp_path / "a.wav", whole=True)[0]) == 4000


def test_text_that_is_called_mp3_is_refused_without_a_word_from_the_decoder(tmp_path, capfd):
    (tmp_path / "a.mp3").write_text("hello")
    with pytest.raises(Broken, match="is in no known audio format"):
        audio.samples(tmp_path / "a.mp3", whole=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg"])
def test_damaged_files_are_refused_or_read_but_never_crash(tmp_path, ending):
    generator = np.random.default_rng(5)
    good = written(tmp_path / f"good.{ending}").read_bytes()
    path = tmp_path / f"bad.{ending}"
    for _ in range(40):
        bad = bytearray(good[: int(generator.integers(1, len(good) + 1))])
        for place in generator.integers(0, min(len(bad), 200), 2):
            bad[place] = generator.integers(0, 256)
        path.write_bytes(bad)
        try:
            samples, rate_hz = audio.samples(path, whole=True)
        except Broken:
            continue
        assert len(samples) and rate_hz > 0 and np.isfinite(samples).all()


def test_the_bytes_of_a_file_decide_and_not_its_ending(tmp_path):
    content = io.BytesIO()
    soundfile.write(content, np.ones(100) / 2, 8000, format="FLAC")
    for name in ("a.wav", "a.mp3"):
        (tmp_path / name).write_bytes(content.getvalue())
        assert len(audio.samples(tmp_path / name, whole=True)[0]) == 100
    real = written(tmp_path / "b.mp3").read_bytes()
    (tmp_path / "b.mp3").write_bytes(bytes(300) + real)
    assert len(audio.samples(tmp_path / "b.mp3", whole=False)[0]) > 3000
