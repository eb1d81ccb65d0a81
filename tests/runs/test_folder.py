"""Run folders: names, creation that leaves nothing half made, listing, removal that stays inside."""

import errno
import os
import threading
from pathlib import Path

import pytest

from gatedtui.config import DataConfig, ModelConfig, RunConfig
from gatedtui.errors import BadArgument, BadSource
from gatedtui.runs import folder as folders
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.lock import held

CONFIG = RunConfig(ModelConfig(unit="lstm", hidden=36), DataConfig(name="jsb"), seed=7)


def everything_in(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*"))


@pytest.mark.parametrize(
    "name",
    ["a", "x" * 80, "größe ♪ 日本語", "a-b.c", "[red]loud[b]", "two words", "…", "gru:1", "a$(b)"],
)
def test_printable_names_are_allowed(name: str, tmp_path: Path):
    assert folders.check_name(name) == name
    made = folders.create(tmp_path, name, CONFIG)
    assert made.name == name and folders.find(tmp_path, name) == made


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 81,
        ".hidden",
        "..",
        ".",
        "-flag",
        "a/b",
        "/",
        "a\\b",
        "a\nb",
        "\x1b[31m",
        "a\x00",
        "a\udc80",
        "a\u202eb",
        "\t",
    ],
)
def test_other_names_are_refused_with_the_value_shown_safely(name: str, tmp_path: Path):
    with pytest.raises(BadArgument) as caught:
        folders.create(tmp_path, name, CONFIG)
    assert caught.value.what.isprintable() and "'" in caught.value.what and caught.value.hint
    assert everything_in(tmp_path) == []


def test_a_long_wrong_name_is_not_repeated_whole():
    with pytest.raises(BadArgument) as caught:
        folders.check_name("x" * 100_000)
    assert len(caught.value.what) < 200 and "100000" in caught.value.what


def test_eighty_wide_characters_give_a_run_or_a_plain_error(tmp_path: Path):
    name = "𝄞" * 80  # 320 bytes: too many for most file systems, not for all
    try:
        assert folders.create(tmp_path, name, CONFIG).config() == CONFIG
    except BadArgument as error:
        assert "too long" in error.what
        assert everything_in(tmp_path) == []


def test_a_new_run_holds_its_config_and_nothing_else(tmp_path: Path):
    made = folders.create(tmp_path / "deep" / "runs", "gru-bach-1", CONFIG)
    assert made.config() == CONFIG
    assert everything_in(made.path) == ["run.toml"]
    assert [
        made.lock_path.name,
        made.events_path.name,
        made.best_path.name,
        made.state_path.name,
        made.log_path.name,
    ] == [
        "lock",
        "events.jsonl",
        "best.safetensors",
        "state.safetensors",
        "worker.log",
    ]


def test_an_existing_name_names_resume_and_is_left_alone(tmp_path: Path):
    made = folders.create(tmp_path, "two words", CONFIG)
    made.best_path.write_bytes(b"weights")
    for attempt in (
        lambda: folders.create(tmp_path, "two words", RunConfig()),
        lambda: folders.check_free(tmp_path, "two words"),
    ):
        with pytest.raises(BadArgument) as caught:
            attempt()
        assert "gated resume 'two words'" in caught.value.hint and caught.value.exit_code == 2
    assert made.config() == CONFIG and made.best_path.read_bytes() == b"weights"


def test_a_name_that_a_sweep_has_names_the_sweep(tmp_path: Path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "sweep.toml").write_text("")
    with pytest.raises(BadArgument, match="already a sweep 'js'") as caught:
        folders.create(tmp_path, "js", CONFIG)
    assert f"gated sweep --name js --runs {tmp_path} " in caught.value.hint


