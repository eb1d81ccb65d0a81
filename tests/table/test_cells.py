import math
from pathlib import Path

import pytest

from gatedtui.recipes import recipe
from gatedtui.table import results
from gatedtui.table.cells import Cell, cells, mean, pick

from .recorded import run, swept


def only(runs: Path, *names: str) -> Cell:
    (cell,) = cells(results.read(names, runs=runs)[0])
    return cell


def test_validation_picks_even_where_the_test_figure_of_another_is_better(runs: Path):
    run(runs, "good-on-test", [9.0, 8.6, 8.7], (8.0, 8.0), train__lr=1e-4)
    run(runs, "good-on-validation", [8.9, 8.5, 8.8], (8.9, 8.8), train__lr=1e-3)
    cell = only(runs)
    assert [one.path.name for one in cell.picked] == ["good-on-validation"]
    assert cell.figure("test", "frame").mean == 8.9 and cell.figure("test", "sequence").mean == 8.8
    assert cell.figure("valid", "frame").mean == 8.5 and cell.figure("valid", "sequence").mean == pytest.approx(8.4)
    assert cell.figure("train", "frame").mean == pytest.approx(7.5)
    assert cell.seconds.mean == 6.0 and cell.total_seconds == 12.0


def test_a_diverged_or_unfinished_run_is_counted_and_never_picked(runs: Path):
    run(runs, "wild", [5.0], None, last="diverged", train__lr=1.0)
    run(runs, "stopped", [6.0], None, last="stopped", train__lr=0.1)
    run(runs, "calm", [8.5], (8.6, 8.4))
    cell = only(runs)
    assert [one.path.name for one in cell.picked] == ["calm"]
    assert (len(cell.results), cell.count("diverged"), cell.count("finished")) == (3, 1, 1)


def test_mean_and_deviation_are_over_one_picked_run_a_seed(runs: Path):
    tests = {1: (8.50, 8.40), 2: (8.56, 8.30), 3: (8.53, 8.50)}
    for seed, test in tests.items():
        run(runs, f"s{seed}", [8.4], test, seed=seed)
        run(runs, f"s{seed}-worse", [8.6], (1.0, 1.0), seed=seed, train__lr=1e-5)
    cell = only(runs)
    found = cell.figure("test", "frame")
    assert found.n == cell.seeds == 3
    assert found.mean == pytest.approx(8.53) and found.std == pytest.approx(0.03)
    sequence = cell.figure("test", "sequence")
    assert sequence.mean == pytest.approx(8.4) and sequence.std == pytest.approx(0.1)


def test_of_one_value_there_is_no_deviation_and_of_none_no_mean():
    assert mean([8.5]).std is None and mean([8.5]).mean == 8.5
    assert math.isnan(mean([]).mean) and mean([]).n == 0
    assert mean([8.0, math.nan, 9.0]).mean == 8.5 and mean([8.0, math.inf]).n == 1
    assert pick([]) is None


def test_runs_made_otherwise_stand_in_rows_of_their_own(runs: Path):
    run(runs, "usual", [8.5], (8.5, 8.5))
    run(runs, "rate", [8.6], (8.6, 8.5), train__lr=3e-3)
    run(runs, "short", [8.7], (8.7, 8.5), train__epochs=20)
    run(runs, "large", [8.4], (8.4, 8.5), model__hidden=200)
    modern = {f"train__{key}": value for key, value in recipe("modern").train.items()} | {"train__averaging": 0.95}
    run(runs, "adam", [8.4], (8.4, 8.5), train__recipe="modern", **modern)
    made = cells(results.read([], runs=runs)[0])
    assert {cell.variant for cell in made} == {
        "paper",
        "paper, epochs 20",
        "paper, hidden 200",
        "modern, averaging 0.95",
    }
    assert {cell.variant: len(cell.results) for cell in made}["paper"] == 2


def test_a_sweep_picks_a_seed_at_a_time_among_all_it_drew(runs: Path):
    swept(
        runs,
        "s",
        {
            "gru-jsb-s0-d00": ([8.5], (8.8, 8.7), "finished"),
            "gru-jsb-s0-d01": ([8.6], (8.1, 8.1), "finished"),
            "gru-jsb-s5-d00": ([8.1], (0.0, 0.0), "diverged"),
            "gru-jsb-s5-d01": ([8.4], (8.6, 8.5), "finished"),
        },
        seeds=[0, 5],
        settings=["noise=uniform(0,0.1)"],
    )
    cell = only(runs, "s")
    assert (cell.source, cell.variant, cell.trials) == ("s", "paper", 4)
    assert [one.path.name for one in cell.picked] == ["gru-jsb-s0-d00", "gru-jsb-s5-d01"]
    assert cell.figure("test", "frame").mean == pytest.approx(8.7)
    assert cell.swept() == ["train.lr", "train.noise"]
    assert cell.parameters == {"recurrent": 18_630, "output": 4_136, "total": 22_766}


def test_trials_that_have_not_begun_count_as_planned(runs: Path):
    swept(runs, "s", {"gru-jsb-s0-d00": ([8.5], (8.8, 8.7), "finished")}, draws=7)
    assert (only(runs, "s").trials, only(runs, "s").count("finished")) == (7, 1)


def test_cells_stand_in_the_catalogues_order(runs: Path):
    for data in ("piano", "tiny", "jsb"):
        for unit in ("gru", "tanh"):
            hidden = {"gru": 46, "tanh": 100}[unit]
            run(runs, f"{data}-{unit}", [8.0], (8.0, 8.0), data__name=data, model__unit=unit, model__hidden=hidden)
    found = [(cell.data, cell.unit) for cell in cells(results.read([], runs=runs)[0])]
    assert found == [(data, unit) for data in ("jsb", "piano", "tiny") for unit in ("tanh", "gru")]
