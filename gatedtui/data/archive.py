"""Reading files out of a tar archive, in memory: nothing is ever unpacked onto the disk."""

import gzip
import io
import tarfile
from pathlib import PurePosixPath

from gatedtui.data.broken import Broken

MAX_UNPACKED = 256 << 20
"""Most that an archive may unpack to, all of it counted, also what is passed over."""
MAX_MEMBERS = 20_000


class _Bounded:
    """A stream that ends with `Broken` instead of going on for ever."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int) -> bytes:
        block = self._stream.read(min(size, self._left + 1))
        self._left -= len(block)
        if self._left < 0:
            raise Broken(f"unpacks to more than {MAX_UNPACKED >> 20} MiB")
        return block


def files(content: bytes, folder: str, ending: str) -> dict[str, bytes]:
    """The files of one folder in a `.tar.gz` archive, by their base names.

    Args:
        content: the whole archive, not trusted.
        folder: the name of the folder the files lie in, at any depth; others are passed over.
        ending: how their names end; others are passed over.

    Raises:
        Broken: it is no such archive or is cut short; it unpacks to more than the bounds above; anything in it lies
            outside the archive's own folder, or is a link or a device; or two of the files have one name.
    """
    found: dict[str, bytes] = {}
    try:
        stream = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(content)), MAX_UNPACKED)
        with tarfile.open(fileobj=stream, mode="r|") as archive:  # type: ignore[arg-type]
            for number, member in enumerate(archive, 1):
                if number > MAX_MEMBERS:
                    raise Broken(f"holds more than {MAX_MEMBERS:,} files")
                place = _place(member)
                if not member.isdir() and place.parent.name == folder and place.name.endswith(ending):
                    if place.name in found:
                        raise Broken(f"holds two files '{place.name}'")
                    opened = archive.extractfile(member)
                    found[place.name] = opened.read() if opened else b""
    except Broken:
        raise
    except Exception as error:  # whatever gzip and tarfile find wrong with bytes that are not what they should be
        raise Broken(f"cannot be unpacked ({' '.join(str(error).split()) or type(error).__name__})") from error
    return found


def _place(member: tarfile.TarInfo) -> PurePosixPath:
    """Where a member lies, or Broken unless it is a plain file or folder inside the archive."""
    name = repr(member.name[:80])
    place = PurePosixPath(member.name)
    if place.is_absolute() or ".." in place.parts or "\\" in member.name or "\0" in member.name:
        raise Broken(f"holds the path {name}, which leads out of it")
    if member.islnk() or member.issym():
        raise Broken(f"holds {name}, which is a link")
    if not (member.isdir() or member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)):
        raise Broken(f"holds {name}, which is neither a file nor a folder")
    return place
