"""A disk of its own that fills up while a run trains on it, or is read-only when it is resumed: `python full.py HOW`.

Runs in a mount namespace (`unshare --mount`), where the disk is a tmpfs that nobody else sees. Prints what was found as
one line of JSON.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hurt import check_folder, epochs, finish, make, often, same, wait_for

from gatedtui import paths
from gatedtui.data import prepare
from gatedtui.errors import GatedError
from gatedtui.runs import launch
from gatedtui.runs.status import status


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def main(how: str, place: Path) -> dict[str, object]:
    """Hurts a run, mends the disk, resumes, and compares with a run that was left alone."""
    calm = make(place / "calm-runs", "calm", train__epochs=200)
    assert finish(calm) == 0
    disk = place / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "none", str(disk))
    run = make(disk / "runs", "hurt", train__epochs=200)
    worker = launch.start(run, command=often(run, 0.05))
    wait_for(lambda: run.state_path.exists(), "the first state")
    if how == "full":
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
    else:
        # A plain remount waits for nobody to write; the kernel refuses it while files are open for that.
        worker.send_signal(signal.SIGSTOP)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        mount("-o", "remount,ro", str(disk))
        worker = launch.start(run, command=often(run, 0.05)) if os.access(run.log_path, os.W_OK) else None
    found: dict[str, object] = {"free": os.statvfs(disk).f_bavail}
    if worker is None:
        try:
            launch.start(run)
        except GatedError as error:
            found["code"], found["said"] = error.exit_code, error.what
    else:
        found["code"] = worker.wait(timeout=60)
        found["said"] = run.log_path.read_text()
    found["word"] = status(run).word
    check_folder(run)
    found["saved"] = epochs(run)
    if how == "full":
        os.environ["GATED_CACHE"] = str(disk / "cache")
        try:
            prepare.prepare("tiny", cache=paths.cache_folder())
        except GatedError as error:
            found["prepare"] = error.what
        found["left"] = [path.name for path in (disk / "cache").rglob("*") if path.suffix in (".npz", ".tmp", ".part")]
        os.environ["GATED_CACHE"] = str(place / "cache")
        (disk / "ballast").unlink()
    else:
        mount("-o", "remount,rw", str(disk))
    found["resumed"] = finish(run)
    found["same"] = same(run, calm)
    return found


if __name__ == "__main__":
    os.environ["GATED_CACHE"] = str(Path(sys.argv[2]) / "cache")
    began = time.monotonic()
    found = main(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.write(json.dumps(found | {"took_s": time.monotonic() - began}) + "\n")
