"""The picture whose colours are known at every place, and how far another one is from it."""

from collections.abc import Sequence

from PIL import Image

from asgilook.codec.colour import Colour
from tests.fidelity.ciede2000 import difference

COLUMNS, ROWS, PATCH = 6, 4, 40
SIZE = (COLUMNS * PATCH, ROWS * PATCH)

COLOURS: list[Colour] = [
    *((115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177)),
    *((103, 189, 170), (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108)),
    *((157, 188, 64), (224, 163, 46), (56, 61, 150), (70, 148, 73), (175, 54, 60)),
    *((231, 199, 31), (187, 86, 149), (40, 133, 161), (243, 243, 242), (200, 200, 200)),
    *((160, 160, 160), (122, 122, 121), (85, 85, 85), (20, 20, 20)),
]
"""Of the usual kind: skin, leaves, sky, flowers and six greys, all within sRGB."""

GREYS = [(grey, grey, grey) for grey in range(8, 256, 10)][: len(COLOURS)]

ERROR_LIMIT = 3.0
"""CIEDE2000, on average over a picture, at most."""


def painted(colours: Sequence[tuple[int, ...]], mode: str = "RGB") -> Image.Image:
    """Paint a patch for each colour, row by row."""
    small = Image.new(mode, (COLUMNS, ROWS))
    for number, colour in enumerate(colours):
        value = colour if len(small.getbands()) > 1 else colour[0]
        small.putpixel((number % COLUMNS, number // COLUMNS), value)
    return small.resize(SIZE, Image.Resampling.NEAREST)


CHART = painted(COLOURS)
GREY_CHART = painted(GREYS)


def errors(shown: Image.Image, truth: Image.Image) -> list[float]:
    """Compare patch by patch; the two may be of different sizes."""
    grid = (
        min(COLUMNS, *(p.width for p in (shown, truth))),
        min(ROWS, *(p.height for p in (shown, truth))),
    )
    pairs = zip(_patches(shown, grid), _patches(truth, grid), strict=True)
    return [difference(one, other) for one, other in pairs]


def _patches(picture: Image.Image, grid: tuple[int, int]) -> list[Colour]:
    """Give the colours of the patches' middles: at their edges an encoder mixes them."""
    width, height = picture.width / grid[0], picture.height / grid[1]
    return [
        _average(
            picture,
            ((x + 0.25) * width, (y + 0.25) * height, (x + 0.75) * width, (y + 0.75) * height),
        )
        for y in range(grid[1])
        for x in range(grid[0])
    ]


def _average(picture: Image.Image, box: tuple[float, float, float, float]) -> Colour:
    pixel = picture.convert("RGB").resize((1, 1), Image.Resampling.BOX, box=box).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    red, green, blue = (int(part) for part in pixel)
    return red, green, blue
