"""The engine of many machines: every trial is a task of Ray's, which places, counts and repeats them.

A trial is trained where Ray puts it, from nothing but what is sent along (`errand`), so it comes out as it would here;
what it made is brought home when it is over. Where a node dies Ray repeats the trial on another. Trials under way are
not saved when the driver stops or dies: they begin anew, or from the state a local engine once left.
"""

import contextlib
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gatedtui import atomic, paths
from gatedtui.config import DataConfig
from gatedtui.data import imports, prepare
from gatedtui.errors import BadArgument, BadSource, DeviceError, GatedError
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status
from gatedtui.sweep import errand, local
from gatedtui.sweep.errand import Files
from gatedtui.sweep.folder import SweepFolder
from gatedtui.sweep.local import FAILURES, POLL_S, Ended, Happening, Manned
from gatedtui.sweep.plan import DONE, Trial

RETRIES = 3
"""How often Ray repeats a trial whose node or process died."""
STORE_BYTES = 200_000_000
"""Ray's object store on a cluster started here: it holds the data sets, of some megabytes each."""
KNOCK_S = 10.0
"""How long a cluster's port may take to answer."""
HOME, OLD = ".home-", ".home-old-"
"""Begins the name of a folder in which a trial's files are put together before it takes its place."""


def train(
    folder: SweepFolder,
    trials: Sequence[Trial],
    *,
    jobs: int | None = None,
    address: str | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Happening]:
    """Trains what is not done yet on a Ray cluster.

    Args:
        folder: the sweep, whose lock this process holds.
        trials: all of its trials; their data is prepared here.
        jobs: cores of the cluster that is started here; None = all of this machine.
        address: an existing cluster's; None starts one here, and ends it afterwards.
        should_stop: asked five times a second; True cancels what is under way.

    Yields:
        What happens; None at least five times a second.

    Raises:
        BadArgument: `jobs` together with `address`: an existing cluster has the cores it has.
        BadSource: no cluster answers there; data that is not prepared.
        DeviceError: Ray is not installed.
        GatedError: a node has another version of this package, or three trials failed one after another.
    """
    ray = _connect(jobs, address)
    try:
        tidy(folder)
        yield Manned(max(1, int(ray.cluster_resources().get("CPU", 1))))
        cached: dict[DataConfig, Any] = {}
        pending: dict[Any, Trial] = {}
        for trial in trials:
            run = folder.run(trial.slot)
            if status(run).word in DONE:
                continue
            data = trial.config.data
            if data not in cached:
                cached[data] = ray.put(_cache_files(data))
            files = {"run.toml": _config(trial)} | errand.pack(run)
            task = ray.remote(errand.run).options(
                name=trial.name,
                num_cpus=trial.config.train.threads,
                num_gpus=int(trial.config.train.device == "cuda"),
                max_retries=RETRIES,
                retry_exceptions=[ChildProcessError],
            )
            pending[task.remote(trial.name, files, cached[data], version("gatedtui"))] = trial
        yield from _collect(ray, folder, pending, should_stop)
    finally:
        ray.shutdown()


def _collect(
    ray: Any, folder: SweepFolder, pending: dict[Any, Trial], should_stop: Callable[[], bool]
) -> Iterator[Happening]:
    failed = 0
    while pending:
        if should_stop():
            for task in pending:
                with contextlib.suppress(ray.exceptions.RayError):
                    ray.cancel(task)
            return
        for task in ray.wait(list(pending), num_returns=1, timeout=POLL_S)[0]:
            trial = pending.pop(task)
            try:
                problem, files = ray.get(task)
            except ray.exceptions.RayError as error:
                _note(folder, trial, error)
                yield Ended(trial, "crashed")
                continue
            if problem:
                raise GatedError(problem, "Install the same version on every node, then the same command again.")
            word = status(bring_home(folder, trial.name, files)).word
            failed = failed + 1 if word == "failed" else 0
            yield Ended(trial, word)
            if failed >= FAILURES:
                raise local.why(folder.run(trial.slot))
        yield None


