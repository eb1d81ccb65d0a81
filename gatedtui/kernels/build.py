"""Compiles the kernels: as the build hook of the package, or by hand with `python -m gatedtui.kernels.build`.

One library for each kind of machine in `BUILDS`; which of them runs is chosen when they are loaded (`library.py`). An
installation never fails here: without a compiler the package is complete without them, and says so in `report.json`.

This file is also loaded by itself, by hatchling, in an environment without this package: it imports nothing of it.
"""

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

KERNELS = Path(__file__).resolve().parent
SOURCES = KERNELS / "cpp"
INSTALLED = KERNELS / "lib"
"""Where libraries and report lie, beside this file: put there by the wheel, by an editable install, or by hand."""
REPORT = "report.json"

FLAGS = ("-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-w")
"""`-w`: a user who installs has no use for our warnings. Never -ffast-math: NaN and the order of sums count here."""
UNITS = {"api.cpp": (), "noise.cpp": ("-ffp-contract=off", "-fschedule-insns")}
"""Each source file that is compiled, and flags of its own."""
X86_BUILDS = {
    "avx512": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
    "avx2": ("-march=x86-64-v3",),
    "baseline": ("-march=x86-64-v2",),
}
LEVELS = ("baseline", "avx2", "avx512")
"""What the number of `gated_cpu_level` in cpp/api.cpp stands for."""
TIMEOUT_S = 600


@dataclass
class Report:
    """What compiling came to; written beside the libraries.

    Attributes:
        compiler: the command that was tried, or "".
        built: the builds whose libraries are there.
        why: why there are none, in one sentence, or "".
        failed: by build, the end of what the compiler said.
    """

    compiler: str = ""
    built: list[str] = field(default_factory=list)
    why: str = ""
    failed: dict[str, str] = field(default_factory=dict)


def library_name(build: str) -> str:
    """The file name of a build's library."""
    return f"gated_{build}.so"


def sources_digest() -> str:
    """The first 16 hex digits of the SHA-256 of all sources: a library knows which it was compiled from."""
    total = hashlib.sha256()
    for path in sorted(SOURCES.iterdir()):
        if path.suffix in (".h", ".cpp"):
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def builds() -> dict[str, tuple[str, ...]]:
    """The builds for this kind of machine and their compiler flags; other machines than x86-64 have one, `baseline`."""
    return X86_BUILDS if platform.machine().lower() in ("x86_64", "amd64") else {"baseline": ()}


def find_compiler() -> list[str]:
    """The command of the C++ compiler: `CXX`, else `CC` told to compile C++, else the first one found; [] if none."""
    if os.environ.get("CXX"):
        return shlex.split(os.environ["CXX"])
    if os.environ.get("CC"):
        return [*shlex.split(os.environ["CC"]), "-xc++"]
    for name in ("c++", "g++", "clang++"):
        if shutil.which(name):
            return [name]
    return []


def compile_all(out: Path) -> Report:
    """Compiles every build into `out`, two at a time, and writes the report there; never raises for a compiler's sake.

    Args:
        out: an existing folder. Libraries of an earlier time are replaced one by one; where one cannot be built, the
            old one is removed.
    """
    compiler = find_compiler()
    report = Report(shlex.join(compiler))
    if sys.platform == "win32":
        report.why = "the kernels are written for GCC and Clang on Linux and macOS"
    elif not compiler:
        report.why = "no C++ compiler was found when gated was installed"
    else:
        with ThreadPoolExecutor(2) as pool:
            for build, problem in zip(builds(), pool.map(lambda b: _compile(compiler, b, out), builds()), strict=True):
                if problem:
                    report.failed[build] = problem
                else:
                    report.built.append(build)
        if not report.built:
            first = next(iter(report.failed.values())).strip().splitlines() or ["it said nothing"]
            report.why = f"the C++ compiler '{report.compiler}' failed when gated was installed ({first[-1]})"
    (out / REPORT).write_text(json.dumps(asdict(report), indent=2) + "\n")
    return report


def _compile(compiler: Sequence[str], build: str, out: Path) -> str:
    """Compiles one build; gives the end of the compiler's words if it fails, else ""."""
    final = out / library_name(build)
    with tempfile.TemporaryDirectory(prefix="gated-build-") as folder:
        objects = []
        define = f'-DGATED_SOURCES="{sources_digest()}"'
        for source, own in UNITS.items():
            objects.append(str(Path(folder, source).with_suffix(".o")))
            command = [
                *compiler,
                *FLAGS,
                *builds()[build],
                *own,
                define,
                "-c",
                str(SOURCES / source),
                "-o",
                objects[-1],
            ]
            if problem := _run(command):
                final.unlink(missing_ok=True)
                return problem
        linker = [word for word in compiler if word != "-xc++"]
        made = Path(folder, "library.so")
        if problem := _run(
            [*linker, "-shared", *objects, "-o", str(made), "-lstdc++" if sys.platform == "linux" else "-lc++"]
        ):
            final.unlink(missing_ok=True)
            return problem
        beside = final.with_suffix(f".{os.getpid()}.tmp")
        shutil.copyfile(made, beside)
        beside.replace(final)  # a process that has the old library loaded keeps it
    return ""


def _run(command: Sequence[str]) -> str:
    """What went wrong with a command, or ""."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr[-2000:].strip() or f"it ended with code {done.returncode}"


def wheel_tag() -> str:
    """`py3-none-<platform>`: the libraries use no Python ABI, and are of this kind of machine."""
    if sys.platform == "darwin":
        from packaging.tags import platform_tags

        return f"py3-none-{next(iter(platform_tags()))}"
    return f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def main() -> int:
    """Builds into the package's own folder and says what came of it; gives the exit code."""
    INSTALLED.mkdir(exist_ok=True)
    report = compile_all(INSTALLED)
    for build, problem in report.failed.items():
        sys.stderr.write(f"{build}: {problem}\n")
    if report.why:
        sys.stderr.write(f"error: No kernel was built: {report.why}.\n  Install g++ or clang++, or name one in CXX.\n")
        return 4
    sys.stdout.write(f"built {', '.join(report.built)} with {report.compiler} in {INSTALLED}\n")
    return 0


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface  # pyright: ignore[reportMissingImports]
except ImportError:
    pass
else:

    class KernelHook(BuildHookInterface[Any]):
        """Compiles for a wheel into a fresh folder, for an editable install into the package itself."""

        PLUGIN_NAME = "custom"
        _folder: str | None = None

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Adds the libraries and the report to the wheel; a wheel without libraries stays one for every machine."""
            if self.target_name != "wheel":
                return
            if version == "editable":
                INSTALLED.mkdir(exist_ok=True)
                compile_all(INSTALLED)
                return
            self._folder = tempfile.mkdtemp(prefix="gated-wheel-")
            report = compile_all(Path(self._folder))
            for name in [REPORT, *map(library_name, report.built)]:
                build_data["force_include"][str(Path(self._folder, name))] = f"gatedtui/kernels/lib/{name}"
            if report.built:
                build_data["pure_python"] = False
                build_data["tag"] = wheel_tag()

        def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
            """Removes the folder the libraries were compiled in."""
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
