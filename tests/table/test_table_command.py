import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gatedtui.cli.main import run as gated

from .recorded import run, swept

FIGURES = {
    "gru-jsb-s0-d00": ([8.9, 8.5], (8.54, 8.52), "finished"),
    "gru-jsb-s0-d01": ([9.0, 8.6], (8.10, 8.11), "finished"),
    "gru-jsb-s1-d00": ([8.9, 8.7], (8.64, 8.42), "finished"),
    "gru-jsb-s1-d01": ([5.0], (0.0, 0.0), "diverged"),
}


@pytest.fixture
def made(runs: Path) -> Path:
    swept(runs, "paper", FIGURES, seeds=[0, 1])
    run(runs, "one", [8.3], (8.33, 8.31), train__lr=2e-3)
    return runs


def test_ours_stand_beside_the_papers_and_others_in_both_weightings(made: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table", "paper"]) == 0
    captured = capsys.readouterr()
    lines = [line.split() for line in captured.out.splitlines()]
    assert ["paper:", "paper", "by", "frame", "–", "8.59", "±", "0.07", "–"] in lines
    assert ["by", "piece", "–", "8.47", "±", "0.07", "–"] in lines
    assert ["Chung", "et", "al.", "2014", "not", "stated", "9.10", "8.54", "8.67"] in lines
    assert ["Bai", "et", "al.", "2018", "by", "frame", "8.91", "8.43", "8.45", "TCN", "8.10"] in lines
    assert ["RRU", "2021", "by", "frame", "–", "8.20", "8.33", "RRU", "7.72"] in lines
    assert "guessing by frequency 11.00" in captured.out
    assert any(line[:5] == ["jsb", "gru", "4/4", "1", *line[4:5]] and "18,630" in line for line in lines)
    assert "as recalled" in captured.err and "validation alone" in captured.err and "n - 1" in captured.err


def test_without_names_runs_and_sweeps_are_rows_of_their_own(made: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(cell["source"], cell["test_nll_frame"]) for cell in document["cells"]] == [
        (made.name, 8.33),
        ("paper", pytest.approx(8.59)),
    ]
    swept_cell = document["cells"][1]
    assert swept_cell["test_nll_sequence"] == pytest.approx(8.47) and swept_cell["diverged"] == 1
    assert swept_cell["test_nll_frame_std"] == pytest.approx(0.0707, abs=1e-4)
    assert [Path(one["run"]).name for one in swept_cell["picked"]] == ["gru-jsb-s0-d00", "gru-jsb-s1-d00"]
    assert {one["source"] for one in document["published"]} == {"Chung et al. 2014", "Bai et al. 2018", "RRU 2021"}
    assert gated(["table", str(made / "paper"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 1


def test_csv_is_whole_numbers_one_line_a_cell(made: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    ours = [row for row in rows if row["trials"]]
    assert [row["source"] for row in ours] == [made.name, "paper"]
    assert float(ours[1]["test_nll_frame"]) == pytest.approx(8.59) and ours[1]["recurrent_weights"] == "18630"
    assert ours[0]["test_nll_frame_std"] == ""
    papers = {row["unit"]: row["test_nll_frame"] for row in rows if row["source"] == "Chung et al. 2014"}
    assert papers == {"tanh": "9.1", "gru": "8.54", "lstm": "8.67"}


def test_markdown_has_a_heading_and_as_many_cells_in_every_line(made: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table", "paper", "--format", "markdown"]) == 0
    text = capsys.readouterr().out
    for table in (part for part in text.split("\n\n") if part.startswith("|")):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "| paper: paper | by frame | – | 8.59 ± 0.07 | – |" in text


def test_the_training_split_is_the_papers_too(made: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table", "paper", "--split", "train"]) == 0
    out = capsys.readouterr().out
    assert "8.82  " in out and "6.94" in out and "8.15" in out and "Bai" not in out and "7.60 ± 0.14" in out


def test_figures_are_drawn_by_update_and_by_time(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table", "paper", "--figures", str(tmp_path / "new" / "figures")]) == 0
    (path,) = (tmp_path / "new" / "figures").iterdir()
    assert path.name == "jsb.svg" and str(path) in capsys.readouterr().err
    texts = [element.text for element in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]
    assert {"updates", "training time", "● gru 46: 8.50"} <= set(texts)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["papre"], 2, "'paper'"),
        (["no/such"], 3, "'no/such'"),
        (["--format", "html"], 2, "markdown"),
        (["--split", "valid"], 2, "train"),
    ],
)
def test_bad_input_is_met_with_a_sentence(
    made: Path, arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
):
    assert gated(["table", *arguments]) == code
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == ""


def test_where_there_is_nothing_it_says_what_makes_some(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert gated(["table"]) == 3
    assert "gated sweep" in capsys.readouterr().err
    assert gated(["table", str(tmp_path)]) == 3


def test_a_damaged_run_is_left_out_with_a_note(made: Path, capsys: pytest.CaptureFixture[str]):
    (made / "one" / "run.toml").write_text("seed = [")
    assert gated(["table", "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["cells"]) == 1 and "left out 'one'" in captured.err


def test_a_damaged_sweep_is_left_out_with_a_note_unless_it_is_asked_for(made: Path, capsys: pytest.CaptureFixture[str]):
    (made / "paper" / "sweep.toml").write_text("format = 99")
    assert gated(["table", "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["cells"]) == 1 and "left out 'paper'" in captured.err
    for name in ("paper", f"{made / 'paper'}/"):
        assert gated(["table", name]) == 3
        assert "is not a sweep" in capsys.readouterr().err


def test_a_figures_folder_that_cannot_be_made_ends_with_3(made: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert gated(["table", "--figures", str(tmp_path / "file" / "x")]) == 3


def test_variants_of_units_have_columns_after_the_papers(runs: Path, capsys: pytest.CaptureFixture[str]):
    trained = {name: ([8.5], (8.54, 8.52), "finished") for name in ("gru-jsb-s0-d00", "gru-no-reset-jsb-s0-d00")}
    swept(runs, "gates", trained, units=[], models=["music-gru-no-reset", "music-gru"], draws=1)
    assert gated(["table", "gates"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["mean", "tanh", "GRU", "LSTM", "gru-no-reset", "other", "models"] in lines
    assert ["gates:", "paper", "by", "frame", "–", "8.54", "–", "8.54"] in lines
    assert [line[1] for line in lines if line[:1] == ["jsb"]] == ["gru", "gru-no-reset"]
