from pathlib import Path

import pytest

from gatedtui import modelfile
from gatedtui.config import ModelConfig
from gatedtui.errors import BadArgument, BadSource

WHOLE = '[model]\nunit = "gru"\nhidden = 5\n'


@pytest.mark.parametrize(
    ("unit", "hidden", "count"), [("tanh", 100, 18_900), ("gru", 46, 18_630), ("lstm", 36, 18_108)]
)
def test_the_papers_music_sizes(unit: str, hidden: int, count: int):
    file = modelfile.for_unit(unit, "music")
    assert file.model.hidden == hidden
    assert modelfile.parameters(file.model)["recurrent"] == count


@pytest.mark.parametrize(
    ("unit", "hidden", "count"), [("tanh", 400, 168_400), ("gru", 227, 168_888), ("lstm", 195, 169_065)]
)
def test_the_papers_speech_counts(unit: str, hidden: int, count: int):
    counts = modelfile.parameters(ModelConfig(unit=unit, hidden=hidden, head="mixture"))
    assert counts == {"recurrent": count, "output": 420 * (hidden + 1), "total": count + 420 * (hidden + 1)}


@pytest.mark.parametrize(("unit", "mean"), [("tanh", 20_050), ("gru", 20_217), ("lstm", 19_764)])
def test_the_papers_table_counts_without_biases_at_the_mean_input_width(unit: str, mean: int):
    hidden, width = modelfile.for_unit(unit, "music").model.hidden, (93 + 96 + 105 + 108) / 4
    gates, peepholes = modelfile.GATES[unit], 3 * hidden if unit == "lstm" else 0
    assert gates * hidden * (width + hidden) + peepholes == mean
    assert f"{mean:,}" in modelfile.for_unit(unit, "music").paper["note"]


def test_a_second_layer_reads_the_first_ones_states():
    one = modelfile.parameters(ModelConfig(unit="gru", hidden=10, layers=1))["recurrent"]
    two = modelfile.parameters(ModelConfig(unit="gru", hidden=10, layers=2))["recurrent"]
    assert two - one == 3 * 10 * (10 + 10 + 1)


@pytest.mark.parametrize("name", modelfile.names())
def test_the_formula_counts_what_a_network_has(name: str):
    from gatedtui import network

    model = modelfile.load(name).model
    assert network.build(model).counts() == modelfile.parameters(model)


def test_a_joint_output_is_called_one():
    assert modelfile.joint(ModelConfig(head="bernoulli")) == "independent"
    assert modelfile.joint(ModelConfig(head="nade")) == "joint"


def test_a_users_file_works_like_a_bundled_one(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE + "[train]\nlr = 0.01\n[parameters]\nrecurrent = 1410\n")
    file = modelfile.load(str(path))
    assert (file.name, file.model.hidden, file.train) == ("mine", 5, {"lr": 0.01})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (WHOLE + "[parameters]\nrecurrent = 7\n", "'7'"),
        (WHOLE + "[parameters]\nrecurent = 1410\n", "recurent"),
        ("hidden = = 3", "not TOML"),
        ("[model]\nhidden = 3\n", "needs a table"),
        (WHOLE + "[surprise]\nx = 1\n", "surprise"),
        ('[model]\nunit = "gru"\nhidden = -3\n', "model.hidden"),
        ("model = 3\n", "[model]"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, word: str):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(BadSource) as caught:
        modelfile.load(str(path))
    assert word in caught.value.what and str(path) in caught.value.what


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(BadArgument) as caught:
        modelfile.load("music-grv")
    assert "music-gru" in caught.value.hint


def test_a_missing_path_is_a_bad_source():
    with pytest.raises(BadSource):
        modelfile.load("nowhere/model.toml")
