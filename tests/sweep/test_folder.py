from pathlib import Path

import pytest

from gatedtui.errors import BadArgument, BadSource
from gatedtui.runs import folder as folders
from gatedtui.sweep import folder as sweeps
from gatedtui.sweep.local import place
from gatedtui.sweep.plan import sweep, trials

SETTINGS = ["noise=uniform(0,0.1)", "batch=choice(2,4)", "hidden=8"]


def test_a_sweep_is_read_as_it_was_written():
    for made in (sweep(), sweep(units=["gru"], data=["tiny", "/a b/c"], draws=3, seeds=[4, 2], settings=SETTINGS)):
        assert sweeps.from_toml(sweeps.to_toml(made)) == made


WHOLE = sweeps.to_toml(sweep())
UNEVEN = WHOLE.replace("models = []", 'models = ["music-gru"]')
DEEP, ENDLESS = "a = " + "[" * 50_000, WHOLE.replace("draws = 10", "draws = inf")


@pytest.mark.parametrize(
    "text", ["", "format = 2", "nonsense", "format = 1\nunits = 3", WHOLE + "x", DEEP, ENDLESS, UNEVEN]
)
def test_a_file_that_is_no_sweep_is_said_to_be_none(runs: Path, text: str):
    folder = sweeps.SweepFolder(runs / "s")
    folder.path.mkdir(parents=True)
    folder.about_path.write_text(text)
    with pytest.raises(BadSource, match="is not a sweep"):
        folder.about()


def test_the_same_words_find_the_same_sweep_and_others_are_refused_by_name(runs: Path):
    made = sweep(data=["tiny"], draws=3, epochs=4)
    folder = sweeps.create(runs, "s", made)
    assert sweeps.create(runs, "s", made) == folder and folder.about() == made
    for other, said in (
        (sweep(data=["tiny"], draws=4, epochs=4), "draws '3' there, '4' here"),
        (sweep(data=["tiny"], draws=3, epochs=5), "train.epochs '4' there, '5' here"),
        (sweep(data=["tiny"], draws=3), "train.epochs '4' there, 'not set' here"),
        (sweep(data=["tiny", "jsb"], draws=3, epochs=4), "data 'tiny' there, 'tiny jsb' here"),
        (sweep(data=["tiny"], draws=3, epochs=4, recipe="modern"), "recipe '(the default)' there, 'modern' here"),
        (sweep(data=["tiny"], draws=3, epochs=4, settings=["lr=log(1e-4,1e-2)"]), "'log(0.0001,0.01)' here"),
    ):
        with pytest.raises(BadArgument) as caught:
            sweeps.create(runs, "s", other)
        assert said in caught.value.what and "gated sweep --name s" in caught.value.hint
    assert folder.about() == made


def test_a_run_of_that_name_and_a_bad_name_are_refused(runs: Path):
    folders.create(runs, "taken", trials(sweep(data=["tiny"]))[0].config)
    with pytest.raises(BadArgument, match="is a run"):
        sweeps.create(runs, "taken", sweep())
    with pytest.raises(BadArgument, match="holds a slash"):
        sweeps.create(runs, "a/b", sweep())


def test_a_trial_made_otherwise_is_refused_by_its_key(runs: Path):
    made = sweep(data=["tiny"], draws=1)
    folder, planned = sweeps.create(runs, "s", made), trials(made)
    run = place(folder, planned[0])
    sweeps.check_trials(folder, planned)
    run.config_path.write_text(run.config_path.read_text().replace("momentum = 0.9", "momentum = 0.8"))
    with pytest.raises(BadArgument, match=r"train.momentum '0.8', not '0.9'"):
        sweeps.check_trials(folder, planned)


def test_a_folder_its_maker_was_killed_in_is_made_anew(runs: Path):
    made = sweep(data=["tiny"], draws=1)
    folder, planned = sweeps.create(runs, "s", made), trials(made)
    half = folder.run(planned[0].slot)
    half.path.mkdir()
    (half.path / ".run.toml.new").write_text("seed")
    assert place(folder, planned[0]).config() == planned[0].config
    assert [path.name for path in half.path.iterdir()] == ["run.toml"]


def test_a_sweep_is_no_run_and_its_trials_are(runs: Path):
    made = sweep(data=["tiny"], draws=1)
    folder = sweeps.create(runs, "s", made)
    for trial in trials(made):
        place(folder, trial)
    assert folders.all_runs(runs) == []
    assert {run.name for run in folders.all_runs(folder.path)} == {trial.name for trial in trials(made)}
    assert sweeps.all_sweeps(runs) == [folder]


def test_names_are_free_and_unknown_ones_are_met_with_the_nearest(runs: Path):
    assert sweeps.free_name(runs) == "sweep-1"
    sweeps.create(runs, "sweep-1", sweep())
    assert sweeps.free_name(runs) == "sweep-2"
    with pytest.raises(BadArgument) as caught:
        sweeps.find(runs, "swep-1")
    assert "'sweep-1'" in caught.value.hint
