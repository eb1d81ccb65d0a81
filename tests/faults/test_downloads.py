"""Two processes that want one set from a slow mirror: one fetches, the other waits; and takes over from the dead."""

import hashlib
import http.server
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gatedtui.data import prepare

NAME = "JSB_Chorales.mat"
FETCH = f"""
import sys
from gatedtui.data import rolls
rolls.FILES["jsb"] = ({NAME!r}, sys.argv[1])
from gatedtui.cli.main import run
sys.exit(run(["data", "fetch", "jsb", "--mirror", sys.argv[2]]))
"""


class Slow(http.server.ThreadingHTTPServer):
    """Sends half of a file, and the rest when it is told to."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Half)
        self.content, self.asked = content, 0
        self.half, self.rest = threading.Event(), threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: who asked may have been killed."""


class Half(http.server.BaseHTTPRequestHandler):
    server: Slow

    def do_GET(self) -> None:
        self.server.asked += 1
        content = self.server.content
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.server.half.set()
        self.server.rest.wait(60)
        self.wfile.write(content[len(content) // 2 :])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    from scipy.io import savemat

    monkeypatch.setenv("no_proxy", "*")
    chance, lists = np.random.default_rng(0), {}
    for key in ("traindata", "validdata", "testdata"):
        lists[key] = np.empty((1, 2), object)
        for place in range(2):
            lists[key][0, place] = (chance.random((9, 88)) < 0.1).astype(np.uint8)
    file = io.BytesIO()
    savemat(file, lists)
    made = Slow(file.getvalue())
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.rest.set()
    made.shutdown()
    made.server_close()
    thread.join()


def fetching(mirror: Slow) -> "subprocess.Popen[str]":
    words = [hashlib.sha256(mirror.content).hexdigest(), f"http://127.0.0.1:{mirror.server_port}"]
    return subprocess.Popen([sys.executable, "-c", FETCH, *words], stderr=subprocess.PIPE, text=True)


def kept(cache: Path) -> set[str]:
    return {str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file()}


@pytest.mark.parametrize("killed", [False, True], ids=["the first goes on", "the first is killed"])
def test_two_who_fetch_one_set_fetch_it_once(
    killed: bool, mirror: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GATED_CACHE", str(tmp_path))
    first = fetching(mirror)
    second = None
    try:
        assert mirror.half.wait(60)
        second = fetching(mirror)
        assert second.stderr is not None
        assert "waiting for another process" in second.stderr.readline()
        assert mirror.asked == 1 and kept(tmp_path) == {"data/jsb-1.npz.lock"}
        if killed:
            first.kill()
        mirror.rest.set()
        assert [one.communicate(timeout=60) and one.returncode for one in (first, second)] == [-9 if killed else 0, 0]
    finally:
        for one in (first, second):
            if one is not None:
                one.kill()
                one.communicate()
    assert mirror.asked == 1 + killed
    assert kept(tmp_path) == {"data/jsb-1.npz", "data/jsb-1.npz.lock", f"files/{NAME}"}
    assert len(prepare.load("jsb", cache=tmp_path).splits["test"]) == 2
