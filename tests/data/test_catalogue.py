import importlib
import subprocess
import sys

import pytest

from gatedtui.data import catalogue, imports
from gatedtui.data.imports import Import
from gatedtui.errors import BadArgument, BadSource


def test_every_entry_says_how_it_is_made_and_what_it_holds():
    for name, entry in catalogue.CATALOGUE.items():
        assert entry.name == name
        assert callable(importlib.import_module(f"gatedtui.data.{entry.builder}").build)
        assert (entry.steps_per_quarter > 0) == (entry.kind == "music")
        assert (entry.rate_hz > 0) == (entry.kind == "speech")
        assert entry.title and entry.licence and entry.source
        assert bool(entry.digest) == bool(entry.digest_with)


def test_bach_works_without_a_network_and_the_tests_set_is_hidden():
    assert catalogue.entry("bach").offline
    assert not catalogue.entry("bach").hidden
    assert catalogue.entry("tiny").hidden


def test_an_unknown_name_suggests_the_nearest_and_hides_the_tests_set():
    with pytest.raises(BadArgument, match="There is no data set 'bahc'") as caught:
        catalogue.entry("bahc")
    assert "Did you mean 'bach'?" in caught.value.hint
    assert "tiny" not in caught.value.hint
    with pytest.raises(BadArgument):
        catalogue.entry("")


@pytest.mark.parametrize("path", ["songs/", "./bach", "a/b", "C:\\music", "song.mid", "../data/tiny.npz"])
def test_a_path_to_nothing_is_a_bad_source_not_a_name(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadSource, match="does not exist"):
        catalogue.entry(path)


def test_an_existing_folder_is_a_path_and_a_known_name_stays_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("songs", "bach"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.mid").write_bytes(b"not looked into")
    entry = catalogue.entry("songs")
    assert (entry.kind, entry.steps_per_quarter, entry.rate_hz) == ("music", 4, 0)
    assert entry.name == entry.folder == entry.source == str(tmp_path / "songs")
    assert catalogue.entry("bach").builder == "bach"
    assert catalogue.entry("./bach").folder == str(tmp_path / "bach")


def test_a_folder_of_recordings_takes_a_rate_and_other_sets_do_not(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"not looked into")
    assert catalogue.entry(str(tmp_path)).kind == "speech"
    assert catalogue.entry(str(tmp_path)).rate_hz == 8000
    assert catalogue.entry(str(tmp_path), rate_hz=16_000).rate_hz == 16_000
    assert catalogue.entry("speech-a", rate_hz=8000).rate_hz == 8000
    for rate_hz in (999, 192_001):
        with pytest.raises(BadArgument, match=f"data.rate_hz='{rate_hz}' is out of range"):
            catalogue.entry(str(tmp_path), rate_hz=rate_hz)
    with pytest.raises(BadArgument, match="'speech-a' has 8000 samples a second, not '16000'"):
        catalogue.entry("speech-a", rate_hz=16_000)
    (tmp_path / "a.wav").rename(tmp_path / "a.mid")
    for name in ("jsb", str(tmp_path)):
        with pytest.raises(BadArgument, match="is music and has no rate in Hz, so not '8000'"):
            catalogue.entry(name, rate_hz=8000)


def test_an_imported_name_is_an_entry_and_is_suggested(tmp_path):
    imports.add(Import("my-songs", "/gone/songs", "music", 0, True), tmp_path)
    imports.add(Import("birds", "/gone/birds", "speech", 16_000, False), tmp_path)
    entry = catalogue.entry("my-songs", cache=tmp_path)
    assert (entry.kind, entry.folder, entry.imported, entry.transposed) == ("music", "/gone/songs", True, True)
    assert catalogue.entry("birds", cache=tmp_path, rate_hz=16_000).rate_hz == 16_000
    with pytest.raises(BadArgument, match="'birds' has 16000 samples a second, not '8000'") as caught:
        catalogue.entry("birds", cache=tmp_path, rate_hz=8000)
    assert caught.value.hint == "gated data import birds '/gone/birds' --rate-hz 8000 --replace"
    with pytest.raises(BadArgument) as caught:
        catalogue.entry("my-song", cache=tmp_path)
    assert "Did you mean 'my-songs'?" in caught.value.hint
    assert [one.name for one in catalogue.every(cache=tmp_path)][-2:] == ["birds", "my-songs"]


def test_the_cached_file_of_a_folder_hangs_on_its_path_and_rate_and_needs_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def place(name, **options):
        return catalogue.cache_file(name, cache=tmp_path / "cache", **options)

    assert place("./songs") == place(str(tmp_path / "songs")) == place("x/../songs", rate_hz=8000)
    assert place("./songs") != place("./songs", rate_hz=16_000)
    assert place("./songs") != place("./song")
    assert place("jsb").name == "jsb-1.npz"
    (tmp_path / "cache").mkdir()
    imports.add(Import("my-songs", "/gone/songs", "music", 0, True), tmp_path / "cache")
    assert place("my-songs").name == "import-my-songs-1.npz"
    with pytest.raises(BadArgument, match="'songs'"):
        place("songs")


def test_a_damaged_list_of_imports_spares_the_catalogue(tmp_path):
    imports.registry(tmp_path).write_text("damaged")
    assert catalogue.entry("jsb", cache=tmp_path).name == "jsb"
    with pytest.raises(BadSource, match="cannot be read"):
        catalogue.entry("my-songs", cache=tmp_path)


def test_the_catalogue_is_read_without_numpy():
    code = (
        "import sys; from gatedtui.data import catalogue; catalogue.every()\n"
        "print({'numpy', 'scipy', 'music21', 'torch', 'soundfile'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
