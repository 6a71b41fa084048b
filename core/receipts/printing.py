"""A receipt as a page to print or to keep. Holds the same statement as the file; only the file can be verified."""

from collections.abc import Iterable
from html import escape

from core.language import _, current
from core.receipts.statement import Statement
from core.receipts.wording import words

_PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>WorkShot · {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/assets/workshot.css"></head><body class="ws-door ws-paper"><main class="ws-stack">
<h1>{title}</h1>
<h2>{it_shows}</h2><ul>{proves}</ul>
<h2>{it_does_not}</h2><ul>{does_not}</ul>
<h2>{the_facts}</h2><dl class="ws-facts">{facts}</dl>
{copies}<p class="ws-quiet">{reading}</p>
</main></body></html>
"""


def page_html(said: Statement, *, file: str) -> str:
    """`file`: where the receipt itself can be had. Everything that is not ours is escaped."""
    told = words(said)
    heading = _("Each copy")
    each = f'<h2>{heading}</h2><dl class="ws-facts">{_pairs(told.copies)}</dl>\n' if told.copies else ""
    return _PAGE.format(
        language=current(),
        title=escape(told.title),
        it_shows=_("What it shows"),
        proves=_items(told.proves),
        it_does_not=_("What it does not show"),
        does_not=_items(told.does_not),
        the_facts=_("The facts"),
        facts=_pairs(told.facts),
        copies=each,
        reading=_(
            'This page is for reading. What can be checked is the file: <a href="{file}">download it</a>,\n'
            'then choose it on <a href="/check_receipt">Check a receipt</a>, or check it with the public key alone.',
            file=escape(file),
        ),
    )


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{escape(term)}</dt><dd>{escape(what)}</dd></div>" for term, what in pairs)
