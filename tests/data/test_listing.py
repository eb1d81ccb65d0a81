import os

import pytest

from gatedtui.data import listing
from gatedtui.errors import BadSource


def fill(folder, *names, content=b"x"):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_scores_are_found_in_all_folders_in_order_and_hidden_files_are_not(tmp_path):
    fill(tmp_path, "b.mid", "a/c.MIDI", "a/d/e.mxl", "f.musicxml", "g.xml", ".h.mid", ".git/i.mid", "a/._j.mid")
    found = listing.look(tmp_path)
    assert found.kind == "music"
    assert found.files == ("a/c.MIDI", "a/d/e.mxl", "b.mid", "f.musicxml", "g.xml")
    assert found.skipped == () and found.others == ""


def test_recordings_make_a_set_of_sound_and_other_files_are_counted(tmp_path):
    fill(tmp_path, "a.wav", "b.FLAC", "c.ogg", "d.mp3", "read.me", "x.txt", "y.txt")
    found = listing.look(tmp_path)
    assert found.kind == "speech" and len(found.files) == 4
    assert found.others == "Files of other kinds are passed over: 3 (.txt, .me)."


def test_a_folder_of_both_is_to_be_separated(tmp_path):
    fill(tmp_path, "a.mid", "b.mid", "c.wav")
    with pytest.raises(BadSource, match=r"both scores \(2, as 'a.mid'\) and recordings \(1, as 'c.wav'\)") as caught:
        listing.look(tmp_path)
    assert "two folders" in caught.value.hint


def test_what_is_no_folder_of_data_is_a_bad_source(tmp_path):
    fill(tmp_path, "file.mid", "empty/notes.txt")
    for path, reason in (("file.mid", "is not a folder"), ("gone", "does not exist"), ("empty", "holds nothing")):
        with pytest.raises(BadSource, match=f"{path}' {reason}") as caught:
            listing.look(tmp_path / path)
        assert caught.value.exit_code == 3 and caught.value.hint


def test_what_cannot_be_a_file_of_the_set_is_named_with_the_reason(tmp_path):
    root = fill(tmp_path / "songs", "a.mid", "sub/b.mid")
    fill(root, "empty.mid", content=b"")
    fill(tmp_path, "outside.mid", "dir/c.mid")
    (root / "inside.mid").symlink_to("a.mid")
    (root / "out.mid").symlink_to(tmp_path / "outside.mid")
    (root / "up.mid").symlink_to("../outside.mid")
    (root / "loop.mid").symlink_to("loop.mid")
    (root / "dir").symlink_to(tmp_path / "dir")
    (root / "folder.mid").mkdir()
    os.mkfifo(root / "pipe.mid")
    found = listing.look(root)
    assert found.files == ("a.mid", "inside.mid", "sub/b.mid")
    assert sorted(found.skipped) == [
        "dir: it is a link to a folder",
        "empty.mid: it is empty",
        "loop.mid: it is a link that leads nowhere",
        "out.mid: it is a link that leads out of the folder",
        "pipe.mid: it is not a regular file",
        "up.mid: it is a link that leads out of the folder",
    ]


def test_the_stamp_changes_with_any_file_and_with_nothing_else(tmp_path):
    root = fill(tmp_path / "songs", "a.mid", "b.mid", "notes.txt")
    (tmp_path / "alias").symlink_to(root)
    stamp = listing.look(root).stamp
    assert listing.look(tmp_path / "alias").stamp == stamp
    fill(root, "notes.txt", content=b"other words")
    assert listing.look(root).stamp == stamp
    before = (root / "a.mid").stat()
    os.utime(root / "a.mid", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert listing.look(root).stamp != stamp
    os.utime(root / "a.mid", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert listing.look(root).stamp == stamp
    (root / "b.mid").rename(root / "c.mid")
    assert listing.look(root).stamp != stamp


def test_names_are_shown_without_anything_a_terminal_would_obey(tmp_path):
    assert listing.shown("für 音.mid") == "für 音.mid"
    assert listing.shown("a\x1b[31m\nb\udcff.mid") == "a?[31m?b?.mid"
    (tmp_path / os.fsdecode(b"bad\xff.mid")).write_bytes(b"")
    fill(tmp_path, "a.mid")
    assert listing.look(tmp_path).skipped == ("bad?.mid: it is empty",)


def test_a_folder_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "MAX_FILES", 5)
    fill(tmp_path, *(f"{i}.txt" for i in range(6)))
    with pytest.raises(BadSource, match="more than 5 files"):
        listing.look(tmp_path)