@pytest.mark.parametrize("link", ["file", "folder", "dangling"])
def test_a_name_taken_by_anything_else_is_refused(link: str, tmp_path: Path):
    taken = tmp_path / "runs" / "mine"
    taken.parent.mkdir()
    if link == "file":
        taken.write_text("hers")
    elif link == "folder":
        taken.mkdir()
    else:
        taken.symlink_to(tmp_path / "nowhere")
    before = everything_in(tmp_path)
    with pytest.raises(BadArgument):
        folders.create(tmp_path / "runs", "mine", CONFIG)
    assert everything_in(tmp_path) == before


def test_a_runs_folder_below_a_file_is_a_bad_source(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for runs in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(BadSource) as caught:
            folders.create(runs, "a", CONFIG)
        assert str(runs) in caught.value.what
    assert everything_in(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_full_or_read_only_disk_leaves_nothing_behind(
    call: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    if call == "write":
        monkeypatch.setattr(folders, "_write", fail)
    elif call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BadSource) as caught:
        folders.create(tmp_path / "new" / "runs", "a", CONFIG)
    assert os.strerror(code) in caught.value.what
    assert everything_in(tmp_path) == []


def test_an_interrupt_while_creating_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        folders.create(tmp_path / "runs", "a", CONFIG)
    assert everything_in(tmp_path) == []


def test_a_failed_creation_keeps_the_other_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    other = folders.create(tmp_path, "other", CONFIG)

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(BadSource):
        folders.create(tmp_path, "a", CONFIG)
    assert folders.all_runs(tmp_path) == [other]


@pytest.mark.parametrize(
    ("data", "stem"),
    [
        ("bach", "gru-bach"),
        ("speech-a", "gru-speech-a"),
        ("/home/ada/My Tunes (old)/", "gru-My-Tunes-old"),
        ("tunes.zip", "gru-tunes.zip"),
        ("/", "gru-data"),
        ("../…/♪", "gru-data"),
        (".hidden", "gru-hidden"),
        ("x" * 300, "gru-" + "x" * 40),
        ("歌" * 300, "gru-" + "歌" * 40),
        ("a\nb\x1b[0m", "gru-a-b-0m"),
    ],
)
def test_default_names_are_unit_data_and_the_first_free_number(data: str, stem: str, tmp_path: Path):
    assert folders.free_name(tmp_path / "none", "gru", data) == f"{stem}-1"
    for taken in (1, 2, 4):
        (tmp_path / f"{stem}-{taken}").mkdir()
    assert folders.check_name(folders.free_name(tmp_path, "gru", data)) == f"{stem}-3"


def test_a_dot_stands_for_the_folder_it_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "tunes" / "old").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tunes" / "old")
    assert folders.free_name(tmp_path, "gru", ".") == "gru-old-1"
    assert folders.free_name(tmp_path, "gru", "..") == "gru-tunes-1"


def test_runs_started_at_once_get_names_of_their_own(tmp_path: Path):
    names: list[str] = []
    threads = [
        threading.Thread(target=lambda: names.append(folders.create_next(tmp_path / "runs", CONFIG).name))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == [f"lstm-jsb-{n}" for n in range(1, 9)]


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"[model]\nunit = 'grue'", b"seed = nan", b"not toml", b"[train]\nlr = -1"]
)
def test_a_broken_config_is_a_bad_source_and_never_half_read(content: bytes, tmp_path: Path):
    made = folders.create(tmp_path, "a", CONFIG)
    made.config_path.write_bytes(content)
    if content == b"":
        assert made.config() == RunConfig()  # nothing said: all defaults, as everywhere
        return
    with pytest.raises(BadSource) as caught:
        made.config()
    assert str(made.config_path) in caught.value.what


