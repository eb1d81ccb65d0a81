import errno
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from gatedtui.data import catalogue, dataset, prepare, tiny
from gatedtui.errors import BadArgument, BadSource


@pytest.fixture
def builds(monkeypatch):
    """How often the tests' set has been made."""
    made = []
    build = tiny.build
    monkeypatch.setattr(tiny, "build", lambda *a, **k: made.append(1) or build(*a, **k))
    return made


def test_a_set_is_made_once_and_then_read(tmp_path, builds):
    first = prepare.prepare("tiny", cache=tmp_path / "new" / "cache")
    again = prepare.prepare("tiny", cache=tmp_path / "new" / "cache")
    loaded = prepare.load("tiny", cache=tmp_path / "new" / "cache")
    assert len(builds) == 1
    assert first.digest == again.digest == loaded.digest
    assert first.notes == again.notes == loaded.notes
    assert list(first.splits) == list(loaded.splits) == list(dataset.SPLITS)


def test_a_set_that_is_not_prepared_is_not_loaded_and_nothing_is_written(tmp_path):
    with pytest.raises(BadSource, match="'tiny' is not prepared") as caught:
        prepare.load("tiny", cache=tmp_path / "cache")
    assert caught.value.hint == "Type: gated data fetch tiny"
    assert list(tmp_path.iterdir()) == []


def test_names_and_paths_are_told_apart(tmp_path):
    for call in (prepare.prepare, prepare.load):
        with pytest.raises(BadArgument, match="no data set 'tinny'"):
            call("tinny", cache=tmp_path)
        with pytest.raises(BadSource, match=r"'\.\./tiny'"):
            call("../tiny", cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_an_archive(path):
    path.write_bytes(b"not an archive")


def objects(path):
    with path.open("wb") as file:
        np.savez(file, labels=np.array([{}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize("damage", [cut, not_an_archive, objects])
def test_a_damaged_cache_is_told_and_made_anew(tmp_path, builds, damage):
    whole = prepare.prepare("tiny", cache=tmp_path)
    path = prepare.cached("tiny", cache=tmp_path)
    damage(path)
    with pytest.raises(BadSource, match="is damaged") as caught:
        prepare.load("tiny", cache=tmp_path)
    assert caught.value.hint == "Type: gated data fetch tiny"
    told = []
    mended = prepare.prepare("tiny", cache=tmp_path, progress=lambda what, done, total: told.append(what))
    assert len(builds) == 2
    assert mended.digest == whole.digest
    assert f"'{path}' is damaged" in mended.notes[-1] and "prepared anew" in mended.notes[-1]
    assert mended.notes[-1] in told
    assert prepare.prepare("tiny", cache=tmp_path).notes == whole.notes


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(BadSource, match=r"cache folder '.*file' cannot be written: Not a directory") as caught:
        prepare.prepare("tiny", cache=blocked)
    assert "GATED_CACHE" in caught.value.hint


def test_a_full_disk_is_told_and_nothing_half_written_stays(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(dataset.os, "fsync", full)
    with pytest.raises(BadSource, match="cannot be written: No space left on device") as caught:
        prepare.prepare("tiny", cache=tmp_path)
    assert "GATED_CACHE" in caught.value.hint
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["tiny-1.npz.lock"]


def test_a_prepared_set_is_read_from_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    prepare.prepare("tiny", cache=tmp_path)

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(prepare.os, "open", refused)
    assert prepare.prepare("tiny", cache=tmp_path).name == "tiny"
    prepare.cached("tiny", cache=tmp_path).unlink()
    with pytest.raises(BadSource, match="Permission denied"):
        prepare.prepare("tiny", cache=tmp_path)


def test_another_content_than_recorded_is_noted_and_kept(tmp_path, monkeypatch):
    entry = catalogue.CATALOGUE["tiny"]
    monkeypatch.setitem(catalogue.CATALOGUE, "tiny", replace(entry, digest="f" * 64, digest_with="music99 1.0"))
    data = prepare.prepare("tiny", cache=tmp_path)
    assert "differs from the one prepared with music99 1.0" in data.notes[-1]
    assert prepare.load("tiny", cache=tmp_path).notes == data.notes


def test_a_new_edition_is_made_beside_the_old_one(tmp_path, monkeypatch, builds):
    prepare.prepare("tiny", cache=tmp_path)
    monkeypatch.setitem(catalogue.CATALOGUE, "tiny", replace(catalogue.CATALOGUE["tiny"], edition=2))
    prepare.prepare("tiny", cache=tmp_path)
    assert len(builds) == 2


PROCESS = """
import json, pathlib, sys, time
from gatedtui.data import prepare, tiny

role, cache = sys.argv[1], pathlib.Path(sys.argv[2])
build = tiny.build

def slow(*args, **options):
    (cache / f"{role} builds").touch()
    for _ in range(3000):
        if (cache / "go").exists():
            return build(*args, **options)
        time.sleep(0.01)
    raise SystemExit("nobody waited")

tiny.build = slow

def progress(what, done, total):
    if "waiting" in what:
        (cache / "go").touch()

print(json.dumps([prepare.prepare("tiny", cache=cache, progress=progress).digest]))
"""


def test_of_two_processes_at_once_one_prepares_and_the_other_waits_and_reads(tmp_path):
    def start(role):
        return subprocess.Popen([sys.executable, "-c", PROCESS, role, str(tmp_path)], stdout=subprocess.PIPE)

    first = start("first")
    second = None
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "first builds").exists():
            assert time.monotonic() < deadline and first.poll() is None
            time.sleep(0.01)
        second = start("second")
        digests = [json.loads(process.communicate(timeout=60)[0]) for process in (first, second)]
    finally:
        for process in (first, second):
            if process and process.poll() is None:
                process.kill()
                process.wait()
    assert digests[0] == digests[1]
    assert not (tmp_path / "second builds").exists()
