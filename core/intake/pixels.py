"""Compressed pixels → one upright sRGB picture of bounded size."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import cv2
import numpy as np
from PIL import Image, ImageCms

from core.intake.containers import Damaged, Parts

LONGEST_SIDE = 6000
_STRIP = 512

# What undoes each EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_srgb(parts: Parts, fits: Callable[[tuple[int, int]], None]) -> Image.Image:
    """Raises Damaged. `fits` is asked about the size the decoder announces, before anything is decoded."""
    image, orientation = _DECODERS[parts.format](parts, fits)
    image = _on_white(image)
    image = _capped(image)
    image = _in_srgb(image, parts.profile)
    turn = _UPRIGHT.get(orientation)
    if turn is not None:
        image = image.transpose(turn)
    image.info = {}
    return image


class _Decoder(Protocol):
    def __call__(self, parts: Parts, fits: Callable[[tuple[int, int]], None]) -> tuple[Image.Image, int]: ...


def _with_pillow(parts: Parts, fits: Callable[[tuple[int, int]], None]) -> tuple[Image.Image, int]:
    orientation = parts.orientation
    with Image.open(io.BytesIO(parts.skeleton), formats=(parts.format,)) as opened:
        fits(opened.size)
        if parts.format == "JPEG":
            opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
        if parts.format == "AVIF":  # libavif reports the container's own turning as if it were EXIF
            orientation = opened.getexif().get(0x0112, 1)
        opened.load()
        image: Image.Image = opened
    image.info = {key: value for key, value in image.info.items() if key == "transparency"}
    if hasattr(image, "_decoder"):  # libavif's keeps every plane alive
        image._decoder = None
        image.fp = None  # type: ignore[attr-defined]
    return image, orientation


def _with_opencv(parts: Parts, fits: Callable[[tuple[int, int]], None]) -> tuple[Image.Image, int]:
    """WebP: a third of the memory that Pillow's way through the animation decoder takes."""
    if parts.size is not None:
        fits(parts.size)
    pixels = cv2.imdecode(np.frombuffer(parts.skeleton, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3:
        raise Damaged
    if pixels.shape[2] == 4:
        cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA, dst=pixels)
    else:
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
    return Image.fromarray(pixels), parts.orientation


def _with_heif(parts: Parts, fits: Callable[[tuple[int, int]], None]) -> tuple[Image.Image, int]:
    """libheif turns the picture as its container says, so EXIF's orientation is not applied again."""
    heif = _heif_library().open_heif(parts.skeleton, convert_hdr_to_8bit=True)
    fits(heif.size)
    image: Image.Image = heif[heif.primary_index].to_pillow()
    return image, 1


@cache
def _heif_library() -> Any:
    import pi_heif

    pi_heif.options.THUMBNAILS = False
    pi_heif.options.DEPTH_IMAGES = False
    pi_heif.options.AUX_IMAGES = False
    return pi_heif


_DECODERS: dict[str, _Decoder] = {
    "JPEG": _with_pillow,
    "PNG": _with_pillow,
    "AVIF": _with_pillow,
    "WebP": _with_opencv,
    "HEIC": _with_heif,
}


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, CMYK or L, opaque: the see-through parts of a portrait are paper."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode not in ("RGBA", "RGBa", "LA", "La", "PA") and "transparency" not in image.info:
        return image if image.mode in ("RGB", "CMYK", "L") else image.convert("RGB")
    white = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, _STRIP):  # in strips, so that no second copy of the whole is needed
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height))).convert("RGBA")
        white.paste(strip, (0, top), strip.getchannel("A"))
    return white


def _capped(image: Image.Image) -> Image.Image:
    if max(image.size) <= LONGEST_SIDE:
        return image
    scale = LONGEST_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A profile that is broken or made for other pixels is left aside: colours slightly off beat no photo."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):
                turned = ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB")
                image = turned if turned is not None else image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")
