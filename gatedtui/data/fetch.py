"""Getting a file from a mirror or from where it was published, and keeping it only once its content is verified."""

import contextlib
import http.client
import io
import shlex
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gatedtui import atomic
from gatedtui.data.broken import Broken
from gatedtui.data.catalogue import Progress
from gatedtui.errors import BadSource

TIMEOUT_S = 20.0
"""How long nothing at all may arrive."""
PATIENCE_S = 30.0
"""After this long an average below `SLOWEST` counts as a stall, so that a trickle cannot hold the command for ever."""
SLOWEST = 1024
"""Bytes a second."""
REDIRECTS = 5
BLOCK = 1 << 16

Content = TypeVar("Content")


@dataclass(frozen=True)
class Remote:
    """A published file."""

    name: str
    """What it is called in a mirror and in the cache."""
    url: str
    """Where it was published."""
    max_bytes: int
    """Larger answers are refused."""


class _Unreachable(Exception):
    """Why a file could not be had from one place, as a sentence without its full stop."""


def obtain(
    remote: Remote,
    check: Callable[[bytes], Content],
    *,
    wanted: str,
    cache: Path,
    mirror: str | None = None,
    progress: Progress | None = None,
) -> Content:
    """The content of a published file: from the cache, else from the mirror, else from where it was published.

    Nothing is written before `check` has passed. A mirror that does not have the file is passed over; one that has
    another file under its name ends the search.

    Args:
        remote: the file.
        check: reads the whole file, and raises `Broken` unless it is exactly what it should be.
        wanted: the data set it is for, for the sentences.
        cache: the cache folder; the file is kept in its `files`.
        mirror: a folder or an http(s) address that holds the file under the same name.
        progress: told how many bytes have arrived, and how many there are (0 when that is not said).

    Returns:
        What `check` returned.

    Raises:
        BadSource: it cannot be had from anywhere, is not what it should be, or the cache cannot be written.
    """
    kept = cache / "files" / remote.name
    with contextlib.suppress(Broken, OSError):  # not there, or damaged since: fetched and put in its place
        if kept.stat().st_size <= remote.max_bytes:
            return check(kept.read_bytes())
    hint = f"gated data fetch {wanted} --mirror DIR, where DIR is a folder that holds '{remote.name}'"
    failures = []
    for origin in ([mirror] if mirror else []) + [remote.url]:
        try:
            where, content = _receive(remote, origin, wanted, progress)
        except _Unreachable as failure:
            failures.append(str(failure))
            continue
        try:
            found = check(content)
        except Broken as error:
            raise BadSource(f"'{where}' is not the file of the data set '{wanted}': it {error}.", hint) from error
        _keep(kept, content)
        return found
    raise BadSource(f"The data set '{wanted}' cannot be fetched: {'; '.join(failures)}.", hint)


def _keep(kept: Path, content: bytes) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(kept, content)
    except (OSError, BadSource) as error:
        what = error.what if isinstance(error, BadSource) else f"'{kept.parent}' cannot be written ({error.strerror})."
        raise BadSource(what, "Set GATED_CACHE to a folder that can be written and has room.") from error


def _receive(remote: Remote, origin: str, wanted: str, progress: Progress | None) -> tuple[str, bytes]:
    """Where exactly the file came from, and its bytes."""
    if urllib.parse.urlsplit(origin).scheme in ("http", "https"):
        url = origin if origin == remote.url else f"{origin.rstrip('/')}/{urllib.parse.quote(remote.name)}"
        return url, _download(remote, url, progress)
    hint = f"gated data fetch {wanted} --mirror DIR|URL"
    if "://" in origin:
        raise BadSource(f"The mirror '{origin}' is neither a folder nor an http or https address.", hint)
    folder = Path(origin).expanduser()
    if not folder.is_dir():
        raise BadSource(f"There is no mirror folder '{origin}'.", hint)
    source = folder / remote.name
    if not source.is_file():
        raise _Unreachable(f"the mirror '{origin}' has no file '{remote.name}'")
    try:
        with source.open("rb") as stream:
            return str(source), _collect(stream.read, remote, source.stat().st_size, progress)
    except OSError as error:
        raise BadSource(
            f"Cannot read '{source}': {(error.strerror or 'no access').lower()}.",
            f"chmod u+r {shlex.quote(str(source))}",
        ) from error


def _download(remote: Remote, url: str, progress: Progress | None) -> bytes:
    host = urllib.parse.urlsplit(url).netloc
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "gated", "Accept-Encoding": "identity"})
        with contextlib.closing(_opener().open(request, timeout=TIMEOUT_S)) as answer:
            stated = answer.headers.get("Content-Length", "")
            size = int(stated) if stated.isascii() and stated.isdigit() else 0
            content = _collect(answer.read1, remote, size, progress)
    except urllib.error.HTTPError as error:
        error.close()
        # The words are the server's own, and must not steer a terminal.
        reason = "".join(sign for sign in " ".join(str(error.reason).split())[:80] if sign.isprintable())
        raise _Unreachable(f"{host} answered {error.code} {reason}".rstrip()) from error
    except TimeoutError as error:
        raise _Unreachable(f"nothing came from {host} for {TIMEOUT_S:g} s") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise _Unreachable(f"{host} did not answer within {TIMEOUT_S:g} s") from error
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise _Unreachable(f"{host} cannot be reached ({reason})") from error
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _Unreachable(f"{host} broke off ({type(error).__name__})") from error
    if len(content) < size:
        raise _Unreachable(f"{host} broke off after {len(content):,} of {size:,} bytes")
    return content


def _collect(read: Callable[[int], bytes], remote: Remote, size: int, progress: Progress | None) -> bytes:
    """All that `read` gives, within the bound of size; `size` is what is stated, 0 when nothing is."""
    if size > remote.max_bytes:
        raise _Unreachable(f"'{remote.name}' is said to have {size:,} bytes, more than {remote.max_bytes:,}")
    content = bytearray()
    while block := read(BLOCK):
        content += block
        if len(content) > remote.max_bytes:
            raise _Unreachable(f"'{remote.name}' is larger than {remote.max_bytes:,} bytes")
        if progress:
            progress(f"fetching {remote.name}", len(content), size)
    return bytes(content)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, and only to http and https."""

    max_redirections = REDIRECTS
    max_repeats = 2

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urllib.parse.urlsplit(newurl).scheme not in ("http", "https"):
            raise _Unreachable(f"{urllib.parse.urlsplit(req.full_url).netloc} points to '{newurl}'")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Paced(io.RawIOBase):
    """What arrives from a server, head and all; ends when it is no more than a trickle, whatever the trickle is of."""

    def __init__(self, arriving: io.RawIOBase) -> None:
        self._arriving, self._bytes, self._began = arriving, 0, time.monotonic()

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Reads what has arrived."""
        count = self._arriving.readinto(buffer) or 0
        self._bytes += count
        elapsed = time.monotonic() - self._began
        if elapsed > PATIENCE_S and self._bytes < SLOWEST * elapsed:
            raise _Unreachable(f"the answer came too slowly ({self._bytes:,} bytes in {elapsed:.0f} s)")
        return count

    def close(self) -> None:
        """Closes what it reads from, too."""
        self._arriving.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = io.BufferedReader(_Paced(self.fp.detach()))  # type: ignore[union-attr]


class _Plain(http.client.HTTPConnection):
    response_class = _Answer


class _Secure(http.client.HTTPSConnection):
    response_class = _Answer


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Plain, req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Secure, req)


def _opener() -> urllib.request.OpenerDirector:
    """An opener that knows http and https alone: urllib's own would also open files and FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        _Http(),
        _Https(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener
