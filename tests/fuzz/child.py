"""The process that tries damaged files: `python child.py TARGET COUNT SEED FOLDER [FIRST]`.

It may take `MEMORY` more than it has after its imports, each input has a bound of time, and an audit hook tells of
everything that no reader may do: load a pickle's names, start a program, open a connection, write outside FOLDER. What
comes out is one line of JSON. The number of the input that is being tried lies in FOLDER, so that one that kills the
process is known.
"""

import itertools
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import targets
from mutate import damaged

from gatedtui.data.broken import Broken
from gatedtui.errors import GatedError

MEMORY = 1 << 30
"""Bytes of address space beyond what the imports take."""
FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "pickle.find_class",
    "urllib.Request",
)
FORBIDDEN_PREFIX = ("socket.connect", "socket.getaddrinfo")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate")


class Hung(BaseException):
    """The bound of time is over."""


def main(name: str, count: int, seed: int, folder: Path, first: int = 0) -> None:
    """Tries inputs number `first` to `count` and prints what came out."""
    sys.dont_write_bytecode = True
    target, told, armed = targets.TARGETS[name], [], [False]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if armed[0] and (problem := forbidden(event, arguments, folder)):
            told.append(problem)

    originals = list(target.seeds(folder))
    inputs, path = folder / "inputs", folder / target.file
    inputs.mkdir(exist_ok=True)
    for content in map(target.wrap, originals):  # also imports what the reader imports
        outcome = attempt(target, path, content)
        assert outcome == "read", f"what is not damaged: {outcome}"
    sys.addaudithook(watch)
    limit_memory()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes, problems, slowest = Counter[str](), [], 0.0
    for number in range(first, count):
        chance = random.Random(f"{seed} {name} {number}")
        content = damaged(chance.choice(originals), chance, originals)
        if target.always or chance.random() < 0.5:
            content = target.wrap(content)
        (folder / "number").write_text(str(number))
        began = time.monotonic()
        armed[0] = True
        outcome = attempt(target, path, content)
        armed[0] = False
        slowest = max(slowest, time.monotonic() - began)
        outcomes[outcome if outcome in ("read", "refused") else "problem"] += 1
        if outcome not in ("read", "refused") or told:
            kept = inputs / f"{number}-{path.name}"
            kept.write_bytes(content)
            problems.append({"input": str(kept), "outcome": outcome, "did": told[:3]})
            told.clear()
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    found = {"outcomes": outcomes, "problems": problems, "slowest_s": slowest, "grown_mib": grown_kb / 1024}
    sys.stdout.write(json.dumps(found) + "\n")


def limit_memory() -> None:
    """This process may take `MEMORY` more than it has."""
    limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def attempt(target: targets.Target, path: Path, content: bytes) -> str:
    """What comes of reading `content` as a file at `path`: "read", "refused", or what is wrong with the reader."""
    path.write_bytes(content)
    signal.setitimer(signal.ITIMER_REAL, target.bound_s)
    try:
        target.read(path)
        return "read"
    except (GatedError, Broken):
        return "refused"
    except Hung:
        return f"took longer than {target.bound_s:g} s"
    except Exception as error:
        places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        return f"{type(error).__name__}: {str(error)[:200]} at {' '.join(places[-4:])}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def forbidden(event: str, arguments: tuple[object, ...], folder: Path) -> str:
    """What an audit event tells of that no reader may do, or nothing."""
    if event in FORBIDDEN or event.startswith(FORBIDDEN_PREFIX):
        return f"{event} {arguments!r}"[:200]
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING:
        changed = [arguments[0]]
    elif event in CHANGING and (event == "os.rename" or arguments[-1] in (-1, None)):  # else relative to an open folder
        changed = list(itertools.takewhile(lambda one: isinstance(one, str | bytes | Path), arguments))
    else:
        return ""
    for place in changed:
        if isinstance(place, str | bytes | Path):
            whole = Path(os.path.realpath(os.fsdecode(place)))
            if not whole.is_relative_to(folder) and whole != Path(os.devnull):
                return f"{event} {whole}"
    return ""


def out_of_time(_number: int, _frame: object) -> None:
    """The handler of the alarm that `attempt` sets."""
    raise Hung


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, out_of_time)
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).resolve(), *map(int, sys.argv[5:]))
