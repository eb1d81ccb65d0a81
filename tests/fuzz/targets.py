"""Every place where the package reads what somebody else may have written, and real files for each."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import seeds

from gatedtui import config, events, modelfile, paths, sources
from gatedtui.cli.follow import tell_line
from gatedtui.data import archive, audio, dataset, digits, imports, mat, scores
from gatedtui.errors import GatedError
from gatedtui.listen import results
from gatedtui.runs import folder as folders
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.follow import Tail
from gatedtui.runs.history import load
from gatedtui.runs.row import read_row
from gatedtui.runs.status import status
from gatedtui.sound import midi, pitches
from gatedtui.sound.wav import read_stereo
from gatedtui.sweep import space
from gatedtui.sweep.folder import SweepFolder


def unchanged(content: bytes) -> bytes:
    """The content of a file that is not packed."""
    return content


@dataclass(frozen=True)
class Target:
    """One kind of file."""

    name: str
    file: str
    """Where the damaged content is put, below a scratch folder."""
    seeds: Callable[[Path], Sequence[bytes]]
    read: Callable[[Path], object]
    """Reads it; only `GatedError` and `Broken` may come out."""
    bound_s: float = 5.0
    """Longest that one input may take."""
    wrap: Callable[[bytes], bytes] = unchanged
    """Applied to every other damaged seed: packs it, so that damage reaches what lies inside."""
    always: bool = False
    """Whether every damaged seed is wrapped."""


def _midi(path: Path) -> None:
    with contextlib.suppress(GatedError):
        scores.read(path)
    primer = midi.read_primer(path, steps_per_quarter=4)
    assert len(primer.roll) and primer.roll.shape[1] == 88


def _audio(path: Path) -> None:
    for whole in (True, False):
        with contextlib.suppress(GatedError):
            read, rate_hz = audio.read_audio(path, whole=whole)
            assert len(read) and rate_hz > 0
    read_stereo(path)


def _tar(path: Path) -> None:
    for name, content in archive.files(path.read_bytes(), "recordings", ".wav").items():
        assert "/" not in name
        digits.samples(name, content)


def _mat(path: Path) -> None:
    for rolls in mat.rolls(path.read_bytes()).values():
        assert all(roll.shape[1] == 88 and roll.max(initial=0) <= 1 for roll in rolls)


def _model(path: Path) -> None:
    found = sources.find(str(path), runs=path.parent / "none")
    found.described.encode()


def _run(path: Path) -> None:
    run = RunFolder(path.parent)
    read_row(run)
    status(run)
    run.config()


def _state(path: Path) -> None:
    """A run's state: the run goes on from it for three updates."""
    from gatedtui.train import worker

    keeper = worker.begin(RunFolder(path.parent))
    asked = iter([False] * 3)
    for event in keeper.training.events(lambda: next(asked, True)):
        events.to_line(event).encode()


def _model_file(path: Path) -> None:
    found = modelfile.read(path)
    found.paper_nll("jsb")
    found.kind.encode()


def _events(path: Path) -> None:
    run = RunFolder(path.parent)
    status(run)
    read_row(run)
    history = load(run)
    history.time_left_s(config.RunConfig())
    for event in Tail(run).read().events:
        (tell_line(run, event) or "").encode()
        events.to_line(event).encode()


def _text(path: Path) -> None:
    """A word typed, or a name in a file."""
    text = path.read_bytes().decode("utf-8", "replace").replace("\0", "")
    runs = path.parent / "runs"
    for read in (
        pitches.parse_pitches,
        space.parse,
        config.parse_setting,
        config.find_key,
        imports.check_name,
        modelfile.load,
        lambda word: folders.find(runs, word),
        lambda word: sources.find(word, runs=runs),
        lambda word: _made(runs, word),
    ):
        try:
            read(text)
        except GatedError as error:
            f"{error.what}{error.hint}".encode()


def _made(runs: Path, word: str) -> None:
    run = folders.create(runs, word, config.RunConfig())
    assert run.path.parent == runs and run.config_path.is_file() and os.listdir(runs) == [word]  # noqa: PTH208
    folders.remove(run)


TARGETS = {
    target.name: target
    for target in (
        Target("MIDI", "a.mid", seeds.midi, _midi),
        Target("MusicXML", "a.musicxml", lambda _: seeds.scores(), scores.read, 30.0),
        Target("MusicXML, packed", "a.mxl", lambda _: seeds.scores()[:1], scores.read, 30.0, seeds.mxl),
        Target("WAV FLAC OGG AIFF", "a.wav", lambda _: [s for s in seeds.audio() if s[:3] != b"ID3"], _audio),
        Target("MP3", "a.mp3", lambda _: seeds.audio()[4:5], _audio),
        Target("MATLAB", "a.mat", lambda _: seeds.mat(), _mat),
        Target("archive", "a.tar.gz", lambda _: seeds.tar(), _tar, wrap=seeds.packed),
        Target("model", "a.safetensors", seeds.safetensors, _model),
        Target(
            "model's header",
            "a.safetensors",
            lambda folder: [seeds.header(seeds.safetensors(folder)[0])[0]],
            _model,
            wrap=lambda text: seeds.with_header(text, seeds.tensors()),
            always=True,
        ),
        Target("run state", "state.safetensors", seeds.state, _state),
        Target(
            "run state's header",
            "state.safetensors",
            lambda folder: [seeds.header(seeds.state(folder)[0])[0]],
            _state,
            wrap=lambda text: seeds.with_header(text, seeds.state_tensors()),
            always=True,
        ),
        Target("run.toml", "run.toml", lambda _: seeds.run_toml(), _run),
        Target(
            "model file",
            "a.toml",
            lambda _: [path.read_bytes() for path in sorted(paths.bundled("models").glob("*.toml"))],
            _model_file,
        ),
        Target(
            "sweep.toml", "sweep.toml", lambda _: [seeds.SWEEP.encode()], lambda path: SweepFolder(path.parent).about()
        ),
        Target("events.jsonl", "events.jsonl", lambda _: seeds.journal(), _events),
        Target("blind tests", "a.json", lambda _: seeds.results()[:1], results.read),
        Target(
            "list of imports", "imports.json", lambda _: seeds.results()[1:], lambda path: imports.read(path.parent)
        ),
        Target("prepared data", "a.npz", seeds.npz, dataset.load),
        Target("typed words", "a.txt", lambda _: list(seeds.TEXTS), _text),
    )
}
