"""What holds for every input that Hypothesis can think of."""

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as any_
from hypothesis.strategies import DrawFn, composite

from gatedtui import config, events
from gatedtui.cli.follow import tell_line
from gatedtui.data import archive, imports, mat, smf
from gatedtui.data.broken import Broken
from gatedtui.errors import BadArgument, GatedError
from gatedtui.runs import folder as folders
from gatedtui.runs.folder import RunFolder
from gatedtui.sound.pitches import parse_pitches
from gatedtui.sweep import space

QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
"""The same examples each time, as many as take some tenths of a second."""
PLAIN = any_.none() | any_.booleans() | any_.integers() | any_.floats() | any_.text(max_size=20)
JSON = any_.recursive(PLAIN, lambda part: any_.lists(part, max_size=3) | any_.dictionaries(any_.text(max_size=8), part))


@composite
def midi(draw: DrawFn) -> bytes:
    """A MIDI file whose frame is right and whose events are anything."""
    tracks = draw(any_.lists(any_.binary(max_size=80), max_size=3))
    stated = draw(any_.sampled_from([len(tracks), len(tracks) + 1, 65535]))
    head = b"MThd\0\0\0\6\0\1" + stated.to_bytes(2, "big") + draw(any_.integers(0, 65535)).to_bytes(2, "big")
    return head + b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks)


@QUICK
@given(midi())
def test_any_midi_events_are_notes_within_bounds_or_refused(content: bytes):
    try:
        score = smf.score(content)
    except Broken:
        return
    start, end, pitch, velocity, channel = score.notes.T
    assert (end >= start).all() and (start[1:] >= start[:-1]).all() and score.end >= end.max(initial=0)
    assert ((pitch >= 0) & (pitch < 128) & (velocity > 0) & (velocity < 128) & (channel >= 0) & (channel < 16)).all()
    assert score.tempos[0, 0] == 0 and (score.tempos[:, 1] > 0).all()


@QUICK
@given(any_.lists(any_.tuples(any_.integers(0, 20), any_.binary(max_size=40)), max_size=5))
def test_any_elements_of_a_matlab_file_are_rolls_or_refused(elements: list[tuple[int, bytes]]):
    content = bytes(124) + b"\0\1IM"
    for kind, data in elements:
        content += kind.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data + bytes(-len(data) % 8)
    with pytest.raises(Broken):  # three lists of rolls do not come about by chance
        mat.rolls(content)


@QUICK
@given(any_.binary(max_size=600))
def test_any_bytes_are_an_archive_or_refused(content: bytes):
    try:
        found = archive.files(content, "recordings", ".wav")
    except Broken:
        return
    assert all("/" not in name for name in found)


@QUICK
@given(any_.sampled_from(sorted(events.KINDS)), any_.data())
def test_any_event_has_the_types_of_its_kind_and_can_be_told(kind: str, data: Any):
    fields = {name: data.draw(JSON) for name in events.to_dict(events.KINDS[kind]())}
    event = events.from_line(json.dumps(fields | {"event": kind}))
    assert type(event) is events.KINDS[kind]
    again = events.from_line(events.to_line(event))
    assert events.to_line(again) == events.to_line(event)
    tell_line(RunFolder(Path("a")), event)


@QUICK
@given(any_.dictionaries(any_.sampled_from(["model", "data", "train", "seed", "lr", "x"]), JSON))
def test_any_tables_are_a_config_or_refused(tables: dict[str, Any]):
    with contextlib.suppress(BadArgument):
        assert isinstance(config.from_nested(tables), config.RunConfig)


VALUES = {key: type(value) for key, value in config.flat(config.RunConfig()).items()}
OF_TYPE = {
    int: any_.integers() | any_.just(10**400),
    float: any_.floats() | any_.integers(),
    str: any_.text(max_size=9),
}


@QUICK
@given(any_.sampled_from(sorted(VALUES)).flatmap(lambda key: any_.tuples(any_.just(key), OF_TYPE[VALUES[key]])))
def test_any_value_of_a_key_survives_its_file_or_is_refused(setting: tuple[str, Any]):
    try:
        made = config.build(dict([setting]))
    except BadArgument:
        return
    assert all(math.isfinite(value) for value in config.flat(made).values() if isinstance(value, float))
    assert config.from_toml(config.to_toml(made)) == made


@QUICK
@given(any_.text(max_size=90))
def test_any_name_makes_a_folder_of_that_name_below_the_runs_or_none(
    tmp_path_factory: pytest.TempPathFactory, name: str
):
    place = tmp_path_factory.mktemp("names")
    runs = place / "runs"
    try:
        run = folders.create(runs, name, config.RunConfig())
    except GatedError:
        assert not runs.exists()
        return
    assert os.listdir(place) == ["runs"] and os.listdir(runs) == [name]  # noqa: PTH208
    assert 1 <= len(name) <= 80 and name.isprintable() and not set(name) & set("/\\") and name[0] not in ".-"
    folders.remove(run)
    assert not os.listdir(runs)  # noqa: PTH208


@QUICK
@given(any_.text(max_size=40) | any_.from_regex(r"[A-G0-9#b ,:/=().el-]{0,30}"))
def test_any_words_are_understood_or_refused(text: str):
    for read in (parse_pitches, space.parse, config.parse_setting, config.find_key, imports.check_name):
        try:
            read(text)
        except BadArgument as error:
            assert error.what
