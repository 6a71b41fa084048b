"""
The models that can be asked for, read once from data/provider_models.json.

What a provider says of its models changes silently, and its pages contradict one another. So each figure stands in one
file beside the day it was read and where, and of two that disagree the one that promises less is taken: fewer
references, a longer time on show, the higher price. Repeated keys count as honoured only where that is documented.
A file with a mistake stops the app at its first use, not a run.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from core.catalogue import DATA, switch, text
from core.errors import BadSettings

MODELS_FILE: Final = DATA / "provider_models.json"
DEFAULT: Final = "gemini-3.1-flash-image-preview"
MILLION: Final = 1_000_000

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{1,63}")
_RATIO = re.compile(r"([1-9][0-9]{0,2}):([1-9][0-9]{0,2})")
_PRICE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One model: what it takes, what it gives, what it costs."""

    id: str
    title: str
    ratios: tuple[str, ...]
    sizes: Mapping[str, int]  # its name of a resolution → pixels of the long side, at least; from small to large
    references: int  # pictures in one request
    reference_bytes: int  # of each
    takes_inline: bool  # pictures within the request, as data: URLs
    prompt_limit: int  # characters
    prices: Mapping[str, int]  # name of a resolution → millionths of a US dollar for one picture, as listed
    priced_on: date
    honours_keys: bool
    result_hours: int  # how long a result may stay public: the longest that is documented
    usual_seconds: int
    fields: Mapping[str, str | int | bool]  # sent along as they stand
    source: str

    @property
    def price(self) -> int:
        """Of the dearest that we ask for, so that a budget is never passed by what was thought to be cheaper."""
        return max(self.prices.values())

    def ratio_for(self, ratio: str) -> str:
        """The shape that loses least when it is cut to this one."""
        wanted = _shape(ratio)
        return max(self.ratios, key=lambda offered: _left_of(_shape(offered), wanted))

    def resolution_for(self, long_side: int) -> str:
        """The smallest that has so many pixels, or else the largest there is."""
        enough = [name for name, pixels in self.sizes.items() if pixels >= long_side]
        return enough[0] if enough else list(self.sizes)[-1]


@cache
def offers() -> Mapping[str, Offer]:
    """The models of the file that ships, by id."""
    return load(MODELS_FILE)


def load(file: Path) -> Mapping[str, Offer]:
    """Read and check such a file. Raises BadSettings with the place of the first mistake."""
    try:
        read = [_offer(entry) for entry in json.loads(file.read_text(encoding="utf-8"))["models"]]
        known = {offer.id: offer for offer in read}
        if len(known) < len(read) or DEFAULT not in known:
            raise ValueError(f"models must be there once each, {DEFAULT} among them")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadSettings(f"{file.name} has a mistake: {error}") from error
    return MappingProxyType(known)


def _offer(entry: Mapping[str, Any]) -> Offer:
    name = entry["id"]
    if not isinstance(name, str) or _ID.fullmatch(name) is None:
        raise ValueError(f"id {name!r}")
    try:
        return _checked(entry)
    except KeyError as missing:
        raise ValueError(f"{name}: {missing} is missing") from missing
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error


def _checked(entry: Mapping[str, Any]) -> Offer:
    known = {field.name for field in fields(Offer)} - {"prices"} | {"prices_usd"}
    if unknown := sorted(set(entry) - known):
        raise ValueError(f"{unknown[0]} is not known")
    sizes = _sizes(entry)
    return Offer(
        id=entry["id"],
        title=text(entry, "title"),
        ratios=_ratios(entry),
        sizes=MappingProxyType(sizes),
        references=_count(entry, "references"),
        reference_bytes=_count(entry, "reference_bytes"),
        takes_inline=switch(entry, "takes_inline"),
        prompt_limit=_count(entry, "prompt_limit"),
        prices=MappingProxyType(_prices(entry, list(sizes))),
        priced_on=date.fromisoformat(text(entry, "priced_on")),
        honours_keys=switch(entry, "honours_keys"),
        result_hours=_count(entry, "result_hours"),
        usual_seconds=_count(entry, "usual_seconds"),
        fields=MappingProxyType(_fields(entry)),
        source=text(entry, "source"),
    )


def _ratios(entry: Mapping[str, Any]) -> tuple[str, ...]:
    ratios = tuple(entry["ratios"])
    if not ratios or len(set(ratios)) < len(ratios) or not all(isinstance(ratio, str) for ratio in ratios):
        raise ValueError("ratios must be there, each once")
    for ratio in ratios:
        _shape(ratio)
    return ratios


def _sizes(entry: Mapping[str, Any]) -> dict[str, int]:
    sizes = {name: _count(entry["sizes"], name) for name in entry["sizes"]}
    if not sizes or list(sizes.values()) != sorted(set(sizes.values())):
        raise ValueError("sizes must grow")
    return sizes


def _prices(entry: Mapping[str, Any], sizes: list[str]) -> dict[str, int]:
    if list(entry["prices_usd"]) != sizes:
        raise ValueError("prices_usd must name each of the sizes, in their order")
    return {name: micro_dollars(entry["prices_usd"][name]) for name in sizes}


def micro_dollars(dollars: str) -> int:
    """Millionths of a US dollar, exactly. Raises ValueError."""
    if not isinstance(dollars, str) or _PRICE.fullmatch(dollars) is None:
        raise ValueError(f"prices_usd: {dollars!r} is not an amount such as '0.0125'")
    return int(Decimal(dollars) * MILLION)


def _fields(entry: Mapping[str, Any]) -> dict[str, str | int | bool]:
    found = dict(entry["fields"])
    ours = {"model", "prompt", "image_urls", "size", "resolution", "n", "webhook", "official_fallback"}
    if wrong := sorted(key for key in found if key in ours or not isinstance(found[key], str | int | bool)):
        raise ValueError(f"fields: {wrong[0]} is not for this file to say")
    return found


def _count(entry: Mapping[str, Any], key: str) -> int:
    value = entry[key]
    if type(value) is not int or value < 1:
        raise ValueError(f"{key} must be a whole number above 0")
    return value


def _shape(ratio: str) -> float:
    found = _RATIO.fullmatch(ratio)
    if found is None:
        raise ValueError(f"ratio {ratio!r}")
    return int(found.group(1)) / int(found.group(2))


def _left_of(offered: float, wanted: float) -> float:
    """What share of a picture is left once it is cut to another shape."""
    return min(offered / wanted, wanted / offered)
