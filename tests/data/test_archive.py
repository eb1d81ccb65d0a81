import gzip
import io
import tarfile
import tracemalloc

import pytest

from gatedtui.data import archive
from gatedtui.data.broken import Broken


def member(name, content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def packed(*members, form=tarfile.PAX_FORMAT):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=form) as made:
        for info, content in members:
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


GOOD = member("top/recordings/a.wav", b"first")


def test_the_files_of_one_folder_are_read_and_all_others_passed_over():
    content = packed(
        member("top", type=tarfile.DIRTYPE),
        GOOD,
        member("top/README.md", b"words"),
        member("top/recordings/b.wav", b"second"),
        member("top/recordings/notes.txt", b"no"),
        member("top/other/c.wav", b"no"),
        member("a.wav", b"no"),
    )
    assert archive.files(content, "recordings", ".wav") == {"a.wav": b"first", "b.wav": b"second"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member("/etc/recordings/x.wav", b"x"), "leads out of it"),
        (member("top/../../recordings/x.wav", b"x"), "leads out of it"),
        (member("top\\recordings\\x.wav", b"x"), "leads out of it"),
        (member("top/recordings/x.wav", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
        (member("top/recordings/x.wav", type=tarfile.LNKTYPE, linkname="top/recordings/a.wav"), "is a link"),
        (member("top/elsewhere", type=tarfile.SYMTYPE, linkname="/"), "is a link"),
        (member("top/recordings/x.wav", type=tarfile.CHRTYPE), "neither a file nor a folder"),
        (member("top/recordings/x.wav", type=tarfile.FIFOTYPE), "neither a file nor a folder"),
        (member("top/recordings/a.wav", b"again"), "two files 'a.wav'"),
    ],
)
def test_a_member_that_leads_astray_condemns_the_archive(bad, reason):
    with pytest.raises(Broken, match=reason):
        archive.files(packed(GOOD, bad), "recordings", ".wav")


@pytest.mark.parametrize("content", [b"", b"not an archive", packed(GOOD)[:60], gzip.compress(b"not a tar" * 100)])
def test_what_is_no_archive_is_refused_in_words(content):
    with pytest.raises(Broken, match="cannot be unpacked"):
        archive.files(content, "recordings", ".wav")


def test_a_damaged_archive_is_refused_or_comes_out_short_but_never_crashes():
    content = packed(*(member(f"top/recordings/{i}.wav", bytes([i]) * 3000) for i in range(40)))
    for place in range(0, len(content), max(1, len(content) // 60)):
        bad = content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :]
        try:
            found = archive.files(bad, "recordings", ".wav")
        except Broken:
            continue
        assert len(found) <= 40


def test_a_bomb_is_stopped_at_the_bound(monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 5_000_000)
    bomb = packed(member("top/recordings/a.wav", bytes(12_000_000)))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(Broken, match="unpacks to more than"):
            archive.files(bomb, "recordings", ".wav")
        assert tracemalloc.get_traced_memory()[1] < 11_000_000
    finally:
        tracemalloc.stop()


def test_a_header_that_promises_gigabytes_costs_nothing(monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 5_000_000)
    info = tarfile.TarInfo("top/recordings/a.wav")
    info.size = 2**40
    content = gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"short" + bytes(507))
    with pytest.raises(Broken):
        archive.files(content, "recordings", ".wav")


def test_an_archive_of_too_many_files_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 10)
    with pytest.raises(Broken, match="more than 10 files"):
        archive.files(packed(*(member(f"top/{i}") for i in range(11))), "recordings", ".wav")
