import shlex
from pathlib import Path

import pytest

from gatedtui import config
from gatedtui.cli.main import app as command_line
from gatedtui.plan import plan
from gatedtui.runs.row import Row
from gatedtui.tui import form
from gatedtui.tui.editing import Edit, typed
from gatedtui.tui.estimate import estimate
from gatedtui.tui.keys import keys


def test_every_config_key_has_a_field_with_a_meaning():
    found = {key.key: key for key in keys()}
    for key in config.flat(config.RunConfig()):
        if key not in ("model.unit", "data.name", "train.recipe"):
            assert len(found[key].help) > 10, key
    assert found["model.hidden"].help == "Units a layer. 1 to 8,192."
    assert found["train.optimiser"].choices == ("rmsprop", "adam") and not found["train.optimiser"].free


def test_an_empty_form_means_what_the_bare_command_means(runs):
    found = form.resolve({}, runs)
    assert [p.config for p in found.plans] == [p.config for p in plan()]
    assert (found.errors, found.values["unit"], found.values["train.lr"]) == ({}, "gru", "0.001")
    assert found.values["name"] == "gru-bach-1"
    assert shlex.join(form.command({}, runs)).startswith("gated train --runs ")


def test_all_is_three_plans_and_three_names(runs):
    found = form.resolve({"unit": "all", "name": "my run", "train.epochs": "5"}, runs)
    assert [p.config.model.unit for p in found.plans] == ["tanh", "lstm", "gru"]
    assert {p.config.train.epochs for p in found.plans} == {5}
    assert found.values["name"] == "my run-tanh, my run-lstm, my run-gru"


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"train.lr": "20"}, "train.lr", "[1e-12, 10]"),
        ({"train.lr": "nan"}, "train.lr", "finite"),
        ({"train.lr": "fast"}, "train.lr", "a number"),
        ({"model.hidden": "4.5"}, "model.hidden", "whole number"),
        ({"data": "bahc"}, "data", "bahc"),
        ({"data": "/no/such/folder"}, "data", "/no/such/folder"),
        ({"model": "music-grue"}, "model", "music-grue"),
        ({"recipe": "best"}, "recipe", "best"),
        ({"unit": "rnn"}, "unit", "rnn"),
        ({"name": "a/b"}, "name", "slash"),
        ({"unit": "all", "model": "music-gru"}, "model", "one model"),
        ({"data": "vowels", "model": "music-gru"}, "model", "for music"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_still_counts(runs, typed, field, words):
    found = form.resolve(typed, runs)
    assert words in found.errors[field]
    assert list(found.errors) == [field]
    assert found.plans, "the rest of the form still means something"


def test_several_errors_are_told_at_once(runs):
    found = form.resolve({"train.lr": "x", "model.hidden": "0", "name": "-"}, runs)
    assert set(found.errors) == {"train.lr", "model.hidden", "name"}


def test_a_name_that_is_taken_is_an_error(runs, make_run):
    make_run(name="taken")
    make_run(name="mine-gru")
    assert "already" in form.resolve({"name": "taken"}, runs).errors["name"]
    assert "already" in form.resolve({"name": "mine", "unit": "all"}, runs).errors["name"]
    assert form.resolve({"name": "mine"}, runs).errors == {}


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"unit": "all", "data": "jsb", "recipe": "modern"},
        {"unit": "lstm", "train.lr": "3e-3", "train.epochs": "7", "seed": "9", "train.device": "cpu"},
        {"model": "music-tanh", "train.batch": "4", "train.noise": "0", "name": "it's [b]mine[/b]"},
        {"data": "vowels", "unit": "gru", "model.hidden": "64"},
    ],
)
def test_the_command_line_means_the_same_as_the_form(runs, typed, monkeypatch):
    words = shlex.split(" ".join(form.wrapped(form.command(typed, runs), 40)).replace("\\ ", ""))
    assert words == form.command(typed, runs)
    started = {}

    def start(plans, *, runs, name, progress):
        started.update(plans=plans, runs=runs, name=name)
        raise SystemExit

    monkeypatch.setattr("gatedtui.start.start", start)
    with pytest.raises(SystemExit):
        command_line(words[1:], standalone_mode=False)
    assert [p.config for p in started["plans"]] == [p.config for p in form.planned(typed)]
    assert (started["runs"], started["name"]) == (runs, typed.get("name"))


