"""Files made to hurt: each of these once took all memory or time, a traceback, or more than it was given."""

import json
import math
import os
import struct
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gatedtui import checkpoint, config, events, modelfile, paths, sources
from gatedtui.cli.follow import tell_line
from gatedtui.data import scores
from gatedtui.data.broken import Broken
from gatedtui.errors import BadArgument, BadSource
from gatedtui.listen import results
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.row import read_row

from ..fuzz.seeds import CONTAINER, XML, header, model, with_header


@pytest.mark.parametrize(
    ("there", "instead", "reason"),
    [
        (b"<beats>4<", b"<beats>99999<", "too many beats"),
        (b"<beats>4<", b"<beats>" + b"500+" * 50 + b"1<", "too many beats"),
        (b"<beats>4<", b"<beats>9<!-- -->9&#57;99<", "too many beats"),
        (b"<fifths>-1<", b"<fifths>-99999999<", "'fifths'"),
        (b'ending number="1"', b'ending number="1-99999999"', "'ending'"),
        (b'ending number="1"', b'ending number="' + b"9" * 5000 + b'"', "cannot be parsed"),
        (b'partwise.dtd">', b'partwise.dtd" [<!ENTITY b SYSTEM "file:///etc/passwd">]>', "defines entities"),
        (b"<part-list>", b"<part-list>" + b"<a>" * 3000, "cannot be parsed"),
    ],
)
def test_a_score_that_would_take_all_time_or_memory_is_refused(there, instead, reason, tmp_path: Path):
    assert XML.count(there) == 1
    (tmp_path / "a.xml").write_bytes(XML)
    (piece,) = scores.pieces(tmp_path / "a.xml")
    assert len(piece.notes)
    (tmp_path / "a.xml").write_bytes(XML.replace(there, instead))
    with pytest.raises(Broken, match=reason):
        scores.pieces(tmp_path / "a.xml")


