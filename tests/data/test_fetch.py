import http.server
import socket
import threading
from functools import partial

import pytest

from gatedtui.data import fetch
from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource

CONTENT = bytes(range(256)) * 400


class Answers(http.server.BaseHTTPRequestHandler):
    """Serves what each path names."""

    def do_GET(self):
        self.server.asked.append(self.path)
        what = self.path.strip("/").split("/")[0]
        getattr(self, f"say_{what}", self.say_nothing)()

    def reply(self, code, content=b"", length=None, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if length != "none":
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def say_nothing(self):
        self.reply(404)

    def say_good(self):
        self.reply(200, CONTENT)

    def say_unsized(self):
        self.reply(200, CONTENT, length="none")

    def say_flipped(self):
        self.reply(200, CONTENT[:-1] + b"\x00")

    def say_short(self):
        self.reply(200, CONTENT, length=len(CONTENT) + 100)

    def say_long(self):
        self.reply(200, CONTENT + CONTENT, length=len(CONTENT))

    def say_huge(self):
        self.reply(200, b"", length=10**12)

    def say_endless(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    def say_silence(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT[:100])
        self.server.over.wait(20)

    def say_trickle(self):
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.over.wait(0.05):
                self.wfile.write(b"x")
        except OSError:
            pass

    def drip(self, text):
        try:
            self.wfile.write(text)
            while not self.server.over.wait(0.05):
                self.wfile.write(b"0")
        except OSError:
            pass

    def say_status(self):
        self.drip(b"HTTP/1.0 200 ")

    def say_head(self):
        self.drip(b"HTTP/1.0 200 OK\r\nX: ")

    def say_chunk(self):
        self.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    def say_chunks(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (CONTENT[:1000], CONTENT[1000:], b""):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))

    def say_steering(self):
        self.wfile.write(b"HTTP/1.1 404 \x1b[2J\x07gone\r\nContent-Length: 0\r\n\r\n")

    def say_moved(self):
        self.reply(302, Location="/good/file")

    def say_round(self):
        self.reply(302, Location=f"/round/{len(self.server.asked)}")

    def say_away(self):
        self.reply(302, Location="file:///etc/passwd")

    def say_ftp(self):
        self.reply(301, Location="ftp://127.0.0.1/x")

    def say_broken(self):
        self.reply(500)

    def say_rubbish(self):
        self.wfile.write(b"\x00\x01\x02 nothing like HTTP\r\n\r\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.daemon_threads = True
    made.asked, made.over = [], threading.Event()
    made.address = f"http://127.0.0.1:{made.server_port}"
    thread = threading.Thread(target=partial(made.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()
    thread.join()


def check(content):
    if content != CONTENT:
        raise Broken("is another one")
    return len(content)


def obtain(server, path, cache, *, mirror=None, max_bytes=1 << 20, progress=None):
    remote = fetch.Remote("set.bin", f"{server.address}/{path}", max_bytes)
    return fetch.obtain(remote, check, wanted="jsb", cache=cache, mirror=mirror, progress=progress)


def kept(cache):
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", ["good/file", "unsized", "chunks", "moved"])
def test_a_file_is_fetched_once_verified_and_kept(server, tmp_path, path):
    told = []
    assert obtain(server, path, tmp_path, progress=lambda *what: told.append(what)) == len(CONTENT)
    assert (tmp_path / "files" / "set.bin").read_bytes() == CONTENT
    assert told[-1][:2] == ("fetching set.bin", len(CONTENT))
    assert told[-1][2] == (0 if path in ("unsized", "chunks") else len(CONTENT))
    asked = len(server.asked)
    assert obtain(server, path, tmp_path) == len(CONTENT)
    assert len(server.asked) == asked


def test_a_kept_file_that_was_damaged_is_fetched_again(server, tmp_path):
    obtain(server, "good", tmp_path)
    (tmp_path / "files" / "set.bin").write_bytes(b"damaged")
    assert obtain(server, "good", tmp_path) == len(CONTENT)
    assert (tmp_path / "files" / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nothing", "127.0.0.1:[0-9]+ answered 404"),
        ("broken", "answered 500"),
        ("short", "broke off after 102,400 of 102,500 bytes"),
        ("huge", "is said to have 1,000,000,000,000 bytes, more than 1,048,576"),
        ("endless", "is larger than 1,048,576 bytes"),
        ("round", "answered 302"),
        ("away", "'file:///etc/passwd'"),
        ("ftp", "points to 'ftp://127.0.0.1/x'"),
        ("rubbish", "broke off"),
        ("steering", r"answered 404 \[2Jgone"),
    ],
)
def test_an_answer_that_is_no_file_names_the_set_the_reason_and_what_to_type(server, tmp_path, path, reason):
    with pytest.raises(BadSource, match=f"The data set 'jsb' cannot be fetched: .*{reason}") as caught:
        obtain(server, path, tmp_path)
    assert caught.value.exit_code == 3
    assert caught.value.hint.startswith("gated data fetch jsb --mirror DIR") and "'set.bin'" in caught.value.hint
    assert "\n" not in caught.value.what
    assert kept(tmp_path) == []
    assert len(server.asked) <= 1 + fetch.REDIRECTS


@pytest.mark.parametrize("path", ["flipped", "long"])
def test_another_content_is_refused_before_anything_is_kept(server, tmp_path, path):
    if path == "long":  # only what the header states is read, and that is whole
        assert obtain(server, path, tmp_path) == len(CONTENT)
        return
    with pytest.raises(BadSource, match="is not the file of the data set 'jsb': it is another one"):
        obtain(server, path, tmp_path)
    assert kept(tmp_path) == []


def test_silence_and_a_trickle_end_with_a_sentence(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.3)
    with pytest.raises(BadSource, match=r"nothing came from 127.0.0.1:[0-9]+ for 0.3 s"):
        obtain(server, "silence", tmp_path)
    monkeypatch.setattr(fetch, "PATIENCE_S", 0.3)
    for path in (
        "trickle",
        "status",
        "head",
        "chunk",
    ):  # of what is sent, of what is said before it, of what is between
        with pytest.raises(BadSource, match="came too slowly"):
            obtain(server, path, tmp_path)
    assert kept(tmp_path) == []


def test_a_host_that_is_not_there_or_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "TIMEOUT_S", 0.3)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        remote = fetch.Remote("set.bin", f"http://127.0.0.1:{closed.getsockname()[1]}/x", 100)
        with pytest.raises(BadSource, match=r"127.0.0.1:[0-9]+ cannot be reached \(Connection refused\)"):
            fetch.obtain(remote, check, wanted="jsb", cache=tmp_path)
        closed.listen()
        with pytest.raises(BadSource, match=r"nothing came from|did not answer within"):
            fetch.obtain(remote, check, wanted="jsb", cache=tmp_path)
    unknown = fetch.Remote("set.bin", "https://no-such-host.invalid/x", 100)
    with pytest.raises(BadSource, match=r"no-such-host\.invalid cannot be reached"):
        fetch.obtain(unknown, check, wanted="jsb", cache=tmp_path)


def test_a_mirror_is_asked_first_and_one_without_the_file_is_passed_over(server, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    cache = tmp_path / "cache"
    with pytest.raises(BadSource, match=f"the mirror '{mirror}' has no file 'set.bin'; 127.0.0.1.* answered 404"):
        obtain(server, "nothing", cache, mirror=str(mirror))
    (mirror / "set.bin").write_bytes(CONTENT)
    server.asked.clear()
    assert obtain(server, "nothing", cache, mirror=str(mirror)) == len(CONTENT)
    assert server.asked == []
    assert kept(cache) == ["set.bin"]


def test_a_mirror_can_be_an_address(server, tmp_path):
    assert obtain(server, "nothing", tmp_path, mirror=f"{server.address}/good/") == len(CONTENT)
    assert server.asked == ["/good/set.bin"]


def test_a_flipped_byte_in_a_mirror_is_told_and_nothing_is_kept(server, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    bad = bytearray(CONTENT)
    bad[5] ^= 1
    (mirror / "set.bin").write_bytes(bad)
    cache = tmp_path / "cache"
    with pytest.raises(BadSource, match=f"'{mirror / 'set.bin'}' is not the file of the data set 'jsb'") as caught:
        obtain(server, "good", cache, mirror=str(mirror))
    assert caught.value.exit_code == 3
    assert server.asked == [] and kept(cache) == []


@pytest.mark.parametrize("mirror", ["ftp://host/x", "file:///tmp", "no/such/folder"])
def test_a_mirror_that_is_none_is_refused(server, tmp_path, mirror):
    with pytest.raises(BadSource, match=f"irror.* '{mirror}'"):
        obtain(server, "good", tmp_path, mirror=mirror)


def test_a_cache_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "files").write_text("in the way")
    with pytest.raises(BadSource, match="cannot be written") as caught:
        obtain(server, "good", tmp_path)
    assert "GATED_CACHE" in caught.value.hint
