import math

import pytest

from gatedtui import config
from gatedtui.errors import BadArgument
from gatedtui.sweep import plan, space
from gatedtui.sweep.plan import Slot, Sweep, sweep, trials


def test_without_words_it_is_the_papers_protocol():
    made = sweep()
    assert made.units == ("tanh", "lstm", "gru") and made.draws == 10 and made.seeds == (0,)
    assert made.data == ("jsb", "nottingham", "muse", "piano")
    low, high = made.spaces["train.lr"].values
    assert (math.log(low), math.log(high)) == pytest.approx((-12, -6), abs=1e-3)
    planned = trials(made)
    assert len(planned) == len({trial.name for trial in planned}) == 120
    assert {trial.config.train.recipe for trial in planned} == {"paper"}
    assert {(t.config.model.unit, t.config.model.hidden) for t in planned} == {("tanh", 100), ("lstm", 36), ("gru", 46)}
    assert all(-12.001 <= math.log(trial.config.train.lr) <= -5.999 for trial in planned)
    logs = sorted(math.log(trial.config.train.lr) for trial in planned)
    assert logs[0] < -11.5 and logs[-1] > -6.5 and -9.6 < sum(logs) / 120 < -8.4


def test_what_is_drawn_derives_from_seed_unit_data_and_draw_alone():
    few, many = sweep(units=["gru"], data=["tiny"], draws=2), sweep(data=["vowels", "tiny"], draws=5, seeds=[7, 0])
    by_name = {trial.name: trial.config for trial in trials(many)}
    for trial in trials(few):
        assert by_name[trial.name] == trial.config
    slot = Slot(7, 3, "tiny", "gru")
    assert many.drawn(slot) == {
        "seed": space.whole(7, "gru", "tiny", 3, "seed"),
        "train.lr": many.spaces["train.lr"].at(space.share(7, "gru", "tiny", 3, "train.lr")),
    }
    assert by_name["gru-tiny-s7-d03"].seed == many.drawn(slot)["seed"]
    drawn = [trial.config.seed for trial in trials(many)]
    assert len(set(drawn)) == len(drawn)


def test_another_key_does_not_change_the_draws_of_the_first():
    one = sweep(data=["tiny"], settings=["lr=log(1e-4,1e-2)"])
    two = sweep(data=["tiny"], settings=["noise=uniform(0,0.1)", "lr=log(1e-4,1e-2)"])
    rates = [[trial.config.train.lr for trial in trials(made)] for made in (one, two)]
    assert rates[0] == rates[1]
    assert len({trial.config.train.noise for trial in trials(two)}) > 20


def test_the_first_draw_of_every_cell_comes_before_the_second_of_any():
    names = [slot.name for slot in sweep(units=["gru", "tanh"], data=["tiny"], draws=2).slots()]
    assert names == ["tanh-tiny-s0-d00", "gru-tiny-s0-d00", "tanh-tiny-s0-d01", "gru-tiny-s0-d01"]


def test_settings_are_shared_by_all_trials_and_a_fixed_rate_is_not_drawn():
    made = sweep(data=["tiny"], settings=["lr=1e-3", "hidden=8"], epochs=4, recipe="modern")
    found = {config.flat(trial.config)["model.hidden"] for trial in trials(made)}
    assert found == {8} and not made.spaces
    assert {(t.config.train.lr, t.config.train.epochs, t.config.train.recipe) for t in trials(made)} == {
        (1e-3, 4, "modern")
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"units": ["gruu"]}, "gru"),
        ({"data": ["jsbb"]}, "jsb"),
        ({"draws": 0}, "'0'"),
        ({"seeds": [-1]}, "'-1'"),
        ({"recipe": "papre"}, "paper"),
        ({"settings": ["seed=3"]}, "--seed"),
        ({"settings": ["model.unit=gru"]}, "--unit"),
        ({"settings": ["data.name=jsb"]}, "--data"),
        ({"settings": ["recipe=choice(paper,modern)"]}, "--recipe"),
        ({"settings": ["lr=1e-3", "train.lr=log(1e-4,1e-2)"]}, "twice"),
        ({"settings": ["epochs=0"]}, "train.epochs"),
        ({"models": ["music-gru"], "units": ["tanh"]}, "'music-gru' of 'gru'"),
        ({"models": ["music-gru", "music-gru-nade"]}, "both made of 'gru' units"),
        ({"models": ["music-gru"], "data": ["vowels"]}, "speech"),
        ({"draws": 100_000}, "too many"),
    ],
)
def test_bad_words_are_refused_before_anything_is_made(words: dict, said: str):
    with pytest.raises(BadArgument) as caught:
        trials(sweep(**({"data": ["tiny"]} | words)))
    assert said in f"{caught.value.what} {caught.value.hint}"


def test_the_models_own_units_are_what_is_swept_variants_too():
    made = sweep(models=["music-lstm", "music-lstm-coupled", "music-gru-no-reset"], data=["tiny"], draws=1)
    assert [(t.name, t.config.model.unit, t.config.model.hidden) for t in trials(made)] == [
        ("lstm-tiny-s0-d00", "lstm", 36),
        ("lstm-coupled-tiny-s0-d00", "lstm-coupled", 45),
        ("gru-no-reset-tiny-s0-d00", "gru-no-reset", 61),
    ]


def test_two_folders_of_one_name_are_refused(tmp_path, monkeypatch: pytest.MonkeyPatch):
    made = Sweep(units=("gru",), data=("tiny", "x/tiny"), draws=1)
    monkeypatch.setattr(plan.plan, "plan", lambda **_: [type("P", (), {"config": config.RunConfig()})])
    with pytest.raises(BadArgument, match="share the trial 'gru-tiny-s0-d00'"):
        trials(made)
