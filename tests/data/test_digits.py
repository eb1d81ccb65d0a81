import io
import struct
import tarfile
import wave

import numpy as np
import pytest

from gatedtui.data import digits
from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource


def wav(samples, *, rate_hz=8000, channels=1, width=2):
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(width)
        made.setframerate(rate_hz)
        made.writeframes(samples.tobytes())
    return file.getvalue()


def clip(seed, length=700):
    return np.random.default_rng(seed).integers(-3000, 3000, length).astype(np.int16)


def archived(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(f"free-spoken-digit-dataset-x/recordings/{name}")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A mirror whose archive holds few recordings, which are pinned for this test."""
    files = {f"{d}_{who}_{i}.wav": wav(clip(d * 100 + i)) for d in (3, 7) for who in ("ann", "bob") for i in (0, 5, 10)}
    monkeypatch.setattr(digits, "DIGEST", digits.digest(files))
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / digits.ARCHIVE.name).write_bytes(archived(files))
    return folder


def clips(mirror, cache):
    return digits.clips(wanted="speech-a", cache=cache, mirror=str(mirror), progress=None)


def test_the_clips_are_read_in_order_with_what_their_names_say(mirror, tmp_path):
    found = clips(mirror, tmp_path / "cache")
    assert [one.title for one in found][:4] == ["3_ann_0", "3_ann_10", "3_ann_5", "3_bob_0"]
    assert [one.split for one in found][:3] == ["test", "train", "valid"]
    assert np.array_equal(found[1].samples, clip(310))
    assert found[1].samples.dtype == np.int16


def test_the_digest_is_of_a_line_of_name_and_hash_for_each_recording():
    import hashlib

    lines = f"a.wav {hashlib.sha256(b'1').hexdigest()}\nb.wav {hashlib.sha256(b'2').hexdigest()}\n"
    assert digits.digest({"b.wav": b"2", "a.wav": b"1"}) == hashlib.sha256(lines.encode()).hexdigest()


def test_other_recordings_are_refused_and_nothing_is_kept(mirror, tmp_path):
    (mirror / digits.ARCHIVE.name).write_bytes(archived({"3_ann_0.wav": wav(clip(0))}))
    with pytest.raises(BadSource, match="holds 1 recordings that are not the 3,000 expected ones"):
        clips(mirror, tmp_path / "cache")
    assert not (tmp_path / "cache" / "files").exists()


GOOD = wav(clip(0))


def lying(at, value):
    content = bytearray(GOOD)
    struct.pack_into("<I", content, at, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lying(40, 0x7FFFFFFE), "promises 1,073,741,823 samples and has 700"),
        (lying(40, 1402), "promises 701 samples and has 700"),
        (GOOD[:-10], "promises 700 samples and has 695"),
        (lying(24, 44100), "44100"),
        (wav(clip(0), channels=2), r"\(2, 2, 8000\)"),
        (wav(clip(0), width=1), r"\(1, 1, 8000\)"),
        (lying(20, 3), "no WAV file"),
        (b"", "no WAV file"),
        (GOOD[:30], "no WAV file"),
        (b"RIFF" + bytes(100), "no WAV file"),
    ],
)
def test_a_recording_that_is_not_what_its_header_says_is_refused(content, reason):
    with pytest.raises(Broken, match=f"'x.wav'.*{reason}"):
        digits.samples("x.wav", content)


def test_a_recording_with_another_name_is_refused(mirror, tmp_path, monkeypatch):
    files = {"3_ann_0.wav": GOOD, "evil.wav": GOOD}
    monkeypatch.setattr(digits, "DIGEST", digits.digest(files))
    (mirror / digits.ARCHIVE.name).write_bytes(archived(files))
    with pytest.raises(BadSource, match=r"'evil.wav', whose name is not DIGIT_SPEAKER_INDEX.wav"):
        clips(mirror, tmp_path / "cache")


def test_the_published_recordings_are_the_pinned_ones(published, tmp_path):
    found = clips(published, tmp_path)
    assert len(found) == 3000 and len({one.speaker for one in found}) == 6
    assert sum(len(one.samples) for one in found) == 10_498_424
    assert {(one.digit, one.index) for one in found} == {(d, i) for d in range(10) for i in range(50)}
