import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from gatedtui import config, paths
from gatedtui.config import RunConfig
from gatedtui.data import prepare
from gatedtui.data.dataset import DataSet
from gatedtui.errors import BadSource, DeviceError
from gatedtui.events import Diverged, Epoch, Event, Finished, Resumed, Started, Stopped
from gatedtui.kernels import library
from gatedtui.train.loop import Training, train


@pytest.fixture
def tiny() -> DataSet:
    return prepare.prepare("tiny", cache=paths.cache_folder())


def settings(**more: object) -> RunConfig:
    values = {"data.name": "tiny", "train.epochs": 6, "train.batch": 3, "model.hidden": 7, "model.unit": "gru"}
    return config.build(values | {key.replace("__", "."): value for key, value in more.items()})


def told(event: Event) -> str:
    """An event without what a clock says."""
    clock = ("elapsed_s", "frames_per_s", "time")
    return repr({"event": type(event).__name__} | {k: v for k, v in asdict(event).items() if k not in clock})


def epochs(events: list[Event]) -> list[str]:
    return [told(event) for event in events if isinstance(event, Epoch | Finished)]


def test_a_run_starts_scores_every_epoch_and_finishes(tiny: DataSet):
    events = list(train(settings(), tiny, run="r"))
    assert isinstance(events[0], Started) and isinstance(events[-1], Finished)
    found = [event for event in events if isinstance(event, Epoch)]
    assert [event.epoch for event in found] == [1, 2, 3, 4, 5, 6]
    assert [event.updates for event in found] == [3, 6, 9, 12, 15, 18]
    frames = sum(len(roll) - 1 for roll in tiny.splits["train"])
    assert {event.frames for event in found} == {frames}
    best = min(found, key=lambda event: event.valid_nll)
    assert (events[-1].best_epoch, events[-1].valid_nll) == (best.epoch, best.valid_nll)


