"""Small real files of every kind the package reads, made by the programs that usually make them."""

import gzip
import io
import json
import os
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from gatedtui import checkpoint, config, events
from gatedtui.checkpoint import Checkpoint
from gatedtui.data import bach, dataset

XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">
<score-partwise version="3.1"><part-list><score-part id="P1"><part-name>A</part-name></score-part></part-list>
<part id="P1"><measure number="1"><attributes><divisions>2</divisions><key><fifths>-1</fifths></key>
<time><beats>4</beats><beat-type>4</beat-type></time><clef><sign>G</sign><line>2</line></clef>
<transpose><chromatic>-2</chromatic></transpose></attributes><direction><sound tempo="96"/></direction>
<note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>2</duration><voice>1</voice>
<type>quarter</type><tie type="start"/></note><note><chord/><pitch><step>E</step><octave>4</octave></pitch>
<duration>2</duration><voice>1</voice></note><backup><duration>2</duration></backup><note><grace/><pitch><step>D</step>
<octave>5</octave></pitch><voice>2</voice></note><note><rest/><duration>4</duration><voice>2</voice><time-modification>
<actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification></note><forward><duration>2</duration>
</forward><barline><ending number="1" type="start"/><repeat direction="backward" times="2"/></barline></measure>
<measure number="2"><attributes><measure-style><multiple-rest>2</multiple-rest></measure-style></attributes>
<note><pitch><step>C</step><octave>4</octave></pitch><duration>8</duration><tie type="stop"/></note></measure></part>
</score-partwise>"""
CONTAINER = b'<?xml version="1.0"?><container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>'
SWEEP = """format = 1\nunits = ["gru"]\ndata = ["tiny"]\ndraws = 2\nseeds = [0, 1]\nrecipe = ""\nmodels = []
[set]\n"model.hidden" = 7\n[draw]\n"train.lr" = "log(0.0001,0.01)"\n"""
TEXTS = (
    b"train.lr=1e-3", b"lr=log(1e-4,1e-2)", b"batch=choice(1,2,4)", b"C4 E4 G4, rest C5:2", b"bach:3", b"gru-bach-1",
    b"hidden=int(3,40)", b"seed=7", b"C#4/2 Bb3 r", b"music-gru.toml",
)  # fmt: skip


def midi(folder: Path) -> list[bytes]:
    """One as this package writes it; one with running status, a tempo, drums and a chunk nobody knows."""
    from gatedtui.sound.midi import write_midi

    roll = np.zeros((12, 88), np.int64)
    roll[2:9, 40] = roll[4:, 47] = 1
    write_midi(roll, folder / "seed.mid", steps_per_quarter=4)
    track = bytes.fromhex(
        "00ff510307a12000903c40303e40300040303c0000994040600040008000ff2f00".replace("008000ff", "00ff")
    )
    other = (
        b"MThd" + bytes.fromhex("000000060001000101e0") + b"XFIH\0\0\0\2ab" + b"MTrk" + len(track).to_bytes(4, "big")
    )
    return [(folder / "seed.mid").read_bytes(), other + track]


def scores() -> list[bytes]:
    """MusicXML: one written here with all kinds of elements, and the shortest chorale that comes with music21."""
    shortest = min(bach.files(), key=lambda path: path.stat().st_size)
    with zipfile.ZipFile(shortest) as archive:
        name = next(name for name in archive.namelist() if not name.startswith("META"))
        return [XML, XML, XML, archive.read(name)]


def mxl(score: bytes) -> bytes:
    """A score as a compressed MusicXML file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("a.xml", score)
    return made.getvalue()


def audio() -> list[bytes]:
    """A fifth of a second in each format that is read."""
    import soundfile

    wave = np.sin(np.arange(1600) / 9).astype(np.float32) * 0.3
    found = []
    for form, kind in (
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("FLAC", None),
        ("OGG", None),
        ("MP3", None),
        ("AIFF", None),
    ):
        made = io.BytesIO()
        soundfile.write(
            made, np.column_stack([wave, -wave]) if form == "FLAC" else wave, 8000, format=form, subtype=kind
        )
        found.append(made.getvalue())
    return found


def mat() -> list[bytes]:
    """The published files' layout, packed and not."""
    import scipy.io

    chance = np.random.default_rng(1)
    lists = {}
    for name, lengths in (("traindata", (5, 9)), ("validdata", (4,)), ("testdata", (7, 3))):
        cells = np.empty((1, len(lengths)), object)
        for place, length in enumerate(lengths):
            cells[0, place] = (chance.random((length, 88)) < 0.05).astype(np.uint8)
        lists[name] = cells
    found = []
    for packed in (True, False):
        made = io.BytesIO()
        scipy.io.savemat(made, lists, do_compression=packed)
        found.append(made.getvalue())
    return found


def model() -> Checkpoint:
    """The smallest model of music."""
    made = config.build({"model.unit": "lstm", "model.hidden": 2, "data.name": "tiny"})
    chance = np.random.default_rng(2)
    tensors = {name: chance.normal(size=shape).astype(np.float32) for name, shape in checkpoint.shapes(made).items()}
    tensors["start"] = np.zeros((2, 88), np.float32)
    data = {"name": "tiny", "kind": "music", "digest": "ab" * 32, "steps_per_quarter": 4, "rate_hz": 0, "scale": 1.0}
    return Checkpoint(made, data, {"valid_nll": 8.5, "epoch": 3}, tensors, run="seed")


