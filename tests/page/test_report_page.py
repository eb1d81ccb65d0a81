"""From trained models to a report; what models would draw and their gates are stood in for."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gatedtui import config, events, paths
from gatedtui.checkpoint import Checkpoint, save, shapes
from gatedtui.data import prepare
from gatedtui.errors import BadArgument, BadSource
from gatedtui.events import Epoch, Finished, Started
from gatedtui.page import findings, report
from gatedtui.page.findings import Choices
from gatedtui.runs.folder import create
from gatedtui.sound.midi import write_midi

from .conftest import HOSTILE

ANSWERS = Path(__file__).parents[1] / "tui" / "answers"


class Child:
    """Stands for `gated sample` and `gated gates`."""

    def __init__(self):
        self.asked = []

    def __call__(self, words):
        self.asked.append(list(words))
        told = dict(pairwise(words))
        if words[0] == "gates":
            unit = next(one for one in ("tanh", "lstm", "gru") if one in words[1])
            return json.loads((ANSWERS / f"{unit}.json").read_text()) | {"input": told["--input"]}
        steps, primed = int(told["--steps"]), int(told.get("--prime-steps", 0))
        roll = np.zeros((primed + steps, 88), np.uint8)
        roll[:, 40 + int(told["--seed"])] = 1
        write_midi(roll, told["--out"], qpm=float(told["--qpm"]), steps_per_quarter=4)
        return [{"steps_per_quarter": 4, "primer_steps": primed, "steps": steps, "nll_frame": 2.5}]


def trained(runs, name, unit, data="tiny", finished=True, digest="0" * 64):
    """A run of this unit, as its worker leaves it."""
    own = config.build({"model.unit": unit, "model.hidden": 3, "data.name": data, "seed": 9})
    folder = create(runs, name, own)
    tensors = {key: np.zeros(shape, np.float32) for key, shape in shapes(own).items()}
    tensors["start"] = np.zeros((1, 88), np.float32)
    about = {"name": data, "kind": "music", "digest": digest, "steps_per_quarter": 4, "rate_hz": 0, "scale": 1.0}
    nll = {"epoch": 2, "valid_nll": 5.25, "valid_nll_sequence": 5.35}
    if finished:
        nll |= {"test_nll_frame": 6.12, "test_nll_sequence": 6.34, "train_nll_frame": 4.0, "train_nll_sequence": 4.1}
    save(folder.best_path, Checkpoint(own, about, nll, tensors, run=name))
    told = [Started(run=name, unit=unit, data=data, paper_nll=None)]
    told += [Epoch(n, 10 * n, 80, 7.0 - n, 7.25 - n, 7.3 - n, 1.0, 1e-3, 1e4, 1.5 * n) for n in (1, 2)]
    told += [Finished(best_epoch=2, valid_nll=5.25, test_nll_frame=6.12)] if finished else []
    folder.events_path.write_text("".join(map(events.to_line, told)))
    return folder


def gathered(words, runs, choices=None, child=None):
    chosen = findings.models(words, runs=runs)
    ask = child or Child()
    return findings.groups(chosen, choices or Choices(samples=2), runs=runs, cache=paths.cache_folder(), ask=ask)


@pytest.fixture
def three(runs):
    for unit in ("tanh", "lstm", "gru"):
        trained(runs, f"{unit}-1", unit)
    return runs


def made(runs, words=("tanh-1", "lstm-1", "gru-1"), **choices):
    return report.page(gathered(words, runs, Choices(**{"samples": 2, **choices})), command=["gated", "report", *words])


def section(page, name):
    return page.partition(f">{name}</h2>")[2].partition("<h2")[0]


def test_all_songs_go_on_from_one_primer_and_one_song_of_each_model_has_one_seed(three):
    child = Child()
    (group,) = gathered(["tanh-1", "gru-1"], three, Choices(samples=2, piece=1, seed=5), child)
    drawn = [dict(pairwise(words)) for words in child.asked if words[0] == "sample"]
    assert sorted(told["--seed"] for told in drawn) == ["5", "5", "6", "6"]
    assert {(told["--prime"], told["--steps"]) for told in drawn} == {("tiny:1", drawn[0]["--steps"])}
    assert [one.title for one in group.clips] == [
        *("tiny:1", "tanh-1 · seed 5", "tanh-1 · seed 6", "gru-1 · seed 5", "gru-1 · seed 6"),
    ]
    assert group.sets == [[0, 1, 3], [0, 2, 4]]
    assert len({len(one.item.samples) for one in group.clips}) == 1
    piece = prepare.prepare("tiny", cache=paths.cache_folder()).splits["test"][1]
    assert np.array_equal(group.clips[0].item.roll, piece[: len(group.clips[0].item.roll)])


def test_without_words_the_newest_run_and_its_kin_are_taken(three):
    trained(three, "other-data", "gru", data="vowels-not")
    (three / "other-data" / "best.safetensors").unlink()
    trained(three, "old-tanh-2", "tanh", digest="1" * 64)
    assert [model.label for model in findings.models([], runs=three)] == ["old-tanh-2"]
    (three / "old-tanh-2" / "best.safetensors").unlink()
    found = findings.models([], runs=three)
    assert [(model.label, model.state) for model in found] == [(f"{u}-1", "finished") for u in ("tanh", "lstm", "gru")]


def test_without_runs_the_released_models_are_taken(runs):
    found = findings.models([], runs=runs)
    assert [(model.label, model.state) for model in found] == [
        *(("tanh-bach", "released"), ("lstm-bach", "released"), ("gru-bach", "released")),
    ]
    assert not found[0].history.epochs and found[0].nll("test", "sequence") == pytest.approx(3.334, abs=1e-3)


def test_both_weightings_stand_beside_the_papers_figures(runs):
    found = findings.models(["tanh-jsb", "lstm-jsb", "gru-jsb"], runs=runs)
    data = prepare.prepare("tiny", cache=paths.cache_folder())
    object.__setattr__(data, "name", "jsb")
    page = report.page([findings.Group(data, found, (11.09, 11.04))], command=["gated"])
    rows = {}
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", section(page, "Negative log-likelihood")):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        rows.setdefault(cells[0], cells[1:])
    assert rows["the paper"] == ["9.10", "8.67", "8.54"]
    assert rows["ours, by frame"] == ["8.62", "8.51", "8.48"]  # as in checkpoints/README.md
    assert rows["ours, by piece"] == ["8.58", "8.48", "8.44"]
    assert rows["guessing, by piece"] == ["11.04"] * 3
    assert rows["Piano-midi"] == ["5.64 / 9.03", "4.93 / 8.82", "6.49 / 9.03"]
    assert "as recalled" in page
    counts = section(page, "Parameters")
    for number in ("18,900", "18,108", "18,630", "4,136", "22,766", "20.2k"):
        assert f">{number}<" in counts
    assert "what happened in training is not known" in section(page, "Learning curves")


def test_a_report_has_every_part(three, page_data, sounds):
    page = made(three)
    assert page_data(page)["curves-1"][0]["epochs"] == [[1, 10, 1.5, 6.0, 6.25], [2, 20, 3.0, 5.0, 5.25]]
    assert len(sounds(page)) == 7
    assert section(page, "Gates").count("<svg") == 3
    assert "reset gates on average" in section(page, "Gates")
    measures = section(page, "Statistics")
    assert "note length (quarters)" in measures and "in the best scale" in measures
    again = section(page, "Commands and seeds")
    assert "gated train --unit gru --data tiny" in again and "--seed 9 --name gru-1" in again
    assert "gated sample lstm-1 --seed 2" in again and "--out lstm-1-seed-2.mid" in again
    assert "gated gates tanh-1 --input tiny:0" in again
    for link in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{link}"' in page


def test_the_same_runs_give_the_same_bytes(three):
    page = made(three)
    assert made(three) == page
    assert not re.search(r"20\d\d-\d\d", re.sub(r'="data:[^"]*"', "", page)), "no date of today"


def test_a_runs_name_is_only_ever_text(runs, page_data):
    name = HOSTILE.replace("/", "")[:70]
    trained(runs, f"gru{name}", "gru")
    page = made(runs, words=[f"gru{name}"], samples=1)
    assert "<img src=x" not in page and "<script>alert" not in page
    assert page_data(page)["curves-1"][0]["label"] == f"gru{name}"
    assert page_data(page)["player-1-data"]["labels"] == ["tiny:0", f"gru{name}"]


def test_a_run_that_has_not_finished_shows_what_there_is(runs):
    trained(runs, "gru-1", "gru", finished=False)
    page = made(runs, words=["gru-1"], samples=0)
    rows = re.findall(r"<th scope=\"row\">ours, by frame</th><td>(.*?)</td>", page)
    assert rows == ["–", "–", "5.25"]
    assert "No songs were drawn" in page and "<audio" not in page


def test_models_of_several_sets_have_parts_of_their_own(runs):
    trained(runs, "gru-1", "gru")
    found = findings.models(["gru-1", "gru-bach"], runs=runs)
    assert len({str(model.checkpoint.data["name"]) for model in found}) == 2
    tiny = prepare.prepare("tiny", cache=paths.cache_folder())
    page = report.page([findings.Group(tiny, [model], (1.0, 2.0)) for model in found], command=["gated"])
    assert page.count("Listening: tiny</h2>") == 2 and "GRU on tiny and tiny" in page


def test_what_is_not_there_is_one_sentence(runs):
    trained(runs, "gru-1", "gru")
    with pytest.raises(BadArgument, match="no test piece '99'"):
        gathered(["gru-1"], runs, Choices(piece=99))
    with pytest.raises(BadArgument, match="'nobody'"):
        findings.models(["nobody"], runs=runs)
    (runs / "gru-1" / "best.safetensors").unlink()
    with pytest.raises(BadSource, match="no best model yet"):
        findings.models(["gru-1"], runs=runs)


def test_commands_say_where_runs_are_that_are_elsewhere(runs, tmp_path):
    trained(tmp_path / "mine", "gru-1", "gru")
    chosen = findings.models(["gru-1", "gru-bach"], runs=tmp_path / "mine", typed=Path("mine"))
    assert [model.where for model in chosen] == [("--runs", "mine"), ()]
    found = findings.groups(
        chosen[:1], Choices(samples=1), runs=tmp_path / "mine", cache=paths.cache_folder(), ask=Child()
    )
    again = section(report.page(found, command=["gated"]), "Commands and seeds")
    assert again.count("--runs mine") == 3


def test_models_of_a_folder_begin_by_themselves(runs, tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(4):
        roll = np.zeros((40, 88), np.uint8)
        roll[:, [30 + number, 40]] = 1
        write_midi(roll, folder / f"{number}.mid", steps_per_quarter=4)
    trained(runs, "gru-1", "gru", data=str(folder))
    child = Child()
    found = gathered(["gru-1"], runs, Choices(samples=2), child)
    assert not any("--prime" in words for words in child.asked) and found[0].sets == [[0], [1]]
    page = report.page(found, command=["gated"])
    assert "Each begins by itself" in page and "no gates were looked at" in page
    assert page.count("<audio ") == 2 and ">Blind test</button>" not in page, "one thing is nothing to compare"
