"""Drawing by the compiled kernels: the heads' own draws, and streams that know nothing of each other."""

import numpy as np
import pytest
import torch

from gatedtui.errors import BadArgument
from gatedtui.heads.bernoulli import Bernoulli
from gatedtui.heads.mixture import MixtureOfGaussians
from gatedtui.heads.nade import Nade
from gatedtui.kernels import Drawing, library
from gatedtui.kernels.library import Found
from gatedtui.network import Network
from gatedtui.units import UNITS

pytestmark = pytest.mark.skipif(
    library.installed().library is None, reason=f"no compiled kernels: {library.installed().why}"
)


@pytest.fixture(params=library.usable(), ids=lambda found: found.build)
def build(request, monkeypatch):
    found = Found(request.param, "for a test")
    monkeypatch.setattr(library, "installed", lambda: found)


def case(name, kind, hidden=13, dtype=torch.float64):
    heads = {
        "music": Bernoulli(hidden, 88),
        "joint": Nade(hidden, 88, 21),
        "speech": MixtureOfGaussians(hidden, 20, 10),
    }
    network = Network(name, 20 if kind == "speech" else 88, hidden, heads[kind]).to(dtype)
    generator = np.random.default_rng(3)
    fed = generator.standard_normal((4, 5, 20)) if kind == "speech" else generator.random((4, 5, 88)) < 0.1
    return network, torch.from_numpy(fed.astype(np.float64)).to(dtype), generator.random((30, 5, network.head.draws))


MANNERS = [
    ("music", {}),
    ("music", {"temperature": 0.7}),
    ("music", {"greedy": True}),
    ("joint", {}),
    ("joint", {"temperature": 0.7}),
    ("joint", {"greedy": True}),
    ("speech", {}),
    ("speech", {"temperature": 1.3, "limit": 1.5}),
    ("speech", {"greedy": True, "limit": 0.2}),
]


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize(("kind", "manner"), MANNERS)
def test_frames_and_their_nats_are_the_heads_own(build, name, kind, manner):
    network, fed, uniform = case(name, kind)
    drawing = Drawing(network.units[0], network.head, 5)
    drawing.feed(fed)
    frames, nats = drawing.draw(uniform[:20], **manner)
    more, _ = drawing.draw(uniform[20:], **manner)
    frames = torch.cat((frames, more))
    h = states = None
    for x in fed:
        h, states, _ = network.step(x, states)
    x = fed[-1]
    for t, numbers in enumerate(torch.from_numpy(uniform)):
        y = network.head.draw(h, numbers, **manner)
        torch.testing.assert_close(frames[t], y, rtol=0, atol=1e-9)
        if t < 20:
            nll = network.head.nll(h, y).detach()
            torch.testing.assert_close(torch.from_numpy(nats[t]), nll, rtol=1e-8, atol=1e-9)
        x = torch.cat((x, frames[t]), 1)[:, -x.shape[1] :]
        h, states, _ = network.step(x, states)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("kind", ["music", "joint", "speech"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_stream_is_the_same_to_the_bit_however_many_run_beside_it(build, name, kind, dtype):
    network, fed, uniform = case(name, kind, 37, dtype)
    together = Drawing(network.units[0], network.head, 5)
    together.feed(fed)
    frames, nats = together.draw(uniform)
    for stream in range(5):
        one = slice(stream, stream + 1)
        alone = Drawing(network.units[0], network.head, 1)
        alone.feed(fed[:, one])
        found = alone.draw(uniform[:, one])
        assert torch.equal(found[0], frames[:, one]) and np.array_equal(found[1], nats[:, one])


def test_a_new_drawing_begins_at_the_zero_state(build):
    network, fed, uniform = case("lstm", "music")
    results = []
    for _ in range(2):
        drawing = Drawing(network.units[0], network.head, 5)
        drawing.feed(fed)
        results.append(drawing.draw(uniform)[0])
        del drawing  # its memory goes to the next
    assert torch.equal(*results)


@pytest.mark.parametrize("kind", ["music", "joint", "speech"])
def test_a_nan_state_draws_nan(build, kind):
    network, fed, uniform = case("gru", kind)
    with torch.no_grad():
        network.units[0].b[0] = float("nan")
    drawing = Drawing(network.units[0], network.head, 5)
    drawing.feed(fed)
    frames, nats = drawing.draw(uniform[:1])
    assert bool(frames.isnan().any()) and bool(np.isnan(nats).all())


def test_impossible_arguments_are_refused(build):
    network, fed, uniform = case("gru", "music")
    drawing = Drawing(network.units[0], network.head, 5)
    for temperature in (0.0, -1.0, float("nan")):
        with pytest.raises(BadArgument, match="temperature"):
            drawing.draw(uniform, temperature=temperature)
    with pytest.raises(ValueError, match="frames must be"):
        drawing.feed(fed[:, :3])
    with pytest.raises(ValueError, match="uniform must be"):
        drawing.draw(uniform[:, :, :7])


@pytest.mark.parametrize("kind", ["music", "joint", "speech"])
def test_sampling_by_the_compiled_kernels_draws_what_torch_draws(build, kind, monkeypatch):
    from gatedtui import sample
    from gatedtui.checkpoint import Checkpoint
    from gatedtui.config import ModelConfig, RunConfig

    hidden = 13
    network, _, _ = case("lstm", kind, hidden)
    head = {"music": "bernoulli", "joint": "nade", "speech": "mixture"}[kind]
    model = ModelConfig(unit="lstm", hidden=hidden, head=head, parts=21 if kind == "joint" else 20)
    weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
    start = np.random.default_rng(1).standard_normal((3, 20)) if kind == "speech" else np.eye(3, 88)
    about = {"name": "x", "kind": "speech" if kind == "speech" else "music", "digest": "", "scale": 0.3, "peak": 2.5}
    held = Checkpoint(RunConfig(model=model), about, {}, weights | {"start": start.astype(np.float32)}, "r")
    found = []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(sample, "_compiled", lambda network: False)
        if kind != "speech":
            made = sample.draw_music(held, steps=40, n=3, seed=5)
            found.append((made.rolls, made.nll, made.scored))
        else:
            spoken = sample.draw_speech(held, samples=395, n=3, seed=5)
            found.append((spoken.waves, spoken.nll, spoken.scored))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)
    assert found[0][2] == found[1][2]
