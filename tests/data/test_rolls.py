import hashlib
import io

import numpy as np
import pytest

from gatedtui.data import baseline, dataset, describe, prepare, rolls
from gatedtui.errors import BadSource

TABLE = {
    "jsb": ((229, 76, 77), (13_807, 4_602, 4_725), 11.09, 11.04),
    "nottingham": ((694, 173, 170), (176_561, 45_513, 44_463), 10.26, 10.13),
    "muse": ((524, 135, 124), (245_202, 82_755, 64_339), 11.51, 10.56),
    "piano": ((87, 12, 25), (75_911, 8_540, 19_036), 11.05, 11.39),
}
"""Pieces and frames of the three parts, and the marginal model's test NLL, frame-weighted and sequence-weighted."""


@pytest.fixture
def pinned(tmp_path, monkeypatch):
    """A mirror with a small file in place of the JSB chorales, which is pinned for this test."""
    from scipy.io import savemat

    generator = np.random.default_rng(0)
    cells = {}
    for key, count in (("traindata", 5), ("validdata", 2), ("testdata", 3)):
        cells[key] = np.empty((1, count), object)
        for i in range(count):
            cells[key][0, i] = (generator.random((6 + i, 88)) < 0.1).astype(np.uint8)
    file = io.BytesIO()
    savemat(file, cells)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "JSB_Chorales.mat").write_bytes(file.getvalue())
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    monkeypatch.setitem(rolls.FILES, "jsb", ("JSB_Chorales.mat", digest))
    return mirror, cells


def test_a_set_is_prepared_from_its_pinned_file_divided_as_published(pinned, tmp_path):
    mirror, cells = pinned
    data = prepare.prepare("jsb", cache=tmp_path / "cache", mirror=str(mirror))
    assert (data.kind, data.steps_per_quarter) == ("music", 1)
    for key, split in zip(cells, dataset.SPLITS, strict=True):
        assert [roll.tolist() for roll in data.splits[split]] == [roll.tolist() for roll in cells[key].ravel()]
    assert data.titles["test"] == ("jsb test 0", "jsb test 1", "jsb test 2")
    assert prepare.load("jsb", cache=tmp_path / "cache").digest == data.digest


def test_a_flipped_byte_in_the_mirror_is_exit_3_and_nothing_is_cached(pinned, tmp_path):
    mirror, _ = pinned
    content = bytearray((mirror / "JSB_Chorales.mat").read_bytes())
    content[200] ^= 1
    (mirror / "JSB_Chorales.mat").write_bytes(content)
    with pytest.raises(BadSource, match=r"it has the SHA-256 .*, where .* is expected") as caught:
        prepare.prepare("jsb", cache=tmp_path / "cache", mirror=str(mirror))
    assert caught.value.exit_code == 3
    assert [path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()] == ["jsb-1.npz.lock"]


@pytest.mark.parametrize("name", TABLE)
def test_the_published_sets_have_the_papers_pieces_frames_and_marginal_figures(name, published, tmp_path):
    data = prepare.prepare(name, cache=tmp_path, mirror=str(published))
    pieces, frames, frame_weighted, sequence_weighted = TABLE[name]
    assert tuple(len(data.splits[split]) for split in dataset.SPLITS) == pieces
    assert tuple(sum(map(len, data.splits[split])) for split in dataset.SPLITS) == frames
    assert data.steps_per_quarter == (1 if name == "jsb" else 2)
    assert baseline.marginal_nll(data) == pytest.approx((frame_weighted, sequence_weighted), abs=0.005)
    about = describe.describe(data)
    assert about["marginal_nll_frame"] == pytest.approx(frame_weighted, abs=0.005)
    assert about["marginal_nll_sequence"] == pytest.approx(sequence_weighted, abs=0.005)
    assert not any("differs" in note for note in data.notes)
