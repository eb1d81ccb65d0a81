"""Figures of others on the same test sets, each with where it is from. The paper's own are in the model files.

All are frame-weighted test NLLs in nats a frame, of models with independent Bernoullis.
"""

from dataclasses import dataclass, field

from gatedtui import modelfile
from gatedtui.plan import UNITS


@dataclass(frozen=True)
class Published:
    """The figures of one publication.

    Attributes:
        name: as the table calls it.
        note: what has to be known to compare.
        test: NLLs by data set, then by unit (`tanh`, `gru`, `lstm`) or by the name of another model.
        train: the same on the training split.
    """

    name: str
    note: str
    test: dict[str, dict[str, float]]
    train: dict[str, dict[str, float]] = field(default_factory=dict)

    def figures(self, data: str, split: str) -> dict[str, float]:
        """NLLs by unit or other model; empty where it has none."""
        return {"test": self.test, "train": self.train}.get(split, {}).get(data, {})


PAPER = "Chung et al. 2014"
OTHERS = (
    Published(
        "Bai et al. 2018",
        "Bai, Kolter and Koltun, arXiv:1803.01271: 0.3 to 1 million weights; tanh is their plain RNN.",
        {
            "jsb": {"tanh": 8.91, "gru": 8.43, "lstm": 8.45, "TCN": 8.10},
            "nottingham": {"tanh": 4.05, "gru": 3.46, "lstm": 3.29, "TCN": 3.07},
        },
    ),
    Published(
        "RRU 2021",
        "Zakovskis et al., arXiv:2108.00527: tuned, 5 million weights, trained on windows of 200 frames.",
        {
            "jsb": {"gru": 8.20, "lstm": 8.33, "RRU": 7.72},
            "nottingham": {"gru": 3.22, "lstm": 3.25, "RRU": 2.92},
            "muse": {"gru": 7.31, "lstm": 7.24, "RRU": 7.03},
            "piano": {"gru": 7.58, "lstm": 7.54, "RRU": 7.38},
        },
    ),
)
"""As noted by this project from those publications; nobody has checked the figures against them again."""


def paper() -> Published:
    """The paper's Table 2, from the bundled model files."""
    splits: dict[str, dict[str, dict[str, float]]] = {"train": {}, "test": {}}
    for unit in UNITS:
        for kind in ("music", "speech"):
            file = modelfile.for_unit(unit, kind)
            for split, found in splits.items():
                for data, value in file.paper.get(split, {}).items():
                    found.setdefault(data, {})[unit] = float(value)
    note = "Table 2, as recalled: nobody has checked it against the PDF yet. It does not say how frames are weighted."
    return Published(PAPER, note, splits["test"], splits["train"])


def every() -> tuple[Published, ...]:
    """The paper, then the others."""
    return (paper(), *OTHERS)
