import json
import os
import shutil

import numpy as np
import pytest
import soundfile

from gatedtui.data import catalogue, folder, imports, prepare
from gatedtui.errors import BadArgument, BadSource
from gatedtui.sound.midi import write_midi


def song(path, seed):
    made = (np.random.default_rng(seed).random((30, 88)) < 0.1).astype(np.uint8)
    made[0, 0] = made[-1, 0] = 1
    write_midi(made, path, steps_per_quarter=4)


@pytest.fixture
def songs(tmp_path):
    place = tmp_path / "songs"
    place.mkdir()
    for number in range(5):
        song(place / f"{number}.mid", number)
    return place


@pytest.fixture
def sounds(tmp_path):
    place = tmp_path / "sounds"
    place.mkdir()
    for number in range(4):
        wave = np.random.default_rng(number).normal(size=3000) / 10
        soundfile.write(place / f"{number}.wav", np.clip(wave, -1, 1), 8000)
    return place


@pytest.fixture
def builds(monkeypatch):
    """How often a folder has been read."""
    made = []
    build = folder.build
    monkeypatch.setattr(folder, "build", lambda *a, **k: made.append(1) or build(*a, **k))
    return made


def test_a_folder_is_read_once_and_again_when_it_has_changed(songs, tmp_path, builds):
    cache = tmp_path / "cache"
    first = prepare.prepare(str(songs), cache=cache)
    assert prepare.prepare(f"{songs}/", cache=cache).digest == first.digest and len(builds) == 1
    song(songs / "5.mid", 5)
    second = prepare.prepare(str(songs), cache=cache)
    assert len(builds) == 2 and second.digest != first.digest
    (songs / "5.mid").unlink()
    assert prepare.prepare(str(songs), cache=cache).digest == first.digest
    os.utime(songs / "0.mid", ns=(1, 1))
    assert prepare.prepare(str(songs), cache=cache).digest == first.digest
    assert len(builds) == 4
    assert sum(path.suffix == ".npz" for path in (cache / "data").iterdir()) == 1


