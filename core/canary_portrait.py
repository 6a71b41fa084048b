"""The drawing that canaries are made of: nobody's face."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def drawn_portrait() -> bytes:
    """Head and shoulders from ovals, with light from the left. No eyes, no mouth: it is nobody."""
    width, height, wall = 640, 800, (150, 160, 165)
    picture = Image.new("RGB", (width, height), wall)
    draw = ImageDraw.Draw(picture)
    shapes = (
        ("ellipse", (173, 147, 467, 560), (45, 32, 26)),  # hair
        ("ellipse", (40, 573, 600, 1200), (38, 48, 78)),  # shoulders
        ("polygon", (247, 573, 393, 573, 320, 720), (235, 235, 238)),  # collar
        ("rectangle", (264, 467, 376, 600), (188, 140, 112)),  # neck
        ("ellipse", (207, 200, 433, 533), (214, 168, 140)),  # head
        ("ellipse", (220, 253, 420, 527), (218, 172, 144)),
    )
    for shape, where, colour in shapes:
        getattr(draw, shape)(where, fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(3))
    light = np.asarray(picture, dtype=np.float32) * np.linspace(1.12, 0.82, width, dtype=np.float32)[None, :, None]
    grain = np.random.default_rng(1).normal(0, 4, light.shape)
    out = io.BytesIO()
    Image.fromarray((light + grain).clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=90)
    return out.getvalue()
