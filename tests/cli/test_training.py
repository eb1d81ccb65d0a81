import json
import os
import re
import shlex
import signal
from pathlib import Path

import numpy as np
import pytest

from gatedtui.cli.main import run as gated
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status
from gatedtui.sound.wav import write_audio

from ..typed import start, wait_for

TRAIN = ["train", "--data", "tiny", "--set", "patience=0"]


def test_without_a_terminal_there_is_one_line_an_epoch(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert gated([*TRAIN, "--epochs", "3", "--name", "r"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line.split()[2] for line in lines[:3]] == ["1", "2", "3"]
    assert "a frame" in lines[3] and "a piece" in lines[3] and str(runs / "r") in lines[3]
    assert "gated sample r --out song.mid" in captured.err


def test_what_is_to_be_typed_next_finds_runs_that_are_kept_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    place = ["--runs", "my runs"]
    typed = [[*TRAIN, "--epochs", "1", "--name", "dj", *place]] * 2 + [["stop", "nobody", *place]]
    for words, code, hint in zip(typed, (0, 2, 2), ("sample dj", "resume dj", "runs list"), strict=True):
        assert gated(words) == code
        found = re.search(r"gated (.*? --runs 'my runs'( --out song\.mid)?)", capsys.readouterr().err)
        assert found and found[1].startswith(hint)
        assert gated(shlex.split(found[1])) == 0
    assert (tmp_path / "song.mid").exists()


def test_json_is_the_events_with_the_run(capsys: pytest.CaptureFixture[str], runs: Path):
    assert gated([*TRAIN, "--epochs", "2", "--name", "r", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found[0]["event"] == "started" and found[-1]["event"] == "finished"
    assert {line["run"] for line in found} == {"r"}
    written = [json.loads(line) for line in (runs / "r" / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in found] == [line["event"] for line in written]
    assert gated(["watch", "r", "--json"]) == 0
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == [w["event"] for w in written]


def test_all_trains_three_units_at_once(capsys: pytest.CaptureFixture[str], runs: Path):
    assert gated([*TRAIN, "--unit", "all", "--epochs", "2", "--name", "trio"]) == 0
    assert sorted(path.name for path in runs.iterdir()) == ["trio-gru", "trio-lstm", "trio-tanh"]
    capsys.readouterr()
    assert gated(["runs", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {(one["unit"], one["status"], one["data"]) for one in found} == {
        (unit, "finished", "tiny") for unit in ("gru", "lstm", "tanh")
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_saves_and_prints_how_to_go_on(runs: Path, number: signal.Signals):
    process = start(*TRAIN, "--epochs", "100000", "--name", "r")
    run = RunFolder(runs / "r")
    wait_for(lambda: run.best_path.exists(), "the first epoch")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "gated resume r" in err and "Traceback" not in err
    assert status(run).word == "stopped" and run.state_path.exists()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_losing_the_terminal_leaves_the_run_training(runs: Path, number: signal.Signals):
    process = start(*TRAIN, "--epochs", "100000", "--name", "r")
    run = RunFolder(runs / "r")
    wait_for(lambda: run.best_path.exists(), "the first epoch")
    os.kill(process.pid, number)
    process.communicate(timeout=60)
    size = run.events_path.stat().st_size
    wait_for(lambda: run.events_path.stat().st_size > size, "more events")
    assert status(run).word == "running"
    assert gated(["stop", "r"]) == 0
    wait_for(lambda: status(run).word == "stopped", "the stop")


def test_detached_and_as_json_it_says_which_runs(runs: Path):
    out, err = start(*TRAIN, "--unit", "all", "--epochs", "1", "--name", "r", "--detach", "--json").communicate(
        timeout=60
    )
    assert [json.loads(line) for line in out.splitlines()] == [{"run": f"r-{unit}"} for unit in ("tanh", "lstm", "gru")]
    assert "gated watch r-tanh r-lstm r-gru" in err


def test_detach_returns_at_once_and_stop_and_resume_work(capsys: pytest.CaptureFixture[str], runs: Path):
    out, err = start(*TRAIN, "--epochs", "100000", "--name", "r", "--detach").communicate(timeout=60)
    assert out == "r\n" and "gated watch r" in err
    run = RunFolder(runs / "r")
    wait_for(lambda: run.best_path.exists(), "the first epoch")
    assert gated(["runs", "rm", "r", "--yes"]) == 2
    assert gated(["resume", "r"]) == 2
    assert gated(["stop", "r"]) == 0
    wait_for(lambda: status(run).word == "stopped", "the stop")
    text = run.config_path.read_text()
    epochs = json.loads(next(line for line in run.events_path.read_text().splitlines()[::-1] if '"epoch"' in line))[
        "epoch"
    ]
    run.config_path.write_text(text.replace("epochs = 100000", f"epochs = {epochs + 3}"))
    capsys.readouterr()
    assert gated(["resume", "r"]) == 0
    assert "resumed at update" in capsys.readouterr().err
    assert gated(["resume", "r"]) == 0
    assert "already finished" in capsys.readouterr().err
    assert gated(["runs", "rm", "r", "--yes"]) == 0
    assert not run.path.exists()


def test_a_crashed_run_says_so_and_resume_without_a_name_takes_it(capsys: pytest.CaptureFixture[str], runs: Path):
    process = start(*TRAIN, "--epochs", "300", "--name", "r", "--set", "hidden=20")
    run = RunFolder(runs / "r")
    wait_for(lambda: run.state_path.exists(), "the first save")
    from gatedtui.runs.lock import probe

    worker = probe(run.lock_path)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "gated resume r" in err
    assert status(run).word == "crashed"
    assert gated(["resume"]) == 0
    assert status(run).word == "finished"


def test_eval_gives_both_weightings_as_json(capsys: pytest.CaptureFixture[str], runs: Path):
    assert gated([*TRAIN, "--epochs", "2", "--name", "r"]) == 0
    for source in ("r", str(runs / "r" / "best.safetensors"), str(runs / "r")):
        capsys.readouterr()
        assert gated(["eval", source, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert {"nll_frame", "nll_sequence", "frames", "sequences", "joint", "parameters"} <= found.keys()
        assert found["parameters"] == {"recurrent": 18_630, "output": 4_136, "total": 22_766}
        assert found["joint"] == "independent" and found["sequences"] == 2


def test_eval_of_a_data_set_takes_a_model_that_fits_it_and_a_folder_at_the_model_s_rate(
    capsys: pytest.CaptureFixture[str], runs: Path, tmp_path: Path
):
    assert gated([*TRAIN, "--epochs", "1", "--name", "song"]) == 0
    for number in range(9):
        sound = 0.3 * np.sin(np.arange(4_000) * (0.05 + 0.03 * number))
        write_audio(sound.astype(np.float32), 8_000, tmp_path / f"{number}.wav")
    words = ["train", "--data", str(tmp_path), "--set", "rate_hz=4000", "--set", "hidden=5"]
    assert gated([*words, "--epochs", "1", "--name", "voice"]) == 0
    capsys.readouterr()
    scores = []
    for own in (["voice"], ["voice", "--data", str(tmp_path)], ["--data", str(tmp_path)], ["--data", "tiny"]):
        assert gated(["eval", *own, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        scores.append((found["data"], found["frames"], found["nll_frame"]))
    assert scores[0] == scores[1] == scores[2] and scores[3][0] == "tiny"
    assert gated(["eval", "voice", "--data", "vowels"]) == 3
    assert "'8000' samples a second" in capsys.readouterr().err


def test_runs_show_prints_the_config(capsys: pytest.CaptureFixture[str], runs: Path):
    assert gated([*TRAIN, "--epochs", "1", "--name", "r"]) == 0
    capsys.readouterr()
    assert gated(["runs", "show", "r"]) == 0
    out = capsys.readouterr().out
    assert "hidden = 46" in out and "finished" in out
