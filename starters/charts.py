"""Bar charts as geometry: what `templates/charts.html.j2` draws as SVG, readable without colour and by screen readers.

Parts of a bar differ by pattern, every bar says its value in words, and the description tells all of it as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

PATTERNS = ("solid", "stripes", "outline")
LABEL_WIDTH, BAR_WIDTH, TEXT_WIDTH = 190, 340, 170
ROW, BAR_HEIGHT, TOP = 26, 16, 6
WIDTH = LABEL_WIDTH + BAR_WIDTH + TEXT_WIDTH
LONGEST_LABEL = 26


@dataclass(frozen=True)
class Bar:
    """What is shown of one thing. `values` are of the chart's parts, in their order; what is below zero has no length.

    `text` says the values in words.
    """

    label: str
    values: Sequence[int]
    text: str


@dataclass(frozen=True)
class Piece:
    """A rectangle of one pattern, in the chart's own units."""

    x: float
    width: float
    pattern: str


@dataclass(frozen=True)
class DrawnBar:
    """A bar with its place: `y` is its upper edge, `text_x` where its words begin."""

    label: str
    text: str
    y: int
    text_x: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Chart:
    """A chart that can be drawn. `legend` are the parts' names with their patterns; one part alone needs none."""

    key: str
    title: str
    description: str
    height: int
    bars: tuple[DrawnBar, ...]
    legend: tuple[tuple[str, str], ...]
    width: int = WIDTH
    label_width: int = LABEL_WIDTH
    bar_height: int = BAR_HEIGHT


def bar_chart(key: str, title: str, parts: Sequence[str], bars: Sequence[Bar]) -> Chart:
    """Return a chart of horizontal bars with at most three parts each, the longest of which fills the width.

    Raises ValueError for more parts than there are patterns.
    """
    if len(parts) > len(PATTERNS):
        raise ValueError(f"a bar has at most {len(PATTERNS)} parts that can be told apart")
    longest = max((sum(_lengths(each)) for each in bars), default=0) or 1
    told = "; ".join(f"{each.label}: {each.text}" for each in bars)
    return Chart(
        key=key,
        title=title,
        description=told or "nothing to show",
        height=TOP + ROW * len(bars),
        bars=tuple(_drawn(each, place, longest) for place, each in enumerate(bars)),
        legend=tuple(zip(parts, PATTERNS, strict=False)) if len(parts) > 1 else (),
    )


def _drawn(bar: Bar, place: int, longest: int) -> DrawnBar:
    pieces, x = [], float(LABEL_WIDTH)
    for value, pattern in zip(_lengths(bar), PATTERNS, strict=False):
        width = round(BAR_WIDTH * value / longest, 2)
        if width:
            pieces.append(Piece(round(x, 2), width, pattern))
        x += width
    label = bar.label if len(bar.label) <= LONGEST_LABEL else f"{bar.label[: LONGEST_LABEL - 1]}…"
    return DrawnBar(label, bar.text, TOP + ROW * place, round(x + 8, 2), tuple(pieces))


def _lengths(bar: Bar) -> list[int]:
    return [max(0, each) for each in bar.values]
