"""How many cards stand side by side, and where the focus goes: pure arithmetic."""

LEAST_WIDTH = 26
"""Cells a card needs to say everything, borders included: three fit into 80."""
LEAST_HEIGHT = 9


def columns(count: int, width: int, height: int) -> int:
    """Cards a row, for `count` cards on `width × height` cells.

    Takes the number that leaves cards neither too narrow nor too low; one that leaves no hole in the last row is
    preferred where its cards are large enough.
    """
    if count <= 1:
        return 1

    def size(across: int) -> float:
        down = -(-count // across)
        return min(width / across / LEAST_WIDTH, height / down / LEAST_HEIGHT)

    even = [across for across in range(1, count + 1) if count % across == 0 and size(across) >= 1]
    if even:
        return max(even, key=size)
    best = max(range(1, count + 1), key=size)
    if size(best) >= 1:
        return best
    return max(1, min(count, width // LEAST_WIDTH))  # too many to see at once: they scroll


def row_height(count: int, across: int, height: int) -> int | None:
    """Rows a card where they have to scroll; None where all cards fit and share the height."""
    down = -(-count // max(across, 1))
    return None if down <= 1 or height // down >= LEAST_HEIGHT else min(LEAST_HEIGHT, max(height, 1))


def neighbour(index: int, count: int, across: int, dx: int, dy: int) -> int:
    """The card one step to the right (`dx`) or down (`dy`) of card `index`, or itself at the edge."""
    if dx:
        moved = index + dx
        return moved if 0 <= moved < count and moved // across == index // across else index
    moved = index + dy * across
    if moved >= count and dy > 0 and index // across < (count - 1) // across:
        return count - 1  # the last row is shorter: to its end
    return moved if 0 <= moved < count else index
