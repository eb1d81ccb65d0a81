"""Building and loading: no compiler, one that fails, broken and stale libraries; and the wheel's tag."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

from gatedtui import kernels
from gatedtui.errors import DeviceError
from gatedtui.kernels import build, choose, library
from gatedtui.kernels.library import Found
from gatedtui.units import GRU


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_compiler_the_report_says_so(no_compiler: None, tmp_path: Path):
    report = build.compile_all(tmp_path)
    assert report.built == []
    assert library.find(tmp_path) == Found(None, "no C++ compiler was found when gated was installed")


def test_a_compiler_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", "false")
    (tmp_path / build.library_name("baseline")).write_bytes(b"of an earlier time")
    report = build.compile_all(tmp_path)
    assert report.built == [] and set(report.failed) == set(build.builds())
    assert not list(tmp_path.glob("*.so"))
    assert "'false' failed" in library.find(tmp_path).why


def test_a_compiler_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", "/nowhere/c++ -O1")
    build.compile_all(tmp_path)
    assert "/nowhere/c++" in library.find(tmp_path).why


@pytest.mark.parametrize(
    ("environment", "command"),
    [({"CXX": "my++ -m64", "CC": "mycc"}, ["my++", "-m64"]), ({"CC": "mycc"}, ["mycc", "-xc++"])],
)
def test_cxx_and_cc_are_honoured(environment, command, no_compiler: None, monkeypatch: pytest.MonkeyPatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert build.find_compiler() == command


def test_what_is_compiled_gets_the_flags_of_its_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A compiler that writes down how it was called, and makes empty files."""
    log = tmp_path / "calls"
    fake = tmp_path / "c++"
    lines = [
        f"#!{sys.executable}",
        "import sys",
        f"open({str(log)!r}, 'a').write('\\n'.join(sys.argv[1:]) + '\\n\\n')",
        "open(sys.argv[sys.argv.index('-o') + 1], 'w')",
    ]
    fake.write_text("\n".join(lines) + "\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CXX", str(fake))
    out = tmp_path / "out"
    out.mkdir()
    report = build.compile_all(out)
    assert report.built == list(build.builds())
    calls = [call.split("\n") for call in log.read_text().strip().split("\n\n")]
    for name, flags in build.builds().items():
        mine = [call for call in calls if not flags or flags[0] in call]
        assert len(mine) == len(build.UNITS), name
        assert all("-ffast-math" not in call for call in mine)
        noise = next(call for call in mine if any(word.endswith("noise.cpp") for word in call))
        assert "-ffp-contract=off" in noise
    assert json.loads((out / build.REPORT).read_text())["built"] == report.built


def test_nothing_built_is_told_apart_from_built_and_lost(tmp_path: Path):
    assert "have not been built" in library.find(tmp_path).why
    (tmp_path / build.REPORT).write_text(json.dumps({"why": "", "built": ["baseline"]}))
    assert "are gone" in library.find(tmp_path).why
    (tmp_path / build.REPORT).write_text("garbage")
    assert "have not been built" in library.find(tmp_path).why


def test_a_broken_library_is_passed_over_with_the_reason(tmp_path: Path):
    for name in build.LEVELS:
        (tmp_path / build.library_name(name)).write_bytes(b"\x7fELF and then nothing")
    found = library.find(tmp_path)
    assert found.library is None and "cannot be loaded" in found.why and "gated_baseline.so" in found.why


@pytest.mark.skipif(not library.usable(), reason=f"no compiled kernels: {library.installed().why}")
def test_beside_a_broken_library_a_narrower_one_serves(tmp_path: Path):
    if len(library.usable()) < 2:
        pytest.skip("this CPU runs one build only")
    widest, *others = library.usable()
    for one in others:
        shutil.copy(one.path, tmp_path)
    (tmp_path / widest.path.name).write_bytes(b"broken")
    found = library.find(tmp_path)
    assert found.library is not None and found.library.build == others[0].build
    assert widest.path.name in found.why


