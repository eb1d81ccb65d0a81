import pytest

from gatedtui import checkpoint, config
from gatedtui.tui import models

from .test_songs import a_model

pytestmark = pytest.mark.usefixtures("released")


def trained(folder):
    folder.best_path.write_bytes(b"weights nobody reads here")
    return folder


def test_runs_with_a_model_come_newest_first_then_the_released_ones(make_run, runs, released):
    import os

    for age, unit in enumerate(("gru", "tanh", "lstm")):
        os.utime(trained(make_run(unit=unit)).config_path, (1000 - age, 1000 - age))
    make_run(unit="gru", name="without-a-model")
    built = config.build({"model.hidden": 4, "data.name": "bach"})
    checkpoint.write(released / "gru-bach.safetensors", {}, {"config": config.nested(built)})
    found = models.find(runs)
    assert [model.name for model in found] == ["gru-jsb-1", "tanh-jsb-1", "lstm-jsb-1", "gru-bach"]
    assert [model.released for model in found] == [False, False, False, True]
    assert found[0].source == str(runs / "gru-jsb-1") and found[0].kind == "music" and found[0].hidden == 46
    assert found[3].hidden == 4 and found[3].data == "bach"


def test_damaged_models_hide_no_others(make_run, runs, released):
    trained(make_run()).config_path.write_text("[model\n")
    (released / "cut.safetensors").write_bytes(b"\x10\x00")
    (released / "huge.safetensors").write_bytes(b"\xff" * 64)
    (released / "text.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00[]")
    trained(make_run(unit="lstm"))
    assert [model.name for model in models.find(runs)] == ["lstm-jsb-1"]


def test_without_a_runs_folder_there_are_none(runs):
    assert models.find(runs) == [] and models.choose([]) == []


def test_the_first_choice_is_one_of_each_unit_on_the_newest_data():
    known = [
        a_model("gru", "new", data="jsb"),
        a_model("gru", "old", data="jsb"),
        a_model("tanh", "other", data="bach"),
        a_model("lstm", "l", data="jsb"),
        a_model("tanh", "t", data="jsb"),
    ]
    assert [model.name for model in models.choose(known)] == ["t", "l", "new"]


def test_the_first_primer_is_a_test_piece_where_the_data_can_be_named():
    assert models.primer(a_model("gru", data="jsb")) == "jsb:0"
    assert models.primer(a_model("gru", data="my/songs")) == ""
