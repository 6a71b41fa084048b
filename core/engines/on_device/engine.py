"""
The on-device engine: stages in order, each a module of its own.

reading (photo) → outlining (person) → framing → edges (matting, edges) → light → background → finishing.
Masks and the head circle live in memory for one call. Nothing is kept, written or logged.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from core.clock import Clock, utc_now
from core.engines.on_device import backdrops, drift, edges, findings, finish, framing, light, person, photo
from core.engines.on_device.arrays import Array, Size, fit, gauss
from core.engines.on_device.edges import Circle, Cutout
from core.engines.on_device.framing import Frame
from core.engines.on_device.looks import BACKDROPS, OWN_BACKDROP, STYLES, variant_of
from core.engines.on_device.matting import Parallel
from core.engines.on_device.model import MODEL_NAME, PersonModel
from core.engines.on_device.person import Person, Upright
from core.engines.on_device.photo import Photo
from core.errors import EngineRefused
from core.language import N_, _
from core.marks import Marks, SourceType, mark, random_id
from core.ports import Finding, Framing, Headshot, Order, Stage

READING, OUTLINING, FRAMING, EDGES = "reading", "outlining", "framing", "edges"
LIGHT, BACKGROUND, FINISHING = "light", "background", "finishing"

VERSION = "1.0"
THREADS = 2  # a run shares a small machine with the pages
WHOLE_PIXELS = 26_000_000  # up to this size a photo is decoded once, in full; beyond, twice, but smaller
LEAST_PERSON = 0.05  # of the picture; less means that the second look found no one there
CONTEXT_SIDE = 768  # px; three times what the network sees
PREVIEW_QUALITY = 85
PREVIEW_FADE = 0.55  # how far the old background fades in the preview
PLAIN = (236, 234, 230)  # beyond the photo, in previews and comparisons

_USUAL_RATIO = "4:5"
_USUAL_FRAMING = Framing()


@dataclass(frozen=True, kw_only=True)
class _Study:
    """What the thumbnail told: who, where, and the frame in photo pixels of the upright photo."""

    upright: Upright = field(repr=False)
    person: Person = field(repr=False)
    frame: Frame
    scale: float  # photo px per thumbnail px


class OnDevice:
    """Implements ports.Engine."""

    name = "on_device"
    title = N_("On this server")
    takes_note = False
    takes_clothing = False
    stages: tuple[str, ...] = (READING, OUTLINING, FRAMING, EDGES, LIGHT, BACKGROUND, FINISHING)

    def __init__(
        self,
        *,
        run_by: str = N_("whoever runs this server"),
        clock: Clock = utc_now,
        new_id: Callable[[], str] = random_id,
        model: PersonModel | None = None,
    ) -> None:
        self.run_by = run_by
        self._clock = clock
        self._new_id = new_id
        self._model = model or PersonModel()

    def make(self, order: Order) -> Iterator[Stage | Headshot]:
        """Stages in order, each headshot as it is finished. Closing the iterator stops the work."""
        look, scene = _recipes(order)
        wanted = [variant for variant in range(1, order.variants + 1) if variant not in order.skip]
        if not wanted:
            return
        with _threads() as parallel:
            yield Stage(name=READING)
            source = photo.open_photo(order.portrait)
            whole, thumbnail = _read(source)
            own = _own_image(order, max(order.long_side // backdrops.SHRINK, 1))

            yield Stage(name=OUTLINING)
            upright = person.look(self._model, thumbnail, order.framing.turns)
            found = _someone(upright, source)

            yield Stage(name=FRAMING)
            study = _study(upright, found, source, order.ratio, order.framing.zoom)
            size = framing.picture_size(study.frame, order.ratio, order.long_side)
            pixels = _pixels(source, whole, study.frame, size)
            del whole, source

            yield Stage(name=EDGES)
            cutout = self._cut_free(pixels, study, size, parallel)
            del pixels

            yield Stage(name=LIGHT)
            lit = light.measure(cutout, light.scene_light(thumbnail))

            yield Stage(name=BACKGROUND)
            first_look = variant_of(look, wanted[0])
            first_backdrop = backdrops.paint(scene, first_look, cutout, own)

            yield Stage(name=FINISHING)
            noise = backdrops.grain()
            for variant in wanted:
                varied = variant_of(look, variant)
                backdrop = first_backdrop if variant == wanted[0] else backdrops.paint(scene, varied, cutout, own)
                relight = light.plan(lit, cutout, varied)
                picture = finish.compose(cutout, relight, scene, backdrop, noise, parallel)
                yield self._headshot(variant, picture)

    def examine(self, portrait: bytes) -> list[Finding]:
        """What is worth saying about a photo before a run. Blocking only where a headshot is impossible."""
        try:
            source = photo.open_photo(portrait)
            upright = person.look(self._model, source.thumbnail(), None)
            found = _someone(upright, source)
        except EngineRefused as refusal:
            return [findings.blocking(refusal)]
        study = _study(upright, found, source, _USUAL_RATIO, _USUAL_FRAMING.zoom)
        return findings.hints(found, study.frame, study.scale, turned_by_us=upright.turned_by_us)

    def preview(self, portrait: bytes, *, ratio: str, framing: Framing = _USUAL_FRAMING, long_side: int = 480) -> bytes:
        """The crop a run would use, the old background faded: quick enough to follow a slider."""
        study, size, picture = self._framed(portrait, ratio, framing, long_side)
        left, top, right, bottom = study.frame.scaled(1 / study.scale).edges()
        soft = _placed(study.person.soft, (left, top, right, bottom), size)
        nearby = gauss(picture, 0.02 * max(size))
        faded = nearby + np.float32(PREVIEW_FADE) * (np.array(PLAIN, np.float32) - nearby)
        blended = faded + soft[..., None] * (picture - faded)
        return finish.to_jpeg(cv2.convertScaleAbs(blended), PREVIEW_QUALITY)

    def before(self, portrait: bytes, *, ratio: str, framing: Framing = _USUAL_FRAMING, long_side: int) -> bytes:
        """The photo as it was, in exactly the frame and size of a run's results."""
        _study, _size, picture = self._framed(portrait, ratio, framing, long_side)
        return finish.to_jpeg(picture)

    def shift(self, portrait: bytes, headshot: bytes) -> float | None:
        """How much lighter (+) or darker (-) the skin is than in the photo, in CIE L*; None where it cannot be told."""
        return drift.shift(portrait, headshot, self._model)

    def _framed(self, portrait: bytes, ratio: str, wish: Framing, long_side: int) -> tuple[_Study, Size, Array]:
        _check_ratio(ratio)
        source = photo.open_photo(portrait)
        upright = person.look(self._model, source.thumbnail(), wish.turns)
        study = _study(upright, _someone(upright, source), source, ratio, wish.zoom)
        size = framing.picture_size(study.frame, ratio, long_side)
        pixels = _pixels(source, None, study.frame, size)
        scale = _scale_of(pixels, study)
        upright_pixels = np.rot90(pixels, upright.turns)
        picture = framing.cut_out(upright_pixels, study.frame.scaled(scale), size, beyond=PLAIN)
        return study, size, picture

    def _cut_free(self, pixels: Array, study: _Study, size: Size, parallel: Parallel) -> Cutout:
        scale = _scale_of(pixels, study)
        frame = study.frame.scaled(scale)
        upright = np.rot90(pixels, study.upright.turns)
        height, width = upright.shape[:2]
        context = edges.context_of(frame, width, height)
        left, top, right, bottom = context
        crop = fit(upright[top:bottom, left:right], CONTEXT_SIDE)
        shape = _part_of_shape(study, context, scale * study.scale, (crop.shape[1], crop.shape[0]))
        soft = edges.second_look(self._model, np.ascontiguousarray(crop), shape)
        if soft is None:
            raise findings.refused("no_person")
        factor = edges.work_factor(size)
        mask, inside = edges.into_frame(soft, context, frame, (size[0] // factor, size[1] // factor))
        picture = framing.cut_out(upright, frame, size)
        cutout = edges.cut_free(picture, mask, inside, _head_in(study, size), factor, parallel)
        if cutout.low_alpha.mean() < LEAST_PERSON:
            raise findings.refused("no_person")
        return cutout

    def _headshot(self, variant: int, picture: Array) -> Headshot:
        marks = Marks(
            source_type=SourceType.COMPOSITE,
            system=f"WorkShot on-device engine ({MODEL_NAME})",
            version=VERSION,
            created_at=self._clock(),
            id=self._new_id(),
        )
        height, width = picture.shape[:2]
        return Headshot(variant=variant, data=mark(finish.to_jpeg(picture), marks), width=width, height=height)


@contextmanager
def _threads() -> Iterator[Parallel]:
    with ThreadPoolExecutor(THREADS, thread_name_prefix="on-device") as pool:

        def parallel(work: Callable[[Any], None], items: Iterable[Any]) -> None:
            for _done in pool.map(work, items):
                pass

        try:
            yield parallel
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _recipes(order: Order) -> tuple[Any, Any]:
    _check_ratio(order.ratio)
    if order.style not in STYLES:
        raise EngineRefused(_("This style is not offered any more. Please choose another."), code="unknown_style")
    if order.backdrop not in BACKDROPS:
        says = _("This backdrop is not offered any more. Please choose another.")
        raise EngineRefused(says, code="unknown_backdrop")
    if order.backdrop == OWN_BACKDROP and order.backdrop_image is None:
        raise EngineRefused(
            _("Your own backdrop has not arrived. Add the image again, or choose another backdrop."),
            code="backdrop_missing",
        )
    return STYLES[order.style], BACKDROPS[order.backdrop]


def _check_ratio(ratio: str) -> None:
    if not framing.knows_ratio(ratio):
        raise EngineRefused(_("This engine does not make pictures of this shape."), code="unknown_ratio")


def _read(source: Photo) -> tuple[Array | None, Array]:
    """(pixels, thumbnail); a very large photo waits until we know how little of it is needed."""
    if source.width * source.height > WHOLE_PIXELS:
        return None, source.thumbnail()
    whole = source.pixels()
    return whole, fit(whole, photo.THUMBNAIL_SIDE)


def _own_image(order: Order, side: int) -> Array | None:
    if order.backdrop != OWN_BACKDROP or order.backdrop_image is None:
        return None
    image = photo.open_photo(order.backdrop_image)
    return fit(image.pixels(reduce=image.reduction_for(2 * side)), 2 * side)


def _someone(upright: Upright, source: Photo) -> Person:
    """The person, or the reason why there can be no headshot."""
    found = person.find_person(upright.soft)
    scale = max(source.width, source.height) / max(upright.thumbnail.shape[:2])
    code = findings.blocking_code(found, scale)
    if found is None or code is not None:
        raise findings.refused(code or "no_person")
    return found


def _study(upright: Upright, found: Person, source: Photo, ratio: str, zoom: float) -> _Study:
    scale = max(source.width, source.height) / max(upright.thumbnail.shape[:2])
    frame = framing.choose_frame(found, ratio, zoom).scaled(scale)
    return _Study(upright=upright, person=found, frame=frame, scale=scale)


def _pixels(source: Photo, whole: Array | None, frame: Frame, size: Size) -> Array:
    """The photo as read already, or else decoded no larger than the result needs."""
    if whole is not None:
        return whole
    return source.pixels(reduce=source.reduction_for(max(size), of=max(frame.width, frame.height)))


def _scale_of(pixels: Array, study: _Study) -> float:
    """Decoded px per photo px."""
    return float(max(pixels.shape[:2]) / (max(study.upright.thumbnail.shape[:2]) * study.scale))


def _part_of_shape(study: _Study, context: tuple[int, int, int, int], scale: float, size: Size) -> Array:
    """The first look's person within the context; `scale`: decoded px per thumbnail px."""
    left, top, right, bottom = context
    rows = slice(int(top / scale), max(int(top / scale) + 1, math.ceil(bottom / scale)))
    columns = slice(int(left / scale), max(int(left / scale) + 1, math.ceil(right / scale)))
    return cv2.resize(study.person.shape[rows, columns], size, interpolation=cv2.INTER_LINEAR)


def _head_in(study: _Study, size: Size) -> Circle:
    """The head in pixels of the picture."""
    frame = study.frame.scaled(1 / study.scale)
    enlarged = size[1] / frame.height
    head = study.person.head
    return Circle(x=(head.x - frame.x) * enlarged, y=(head.y - frame.y) * enlarged, radius=head.radius * enlarged)


def _placed(soft: Array, edges_of_frame: tuple[int, int, int, int], size: Size) -> Array:
    """The soft mask in the frame's place, zero beyond the photo."""
    left, top, right, bottom = edges_of_frame
    x, y = size[0] / (right - left), size[1] / (bottom - top)
    place = np.array([[x, 0, -left * x], [0, y, -top * y]], np.float64)
    return cv2.warpAffine(soft, place, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