def test_training_lowers_the_nll_of_every_unit(tiny: DataSet):
    for unit in ("tanh", "lstm", "gru"):
        found = [e for e in train(settings(model__unit=unit, train__epochs=40), tiny) if isinstance(e, Epoch)]
        assert found[-1].valid_nll < found[0].valid_nll - 1


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tiny: DataSet):
    first, again, other = (epochs(list(train(settings(seed=seed), tiny))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
def test_resume_repeats_the_uninterrupted_run(tiny: DataSet, unit: str, optimiser: str):
    chosen = settings(model__unit=unit, train__optimiser=optimiser)
    whole = Training(chosen, tiny)
    expected = epochs(list(whole.events()))
    for stop_at in (1, 3, 7, 11, 17):
        updates = iter(range(1000))
        first = Training(chosen, tiny)
        events = list(first.events(lambda updates=updates, n=stop_at: next(updates) >= n))
        assert isinstance(events[-1], Stopped) and events[-1].updates == stop_at
        second = Training(chosen, tiny, state=first.state())
        rest = list(second.events())
        assert isinstance(rest[0], Resumed) and rest[0].updates == stop_at
        assert epochs(events) + epochs(rest) == expected
        assert torch.equal(second.network.flat, whole.network.flat)
        assert torch.equal(second.best, whole.best)


def test_patience_stops_a_run_that_no_longer_improves(tiny: DataSet):
    events = list(train(settings(train__epochs=5000, train__patience=4, train__lr=0.02, train__noise=0.0), tiny))
    last = events[-1]
    assert isinstance(last, Finished)
    assert max(e.epoch for e in events if isinstance(e, Epoch)) == last.best_epoch + 4


def test_a_run_that_diverges_says_so_and_keeps_its_best(tiny: DataSet):
    training = Training(settings(train__optimiser="adam", train__lr=1e-3), tiny)
    seen: list[Event] = []
    for event in training.events():
        seen.append(event)
        if isinstance(event, Epoch) and event.epoch == 2:
            before = training.best.clone()
            training.network.flat[0] = math.nan
    assert isinstance(seen[-1], Diverged) and "nan" in seen[-1].what
    assert torch.equal(training.best, before) and bool(torch.isfinite(before).all())
    assert training.position.best_epoch <= 2


def test_the_recipes_loss_is_the_sum_over_frames_divided_by_their_number(tiny: DataSet):
    """One update of plain SGD by hand, from the same first weights, noise off, gives the same weights as the loop."""
    chosen = settings(train__epochs=1, train__batch=100, train__noise=0.0, train__clip=0.0, train__momentum=0.0)
    training = Training(chosen, tiny)
    start, batch = training.network.flat.clone(), next(training.batches.epoch(0))
    x, y = torch.from_numpy(batch.x), torch.from_numpy(batch.y)
    total = sum(
        training.network.losses(x[:n, k : k + 1], y[:n, k : k + 1], backend="reference").sum()
        for k, n in enumerate(batch.lengths)
    )
    gradient = training.network.gradient(total / batch.lengths.sum())
    list(training.events())
    mean_square, mean = 0.05 * gradient**2, 0.05 * gradient
    expected = start - 1e-3 * gradient / (mean_square - mean**2 + 1e-4).sqrt()
    assert torch.allclose(training.network.flat, expected, rtol=1e-5, atol=1e-7)


def test_the_best_checkpoint_scores_what_the_run_reported(tiny: DataSet, tmp_path: Path):
    from gatedtui import checkpoint
    from gatedtui.evaluate import evaluate

    training = Training(settings(model__unit="lstm"), tiny, run="r")
    finished = list(training.events())[-1]
    made = training.best_checkpoint()
    assert made is not None and isinstance(finished, Finished)
    checkpoint.save(tmp_path / "m.safetensors", made)
    scored = evaluate(checkpoint.load(tmp_path / "m.safetensors"), tiny, "test")
    assert scored["nll_frame"] == pytest.approx(finished.test_nll_frame, rel=1e-12)
    assert scored["nll_sequence"] == pytest.approx(finished.test_nll_sequence, rel=1e-12)
    firsts = {tuple(roll[0]) for roll in tiny.splits["train"]}
    assert {tuple(row) for row in made.tensors["start"].astype(np.uint8)} <= firsts


def test_both_weightings_are_what_their_names_say(tiny: DataSet):
    from gatedtui.evaluate import score

    training = Training(settings(), tiny)
    sequences = training.sequences["test"]
    found = score(training.network, sequences, backend="reference")
    sums, lengths = [], []
    for x, y in sequences:
        nll = training.network.losses(torch.from_numpy(x[:, None]), torch.from_numpy(y[:, None]), backend="reference")
        sums.append(nll.double().sum().item())
        lengths.append(len(x))
    assert found.frame == pytest.approx(sum(sums) / sum(lengths), rel=1e-6)
    assert found.sequence == pytest.approx(np.mean([s / n for s, n in zip(sums, lengths, strict=True)]), rel=1e-6)
    assert (found.frames, found.sequences) == (sum(lengths), len(sequences))


def test_another_runs_state_is_refused(tiny: DataSet):
    state = Training(settings(), tiny).state()
    with pytest.raises(BadSource, match="does not fit"):
        Training(settings(model__hidden=8), tiny, state=state)
    with pytest.raises(BadSource, match="does not fit"):
        Training(settings(train__optimiser="adam"), tiny, state=state)
    with pytest.raises(BadSource, match="does not fit"):
        Training(settings(), tiny, state=({}, state[1]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_another_kernel_or_another_build_of_it_does_not_go_on(tiny: DataSet):
    values, position = Training(settings(train__kernel="bptt"), tiny).state()
    for began in ("reference", "bptt avx2"):
        with pytest.raises(DeviceError, match=f"began with the kernel '{began}', not 'bptt'"):
            Training(settings(train__kernel="bptt"), tiny, state=(values, position | {"backend": began}))


def test_the_state_names_the_build_of_a_compiled_kernel(tiny: DataSet):
    _, position = Training(settings(), tiny).state()
    found = library.installed().library
    assert position["backend"] == (f"native {found.build}" if found else "bptt")


def test_a_summed_loss_is_the_sum_over_frames_per_sequence(tiny: DataSet):
    """The gradient that plain momentum-free RMSProp's first step saw: its mean is (1 - ρ) times it."""
    batches = {}
    for loss in ("mean", "sum"):
        chosen = settings(train__epochs=1, train__batch=100, train__noise=0.0, train__clip=0.0, train__loss=loss)
        training = Training(chosen, tiny)
        list(training.events())
        batches[loss] = training.optimiser.state()["mean"]
    rows, frames = len(tiny.splits["train"]), sum(len(roll) - 1 for roll in tiny.splits["train"])
    assert torch.allclose(batches["sum"] * rows, batches["mean"] * frames, rtol=1e-4, atol=1e-6)


def test_the_rate_that_falls_is_the_one_the_epochs_tell(tiny: DataSet):
    chosen = settings(train__epochs=5, train__schedule="linear", train__lr=1e-2)
    found = [event.lr for event in train(chosen, tiny) if isinstance(event, Epoch)]
    assert found == pytest.approx([1e-2, 0.7525e-2, 0.505e-2, 0.2575e-2, 1e-4])
    constant = [event for event in train(settings(train__epochs=5, train__lr=1e-2), tiny) if isinstance(event, Epoch)]
    falling = [event for event in train(chosen, tiny) if isinstance(event, Epoch)]
    assert constant[0].valid_nll == falling[0].valid_nll and constant[1].valid_nll != falling[1].valid_nll


@pytest.mark.parametrize("unit", ["tanh", "lstm", "gru"])
def test_speech_trains_resumes_and_starts_at_its_own_frames(unit: str):
    vowels = prepare.prepare("vowels", cache=paths.cache_folder())
    more = {"model__unit": unit, "model__head": "mixture", "data__name": "vowels", "train__optimiser": "adam"}
    chosen = settings(**more, train__epochs=2, train__batch=200, train__noise=0.0)
    whole = Training(chosen, vowels)
    events = list(whole.events())
    started, found = events[0], [event for event in events if isinstance(event, Epoch)]
    assert isinstance(started, Started) and started.paper_nll is None
    assert started.marginal_nll == pytest.approx(14.19, abs=1)
    assert found[-1].valid_nll < found[0].valid_nll < started.marginal_nll
    updates = iter(range(1000))
    first = Training(chosen, vowels)
    list(first.events(lambda: next(updates) >= 4))
    second = Training(chosen, vowels, state=first.state())
    list(second.events())
    assert torch.equal(second.network.flat, whole.network.flat)
    made = whole.best_checkpoint()
    assert made is not None and made.data["rate_hz"] == 8000 and made.data["scale"] == vowels.scale
    firsts = {tuple(wave[:20]) for wave in vowels.splits["train"]}
    assert {tuple(row) for row in made.tensors["start"]} <= firsts
    assert made.data["peak"] == max(float(np.abs(wave).max()) for wave in vowels.splits["train"])
