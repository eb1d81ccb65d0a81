"""What works on this machine, what does not, and what to type about it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from gatedtui import paths

PACKAGES = (
    "gatedtui",
    "torch",
    "numpy",
    "scipy",
    "safetensors",
    "textual",
    "rich",
    "typer",
    "music21",
    "pretty_midi",
    "soundfile",
    "sounddevice",
    "psutil",
)
MEMORY_NEEDED = 400 * 1024**2
"""Bytes a run wants: a worker holds 255 MiB beside its data (measured)."""
ROOM_NEEDED = 200 * 1024**2
"""Bytes that a cache and a few runs want."""
COLUMNS, LINES = 80, 24
"""What the views are drawn for."""


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        state: `"ok"`, `"warning"` (something is missing that training can do without) or `"failed"`.
        found: what there is.
        fix: what to type, or "".
    """

    name: str
    state: str
    found: str
    fix: str = ""


def examine() -> Iterator[Check]:
    """All checks, one after the other; training cannot work here when one of them is `"failed"`."""
    yield Check("python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield from _packages()
    yield Check("system", "ok", _system())
    yield Check("cpu", "ok", f"{_processor()}, {len(_cores())} of {os.cpu_count()} cores usable")
    yield _memory()
    yield from _torch()
    yield _audio_files()
    yield _instruments()
    yield _sound_card()
    yield _players()
    yield _writable("cache", paths.cache_folder(), "GATED_CACHE")
    yield _data()
    yield _writable("runs", paths.runs_folder(), "GATED_RUNS")
    yield _models()
    yield _mirror()
    yield _ray()
    yield _terminal()


def _packages() -> Iterator[Check]:
    for name in PACKAGES:
        try:
            yield Check(name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(name, "failed", "not installed", f"pip install {name}")


def _system() -> str:
    """The system, and what it runs in as far as that changes what can be expected of it."""
    inside = {
        "WSL": "microsoft" in platform.release().lower(),
        "container": Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
        "ssh": bool(os.environ.get("SSH_CONNECTION")),
        "tmux": bool(os.environ.get("TMUX")),
        "screen": bool(os.environ.get("STY")),
    }
    where = ", ".join(name for name, found in inside.items() if found)
    return f"{platform.system()} {platform.release()} {platform.machine()}{f', in {where}' if where else ''}"


def _memory() -> Check:
    try:
        import psutil
    except ImportError:
        return Check("memory", "failed", "psutil is not installed", "pip install psutil")
    there = psutil.virtual_memory()
    found = f"{there.available / 1e9:.1f} of {there.total / 1e9:.1f} GB free"
    if there.available < MEMORY_NEEDED:
        return Check("memory", "warning", found, "a run takes some 300 MB; gated train one unit at a time")
    return Check("memory", "ok", found)


def _cores() -> set[int]:
    try:
        return os.sched_getaffinity(0)
    except AttributeError:
        return set(range(os.cpu_count() or 1))


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _torch() -> Iterator[Check]:
    try:
        import torch

        from gatedtui.kernels.choose import choose
    except (ImportError, OSError) as error:
        yield Check("kernel", "failed", f"torch cannot be loaded: {error}", "pip install --force-reinstall torch")
        return
    choice = choose(torch.device("cpu"), torch.float32)
    yield Check("kernel", "ok", f"{choice.backend}: {choice.why}")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        yield Check("gpu", "ok", f"{', '.join(names)}; --device cuda uses it, --device auto where figures say so")
    else:
        yield Check("gpu", "warning", "no CUDA device; training runs on the CPU", "nothing to do: the CPU is enough")
    yield _compiler()  # the kernels stand on torch: without it there is nothing to compile for


def _compiler() -> Check:
    from gatedtui.kernels import library
    from gatedtui.kernels.build import find_compiler

    command = find_compiler()
    found = shutil.which(command[0]) if command else None
    if found is None:
        fix = "apt-get install g++, then install gatedtui again: training is a few times faster with compiled kernels"
        return Check("compiler", "warning", "none; only needed where the kernel above is not native", fix)
    kernels = library.find()
    if kernels.library is None:
        fix = "python -m gatedtui.kernels.build says more; CXX=g++ in front of it names another compiler"
        return Check("compiler", "warning", f"{found}, but {kernels.why}", fix)
    return Check("compiler", "ok", found)


def _instruments() -> Check:
    """The piano is always there; FluidSynth with a SoundFont is an extra."""
    from gatedtui.errors import GatedError
    from gatedtui.sound import fluid

    piano = "the built-in piano"
    if find_spec("fluidsynth") is None:
        fix = "only if you want other instruments: pip install 'gatedtui[fluid]'"
        return Check("instruments", "ok", f"{piano}; FluidSynth (--soundfont) is not installed", fix)
    try:
        return Check("instruments", "ok", f"{piano}, FluidSynth, {fluid.soundfont(fluid.BUNDLED)}")
    except GatedError as error:
        return Check("instruments", "ok", f"{piano}, FluidSynth; {error.what}", error.hint)


def _audio_files() -> Check:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        return Check(
            "audio files", "failed", f"soundfile cannot be loaded: {error}", "pip install --force-reinstall soundfile"
        )
    return Check("audio files", "ok", soundfile.__libsndfile_version__)


def _sound_card() -> Check:
    """Asked in a child process: probing a machine without a card makes C libraries write to stderr."""
    code = "import sounddevice as s; print(s.query_devices(kind='output')['name'])"
    try:
        child = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("sound card", "warning", f"could not be asked: {error}", "gated sample still writes .mid and .wav")
    if child.returncode == 0:
        return Check("sound card", "ok", child.stdout.strip())
    if "PortAudio library not found" in child.stderr:
        return Check("sound card", "warning", "PortAudio is not installed", "apt-get install libportaudio2")
    return Check(
        "sound card", "warning", "no output device", "gated sample still writes .mid and .wav; copy and play them"
    )


def _players() -> Check:
    from gatedtui.listen.player import system_player

    found = system_player()
    if found:
        return Check("system player", "ok", found)
    return Check(
        "system player", "warning", "none found", "apt-get install ffmpeg (for ffplay), if you want to listen here"
    )


def _writable(name: str, folder: Path, variable: str) -> Check:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.W_OK) or not place.is_dir():
        return Check(name, "failed", f"'{folder}' cannot be written", f"export {variable}=SOME/FOLDER")
    free = shutil.disk_usage(place).free
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.exists() else 0
    found = f"{folder}: {size / 1e6:.1f} MB used, {free / 1e9:.1f} GB free"
    if free < ROOM_NEEDED:
        return Check(name, "warning", found, f"make room, or export {variable}=SOME/FOLDER")
    return Check(name, "ok", found)


def _data() -> Check:
    from gatedtui.data import catalogue
    from gatedtui.errors import GatedError

    cache = paths.cache_folder()
    try:
        names = [entry.name for entry in catalogue.every(cache=cache)]
    except GatedError as error:
        return Check("data", "warning", error.what, error.hint)
    ready = [name for name in names if catalogue.cache_file(name, cache=cache).exists()]
    return Check("data", "ok", f"prepared: {', '.join(ready) or 'nothing yet'}; gated data list has all")


def _models() -> Check:
    found = sorted(path.stem for path in paths.bundled("checkpoints").glob("*.safetensors"))
    if not found:
        fix = "gated train makes one; an installation from the repository or a wheel brings them"
        return Check("models", "warning", "no released models", fix)
    return Check("models", "ok", f"{len(found)} released; gated sample SOURCE takes their names, as {found[0]}")


def _ray() -> Check:
    if find_spec("ray") is None:
        return Check("ray", "ok", "not installed; gated sweep uses this machine", "pip install 'gatedtui[ray]'")
    return Check("ray", "ok", f"{metadata.version('ray')}: gated sweep --engine ray")


def _mirror() -> Check:
    mirror = paths.mirror()
    if mirror is None:
        return Check("mirror", "ok", "none set (GATED_MIRROR); data comes from its own hosts")
    if "://" in mirror or Path(mirror).is_dir():
        return Check("mirror", "ok", mirror)
    return Check("mirror", "warning", f"'{mirror}' is not a folder", "unset GATED_MIRROR, or point it at one")


def _terminal() -> Check:
    size = shutil.get_terminal_size()
    encoding = (sys.stderr.encoding or "").lower()
    words = [f"{size.columns}×{size.lines}", os.environ.get("TERM") or "no TERM", colours(os.environ)]
    found = ", ".join([*words, encoding or "unknown encoding"])
    if "utf" not in encoding:
        return Check("terminal", "warning", found, "export LANG=C.UTF-8 (curves are drawn with braille characters)")
    if os.environ.get("TERM", "") in ("", "dumb"):
        return Check("terminal", "warning", found, "export TERM=xterm-256color, for the live views; --plain needs none")
    if size.columns < COLUMNS or size.lines < LINES:
        return Check("terminal", "warning", found, f"{COLUMNS}×{LINES} shows everything; smaller shows less")
    return Check("terminal", "ok", found)


def colours(environ: Mapping[str, str]) -> str:
    """How many colours the terminal's variables promise, in words."""
    term = environ.get("TERM", "")
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if term in ("", "dumb"):
        return "no colours"
    if environ.get("COLORTERM", "") in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256" in term else "16 colours"
