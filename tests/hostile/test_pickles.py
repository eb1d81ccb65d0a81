"""A pickle that would leave a mark when it is loaded, offered in every place where a file is accepted."""

import io
import json
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gatedtui import checkpoint, modelfile, sources
from gatedtui.checkpoint import Checkpoint
from gatedtui.cli.main import run as gated
from gatedtui.data import archive, audio, dataset, fetch, imports, mat, prepare, scores
from gatedtui.data.broken import Broken
from gatedtui.errors import GatedError
from gatedtui.listen import results
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import load
from gatedtui.runs.row import read_row
from gatedtui.runs.status import status
from gatedtui.sound import midi, wav
from gatedtui.sweep.folder import SweepFolder


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


@pytest.fixture
def bomb(mark: Path) -> bytes:
    """The pickle. That it would do its work is tried once, elsewhere."""
    elsewhere = mark.with_name("elsewhere")
    pickle.loads(pickle.dumps(Bomb(elsewhere)))
    assert elsewhere.exists()
    return pickle.dumps(Bomb(mark))


READERS: dict[str, Callable[[Path], object]] = {
    "m.safetensors": checkpoint.load,
    "m.pt": lambda path: sources.find(str(path), runs=path.parent / "none"),
    "m.toml": modelfile.read,
    "run.toml": lambda path: RunFolder(path.parent).config(),
    "sweep.toml": lambda path: SweepFolder(path.parent).about(),
    "a.mid": lambda path: midi.read_primer(path, steps_per_quarter=4),
    "b.mid": scores.read,
    "a.xml": scores.read,
    "a.mxl": scores.read,
    "a.abc": scores.read,
    "a.krn": scores.read,
    "a.wav": audio.read_audio,
    "a.mp3": wav.read_stereo,
    "a.npz": dataset.load,
    "imports.json": lambda path: imports.read(path.parent),
    "r.json": results.read,
    "a.mat": lambda path: mat.rolls(path.read_bytes()),
    "a.tar.gz": lambda path: archive.files(path.read_bytes(), "recordings", ".wav"),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # music21 leaves an ABC file open
@pytest.mark.parametrize("name", READERS)
def test_a_pickle_is_refused_and_not_run(name: str, bomb: bytes, mark: Path, tmp_path: Path):
    (tmp_path / name).write_bytes(bomb)
    with pytest.raises((GatedError, Broken)):
        READERS[name](tmp_path / name)
    assert not mark.exists()


def test_a_pickle_among_the_events_is_no_event(bomb: bytes, mark: Path, tmp_path: Path):
    run = RunFolder(tmp_path)
    for path in (run.events_path, run.log_path, run.lock_path):
        path.write_bytes(bomb + b"\n")
    run.config_path.write_text("")
    assert load(run).last is None and status(run).word == "starting"
    read_row(run)
    assert not mark.exists()


def test_a_pickle_packed_as_what_torch_and_numpy_save_is_refused(bomb: bytes, mark: Path, tmp_path: Path):
    """A torch file is a zip with a pickle; an array of objects in an `.npz` is one too."""
    for name in ("archive/data.pkl", "labels.npy"):
        made = tmp_path / "packed"
        with zipfile.ZipFile(made, "w") as packed:
            packed.writestr(name, bomb)
        for read in (checkpoint.load, dataset.load):
            with pytest.raises(GatedError):
                read(made)
    objects = np.empty(1, object)
    objects[0] = Bomb(mark)
    with (tmp_path / "o.npz").open("wb") as file:
        np.savez(file, labels=objects, train_content=objects)
    with pytest.raises(GatedError, match="damaged"):
        dataset.load(tmp_path / "o.npz")
    assert not mark.exists()


def test_a_pickle_from_a_mirror_or_in_an_archive_is_only_bytes(bomb: bytes, mark: Path, tmp_path: Path):
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "set.mat").write_bytes(bomb)
    remote = fetch.Remote("set.mat", "http://127.0.0.1:1/set.mat", 1 << 20)
    with pytest.raises(GatedError, match="is not the file"):
        fetch.obtain(remote, mat.rolls, wanted="jsb", cache=tmp_path / "cache", mirror=str(tmp_path / "mirror"))
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as packed:
        member = tarfile.TarInfo("top/recordings/0_a_0.wav")
        member.size = len(bomb)
        packed.addfile(member, io.BytesIO(bomb))
    assert archive.files(made.getvalue(), "recordings", ".wav") == {"0_a_0.wav": bomb}
    assert not mark.exists()


def test_a_folder_of_pickles_is_no_data(bomb: bytes, mark: Path, tmp_path: Path):
    folder = tmp_path / "songs"
    folder.mkdir()
    for name in ("a.mid", "b.mxl", "c.musicxml", "d.xml", "e.p", "f.p.gz"):
        (folder / name).write_bytes(bomb)
    with pytest.raises(GatedError, match="0 usable files"):
        prepare.prepare(str(folder), cache=tmp_path / "cache")
    assert not mark.exists()


def test_the_commands_that_take_a_file_refuse_a_pickle(
    bomb: bytes, mark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for name in ("m.safetensors", "a.mid", "m.toml", "r.json"):
        (tmp_path / name).write_bytes(bomb)
    model, song, table = (str(tmp_path / name) for name in ("m.safetensors", "a.mid", "m.toml"))
    for words in (
        ["eval", model, "--json"],
        ["sample", model, "--out", str(tmp_path / "o.mid")],
        ["gates", model, "--input", "tiny:0", "--json"],
        ["train", "--model", table],
        ["models", "show", table],
        ["listen", song, "--plain"],
    ):
        assert gated(words) in (2, 3), words
    assert "Traceback" not in capsys.readouterr().err
    assert not mark.exists()


def test_a_saved_state_that_is_a_pickle_ends_the_run_with_a_sentence(bomb: bytes, mark: Path, runs: Path):
    from gatedtui.train import worker

    from ..faults.hurt import make

    run = make(runs, "a")
    run.state_path.write_bytes(bomb)
    with pytest.raises(GatedError, match="safetensors"):
        worker.work(run, type("Stop", (), {"asked": False})())
    assert not mark.exists() and not run.events_path.exists()


def test_weights_that_say_they_are_code_are_only_numbers(tmp_path: Path):
    """Metadata is JSON, and what is not expected in it is passed over."""
    from ..fuzz.seeds import header, model, with_header

    made: Checkpoint = model()
    checkpoint.save(tmp_path / "m.safetensors", made)
    text, rest = header((tmp_path / "m.safetensors").read_bytes())
    head = json.loads(text)
    about = json.loads(head["__metadata__"]["gated"])
    about["__reduce__"] = about["config"]["model"]["py/object"] = "os.system"
    head["__metadata__"]["gated"] = json.dumps(about)
    (tmp_path / "m.safetensors").write_bytes(with_header(json.dumps(head).encode(), rest))
    with pytest.raises(GatedError, match="whole config"):
        checkpoint.load(tmp_path / "m.safetensors")