def tidy(folder: SweepFolder) -> None:
    """Ends what a driver that was killed was doing to bring a trial home: only what is whole gets its name."""
    for old in folder.path.glob(f"{OLD}*"):
        name = old.name.removeprefix(OLD)
        if (fresh := folder.path / f"{HOME}{name}").exists() and not (folder.path / name).exists():
            fresh.rename(folder.path / name)
    for path in folder.path.glob(f"{HOME}*"):
        shutil.rmtree(path, ignore_errors=True)


def bring_home(folder: SweepFolder, name: str, files: Files) -> RunFolder:
    """Puts a trial's files where a local engine would have made them, all at once.

    Raises:
        BadSource: the sweep's folder cannot be written.
    """
    fresh, place, old = (folder.path / name for name in (f"{HOME}{name}", name, f"{OLD}{name}"))
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for kept in (kept for kept in errand.KEPT if kept in files):  # no other name, whatever came back
            atomic.write(fresh / kept, files[kept])
        if place.exists():
            place.rename(old)
        fresh.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise BadSource(f"'{place}' cannot be written ({error.strerror}).", "Make room, then again.") from None
    return RunFolder(place)


def _connect(jobs: int | None, address: str | None) -> Any:
    """Ray, connected."""
    if find_spec("ray") is None:
        raise DeviceError("The package 'ray' is not installed.", "pip install 'gatedtui[ray]'")
    if address is not None and jobs is not None:
        raise BadArgument(
            f"'--jobs {jobs}' does not go with '--address': the cluster has the cores it has.", "Leave one of them out."
        )
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the way Ray will have it, which it warns of
    import ray  # pyright: ignore[reportMissingImports]

    if address is not None:
        _knock(address)
    ours = signal.getsignal(signal.SIGTERM)
    words: dict[str, Any] = {"address": address or "local", "log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        words |= {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    try:
        ray.init(**words)
    except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
        raise _nobody(address, error) from None
    signal.signal(signal.SIGTERM, ours)  # Ray takes it, and would end this process before trials are stopped
    return ray


def _knock(address: str) -> None:
    """Raises `BadSource` where nobody listens at `host:port`: Ray itself would go on asking for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit() and int(port) < 65_536:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()
        except OSError as error:
            raise _nobody(address, error) from None


def _nobody(address: str | None, error: Exception) -> BadSource:
    said = (getattr(error, "strerror", None) or str(error)).strip().splitlines()
    where = f"at '{address}'" if address is not None else "started here"
    what = f"No Ray cluster {where} answers ({said[0] if said else type(error).__name__})."
    return BadSource(what, "ray status --address ADDRESS says more; without --address one is started.")


def _cache_files(data: DataConfig) -> dict[str, bytes]:
    """What a node's cache has to hold for a data set: its file, and the list of imported names."""
    cache: Path = paths.cache_folder()
    wanted = prepare.cached(data.name, cache=cache, rate_hz=data.rate_hz)
    found = {}
    for path in (wanted, imports.registry(cache)):
        with contextlib.suppress(FileNotFoundError):
            found[str(path.relative_to(cache))] = path.read_bytes()
    if str(wanted.relative_to(cache)) not in found:
        raise BadSource(f"The data set '{data.name}' is not prepared.", f"gated data fetch {data.name}")
    return found


def _config(trial: Trial) -> bytes:
    from gatedtui import config

    return config.to_toml(trial.config).encode()


def _note(folder: SweepFolder, trial: Trial, error: BaseException) -> None:
    """Keeps why Ray gave a trial up."""
    with contextlib.suppress(OSError), folder.log_path.open("a", encoding="utf-8") as log:
        log.write(f"{trial.name}: {type(error).__name__}: {str(error).strip()}\n")