def test_a_worker_finds_a_prepared_folder_by_its_path_without_looking_at_it(songs, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    with pytest.raises(BadSource, match="is not prepared") as caught:
        prepare.load(str(songs), cache=cache)
    assert caught.value.hint == f"Type: gated data fetch {songs}"
    made = prepare.prepare(str(songs), cache=cache)
    monkeypatch.chdir(tmp_path)
    for name in ("songs", "./songs", str(songs)):
        if name != "songs":
            shutil.rmtree(songs, ignore_errors=True)
        assert prepare.load(name, cache=cache).digest == made.digest
    with pytest.raises(BadSource, match="does not exist"):
        prepare.prepare(str(songs), cache=cache)


def test_each_rate_of_a_folder_is_prepared_for_itself(sounds, tmp_path):
    cache = tmp_path / "cache"
    slow = prepare.prepare(str(sounds), cache=cache)
    fast = prepare.prepare(str(sounds), cache=cache, rate_hz=11_025)
    assert (slow.rate_hz, fast.rate_hz) == (8000, 11_025)
    assert prepare.load(str(sounds), cache=cache).digest == slow.digest
    assert prepare.load(str(sounds), cache=cache, rate_hz=8000).digest == slow.digest
    assert prepare.load(str(sounds), cache=cache, rate_hz=11_025).digest == fast.digest
    with pytest.raises(BadSource, match="not prepared"):
        prepare.load(str(sounds), cache=cache, rate_hz=16_000)


def test_a_damaged_cache_of_a_folder_is_told_and_made_anew(songs, tmp_path, builds):
    cache = tmp_path / "cache"
    prepare.prepare(str(songs), cache=cache)
    prepare.cached(str(songs), cache=cache).write_bytes(b"damaged")
    assert "prepared anew" in prepare.prepare(str(songs), cache=cache).notes[-1]
    assert len(builds) == 2


def test_a_folder_of_nothing_usable_leaves_nothing_in_the_cache(tmp_path):
    place = tmp_path / "songs"
    place.mkdir()
    for number in range(4):
        (place / f"{number}.mid").write_text("words")
    with pytest.raises(BadSource, match="0 usable files"):
        prepare.prepare(str(place), cache=tmp_path / "cache")
    assert [path.suffix for path in (tmp_path / "cache" / "data").iterdir()] == [".lock"]


def test_an_imported_folder_has_a_name_and_stays_as_it_was(songs, tmp_path, builds):
    cache = tmp_path / "cache"
    made = prepare.import_folder("my-songs", songs, cache=cache)
    assert made.name == "my-songs"
    song(songs / "9.mid", 9)
    assert prepare.prepare("my-songs", cache=cache).digest == made.digest
    shutil.rmtree(songs)
    assert (
        prepare.prepare("my-songs", cache=cache).digest == prepare.load("my-songs", cache=cache).digest == made.digest
    )
    assert len(builds) == 1
    assert catalogue.entry("my-songs", cache=cache).kind == "music"


def test_importing_again_takes_what_is_new_and_another_folder_only_when_told(songs, sounds, tmp_path):
    cache = tmp_path / "cache"
    first = prepare.import_folder("mine", songs, cache=cache)
    song(songs / "9.mid", 9)
    assert prepare.import_folder("mine", songs, cache=cache).digest != first.digest
    with pytest.raises(BadArgument, match=f"'mine' is taken: it was imported from '{songs}'") as caught:
        prepare.import_folder("mine", sounds, cache=cache)
    assert "--replace" in caught.value.hint
    made = prepare.import_folder("mine", sounds, cache=cache, rate_hz=4000, overwrite=True)
    assert (made.kind, made.rate_hz) == ("speech", 4000)
    assert catalogue.entry("mine", cache=cache).rate_hz == 4000
    assert prepare.load("mine", cache=cache).digest == made.digest


def test_an_imported_folder_can_be_moved_to_c(songs, tmp_path):
    cache = tmp_path / "cache"
    plain = prepare.import_folder("plain", songs, cache=cache)
    moved = prepare.import_folder("moved", songs, cache=cache, transposed=True)
    assert moved.digest != plain.digest
    assert "Moved to C major or A minor." in moved.notes[0] and "Not transposed." in plain.notes[0]
    prepare.cached("moved", cache=cache).unlink()
    assert prepare.prepare("moved", cache=cache).digest == moved.digest


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("jsb", {}, "taken by a data set of the catalogue"),
        ("tiny", {}, "taken by a data set of the catalogue"),
        ("../x", {}, "cannot be given to data"),
        ("mine", {"rate_hz": 8000}, "is music and has no rate"),
    ],
)
def test_names_and_options_that_do_not_go_are_refused_before_anything_is_read(
    songs, tmp_path, name, options, reason, builds
):
    with pytest.raises(BadArgument, match=reason):
        prepare.import_folder(name, songs, cache=tmp_path / "cache", **options)
    assert builds == [] and not (tmp_path / "cache").exists()


def test_recordings_cannot_be_transposed_and_a_missing_folder_is_named(sounds, tmp_path, monkeypatch):
    with pytest.raises(BadArgument, match="cannot be transposed"):
        prepare.import_folder("mine", sounds, cache=tmp_path / "cache", transposed=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSource, match="'nothing' does not exist"):
        prepare.import_folder("mine", folder.Path("nothing"), cache=tmp_path / "cache")


def test_a_failed_import_leaves_the_list_alone(songs, tmp_path):
    cache = tmp_path / "cache"
    prepare.import_folder("mine", songs, cache=cache)
    before = imports.registry(cache).read_text()
    (songs / "0.mid").unlink()
    for path in list(songs.iterdir())[:3]:
        path.write_text("words")
    with pytest.raises(BadSource, match="1 usable file,"):
        prepare.import_folder("mine", songs, cache=cache)
    assert imports.registry(cache).read_text() == before
    assert json.loads(before)["imports"][0]["path"] == str(songs)
    assert len(prepare.load("mine", cache=cache).splits["train"]) == 3
