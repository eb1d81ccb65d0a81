import numpy as np

from gatedtui.data import split


def piece(seed: int, steps: int = 120) -> np.ndarray:
    """Random chords of four notes, each held for two steps."""
    generator = np.random.default_rng(seed)
    roll = np.zeros((steps // 2, 88), np.uint8)
    for row in roll:
        row[generator.choice(np.arange(20, 60), 4, replace=False)] = 1
    return np.repeat(roll, 2, axis=0)


def test_a_transposed_excerpt_with_ornaments_is_recognised_and_a_stranger_is_not():
    whole, stranger = piece(0), piece(1)
    excerpt = np.roll(whole, 5, axis=1)[30:90].copy()
    excerpt[7::16, 40] ^= 1
    alike = split.likeness([whole, stranger, excerpt], 4)
    assert alike[0, 2] > 0.5 > split.ALIKE
    assert alike.get((0, 1), 0) == alike.get((1, 2), 0) == 0


def test_likeness_is_the_shared_part_of_the_smaller_set_of_progressions():
    rolls = [piece(0), np.concatenate([piece(0), piece(1)]), piece(2), np.zeros((5, 88), np.uint8)]
    alike = split.likeness(rolls, 4)
    assert alike == {(0, 1): 1.0}


def test_groups_join_what_is_linked_by_way_of_others():
    assert split.groups(6, [(4, 1), (1, 3), (5, 5)]) == [[0], [1, 3, 4], [2], [5]]
    assert split.groups(2, []) == [[0], [1]]


def test_the_division_holds_out_tenths_of_pieces_that_stand_alone():
    titles = [f"piece {i}" for i in range(50)]
    together = [[0, 1, 2], [3, 4], *[[i] for i in range(5, 50)]]
    parts = split.divide(titles, together)
    assert list(parts) == ["train", "valid", "test"]
    assert (len(parts["train"]), len(parts["valid"]), len(parts["test"])) == (40, 5, 5)
    assert sorted(place for places in parts.values() for place in places) == list(range(50))
    assert {0, 1, 2, 3, 4} <= set(parts["train"])
    assert all(places == sorted(places) for places in parts.values())


def test_the_division_depends_on_titles_alone_not_on_their_order():
    titles = [f"piece {i}" for i in range(30)]
    shuffled = titles[::-1]
    alone = [[i] for i in range(30)]
    one, other = split.divide(titles, alone), split.divide(shuffled, alone)
    for part in one:
        assert {titles[i] for i in one[part]} == {shuffled[i] for i in other[part]}
    fewer = [title for i, title in enumerate(titles) if i != one["train"][0]]
    without = split.divide(fewer, alone[:29])
    for part in ("valid", "test"):
        assert {titles[i] for i in one[part]} == {fewer[i] for i in without[part]}


def test_few_pieces_still_give_each_part_one_where_that_is_asked_for():
    titles = ["a", "b", "c"]
    assert {len(places) for places in split.divide(titles, [[0], [1], [2]], least=1).values()} == {1}
    assert len(split.divide(titles, [[0], [1], [2]])["train"]) == 3
    many = [str(i) for i in range(40)]
    assert split.divide(many, [[i] for i in range(40)], least=1) == split.divide(many, [[i] for i in range(40)])
