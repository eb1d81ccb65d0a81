import io
import json
import signal
from dataclasses import asdict
from pathlib import Path

import pytest

from gatedtui.cli.main import run as gated
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import load
from gatedtui.runs.lock import probe
from gatedtui.runs.status import status
from gatedtui.sweep.board import Board
from gatedtui.sweep.folder import SweepFolder

from ..typed import start, wait_for

QUICK = ["--data", "tiny", "--set", "hidden=7", "--set", "lr=log(1e-4,1e-2)"]
SMALL = ["sweep", *QUICK, "--unit", "gru", "--draws", "2", "--epochs", "4", "--jobs", "1"]
LONG = ["sweep", *QUICK, "--unit", "all", "--draws", "2", "--epochs", "400", "--set", "patience=0", "--name", "s"]
CLOCK = ("time", "elapsed_s", "frames_per_s")


def words_of(folder: Path) -> dict[str, str]:
    board = Board(SweepFolder(folder))
    board.refresh()
    return {view.slot.name: view.word for view in board.views}


def told(folder: Path) -> dict[str, list]:
    """Every trial's epochs and end, without what a clock says."""
    found = {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        history = load(RunFolder(path))
        events = [*history.epochs, *([history.finished] if history.finished else [])]
        found[path.name] = [{k: v for k, v in asdict(event).items() if k not in CLOCK} for event in events]
    return found


def test_without_a_terminal_there_is_one_line_a_trial_then_the_table(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*SMALL, "--name", "s"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line.split()[:3] for line in lines[:2]] == [
        ["1/2", "gru-tiny-s0-d00", "finished"],
        ["2/2", "gru-tiny-s0-d01", "finished"],
    ]
    assert all("lr 0.00" in line and "valid" in line and "test" not in line for line in lines[:2])
    assert "left" in lines[0] and "left" not in lines[1]
    assert "by frame" in captured.out and "by piece" in captured.out
    assert "1 data × 1 units × 2 draws = 2 trials; train.lr from log(0.0001,0.01); 1 at a time" in captured.err
    assert gated(["sweep", "--name", "s"]) == 0
    again = capsys.readouterr()
    assert "2 done already" in again.err and again.out == "\n".join(lines[2:]) + "\n"


def test_json_is_one_document_with_the_table_and_what_was_picked(capsys: pytest.CaptureFixture[str], runs: Path):
    assert gated([*SMALL, "--seed", "0", "--seed", "1", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["name"], made["trials"], made["status"]) == ("sweep-1", 4, {"finished": 4})
    (cell,) = made["cells"]
    assert (cell["unit"], cell["data"], cell["seeds"], cell["trials"]) == ("gru", "tiny", 2, 4)
    for one in cell["picked"]:
        rivals = list((runs / "sweep-1").glob(f"*-s{one['seed']}-*"))
        best = {str(path): load(RunFolder(path)).best for path in rivals}
        assert min(best, key=lambda path: best[path].valid_nll) == one["run"]  # pyright: ignore
    tests = [one["test_nll_frame"] for one in cell["picked"]]
    assert cell["test_nll_frame"] == pytest.approx(sum(tests) / 2)


def test_a_driver_that_is_killed_leaves_no_half_state_and_the_next_ends_with_the_same(runs: Path):
    process = start(*LONG, "--jobs", "2")
    wait_for(lambda: "finished" in (words_of(runs / "s").values() if (runs / "s/sweep.toml").exists() else []), "one")
    wait_for(lambda: "running" in words_of(runs / "s").values(), "another")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    # Its workers notice, save and end by themselves; whoever comes at once waits for them.
    done = start("sweep", "--name", "s", "--jobs", "2")
    out, err = done.communicate(timeout=100)
    assert done.returncode == 0, err
    assert "done already" in err and set(words_of(runs / "s").values()) == {"finished"}
    assert out.count(" finished ") < 6
    assert gated([*LONG[:-1], "calm", "--jobs", "2"]) == 0
    assert told(runs / "s") == told(runs / "calm")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_workers_and_prints_how_to_go_on(runs: Path, number: signal.Signals):
    process = start(*LONG, "--set", "truncate=0", "--jobs", "2", "--set", "batch=1")
    wait_for(lambda: list((runs / "s").glob("*/best.safetensors")), "the first epoch")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "trials are not done" in err and "gated sweep --name s --jobs 2" in err and "Traceback" not in err
    words = words_of(runs / "s")
    assert set(words.values()) <= {"finished", "stopped", "waiting", "starting"} and "waiting" in words.values()
    assert not [path for path in runs.glob("s/*/lock") if probe(path)]


def test_losing_the_terminal_leaves_the_sweep_going_and_gated_stop_ends_it(runs: Path):
    process = start(*LONG, "--jobs", "1", "--set", "batch=1")
    wait_for(lambda: list((runs / "s").glob("*/best.safetensors")), "the first epoch")
    process.send_signal(signal.SIGHUP)
    wait_for(lambda: "finished" in words_of(runs / "s").values(), "a trial after it")
    assert process.poll() is None
    assert gated(["stop", "s"]) == 0
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert gated(["stop", "s"]) == 0


def test_a_second_driver_is_told_who_trains_it(runs: Path, capsys: pytest.CaptureFixture[str]):
    process = start(*LONG, "--jobs", "1", "--set", "batch=1")
    wait_for(lambda: probe(runs / "s" / "lock"), "the lock")
    assert gated(["sweep", "--name", "s"]) == 2
    err = capsys.readouterr().err
    assert f"already being trained by process {process.pid}" in err and "gated stop s" in err
    process.terminate()
    process.communicate(timeout=60)


def test_detached_it_goes_on_by_itself(runs: Path):
    # The workers' guard of these tests looks only where runs are kept by default: a link is another name of that place.
    elsewhere = runs.with_name(f"{runs.name}-link")
    elsewhere.symlink_to(runs)
    out, err = start(*SMALL, "--name", "s", "--detach", "--runs", str(elsewhere)).communicate(timeout=60)
    assert out == "s\n" and f"gated table s --runs {elsewhere}" in err
    wait_for(lambda: set(words_of(runs / "s").values()) == {"finished"}, "the end")
    wait_for(lambda: probe(runs / "s" / "lock") is None, "the driver's end")
    assert "2/2" in (runs / "s" / "sweep.log").read_text()


def test_trials_are_ordinary_runs(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*SMALL, "--name", "s"]) == 0
    capsys.readouterr()
    assert gated(["runs", "list", "--runs", str(runs / "s"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {(one["name"], one["status"]) for one in found} == {(f"gru-tiny-s0-d0{k}", "finished") for k in (0, 1)}
    assert gated(["eval", "gru-tiny-s0-d00", "--runs", str(runs / "s"), "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    finished = load(RunFolder(runs / "s" / "gru-tiny-s0-d00")).finished
    assert finished is not None and scored["nll_frame"] == pytest.approx(finished.test_nll_frame, rel=1e-6)
    assert gated(["watch", "gru-tiny-s0-d01", "--runs", str(runs / "s"), "--plain"]) == 0
    assert gated(["runs", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.partition("[")[1] + "]") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unit", "gruu"], "'gruu'"),
        (["--data", "jsbb"], "jsbb"),
        (["--draws", "0"], "'0'"),
        (["--draws", "many"], "--draws must be a whole number, not 'many'"),
        (["--jobs", "0"], "'0'"),
        (["--engine", "rey"], "'ray'"),
        (["--address", "auto"], "--engine ray"),
        (["--set", "lr=log(3,1)"], "not below"),
        (["--set", "lr=lgo(1,2)"], "'log'"),
        (["--set", "seed=1"], "--seed"),
        (["--name", "-x"], "begins with"),
        (["--name", "a/b"], "slash"),
        (["--epochs", "0"], "train.epochs"),
    ],
)
def test_bad_input_ends_with_2_and_leaves_nothing(
    arguments: list[str], said: str, runs: Path, capsys: pytest.CaptureFixture[str]
):
    assert gated(["sweep", "--data", "tiny", *arguments]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and "Traceback" not in captured.err and captured.out == ""
    assert list(runs.iterdir()) == []


def test_other_settings_under_the_same_name_are_refused(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*SMALL, "--name", "s"]) == 0
    before = sorted(str(path) for path in runs.rglob("*"))
    capsys.readouterr()
    assert gated([*SMALL, "--name", "s", "--draws", "3"]) == 2
    assert "draws '2' there, '3' here" in capsys.readouterr().err
    assert sorted(str(path) for path in runs.rglob("*")) == before


def test_a_runs_folder_that_cannot_be_written_ends_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("")
    assert gated([*SMALL, "--runs", str(tmp_path / "file" / "runs")]) == 3
    assert "--runs DIR" in capsys.readouterr().err


def test_a_trial_that_diverged_is_shown_and_never_picked(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*SMALL, "--name", "s"]) == 0
    finest = RunFolder(runs / "s" / "gru-tiny-s0-d00")
    best = min(load(finest).epochs, key=lambda epoch: epoch.valid_nll)
    lines = finest.events_path.read_text().replace(json.dumps(best.valid_nll), "0.001").splitlines()
    lines[-1] = '{"event": "diverged", "updates": 9, "what": "the loss is nan."}'
    finest.events_path.write_text("\n".join(lines) + "\n")
    assert status(finest).word == "diverged"
    capsys.readouterr()
    assert gated(["sweep", "--name", "s", "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    assert (cell["finished"], cell["diverged"]) == (1, 1)
    assert [Path(one["run"]).name for one in cell["picked"]] == ["gru-tiny-s0-d01"]


def test_the_picture_names_every_cell_and_fits_a_small_terminal(runs: Path):
    from rich.console import Console

    from gatedtui.cli.sweep_view import Picture

    assert gated([*SMALL[:-2], "--name", "s"]) == 0
    drawn: list = []
    board = Board(SweepFolder(runs / "s"))
    board.refresh()
    Picture(board, drawn.append).show(None)
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(drawn[0])
    text = console.export_text()
    assert "tiny" in text and "● gru" in text and "✔✔" in text and "2/2 trials" in text
    assert max(map(len, text.splitlines())) <= 80


def test_variants_are_swept_beside_the_papers_units(runs: Path, capsys: pytest.CaptureFixture[str]):
    models = ["--model", "music-gru", "--model", "music-gru-no-reset"]
    assert gated(["sweep", *QUICK, *models, "--draws", "1", "--epochs", "2", "--jobs", "1", "--name", "s"]) == 0
    assert "gru-no-reset" in capsys.readouterr().out
    assert words_of(runs / "s") == {"gru-tiny-s0-d00": "finished", "gru-no-reset-tiny-s0-d00": "finished"}
    assert gated(["sweep", "--name", "s"]) == 0


def test_a_mistyped_name_to_go_on_with_begins_no_sweep(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*SMALL, "--name", "chorales"]) == 0
    capsys.readouterr()
    assert gated(["sweep", "--name", "chorals"]) == 2
    said = capsys.readouterr().err
    assert "Did you mean 'chorales'?" in said and "gated sweep --name chorals --data" in said
    assert [path.name for path in runs.iterdir()] == ["chorales"]