@pytest.mark.skipif(not library.usable(), reason=f"no compiled kernels: {library.installed().why}")
def test_a_wide_build_is_not_run_where_nothing_can_say_whether_the_cpu_is_up_to_it(tmp_path: Path):
    for one in library.usable():
        if one.build != build.LEVELS[0]:
            shutil.copy(one.path, tmp_path)
    assert library.find(tmp_path).library is None


@pytest.mark.skipif(not library.usable(), reason=f"no compiled kernels: {library.installed().why}")
def test_a_library_of_other_sources_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for one in library.usable():
        shutil.copy(one.path, tmp_path)
    monkeypatch.setattr(build, "sources_digest", lambda: "0" * 16)
    found = library.find(tmp_path)
    assert found.library is None and "built from other sources" in found.why


def test_every_build_that_was_made_and_fits_this_cpu_is_loaded_and_tested():
    """A build that does not load would otherwise go untested without a word."""
    try:
        report = json.loads((build.INSTALLED / build.REPORT).read_text())
    except OSError:
        pytest.skip("the kernels were not built here")
    if not report["built"]:
        pytest.skip(f"no kernel was built here: {report['why']}")
    usable = [one.build for one in library.usable()]
    assert usable, library.find().why
    level = build.LEVELS[int(library.usable()[-1].functions["cpu_level"]())]
    expected = [
        name
        for name in build.LEVELS
        if name in report["built"] and build.LEVELS.index(name) <= build.LEVELS.index(level)
    ]
    assert sorted(usable) == sorted(expected)


def test_the_facades_fall_back_with_the_reason(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(library, "installed", lambda: Found(None, "the dog ate it"))
    choice = choose("cpu", torch.float32)
    assert choice.backend == "bptt" and "not native, because the dog ate it" in choice.why
    unit, x = GRU(3, 5), torch.zeros(4, 2, 3)
    h, _ = kernels.scan(unit, x)
    torch.testing.assert_close(h, unit(x)[0])
    assert len(kernels.normal_numbers(1, 0, 5)) == 5
    with pytest.raises(DeviceError, match="the dog ate it"):
        kernels.scan(unit, x, backend="native")


def hook(version: str, monkeypatch: pytest.MonkeyPatch, built: list[str]) -> dict:
    """What the build hook makes of a wheel's build data, with a compiler that makes `built`."""
    if not hasattr(build, "KernelHook"):
        pytest.skip("hatchling is not installed here")

    def compile_all(out: Path) -> build.Report:
        for name in built:
            (out / build.library_name(name)).write_bytes(b"library")
        (out / build.REPORT).write_text("{}")
        return build.Report(built=built)

    monkeypatch.setattr(build, "compile_all", compile_all)
    made = object.__new__(build.KernelHook)
    monkeypatch.setattr(type(made), "target_name", "wheel")
    data = {"force_include": {}, "pure_python": True}
    made.initialize(version, data)
    present = {Path(source): target for source, target in data["force_include"].items()}
    assert all(path.exists() for path in present)
    made.finalize(version, data, "")
    assert not any(path.exists() for path in present)
    return data


def test_a_wheel_with_libraries_has_the_tag_of_its_platform(monkeypatch: pytest.MonkeyPatch):
    data = hook("standard", monkeypatch, ["baseline"])
    assert data["pure_python"] is False
    assert data["tag"].startswith("py3-none-") and not data["tag"].endswith("any")
    assert set(data["force_include"].values()) == {
        f"gatedtui/kernels/lib/{name}" for name in ("report.json", "gated_baseline.so")
    }


def test_a_wheel_without_libraries_is_for_every_machine(monkeypatch: pytest.MonkeyPatch):
    data = hook("standard", monkeypatch, [])
    assert data["pure_python"] is True and "tag" not in data
    assert list(data["force_include"].values()) == ["gatedtui/kernels/lib/report.json"]


def test_an_editable_install_builds_into_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(build, "INSTALLED", tmp_path / "lib")
    data = hook("editable", monkeypatch, ["baseline"])
    assert not data["force_include"] and (tmp_path / "lib" / "gated_baseline.so").exists()


def test_building_by_hand_says_what_came_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(build, "INSTALLED", tmp_path / "lib")
    monkeypatch.setenv("CXX", "false")
    assert build.main() == 4
    assert "'false' failed" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "lib").iterdir()] == ["report.json"]
