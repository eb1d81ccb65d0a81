import dataclasses
import json
import math

import pytest

from gatedtui import events
from gatedtui.events import Epoch, Finished, Started


@pytest.mark.parametrize("kind", events.KINDS.values())
def test_every_event_survives_its_line(kind: type[events.Event]):
    event = kind(time=events.now())
    again = events.from_line(events.to_line(event))
    assert repr(again) == repr(event)  # repr, because NaN is not equal to itself


def test_lines_are_strict_json():
    line = events.to_line(Epoch(valid_nll=math.inf, train_nll=math.nan))
    assert json.loads(line, parse_constant=lambda word: pytest.fail(word))["valid_nll"] is None
    again = events.from_line(line)
    assert isinstance(again, Epoch) and math.isnan(again.valid_nll)


FIELDS = {
    Started: "run unit data recipe seed parameters kernel kernel_why device threads marginal_nll paper_nll epochs host",
    Epoch: "epoch updates frames train_nll valid_nll valid_nll_sequence grad_norm lr frames_per_s elapsed_s",
    Finished: "best_epoch valid_nll train_nll_frame train_nll_sequence test_nll_frame test_nll_sequence",
}


@pytest.mark.parametrize("kind", FIELDS)
def test_the_fields_are_the_contracts(kind: type[events.Event]):
    names = {field.name for field in dataclasses.fields(kind)}
    assert names == {*FIELDS[kind].split(" "), "time"}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        '"epoch"',
        '{"event": "later"}',
        '{"event": ["epoch"]}',
        "[" * 100_000,
        b"\xff\xfe",
        '{"event":"epo',
        '{"event":"failed","what":"\\ud800"}',
        b'{"event":"failed","what":"\xed\xa0\x80"}',
    ],
)
def test_a_line_of_something_else_is_none(line: str | bytes):
    assert events.from_line(line) is None


def test_values_of_the_wrong_type_take_the_default():
    event = events.from_line(
        '{"event": "epoch", "epoch": "many", "valid_nll": [1], "lr": 1%s, "unknown": 3}' % ("0" * 400)
    )
    assert isinstance(event, Epoch) and event.epoch == 0 and math.isnan(event.valid_nll)