def test_what_an_entity_points_to_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also where nothing looks for entities, the parser does not open them."""
    (tmp_path / "secret").write_text("hidden")
    entity = f'partwise.dtd" [<!ENTITY b SYSTEM "file://{tmp_path}/secret">]>'.encode()
    (tmp_path / "a.xml").write_bytes(XML.replace(b'partwise.dtd">', entity).replace(b">A<", b">&b;<"))
    monkeypatch.setattr(scores, "_check_work", lambda *_: None)
    with pytest.raises(Broken, match="undefined entity"):
        scores.pieces(tmp_path / "a.xml")


@pytest.mark.parametrize("there", ["../secret.xml", "/{}/secret.xml", "..\\\\secret.xml"])
def test_a_packed_score_cannot_lead_out_of_itself(there: str, tmp_path: Path):
    """Neither by what it says that it holds, nor by the names of what it holds."""
    there = there.format(tmp_path).replace("//", "/")
    (tmp_path / "secret.xml").write_bytes(XML)
    (tmp_path / "in").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    container = CONTAINER.replace(b"a.xml", there.encode())
    for members in ({"META-INF/container.xml": container}, {"META-INF/container.xml": container, there: b"<a/>"}):
        with zipfile.ZipFile(tmp_path / "in" / "a.mxl", "w") as packed:
            for name, content in members.items():
                packed.writestr(name, content)
        with pytest.raises(Broken):
            scores.pieces(tmp_path / "in" / "a.mxl")
    (tmp_path / "in" / "a.mxl").unlink()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def tensor_file(head: dict[str, object], size: int = 8) -> bytes:
    return with_header(json.dumps(head).encode(), bytes(size))


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 90_000_000) + b"{",
        tensor_file({"a": F32, "b": F32}),
        tensor_file({"a": F32 | {"data_offsets": [0, 2**40]}}),
        tensor_file({"a": F32 | {"shape": [2**40, 2**40]}}),
        tensor_file({"a": F32 | {"shape": [-1]}}),
        tensor_file({"a": F32 | {"data_offsets": [4, 8]}}),
        tensor_file({"a": F32, "__metadata__": {"gated": "[" * 100_000}}),
        tensor_file({"a": F32, "__metadata__": {"gated": "9" * 5000}}),
        with_header(b"[" * 100_000, b""),
    ],
    ids=[
        "header of 8 EiB", "header of 90 MB", "overlap", "beyond the end", "overflow", "negative", "shape and bytes",
        "deep", "digits", "deep header",
    ],
)  # fmt: skip
def test_a_safetensors_file_with_an_impossible_header_is_refused(content: bytes, tmp_path: Path):
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(BadSource):
        checkpoint.load(tmp_path / "m.safetensors")


def changed(tmp_path: Path, change) -> Path:
    path = tmp_path / "m.safetensors"
    checkpoint.save(path, model())
    text, rest = header(path.read_bytes())
    head = json.loads(text)
    about = json.loads(head["__metadata__"]["gated"])
    change(about)
    head["__metadata__"]["gated"] = json.dumps(about)
    path.write_bytes(with_header(json.dumps(head).encode(), rest))
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["data"].update(scale=10**400),
        lambda about: about["data"].update(steps_per_quarter=math.inf),
        lambda about: about["nll"].update(valid_nll=10**400),
        lambda about: about["nll"].update(valid_nll=[1]),
        lambda about: about["config"]["train"].update(lr=10**400),
        lambda about: about["config"].update(model=[[[]]]),
        lambda about: about["data"].update(name="\x1b[2J\x1b]0;owned\x07"),
        lambda about: about.update(run="a\nb"),
    ],
    ids=["scale", "rate", "nll", "nll of a list", "config", "config of lists", "name that steers", "run of two lines"],
)
def test_a_model_with_impossible_facts_is_refused(change, tmp_path: Path):
    with pytest.raises(BadSource):
        sources.find(str(changed(tmp_path, change)), runs=tmp_path / "none")
    assert sources.find(str(changed(tmp_path, lambda about: None)), runs=tmp_path / "none").described


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path):
    made = model()
    for bad in (np.nan, np.inf):
        made.tensors["unit.U"][0, 0] = bad
        checkpoint.save(tmp_path / "m.safetensors", made)
        with pytest.raises(BadSource, match="not finite"):
            checkpoint.load(tmp_path / "m.safetensors")


def test_a_pipe_or_a_device_is_no_checkpoint(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        found: list[BaseException] = []

        def read(path: Path = path, found: list[BaseException] = found) -> None:
            try:
                checkpoint.load(path)
            except BadSource as error:
                found.append(error)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(10)
        assert not reader.is_alive() and "not a plain file" in str(found[0])


TEXTS = [
    "a = " + "[" * 5000,
    "seed = " + "9" * 5000,
    "[train]\nlr = 1" + "0" * 400,
    "[train]\nlr = inf",
    "\ufffe",
    "a.b.c = 1",
]


@pytest.mark.parametrize("text", TEXTS, ids=["deep", "digits", "huge", "infinite", "no text", "unknown"])
def test_a_config_that_is_none_is_refused_and_its_run_still_listed(text: str, tmp_path: Path):
    with pytest.raises(BadArgument):
        config.from_toml(text)
    (tmp_path / "run.toml").write_text(text)
    assert read_row(RunFolder(tmp_path)).name == tmp_path.name
    with pytest.raises(BadSource):
        modelfile.read(tmp_path / "run.toml")


def test_a_model_files_row_of_the_paper_holds_numbers(tmp_path: Path):
    whole = (paths.bundled("models") / "music-gru.toml").read_text()
    for row in ('test = "low"', "[paper.test]\njsb = [8.5]"):
        head = whole.split("[paper")[0] + ("[paper]\n" if row.startswith("test") else "")
        (tmp_path / "m.toml").write_text(head + row)
        with pytest.raises(BadSource, match="hold numbers"):
            modelfile.read(tmp_path / "m.toml")


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"started","parameters":{"recurrent":"x","output":null,"total":1e999}}',
        '{"event":"epoch","epoch":N,"valid_nll":N}'.replace("N", "1" + "0" * 400),
        '{"event":"finished","best_epoch":N}'.replace("N", "9" * 5000),
        '{"event":"failed","what":{},"hint":[],"exit":true}',
    ],
)
def test_an_event_holds_what_its_kind_says_or_the_default(line: str, tmp_path: Path):
    event = events.from_line(line)
    if event is not None:
        json.loads(events.to_line(event), parse_constant=pytest.fail)
        tell_line(RunFolder(tmp_path), event)


def test_blind_tests_nested_without_end_are_refused(tmp_path: Path):
    (tmp_path / "r.json").write_text("[" * 100_000)
    with pytest.raises(BadSource):
        results.read(tmp_path / "r.json")


@pytest.mark.parametrize("word", ["a" * 300, "é" * 200, "C4 " * 500])
def test_a_word_longer_than_any_file_name_is_no_path(word: str, tmp_path: Path):
    assert not paths.is_path(word)
    with pytest.raises(BadArgument):
        modelfile.load(word)
    with pytest.raises(BadArgument):
        sources.find(word, runs=tmp_path)
