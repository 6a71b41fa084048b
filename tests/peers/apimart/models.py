"""Which models there are, what each accepts, and what it costs. Where pages contradict each other: the stricter one."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.peers.apimart.faults import Fault, documented, measured

GEMINI = "auto 1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9"
GEMINI_31 = f"{GEMINI} 1:4 4:1 1:8 8:1"
OPENAI = f"{GEMINI} 1:2 2:1 9:21 1:3 3:1"  # fifteen are documented; which ones is a guess

SIDES = {"0.5K": 512, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}
"""Of the square that is as large as a picture. Gemini writes them with a K, gpt-image with a k, and takes no other."""

PER_TOKEN = {"text": 4e-6, "image": 6.4e-6, "out": 24e-6}  # in US dollars


@dataclass(frozen=True, kw_only=True)
class Model:
    ratios: str
    prices: Mapping[str, float]  # US dollars for each resolution; the first is what it makes unless told
    references: int = 14
    reference_bytes: int = 10 << 20
    inline: bool = True  # takes data: addresses
    most: int = 1  # pictures in one task
    prompt: int | None = None  # characters
    hours: int = 24  # that a result says it lives
    by_tokens: bool = False
    versioned: bool = False  # always answers in the newer shape
    chooses_format: bool = False  # takes output_format


_LITE = Model(ratios=GEMINI, prices={"1K": 0.0125}, most=4)
_BY_TOKENS = Model(
    ratios=OPENAI,
    prices={"1k": 0, "2k": 0, "4k": 0},
    references=16,
    inline=False,
    most=4,
    by_tokens=True,
    chooses_format=True,
)
_NANO = {
    "gemini-2.5-flash-image-preview": Model(ratios=GEMINI, prices={"1K": 0.0125}, prompt=1000),
    "gemini-3-pro-image-preview": Model(ratios=GEMINI, prices={"1K": 0.03, "2K": 0.03, "4K": 0.04}, references=8),
    "gemini-3.1-flash-image-preview": Model(
        ratios=GEMINI_31, prices={"1K": 0.015, "0.5K": 0.015, "2K": 0.025, "4K": 0.04}
    ),
}
MODELS = {
    **_NANO,
    **{f"{name}-official": model for name, model in _NANO.items()},
    "gemini-3.1-flash-lite-image": _LITE,
    "gemini-3.1-flash-lite-image-ext": _LITE,
    "gpt-image-2": Model(
        ratios=OPENAI, prices={"1k": 0.0085, "2k": 0.014, "4k": 0.021}, references=15, reference_bytes=20 << 20
    ),
    "gpt-image-2-official": _BY_TOKENS,
    "gpt-image-2.5-flare": _BY_TOKENS,
    "gpt-image-2.5-sunburst": _BY_TOKENS,
    "gpt-image-2.5-ext": Model(ratios=OPENAI, prices={"1k": 0.01, "2k": 0.02}, references=16, versioned=True),
    "seedream-5-0-pro": Model(
        ratios=GEMINI,
        prices={"1K": 0.029, "1.5K": 0.0586, "2K": 0.0586},
        references=10,
        reference_bytes=30 << 20,
        hours=72,
        chooses_format=True,
    ),
    "flux-kontext-pro": Model(ratios=f"match_input_image {GEMINI}", prices={"1K": 0.02}, references=1, inline=False),
}


# ----------------------------------------------------------------------------------------------------------- refusals
class Refused(Exception):
    """Nothing was done, and this is said."""

    def __init__(self, answer: Fault) -> None:
        super().__init__(answer.status)
        self.answer = answer


def bad(message: str) -> Refused:
    return Refused(documented(400, "invalid_request_error", message))


def unbuilt(message: str) -> Refused:
    """A bad parameter by the status of a broken server, as the real one has it."""
    return Refused(measured(500, "build_request_failed", f"build_request_failed: {message}"))


# ------------------------------------------------------------------------------------------------------------- orders
@dataclass(frozen=True, kw_only=True)
class Order:
    """A body that was found to be in order."""

    name: str
    model: Model
    prompt: str
    ratio: str
    resolution: str
    n: int
    format: str  # as Pillow calls it; "": whatever the model makes
    urls: tuple[str, ...] = ()


def parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def checked(body: Any, models: Mapping[str, Model]) -> Order:
    """Raises Refused."""
    if not isinstance(body, dict):
        raise bad("the body is not a JSON object")
    name = body.get("model")
    model = models.get(name) if isinstance(name, str) else None
    if model is None:
        raise bad("model is not known")
    ratio, resolution = _dimensions(body, model)
    return Order(
        name=str(name),
        model=model,
        prompt=_prompt(body, model),
        ratio=ratio,
        resolution=resolution,
        n=_number(body, model),
        format=_format(body, model),
        urls=_urls(body, model),
    )


def _prompt(body: Mapping[str, Any], model: Model) -> str:
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise bad("prompt is required")
    if model.prompt and len(prompt) > model.prompt:
        raise unbuilt("prompt is too long")
    return prompt


def _number(body: Mapping[str, Any], model: Model) -> int:
    n = body.get("n", 1)
    if type(n) is not int:  # neither "1" nor true
        raise bad("n must be a number")
    if not 1 <= n <= model.most:
        raise unbuilt("n is out of range")
    return n


def _dimensions(body: Mapping[str, Any], model: Model) -> tuple[str, str]:
    ratio = body.get("size", model.ratios.split()[0])
    if ratio not in model.ratios.split():
        raise unbuilt("invalid size")
    resolution = body.get("resolution", next(iter(model.prices)))
    if resolution not in model.prices:
        raise unbuilt("invalid resolution")
    return ratio, resolution


def _format(body: Mapping[str, Any], model: Model) -> str:
    """Models that have no choice of it ignore it."""
    asked = body.get("output_format")
    if asked is None or not model.chooses_format:
        return ""
    if asked not in ("png", "jpeg", "webp"):
        raise unbuilt("invalid output_format")
    return str(asked).upper()


def _urls(body: Mapping[str, Any], model: Model) -> tuple[str, ...]:
    urls = body.get("image_urls", [])
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise bad("image_urls must be an array of strings")
    if len(urls) > model.references:
        raise unbuilt("too many reference images")
    return tuple(urls)


def unpacked(url: str) -> bytes:
    """What a data: address holds. Raises Refused."""
    head, _, packed = url.partition(",")
    if not re.fullmatch(r"data:image/(jpeg|png|webp|gif);base64", head):
        raise bad("image_urls must be data:image/...;base64")
    try:
        return base64.b64decode(packed, validate=True)
    except ValueError:
        raise bad("image_urls are not base64") from None


# --------------------------------------------------------------------------------------------------------------- money
def usage(order: Order, *, references: int, made: int) -> dict[str, Any]:
    """In tokens."""
    text, images, out = len(order.prompt) // 4 + 1, 1024 * references, 196 * made
    return {
        "input_tokens": text + images,
        "input_tokens_details": {"cached_tokens": 0, "image_tokens": images, "text_tokens": text},
        "output_tokens": out,
        "output_tokens_details": {"image_tokens": out, "text_tokens": 0},
        "total_tokens": text + images + out,
    }


def cost(order: Order, *, references: int, made: int) -> float:
    """In US dollars, of what was delivered."""
    if not order.model.by_tokens:
        return round(order.model.prices[order.resolution] * made, 6)
    used: dict[str, Any] = usage(order, references=references, made=made)
    inputs = used["input_tokens_details"]
    text, images = PER_TOKEN["text"] * inputs["text_tokens"], PER_TOKEN["image"] * inputs["image_tokens"]
    return float(round(text + images + PER_TOKEN["out"] * used["output_tokens"], 6))
