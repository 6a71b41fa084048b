"""
Every sentence that can be said, and its translations: `python -m tests.messages` after sentences have changed.

Sentences are read out of the source (`_`, `n_`, `p_`, `N_`, and the templates of promises: `says`) and out of the
catalogues in data/. They stand in data/locale/LANGUAGE/LC_MESSAGES/workshot.po, which people edit, and workshot.mo,
which the app reads. A new sentence stands there without a translation until somebody writes it: until then a test
fails.
"""

import ast
import gettext
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from core import language as spoken
from core.language import DOMAIN, ENGLISH, LOCALE, NAMES
from core.settings import ROOT

KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "n_": (1, 2), "p_": ((1, "c"), 2), "says": None}
SOURCES = ("core", "pages", "streamlit_app.py")
CATALOGUES = {
    "catalogue.json": {"title", "hint", "line"},
    "legal_clocks.json": {"says", "source"},
    "refusal_grounds.json": {"says", "erase", "copy", "correct", "object", "question"},  # kinds: where the law has it
    "refused_wishes.json": {"says"},
    "providers.json": {"does", "read_how", "text", "unknown", "what", "says"},
}
"""Which values of the files in data/ are said to people, by their keys."""
PLACES = re.compile(r"\{(\w*)[^{}]*\}")

Message = str | tuple[str, str]


def languages() -> list[str]:
    return [language for language in NAMES if language != ENGLISH]


def extracted() -> Catalog:
    """Everything that can be said, with where it is said."""
    catalogue = Catalog(project="WorkShot", version="1", charset="utf-8")
    for name in SOURCES:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            _of_source(catalogue, file)
    for name, keys in CATALOGUES.items():
        for text in _of_values(json.loads((ROOT / "data" / name).read_text("utf-8")), keys):
            catalogue.add(text, locations=[(f"data/{name}", 0)])
    return catalogue


def _of_source(catalogue: Catalog, file: Path) -> None:
    with file.open("rb") as source:
        found = extract("python", source, keywords=KEYWORDS, options={"encoding": "utf-8"})
        for _line, message, _comments, context in found:
            if message and (message[0] if isinstance(message, tuple) else message):
                catalogue.add(message, locations=[(file.relative_to(ROOT).as_posix(), 0)], context=context)
    for message, context in _in_f_strings(file):
        catalogue.add(message, locations=[(file.relative_to(ROOT).as_posix(), 0)], context=context)


def _in_f_strings(file: Path) -> Iterator[tuple[Message, str | None]]:
    """Python 3.11 reads these as one piece of text, and babel with it."""
    for f_string in ast.walk(ast.parse(file.read_bytes())):
        calls = ast.walk(f_string) if isinstance(f_string, ast.JoinedStr) else ()
        for call in calls:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
                texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                match call.func.id, texts:
                    case "n_", [one, many]:
                        yield (one, many), None
                    case "p_", [context, text]:
                        yield text, context
                    case _, [text]:
                        yield text, None


def _of_values(value: Any, keys: set[str], *, is_said: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if is_said and value else []
    elif isinstance(value, list):
        for item in value:
            yield from _of_values(item, keys, is_said=is_said)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _of_values(item, keys, is_said=key in keys and not isinstance(item, dict))


def po_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def translated(language: str) -> Catalog:
    with po_of(language).open("rb") as file:
        return read_po(file, locale=language)


def said_in(language: str, *paths: str) -> dict[str, str]:
    """The sentences of one form that are said in these files, with their translation."""
    return {
        message.id: message.string
        for message in translated(language)
        if message.id and isinstance(message.id, str) and any(at.startswith(paths) for at, _line in message.locations)
    }


@contextmanager
def translated_by(catalogue: gettext.NullTranslations, language: str) -> Iterator[None]:
    """Inside, this language says what that catalogue does: to see which sentences come out of one."""
    before = spoken._catalogue(language)
    spoken._catalogues[language] = catalogue
    try:
        yield
    finally:
        spoken._catalogues[language] = before


def compiled(catalogue: Catalog) -> bytes:
    """The same from the same sentences, whenever it is made."""
    catalogue.creation_date = catalogue.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def updated(language: str) -> Catalog:
    """The sentences of today with the translations that there are; what is said no more is left out."""
    now, before = extracted(), translated(language) if po_of(language).exists() else Catalog(locale=language)
    now.locale = language
    for message in now:
        known = before.get(message.id, message.context) if message.id else None
        if known is not None and known.string:
            message.string = known.string
    return now


def as_po(catalogue: Catalog) -> bytes:
    """Without dates and line numbers: they would change with every other line of code."""
    written = io.BytesIO()
    write_po(written, catalogue, width=120, omit_header=False, include_lineno=False, sort_output=True)
    stamp = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By)[^\n]*\n', re.MULTILINE)
    return stamp.sub(b"", written.getvalue())


def problems(catalogue: Catalog) -> Iterator[str]:
    """What is missing, and what says another number or name than the English sentence."""
    for message in catalogue:
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if not all(strings):
            yield f"not translated: {ids[0]}"
        elif any(_places(string) - _places(ids[-1]) for string in strings) or _places(ids[-1]) - _places(strings[-1]):
            yield f"has other places in braces: {ids[0]}"


def _places(text: str) -> set[str]:
    return set(PLACES.findall(text))