def safetensors(folder: Path) -> list[bytes]:
    """A model's file."""
    checkpoint.save(folder / "seed.safetensors", model())
    return [(folder / "seed.safetensors").read_bytes()]


def header(content: bytes) -> tuple[bytes, bytes]:
    """A safetensors file's JSON header, and what follows it."""
    size = int.from_bytes(content[:8], "little")
    return content[8 : 8 + size], content[8 + size :]


@cache
def tensors() -> bytes:
    """What follows the header of the model's file."""
    with tempfile.TemporaryDirectory() as folder:
        return header(safetensors(Path(folder))[0])[1]


def with_header(text: bytes, rest: bytes) -> bytes:
    """The inverse of `header`: the length fits, whatever the text is."""
    return len(text).to_bytes(8, "little") + text + rest


def state(folder: Path) -> list[bytes]:
    """The state of a run that was stopped within a minibatch; beside it the run's config, and its data in a cache."""
    from gatedtui.data import prepare
    from gatedtui.runs.folder import RunFolder
    from gatedtui.train.loop import Training

    run = RunFolder(folder)
    if not run.state_path.exists():
        os.environ["GATED_CACHE"] = str(folder / "cache")
        data = prepare.prepare("tiny", cache=folder / "cache")
        values = {"model.unit": "lstm", "model.hidden": 3, "data.name": "tiny", "train.batch": 3}
        made = config.build(values | {"train.truncate": 8, "train.noise": 0.1})
        run.config_path.write_text(config.to_toml(made))
        training = Training(made, data)
        told = "".join(map(events.to_line, training.events(lambda: training.position.updates == 4)))
        run.events_path.write_text(told)
        held, position = training.state()
        about = {"position": position, "events_bytes": len(told), "data_digest": data.digest}
        checkpoint.write(run.state_path, held, about)
        _KEPT[folder] = run.state_path.read_bytes()
    return [_KEPT[folder]]


def state_tensors() -> bytes:
    """What follows the header of the state that `state` made."""
    return header(next(iter(_KEPT.values())))[1]


_KEPT: dict[Path, bytes] = {}
"""The state in a folder, whose file the damaged ones take the place of."""


def run_toml() -> list[bytes]:
    """A run's config."""
    return [config.to_toml(config.build({"data.name": "tiny"})).encode()]


def journal() -> list[bytes]:
    """A run's events."""
    told = [
        events.Started(
            run="a", unit="gru", data="tiny", parameters={"recurrent": 3, "output": 4, "total": 7}, epochs=9
        ),
        events.Step(updates=1, epoch=1, loss=9.0, frames_per_s=1e4),
        *(events.Epoch(epoch=n, updates=n, frames=50, train_nll=9.0 - n, valid_nll=9.5 - n, lr=1e-3) for n in (1, 2)),
        events.Saved(2, 2),
        events.Resumed(2, 2),
        events.Finished(best_epoch=2, valid_nll=7.5, test_nll_frame=7.7),
    ]
    ends = (events.Diverged(1, 1, "nan", "--lr"), events.Failed("full", "make room", 3), events.Stopped(3, 2))
    return ["".join(map(events.to_line, [*told[: 3 + 2 * n], end])).encode() for n, end in enumerate(ends)] + [
        "".join(map(events.to_line, told)).encode()
    ]


def results() -> list[bytes]:
    """Blind tests, and the list of imported folders."""
    session = {"task": "real", "time": "2026-01-01", "seed": 1, "items": ["a", "b"], "trials": [{"answer": "a"}]}
    one = {"name": "songs", "path": "/nowhere", "kind": "music", "rate_hz": 0, "transposed": False}
    return [
        json.dumps({"format": 1, "sessions": [session]}, indent=2).encode(),
        json.dumps({"format": 1, "imports": [one]}, indent=2).encode(),
    ]


def tar() -> list[bytes]:
    """An archive of recordings, before it is packed."""
    import soundfile

    sound, made = io.BytesIO(), io.BytesIO()
    soundfile.write(sound, np.zeros(200, np.int16), 8000, format="WAV", subtype="PCM_16")
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("top/recordings/0_theo_0.wav", "top/recordings/1_theo_7.wav", "top/README.md"):
            member = tarfile.TarInfo(name)
            member.size = len(sound.getvalue())
            archive.addfile(member, io.BytesIO(sound.getvalue()))
    return [made.getvalue()[:6000]]


def packed(content: bytes) -> bytes:
    """Bytes as gzip packs them."""
    return gzip.compress(content, 1, mtime=0)


def npz(folder: Path) -> list[bytes]:
    """A prepared data set."""
    rolls = tuple(np.eye(5, 88, k, dtype=np.uint8) for k in (0, 30))
    splits = dict.fromkeys(dataset.SPLITS, rolls)
    titles = dict.fromkeys(dataset.SPLITS, ("a", "b"))
    dataset.save(dataset.build("tiny", "music", splits, titles, steps_per_quarter=4), folder / "seed.npz")
    return [(folder / "seed.npz").read_bytes()]
