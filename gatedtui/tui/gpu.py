"""How busy the GPUs are, by NVIDIA's own tool where it is there; elsewhere nobody is asked and nothing is shown."""

import contextlib
import shutil
import subprocess
import threading
import weakref
from dataclasses import dataclass
from typing import IO

EVERY_S = 2
QUERY = ("--query-gpu=index,utilization.gpu,memory.used", "--format=csv,noheader,nounits", f"--loop={EVERY_S}")


@dataclass(frozen=True)
class Gpu:
    """All GPUs of this machine.

    Attributes:
        busy: percent of the time, of the busiest.
        memory: bytes in use, of all together.
    """

    busy: float
    memory: int


class Watch:
    """Keeps the newest figures of one `nvidia-smi`, which is started once and then speaks by itself.

    Asking it anew each time would cost its start, up to a second; and it may hang, as with a driver that has fallen
    over, which then nobody waits for. It is ended with this object, or by the next line it writes to nobody.
    """

    def __init__(self) -> None:
        self._newest: list[Gpu] = []
        tool = shutil.which("nvidia-smi")
        if tool is None:
            return
        with contextlib.suppress(OSError):
            process = subprocess.Popen(
                [tool, *QUERY],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            assert process.stdout is not None
            threading.Thread(target=_listen, args=(process.stdout, self._newest), daemon=True).start()
            weakref.finalize(self, _end, process)

    @property
    def newest(self) -> Gpu | None:
        """The newest figures; None where there are none, or the tool has ended."""
        return self._newest[-1] if self._newest else None


def _listen(lines: IO[str], newest: list[Gpu]) -> None:
    by_index: dict[str, tuple[float, int]] = {}
    with contextlib.suppress(ValueError, OSError), lines:
        for line in lines:
            figures = read(line)
            if figures is not None:
                index, busy, memory = figures
                by_index[index] = busy, memory
                newest[:] = [Gpu(max(b for b, _ in by_index.values()), sum(m for _, m in by_index.values()))]
    newest.clear()


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)


def read(line: str) -> tuple[str, float, int] | None:
    """`"0, 37, 1024"` (index, percent, MiB) as index, percent and bytes; None where a figure is missing."""
    words = [word.strip() for word in line.split(",")]
    if len(words) != 3:
        return None
    try:
        return words[0], float(words[1]), int(words[2]) << 20
    except ValueError:  # "[N/A]", or a sentence about a driver
        return None
