"""A bar in a cell of a table: to the left of the middle for less than nothing, to the right for more."""

import math

from reverse_qe.pages.kit import Html, tag

WIDTH, HEIGHT = 160, 12


def bar_cell(value: float, largest: float) -> Html:
    """The bar of a value; as long as half the cell for `largest`. The number stands in another cell."""
    if not (math.isfinite(value) and largest > 0):
        return Html()
    length = round(abs(value) / largest * WIDTH / 2, 1)
    left = WIDTH / 2 if value >= 0 else WIDTH / 2 - length
    bar = tag("rect", x=left, y=1, width=length, height=HEIGHT - 2, class_="bar c1" if value >= 0 else "bar c3")
    middle = tag("path", d=f"M{WIDTH / 2} 0V{HEIGHT}", class_="grid")
    return tag("svg", middle, bar, width=WIDTH, height=HEIGHT, viewBox=f"0 0 {WIDTH} {HEIGHT}", aria_hidden="true")
