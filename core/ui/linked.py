"""A sentence of which some words are a link or bold: translated as a whole, and put together afterwards."""

import re

from core.ui.widgets import Html

_PLACE = re.compile(r"\{(\w+)\}")


def linked(sentence: str, **places: Html | str) -> list[Html | str]:
    """The sentence, already in the reader's language, with these in its places in braces."""
    return [places[part] if number % 2 else part for number, part in enumerate(_PLACE.split(sentence)) if part]
