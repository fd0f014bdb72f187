"""Paints what is seen between parted lips: teeth, a hint of tongue, and the dark behind, in the light of the face.

Upper teeth belong to the skull and lower teeth to the jaw, so lips move over them. Where the source itself shows teeth,
those are kept at their place. Sizes are those of an average adult, in units of the distance between the eyes (63 mm).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.face.landmarks import CHEEKS
from engine.face.mesh import Image
from engine.generation.backends.draft.portrait import ALMOND, INNER

Floats = npt.NDArray[np.float32]

_EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))

_MM = 1 / 63.0
_TOOTH_EDGE = 2.6 * _MM
"""How far the upper incisors reach below the line of shut lips, upper lip's middle."""
_ARCH = 24 * _MM
"""Half the width of the visible row of teeth."""
_LINE = 0.014
"""Half the height of the line between lips that were apart in the source, in units."""
_STICKING = 0.009
"""How far onto the lips the gap is painted where the source's lips were apart, in units."""
_CLOSED_BY = 0.06
"""Lips that have come this much nearer (units) leave the whole line."""
_LEAST_SHOWN = 0.08
"""Gap between the lips, against the mouth's width, from which a source can show its own teeth."""
_FINEST = 150
"""Pixels across the mouth at which it is painted, at most: what lies in the dark needs no more."""


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of a face, RGB from 0 to 1, shape ``(3,)`` each.

    Attributes:
        teeth: as bright as the whites of the eyes let expect.
        flesh: of tongue and gums.
        dark: of the throat.
        line: of the line between shut lips.
        softness: blur of the picture's own edges at the mouth, in pixels.
    """

    teeth: Floats
    flesh: Floats
    dark: Floats
    line: Floats
    softness: float

    @classmethod
    def of(cls, image: Image, mesh: Floats, region: Floats) -> Light:
        """Look at a face.

        Args:
            image: RGB, shape ``(h, w, 3)``.
            mesh: landmarks in pixels, shape ``(468 or more, 3)``.
            region: the same for ``MOUTH_REGION``, shape ``(61, 2)``.
        """
        skin = _median(image, mesh[list(CHEEKS), :2])
        lips = _median(image, (region[1:10] + region[INNER][1:10]) / 2)
        # The whites of the eyes tell the light; they are shaded by the lids, and on light skin teeth outshine it.
        white = np.maximum(1.12 * _whites(image, mesh), 0.54 * (skin + skin.max()))
        # Teeth are a little darker and yellower than that.
        tint = 0.65 * white / white.max() + 0.35 * skin / max(float(skin.max()), 0.05)
        teeth = min(0.9 * float(white.max()), 0.9) * tint * np.array([1.0, 0.98, 0.93])
        shown = _shown_teeth(image, region[INNER], float(skin.max()))
        if shown is not None:
            teeth = np.clip(1.12 * shown, 0, 0.95)
        brightness = float(white.mean())
        flesh = 0.62 * (0.6 * lips + 0.4 * brightness * np.array([0.72, 0.38, 0.36]))
        dark = 0.21 * lips * np.array([1.0, 0.72, 0.72]) + 0.012
        width = float(np.linalg.norm(region[10] - region[0]))
        return cls(
            teeth.astype(np.float32),
            flesh.astype(np.float32),
            dark.astype(np.float32),
            (0.55 * lips).astype(np.float32),
            float(np.clip(width / 160, 0.5, 2.5)),
        )


def _median(image: Image, places: Floats) -> npt.NDArray[np.float64]:
    rows = np.clip(np.rint(places[:, 1]).astype(int), 0, image.shape[0] - 1)
    columns = np.clip(np.rint(places[:, 0]).astype(int), 0, image.shape[1] - 1)
    return np.asarray(np.median(image[rows, columns], axis=0) / 255, np.float64)


def _whites(image: Image, mesh: Floats) -> npt.NDArray[np.float64]:
    """Return the colour of the whites of the eyes: the brightest tenth between the lids."""
    found = []
    for ring in _EYES:
        points = np.rint(mesh[list(ring), :2]).astype(np.int32)
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, points, (255,))
        inside = image[mask > 0].astype(np.float64) / 255
        if len(inside):
            brightness = inside.mean(1)
            found.append(inside[brightness >= np.quantile(brightness, 0.85)].mean(0))
    return np.mean(found, axis=0) if found else np.full(3, 0.6)


def _shown_teeth(image: Image, ring: Floats, skin: float) -> npt.NDArray[np.float64] | None:
    """Return the colour of the teeth that a picture shows between the lips, ``None`` where it shows none."""
    gap = float(np.linalg.norm(ring[5] - ring[15]))
    if gap < _LEAST_SHOWN * float(np.linalg.norm(ring[10] - ring[0])) or gap < 4:
        return None
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(ring).astype(np.int32)], (255,))
    inside = image[mask > 0].astype(np.float64) / 255
    if not len(inside):
        return None
    brightest, darkest = inside.max(1), inside.min(1)
    teeth = inside[(brightest > 0.6 * skin) & (darkest > 0.62 * brightest)]
    return np.median(teeth, axis=0) if len(teeth) > 0.12 * len(inside) else None


@dataclass(frozen=True, slots=True)
class Place:
    """How the mouth lies in the picture.

    Attributes:
        origin: middle of the shut lips' line in the picture, pixels, shape ``(2,)``.
        axes: picture pixels per unit to the face's left and downward, columns, shape ``(2, 2)``.
    """

    origin: Floats
    axes: Floats


def paint_mouth(
    target: Image,
    corner: tuple[int, int],
    source: Image,
    lips: Floats,
    source_lips: Floats | None,
    place: Place,
    jaw: float,
    light: Light,
    shift: Floats,
    closing: float = 0.0,
    was_open: float = 0.0,
) -> None:
    """Paint the gap between the lips, in place.

    Args:
        target: the moved face, RGB; changed.
        corner: column and row of the picture at which ``target`` begins.
        source: the picture before, whole.
        lips: moved inner lip ring in the picture, shape ``(20, 2)``.
        source_lips: inner lip ring of the source, shape ``(20, 2)``, to keep the teeth it shows; else ``None``.
        place: how the mouth lies.
        jaw: how far the lower teeth are below their place in a shut mouth, in units.
        light: the face's colours.
        shift: how far the skull has moved in the picture against the source, pixels, shape ``(2,)``.
        closing: how much nearer to each other the lips have come, in units; they leave a line, under which remains of
            the open mouth vanish.
        was_open: how far the lips are apart in the source, in units; some of its teeth then stick to their edges.
    """
    shut = float(np.clip(closing / _CLOSED_BY, 0, 1))
    edge = _STICKING * float(np.clip(was_open / _CLOSED_BY, 0, 1))
    ring = _rounded(_widened(lips, place, max(_LINE * shut, edge)))
    reach = 3 + 2 * light.softness
    low = np.floor(ring.min(0) - reach).astype(int) - np.array(corner)
    high = np.ceil(ring.max(0) + reach).astype(int) - np.array(corner)
    left, top = np.maximum(low, 0)
    right, bottom = np.minimum(high, (target.shape[1], target.shape[0]))
    if right - left < 2 or bottom - top < 2:
        return
    first = np.array([corner[0] + left, corner[1] + top], np.float32)
    size = (int(right - left), int(bottom - top))
    mask = _coverage(ring - first, size, light.softness)
    if mask.max() < 0.02:
        return

    fine = max(1.0, size[0] / _FINEST)
    small = (max(2, round(size[0] / fine)), max(2, round(size[1] / fine)))
    x = (np.arange(small[0], dtype=np.float32) + 0.5) * size[0] / small[0] - 0.5 + first[0]
    y = (np.arange(small[1], dtype=np.float32) + 0.5) * size[1] / small[1] - 0.5 + first[1]
    away = np.stack(np.meshgrid(x, y), axis=2) - (place.origin + shift)
    units = away @ np.linalg.inv(place.axes).T.astype(np.float32)
    edges = np.asarray((lips - (place.origin + shift)) @ np.linalg.inv(place.axes).T, np.float32)
    per_unit = float(np.sqrt(abs(np.linalg.det(place.axes)))) / fine
    colours, thin = _inside(units[..., 0], units[..., 1], edges, jaw, light, per_unit)
    # A slit is seen as a shade, not as a hole.
    painted = np.concatenate([colours, thin[..., None]], axis=2)
    if small != size:
        painted = cv2.resize(painted, size, interpolation=cv2.INTER_LINEAR)
    apart = painted[..., 3:]
    colours = painted[..., :3] * apart + light.line * (1 - apart)
    mask = mask * np.maximum(apart, shut)

    own = None if source_lips is None else _own_teeth(source, source_lips, first, size, shift, light)
    if own is not None:
        teeth, share = own
        colours = colours * (1 - share) + teeth * share
    patch = target[top:bottom, left:right]
    blended = patch * (1 - mask) + (255 * colours) * mask
    patch[:] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)


def _widened(lips: Floats, place: Place, by: float) -> Floats:
    """Return an inner lip ring opened by so many units, less towards the corners, shape ``(20, 2)``."""
    away = np.zeros(len(lips), np.float32)
    away[1:10], away[19:10:-1] = ALMOND, -ALMOND
    return np.asarray(lips + by * away[:, None] * place.axes[:, 1], np.float32)


def _rounded(ring: Floats, fineness: int = 5) -> Floats:
    """Return a closed Catmull-Rom curve through a ring of points, shape ``(fineness * n, 2)``."""
    share = (np.arange(fineness, dtype=np.float32) / fineness)[:, None, None]
    before, here, after, beyond = (np.roll(ring, -offset, axis=0)[None] for offset in (-1, 0, 1, 2))
    curve = 0.5 * (
        2 * here
        + (after - before) * share
        + (2 * before - 5 * here + 4 * after - beyond) * share**2
        + (3 * here - before - 3 * after + beyond) * share**3
    )
    # The corners are sharp: a curve through them would bulge.
    corners = (0, len(ring) // 2)
    for corner in corners:
        for index in (corner - 1, corner):
            curve[:, index] = (here + (after - here) * share)[:, index]
    return np.asarray(curve.transpose(1, 0, 2).reshape(-1, 2), np.float32)


def _coverage(ring: Floats, size: tuple[int, int], softness: float) -> Floats:
    """Return how much of each pixel a ring covers, its edge a little soft, shape ``(height, width, 1)``."""
    finer = 4
    mask = np.zeros((size[1] * finer, size[0] * finer), np.uint8)
    points = np.rint(((ring + 0.5) * finer - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], (255,), lineType=cv2.LINE_AA, shift=4)
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), softness) if softness > 0.3 else small
    return (soft.astype(np.float32) / 255)[..., None]


def _inside(
    u: Floats, v: Floats, lips: Floats, jaw: float, light: Light, per_unit: float
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the colours behind the lips at places in the face's units, and how far the lips are open there.

    Args:
        u: to the face's left of the mouth's middle.
        v: below the line of shut lips.
        lips: inner ring in the same units, shape ``(20, 2)``.
        jaw: drop of the lower teeth.
        light: the face's colours.
        per_unit: pixels per unit.

    Returns:
        Colours, shape ``(h, w, 3)``, and 0 where the lips touch to 1 where they are apart, shape ``(h, w)``.
    """

    def covers(distance: Floats, soft: float = 1.6) -> Floats:
        return np.clip(distance * per_unit / soft + 0.5, 0, 1)[..., None]

    upper = _edge(u, lips[:9:-1])
    lower = _edge(u, lips[:11])
    gap = np.maximum(lower - upper, 1e-3)
    depth = np.clip((v - upper) / gap, 0, 1)
    across = np.clip(np.abs(u) / _ARCH, 0, 1)
    colour = np.empty((*u.shape, 3), np.float32)
    colour[:] = light.dark

    # The tongue lies on the floor of the mouth, lit from the front, darker to the back and the sides.
    back = (8.0 * _MM + 0.55 * jaw) + 0.9 * u**2
    lit = (0.5 + 0.5 * np.clip((v - back) / (9 * _MM), 0, 1)) * (1 - 0.5 * across**2)
    colour += (light.flesh * lit[..., None] - colour) * covers(v - back, 5.0)

    # Lower teeth: only their tips show, in the shade of the upper lip when the mouth is nearly shut.
    row = np.sqrt(np.clip(1 - across**2.4, 0, 1))
    tips = 0.5 * _MM + jaw + 0.75 * u**2
    shade = 0.50 * row * np.clip((v - tips + 3.0 * _MM) / (5.5 * _MM), 0.5, 1) * (1 - 0.06 * _furrows(u, 5.3 * _MM))
    low = covers(v - tips, 2.2) * np.clip((21 * _MM - np.abs(u)) / (7 * _MM), 0, 1)[..., None]
    colour += (light.teeth * shade[..., None] - colour) * (0.9 * low)

    # Upper teeth: the lip throws its shadow on them, and the row curves back into the dark.
    scallop = 0.35 * _MM * np.cos(2 * np.pi * u / (8.4 * _MM))
    edge = _TOOTH_EDGE + scallop * (1 - across) - 0.55 * u**2
    shadow = 0.78 + 0.22 * np.clip((v - upper) / (4.0 * _MM), 0, 1)
    shade = (1 - 0.45 * across**2) * row * shadow * (1 - 0.10 * _furrows(u - 4.2 * _MM, 8.4 * _MM))
    high = covers(edge - v, 1.8) * np.clip((23 * _MM - np.abs(u)) / (6 * _MM), 0, 1)[..., None]
    colour += (light.teeth * shade[..., None] - colour) * (0.95 * high)

    # Everything sinks into shadow under the upper lip and at the corners.
    rim = 0.35 * np.exp(-depth * gap / (1.3 * _MM)) + 0.25 * np.exp(-(1 - depth) * gap / (0.9 * _MM))
    # The less lips are apart, the less light falls in.
    corner = np.clip(gap / (4 * _MM), 0.4, 1) * (0.84 + 0.16 * np.clip(gap / (9 * _MM), 0, 1))
    thin = np.clip(gap / (1.6 * _MM), 0, 1)
    return np.asarray(colour * ((1 - rim) * corner)[..., None], np.float32), np.asarray(thin, np.float32)


