"""Shapes that plans are drawn with. Additions, products and square roots only: the same on every machine."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from crowdgym.data.synthetic.cities.plan import Place

KM = 1_000.0


def km(*places: Place) -> tuple[Place, ...]:
    """Places given in kilometres."""
    return tuple((x * KM, y * KM) for x, y in places)


def smooth(places: Iterable[Place], rounds: int = 2) -> tuple[Place, ...]:
    """Cut the corners of a line (Chaikin's scheme); its ends stay, or a closed line stays closed."""
    line = list(places)
    closed = line[0] == line[-1]
    for _ in range(rounds):
        cut: list[Place] = [] if closed else [line[0]]
        for (ax, ay), (bx, by) in pairwise(line):
            cut += [(0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by), (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by)]
        if closed:
            cut.append(cut[0])
        else:
            cut[1:] = [*cut[2:-1], line[-1]]  # the first and last corner would only crowd the ends
        line = cut
    return tuple(line)


def band(places: Iterable[Place], width_m: float) -> tuple[Place, ...]:
    """The outline of a river: a strip of this width along a line, counter-clockwise."""
    line = list(places)
    right, left = [], []
    for i, (x, y) in enumerate(line):
        (ax, ay), (bx, by) = line[max(i - 1, 0)], line[min(i + 1, len(line) - 1)]
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        dx, dy = (bx - ax) / length * width_m / 2, (by - ay) / length * width_m / 2
        right.append((x + dy, y - dx))
        left.append((x - dy, y + dx))
    return (*right, *reversed(left))


def closed(outline: tuple[Place, ...]) -> tuple[Place, ...]:
    """An outline as a line that ends where it begins."""
    return (*outline, outline[0])


def hubs(base: float, *centres: tuple[float, float, float, float]) -> Callable[[float, float], float]:
    """A field that is ``base`` far out and higher near centres.

    Args:
        base: its value far from all centres.
        centres: x and y in km, the height, and the distance in km at which a quarter of it is left.
    """

    def field(x: float, y: float) -> float:
        value = base
        for centre_x, centre_y, height, reach in centres:
            away = ((x - centre_x * KM) ** 2 + (y - centre_y * KM) ** 2) / (reach * KM) ** 2
            value += height / (1 + away) ** 2
        return value

    return field
