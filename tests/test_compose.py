import json
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from gatedtui import compose, paths
from gatedtui.cli.main import run as gated
from gatedtui.data import prepare
from gatedtui.errors import BadArgument
from gatedtui.sound.midi import read_midi, write_midi


@pytest.fixture
def model(runs: Path) -> Path:
    assert gated(["train", "--data", "tiny", "--epochs", "30", "--name", "model", "--set", "patience=0"]) == 0
    return runs / "model" / "best.safetensors"


def song(model: Path, out: Path, *more: str) -> Path:
    assert gated(["sample", str(model), "--out", str(out), "--seed", "7", *more]) == 0
    return out


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(model: Path, tmp_path: Path):
    one, same = song(model, tmp_path / "a.mid"), song(model, tmp_path / "b.mid")
    assert one.read_bytes() == same.read_bytes()
    assert gated(["sample", str(model), "--out", str(tmp_path / "c.mid"), "--seed", "8"]) == 0
    assert (tmp_path / "c.mid").read_bytes() != one.read_bytes()
    for name in ("a.wav", "b.wav"):
        song(model, tmp_path / name, "--steps", "32")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_other_programs_read_the_song(model: Path, tmp_path: Path):
    out = song(model, tmp_path / "s.mid", "--seconds", "20", "--qpm", "120")
    assert pretty_midi.PrettyMIDI(str(out)).get_end_time() == pytest.approx(20, abs=1e-3)
    assert any(message.type == "note_on" for message in mido.MidiFile(out))
    assert len(read_midi(out, steps_per_quarter=4)) == 160


def test_song_k_does_not_depend_on_how_many_there_are(model: Path, tmp_path: Path):
    alone = song(model, tmp_path / "alone.mid", "--steps", "64")
    song(model, tmp_path / "many.mid", "--steps", "64", "--n", "3")
    assert (tmp_path / "many-1.mid").read_bytes() == alone.read_bytes()
    assert len({(tmp_path / f"many-{k}.mid").read_bytes() for k in (1, 2, 3)}) == 3
    assert {path.name for path in tmp_path.glob("many*")} == {
        f"many-{k}.{e}" for k in (1, 2, 3) for e in ("mid", "json")
    }


def test_the_first_frame_comes_from_the_models_own_start(model: Path, tmp_path: Path):
    firsts = {tuple(roll[0]) for roll in prepare.load("tiny", cache=paths.cache_folder()).splits["train"]}
    song(model, tmp_path / "s.mid", "--n", "5", "--steps", "1")
    for k in range(1, 6):
        assert tuple(read_midi(tmp_path / f"s-{k}.mid", steps_per_quarter=4)[0]) in firsts
        assert json.loads((tmp_path / f"s-{k}.json").read_text())["nll_frame"] is None


def test_a_kept_primer_stands_before_what_was_drawn(model: Path, tmp_path: Path):
    piece = prepare.load("tiny", cache=paths.cache_folder()).splits["test"][1]
    kept = song(
        model, tmp_path / "kept.mid", "--prime", "tiny:1", "--prime-steps", "16", "--keep-prime", "--steps", "20"
    )
    dropped = song(model, tmp_path / "dropped.mid", "--prime", "tiny:1", "--prime-steps", "16", "--steps", "20")
    whole = read_midi(kept, steps_per_quarter=4)
    assert np.array_equal(whole[:16], piece[:16])
    assert np.array_equal(whole[16:], read_midi(dropped, steps_per_quarter=4))
    assert len(whole) == 36


def test_a_primer_may_be_a_file_or_pitches(model: Path, tmp_path: Path):
    primer = np.zeros((8, 88), np.uint8)
    primer[:, [39, 43, 46]] = 1  # C4 E4 G4
    write_midi(primer, tmp_path / "primer.mid", steps_per_quarter=4)
    from_file = song(model, tmp_path / "file.mid", "--prime", str(tmp_path / "primer.mid"), "--steps", "40")
    from_pitches = song(model, tmp_path / "pitches.mid", "--prime", "C4,E4,G4*8", "--steps", "40")
    assert from_file.read_bytes() == from_pitches.read_bytes()
    unprimed = song(model, tmp_path / "unprimed.mid", "--steps", "40")
    assert unprimed.read_bytes() != from_file.read_bytes()


def test_so_many_seconds_that_no_steps_would_be_allowed_are_refused(model: Path, tmp_path: Path, capsys):
    words = ["sample", str(model), "--seconds", "36000", "--qpm", "1000", "--n", "3", "--out", str(tmp_path / "s.mid")]
    assert gated(words) == 2
    assert "'3' times '2,400,000' steps" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_greedy_leaves_only_the_first_frame_to_chance(model: Path, tmp_path: Path):
    for seed in ("1", "2"):
        words = ["--prime", "tiny:0", "--greedy", "--seed", seed, "--steps", "40"]
        assert gated(["sample", str(model), "--out", str(tmp_path / f"{seed}.mid"), *words]) == 0
    assert (tmp_path / "1.mid").read_bytes() == (tmp_path / "2.mid").read_bytes()


def test_temperature_changes_how_likely_the_song_is(model: Path, tmp_path: Path):
    nll = {}
    for temperature in ("0.5", "1", "2"):
        song(model, tmp_path / "t.mid", "--steps", "200", "--temperature", temperature)
        nll[temperature] = json.loads((tmp_path / "t.json").read_text())["nll_frame"]
    assert nll["0.5"] < nll["1"] < nll["2"]


def test_the_sidecars_nll_is_the_models_own_score_of_what_was_drawn(model: Path, tmp_path: Path):
    import torch

    from gatedtui import checkpoint
    from gatedtui.network import restore

    out = song(model, tmp_path / "s.mid", "--steps", "50")
    about = json.loads((tmp_path / "s.json").read_text())
    roll = torch.from_numpy(read_midi(out, steps_per_quarter=4).astype(np.float32))
    held = checkpoint.load(model)
    network = restore(held.config.model, held.weights)
    with torch.no_grad():
        nll = network.losses(roll[:-1, None], roll[1:, None], backend="reference").mean().item()
    assert about["nll_frame"] == pytest.approx(nll, rel=1e-5)
    assert about["scored_frames"] == 49
    assert about["options"]["seed"] == 7 and about["source"] == str(model) and about["files"] == [str(out)]
    assert about["data_digest"] == held.data["digest"]


def test_a_set_that_is_not_there_is_no_bad_note(tmp_path: Path):
    with pytest.raises(BadArgument, match="There is no data set 'bcah'") as caught:
        compose.read_primer("bcah:0", None, grid=4, cache=tmp_path)
    assert "'bach'" in caught.value.hint