def _edge(u: Floats, side: Floats) -> Floats:
    """Return a lip's height at every ``u``, from points ordered either way."""
    order = np.argsort(side[:, 0])
    return np.asarray(np.interp(u, side[order, 0], side[order, 1]), np.float32)


def _furrows(u: Floats, width: float) -> Floats:
    """Return 1 between neighbouring teeth of a width and 0 on them."""
    away = np.abs((u / width + 0.5) % 1 - 0.5) * width
    return np.asarray(np.exp(-0.5 * (away / (0.45 * _MM)) ** 2), np.float32)


def _own_teeth(
    source: Image, source_lips: Floats, first: Floats, size: tuple[int, int], shift: Floats, light: Light
) -> tuple[Floats, Floats] | None:
    """Return the source's own teeth and where they can be used, or ``None`` if it shows none.

    Only what is as bright and as pale as teeth is taken: landmarks also see gaps between lips that are shut.
    """
    width = float(np.linalg.norm(source_lips[10] - source_lips[0])) + 1e-6
    gap = float(np.linalg.norm(source_lips[5] - source_lips[15]))
    if gap < max(_LEAST_SHOWN * width, 6 * light.softness):
        return None
    ring = source_lips + shift - first
    middle = ring.mean(0)
    shrunk = middle + (ring - middle) * (1 - 3 * light.softness / gap)  # well inside: never the lips' own edge
    share = _coverage(np.asarray(shrunk, np.float32), size, 1.5 * light.softness)
    matrix = np.array([[1, 0, first[0] - shift[0]], [0, 1, first[1] - shift[1]]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shown = cv2.warpAffine(source, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(np.float32) / 255
    darkest, brightest = shown.min(2), shown.max(2)
    bright = np.clip((brightest / float(light.teeth.max()) - 0.5) / 0.15, 0, 1)
    pale = np.clip((darkest / (brightest + 1e-3) - 0.55) / 0.15, 0, 1)
    like = cv2.GaussianBlur((bright * pale).astype(np.float32), (0, 0), light.softness)
    return shown, share * like[..., None]
