"""
The language in which somebody is spoken to: English, unless they or their browser say otherwise.

Sentences are written in English where they are said, and translated the moment they are said:

    _("It begins in {minutes} minutes.", minutes=5)
    n_("{n} photo", "{n} photos", 3)            number and form, `n` as this language writes it
    p_("a request", "Open")                      where one English word is several elsewhere
    N_("Erase everything")                       for a table: marked here, and said later by `_(LABEL)`

`python -m tests.messages` collects them into data/locale/, where the translations are; a test fails on a missing one.
Which language it is belongs to the task that speaks: a page knows its reader (core/ui/session.py), a route its request
(core/guard), a letter its receiver (`speaking`). What nobody has set is English: logs, operators, other programs.
"""

import gettext
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final

ENGLISH: Final = "en"
NAMES: Final = {ENGLISH: "English", "de": "Deutsch"}
"""The languages that are spoken here, by the names that those who speak them give them."""
LOCALE: Final = Path(__file__).resolve().parent.parent / "data" / "locale"
DOMAIN: Final = "workshot"

_set: ContextVar[str | None] = ContextVar("language", default=None)
_reader: Callable[[], str | None] | None = None
_catalogues: dict[str, gettext.NullTranslations] = {ENGLISH: gettext.NullTranslations()}


# ------------------------------------------------------------------------------------------------------ which one it is
def current() -> str:
    """The language of whoever reads what is said now."""
    if (language := _set.get()) is not None:
        return language
    return (_reader() if _reader is not None else None) or ENGLISH


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is said inside is said in this language; one that is not spoken here is English."""
    token = _set.set(language if language in NAMES else ENGLISH)
    try:
        yield
    finally:
        _set.reset(token)


def ask(reader: Callable[[], str | None]) -> None:
    """Whom to ask where nobody has set a language: the framework of the pages knows who reads."""
    global _reader
    _reader = reader


def accepted(header: str) -> str:
    """The language of NAMES that a browser likes best (Accept-Language, RFC 9110 section 12.5.4); English if none."""
    liked = []
    for place, item in enumerate(header.split(",")[:20]):
        tag, _sep, weight = item.replace(" ", "").partition(";q=")
        try:
            liked.append((-float(weight or 1), place, tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return next((tag for weight, _place, tag in sorted(liked) if tag in NAMES and weight < 0), ENGLISH)


# ------------------------------------------------------------------------------------------------------- what is said


def _(text: str, /, **values: object) -> str:
    """The sentence in the reader's language, its places in braces filled."""
    said = _catalogue(current()).gettext(text) if text else ""
    return said.format_map(values) if values else said


def n_(one: str, many: str, n: int, /, **values: object) -> str:
    """The same of a number of things: `{n}` is the number."""
    return _catalogue(current()).ngettext(one, many, n).format_map({"n": number(n), **values})


def p_(context: str, text: str, /, **values: object) -> str:
    """The same of a word that means several things. `context` says which, to the translator alone."""
    said = _catalogue(current()).pgettext(context, text)
    return said.format_map(values) if values else said


def listed(items: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    return _("{first} and {last}", first=", ".join(items[:-1]), last=items[-1])


def either(items: Sequence[str]) -> str:
    """`a`, `a or b`, `a or b or c`."""
    said = "".join(items[:1])
    for item in items[1:]:
        said = _("{first} or {other}", first=said, other=item)
    return said


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Marks a sentence that is said later."""
    return text


def _catalogue(language: str) -> gettext.NullTranslations:
    """Raises FileNotFoundError where data/locale/ is not as it was shipped."""
    known = _catalogues.get(language)
    if known is None:
        known = _catalogues[language] = gettext.translation(DOMAIN, LOCALE, [language])
    return known


# -------------------------------------------------------------------------------------------------- numbers and dates
def number(value: float, decimals: int = 0) -> str:
    """`12,345` or `12.345`, `0.5` or `0,5`."""
    if current() == ENGLISH:
        return f"{value:,.{decimals}f}"
    if isinstance(value, int) and abs(value) < 1_000 and not decimals:
        return str(value)  # alike everywhere: nothing is loaded for it
    from babel.numbers import format_decimal  # where only English is spoken, none of it is loaded

    return format_decimal(value, f"#,##0.{'0' * decimals}" if decimals else "#,##0", locale=current())


def size(count: float) -> str:
    """Of what is stored: `40 bytes`, `812 kB`, `3.2 MB`."""
    for unit, of, decimals in (("GB", 1e9, 1), ("MB", 1e6, 1), ("kB", 1e3, 0)):
        if count >= of:
            return f"{number(count / of, decimals)} {unit}"
    return _("{number} bytes", number=number(round(count)))


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 object`, `3 objects`, in English: for operators, whose pages and alerts are. Others say `n_`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def month(at: date) -> str:
    """`Dec`, `Dez.`"""
    return months(current())[at.month - 1]


@cache
def months(language: str) -> tuple[str, ...]:
    """All twelve, short, as they stand beside a day."""
    with speaking(language):
        return tuple(_in_words(date(2026, nth, 1), "MMM") for nth in range(1, 13))


def day(at: date) -> str:
    """`12 December 2026`, `12. Dezember 2026`."""
    return _in_words(at, "long")


def instant(at: datetime, *, seconds: bool = True) -> str:
    """`12 December 2026, 14:02:09 UTC`: in the one zone that needs no guessing."""
    return _("{day}, {time} UTC", day=day(at), time=f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}")


def _in_words(at: date, pattern: str) -> str:
    if current() == ENGLISH:
        return f"{at:%b}" if pattern == "MMM" else f"{at.day} {at:%B %Y}"
    from babel.dates import format_date

    return format_date(at, pattern, locale=current())