def test_a_missing_config_is_a_bad_source(tmp_path: Path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(BadSource):
            RunFolder(path).config()
    (tmp_path / "run.toml").mkdir()
    with pytest.raises(BadSource):
        RunFolder(tmp_path).config()


def test_an_unknown_run_offers_the_nearest(tmp_path: Path):
    folders.create(tmp_path, "gru-bach-1", CONFIG)
    for wrong in ("gru-bahc-1", "runs/gru-bach-1", "./runs/gru-bach-1"):
        with pytest.raises(BadArgument) as caught:
            folders.find(tmp_path, wrong)
        assert "'gru-bach-1'" in caught.value.hint and repr(wrong) in caught.value.what


@pytest.mark.parametrize("name", ["..", "../outside", "", "\x00", "no-config"])
def test_nothing_but_a_run_is_found(name: str, tmp_path: Path):
    folders.create(tmp_path, "outside", CONFIG)
    (tmp_path / "runs" / "no-config").mkdir(parents=True)
    with pytest.raises(BadArgument):
        folders.find(tmp_path / "runs", name)


def test_runs_are_listed_newest_first_and_only_runs(tmp_path: Path):
    assert folders.all_runs(tmp_path / "none") == []
    for second, name in enumerate(["c", "a", "b"]):
        made = folders.create(tmp_path, name, CONFIG)
        os.utime(made.config_path, (second, second))
    (tmp_path / "no-config").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for unfit in (".hidden", "a\nb", "-x"):
        (tmp_path / unfit).mkdir()
        (tmp_path / unfit / "run.toml").write_text("")
    assert [made.name for made in folders.all_runs(tmp_path)] == ["b", "a", "c"]


def test_a_runs_folder_that_is_a_file_is_a_bad_source(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSource):
        folders.all_runs(tmp_path / "file")


def test_listing_survives_runs_that_vanish_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in "abc":
        folders.create(tmp_path, name, CONFIG)
    monkeypatch.setattr(os, "listdir", lambda _: ["a", "gone", "b", "c"])
    assert sorted(made.name for made in folders.all_runs(tmp_path)) == ["a", "b", "c"]


def test_removing_keeps_what_links_point_to(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep.txt").write_text("keep")
    made = folders.create(tmp_path / "runs", "a", CONFIG)
    (made.path / "sub" / "deeper").mkdir(parents=True)
    (made.path / "sub" / "link").symlink_to(outside)
    (made.path / "link").symlink_to(outside)
    (made.path / "link.txt").symlink_to(outside / "keep.txt")
    made.lock_path.symlink_to(outside / "keep.txt")
    folders.remove(made)
    assert everything_in(tmp_path) == ["outside", "outside/keep.txt", "runs"]
    assert (outside / "keep.txt").read_text() == "keep"


def test_removing_a_linked_run_removes_the_link_only(tmp_path: Path):
    real = folders.create(tmp_path / "elsewhere", "real", CONFIG)
    (tmp_path / "runs").mkdir()
    link = RunFolder(tmp_path / "runs" / "link")
    link.path.symlink_to(real.path)
    with held(real.lock_path), pytest.raises(BadArgument):
        folders.remove(link)
    folders.remove(link)
    assert everything_in(tmp_path / "runs") == [] and real.config() == CONFIG


def test_a_running_run_is_not_removed(tmp_path: Path):
    made = folders.create(tmp_path, "a", CONFIG)
    with held(made.lock_path), pytest.raises(BadArgument) as caught:
        folders.remove(made)
    assert "gated stop a" in caught.value.hint and made.config() == CONFIG
    folders.remove(made)
    folders.remove(made)  # gone already: nothing to do
    assert everything_in(tmp_path) == []


def test_a_removal_cut_short_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = folders.create(tmp_path, "a", CONFIG)
    (made.path / "sub").mkdir()
    made.best_path.write_bytes(b"")
    with monkeypatch.context() as patched:

        def fail(path: Path) -> None:
            raise OSError(errno.EIO, "broken", str(path))

        patched.setattr(folders.shutil, "rmtree", fail)
        with pytest.raises(BadSource):
            folders.remove(made)
    assert folders.all_runs(tmp_path) == [made]
    folders.remove(made)
    assert everything_in(tmp_path) == []