def test_a_long_command_is_wrapped_where_a_shell_allows_it():
    words = ["gated", "train", "--unit", "gru", "--set", "train.noise=0", "--name", "a b c"]
    lines = form.wrapped(words, 30)
    assert all(len(line) <= 30 for line in lines)
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert "--name 'a b c'" in lines[-1]
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == words


def test_a_form_like_an_old_run_leads_to_its_config():
    old = config.build(
        {"model.unit": "lstm", "model.hidden": 50, "data.name": "jsb", "train.lr": 0.0025, "seed": 3, "train.clip": 0.0}
    )
    assert form.planned(form.like(old))[0].config == old


def test_a_form_like_a_run_of_a_recipe_that_is_gone_keeps_its_values():
    old = config.build({"model.unit": "gru", "train.recipe": "lost", "train.lr": 0.5})
    typed = form.like(old)
    assert typed["train.lr"] == "0.5" and "recipe" not in typed


ROWS = [
    Row(Path("a"), 9.0, "finished", unit="gru", hidden=46, data="bach", recipe="paper", epochs=100, elapsed_s=50.0),
    Row(Path("b"), 8.0, "finished", unit="gru", hidden=46, data="bach", recipe="paper", epochs=200, elapsed_s=120.0),
    Row(Path("c"), 7.0, "finished", unit="gru", hidden=99, data="bach", recipe="paper", epochs=10, elapsed_s=999.0),
    Row(Path("d"), 6.0, "stopped", unit="gru", hidden=46, data="bach", recipe="paper", epochs=10, elapsed_s=999.0),
]


def test_the_estimate_comes_from_runs_alike():
    found = estimate(plan()[0].config, 22_766, 63_000, ROWS)
    assert found.seconds == pytest.approx(0.55 * 150)
    assert found.text == "about 1:22, from 2 runs of gru on bach"


def test_the_epochs_asked_for_limit_the_estimate():
    few = plan(settings=["train.epochs=10"])[0].config
    assert estimate(few, 1, None, ROWS).seconds == pytest.approx(5.5)
    endless = plan(settings=["train.epochs=1000", "train.patience=0"])[0].config
    assert estimate(endless, 1, None, ROWS).seconds == pytest.approx(550)


def test_runs_of_another_size_are_better_than_none_and_said():
    other = plan(settings=["model.hidden=7"])[0].config
    assert estimate(other, 1, None, ROWS).how == "from 3 runs of another size"
    other = plan(settings=["train.recipe=modern"])[0].config
    assert estimate(other, 1, None, ROWS[:2]).how == "from 2 runs of another recipe"


def test_without_such_runs_the_estimate_is_rough_and_says_so():
    found = estimate(plan(unit="tanh")[0].config, 20_000, 50_000, ROWS, cores=1)
    assert found.seconds == pytest.approx(6 * 20_000 * 50_000 * 200 / 7e10)
    assert found.text == "about 0:17, a rough guess for 200 epochs"
    slower = estimate(plan(unit="tanh")[0].config, 20_000, 50_000, ROWS, native=False, cores=1)
    assert slower.seconds == pytest.approx(7 * found.seconds)


def test_without_anything_to_go_by_there_is_no_figure():
    found = estimate(plan(unit="tanh", data="jsb")[0].config, 20_000, None, [])
    assert found.seconds is None and "no estimate" in found.text


def test_typing_keeps_the_cursor_where_it_belongs():
    edit = Edit().insert("train").key("home")
    assert edit is not None
    edit = edit.insert("re")
    assert (edit.text, edit.at) == ("retrain", 2)
    for key, text, at in [
        ("right", "retrain", 3),
        ("backspace", "rerain", 2),
        ("delete", "reain", 2),
        ("end", "reain", 5),
    ]:
        edit = edit.key(key)
        assert edit is not None and (edit.text, edit.at) == (text, at)
    assert typed("a bc").key("ctrl+w") == Edit("a ", 2)
    assert typed("abc").key("ctrl+u") == Edit("", 0)
    assert typed("abc").key("f5") is None
    assert Edit().insert("a\nb\x1b[2J").text.isprintable()


def test_a_long_text_shows_where_it_is_typed():
    spans = typed("x" * 50 + "END").spans(10)
    shown = "".join(text for text, _ in spans)
    assert len(shown) == 10 and shown.endswith("END ")
