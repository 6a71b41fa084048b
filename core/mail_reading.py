"""
Mail reading: bytes from a mailbox → what a desk needs of them: who, about what, in which words, and whether a person
wrote it at all.

In which language it is written is a guess from its own words. It decides in which one it is answered, nothing else.

Anyone can send us anything, so this never fails and never takes long. What cannot be read is left out and named in
`notes`. Nothing is rendered, no address in a mail is ever called, and what is attached is only counted: a deletion
request needs words, and words are all that is kept of one.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import getaddresses
from html import unescape
from itertools import islice
from typing import Final

from core.language import ENGLISH, NAMES
from core.ports import RawMail

LONGEST_TEXT: Final = 20_000
"""Characters that are kept of a mail."""
LONGEST_SUBJECT: Final = 300
LONGEST_HEADER: Final = 4_000
"""What lies beyond in one header is not looked at: a hostile one takes minutes to decode."""
LONGEST_HTML: Final = 100_000
MOST_PARTS: Final = 200
MOST_NESTED: Final = 50
MOST_REFERENCES: Final = 50

_ASKS_TO_DELETE = re.compile(
    r"\bdeletion[\s_-]*request"
    r"|\bl(?:ö|oe)sch(?:ungs)?[\s_-]*(?:anfrage|antrag|anforderung|aufforderung|begehren|ersuchen|gesuch)"
    r"|\b(?:antrag|bitte)\s+(?:auf|um)\s+(?:die\s+)?l(?:ö|oe)schung",
    re.IGNORECASE,
)
"""It is called by its name."""
_MINE: Final = r"(?:alle\s+)?meine\s+(?:fotos|bilder|daten)"
_SAYS_NOTHING_ELSE = re.compile(
    r"(?:(?:re|aw|wg|fwd?)\s*:\s*)*"
    rf"(?:bitte\s+l(?:ö|oe)schen\s+sie\s+{_MINE}|l(?:ö|oe)schen\s+sie\s+bitte\s+{_MINE}|bitte\s+{_MINE}\s+l(?:ö|oe)schen)"
    r"[\s.!]*",
    re.IGNORECASE,
)
"""A sentence is taken at its word where it is the whole subject: one word more can turn it round."""
_IN_DOUBT = re.compile(
    r"\?|\b(?:nichts?|kein\w*|ohne|noch|bevor|wann|ob|warum|wie|storn\w*|zur(?:ü|ue)ck\w*|r(?:ü|ue)ck(?:nahme|zug)\w*"
    r"|no(?!\.)|not|(?:do|does|did|is|was|ca|wo|would|should)n['’]?t|never|without|before|when|why|how|whether|cancel\w*"
    r"|withdr[ae]w\w*)\b",
    re.IGNORECASE,
)
"""Perhaps it says the opposite, or asks: erasing cannot be undone, so a person reads it."""
_ADDRESS = re.compile(r"[^\s@<>\"'(),:;\\\[\]]{1,64}@[^\s@<>\"'(),:;\\\[\]]{1,189}")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")
_FOLDING = re.compile(r"[\r\n]+[ \t]*")
_NOT_FOR_TEXT: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
_MANY: Final = frozenset({"bulk", "junk", "list"})
"""What Precedence says of a mail that went to more than us."""
_OF_REPLY_MACHINES: Final = ("x-autoreply", "x-autorespond", "x-autoresponse")


@dataclass(frozen=True, kw_only=True)
class InboundMail:
    """A mail, as much of it as anyone here needs. Holds a person's words: seal it or let it go."""

    uid: int
    received_at: datetime  # when the mailbox got it, never what the mail says of itself
    size: int  # bytes of the whole mail
    sender: str = field(repr=False)  # an address to answer to; "": there is none, or more than one
    subject: str = field(repr=False)
    text: str = field(repr=False)
    message_id: str = field(default="", repr=False)  # with its angle brackets
    references: tuple[str, ...] = field(default=(), repr=False)  # In-Reply-To first, then References
    is_automatic: bool = False  # a machine wrote it
    is_list: bool = False  # it came over a mailing list, perhaps one that is only our own address
    wants_no_answer: bool = False  # from machines
    is_bounce: bool = False  # it says that a mail did not arrive
    bounced_message_id: str = field(default="", repr=False)
    attachments: int = 0  # dropped, unseen
    had_html: bool = False
    language: str = ENGLISH  # in which it is written, as far as one can tell
    notes: tuple[str, ...] = ()  # codes: what was not as it should be, as "cut", "unreadable", "no_sender"
    may_answer: bool = True  # False: nothing may be sent because of this mail unless it is shown whose data it is about

    @property
    def asks_to_delete(self) -> bool:
        """Its subject contains "Deletion Request", however it is written, or says the same in German, and no word that
        could turn it round."""
        asks = _ASKS_TO_DELETE.search(self.subject) or _SAYS_NOTHING_ELSE.fullmatch(self.subject)
        return asks is not None and _IN_DOUBT.search(self.subject) is None

    @property
    def is_from_a_person(self) -> bool:
        """To whom a machine may write back."""
        return not (self.is_automatic or self.is_list or self.is_bounce or self.wants_no_answer)


def parse(raw: RawMail) -> InboundMail:
    """Never raises."""
    notes: list[str] = ["cut"] if len(raw.data) < raw.size else []
    message = _message(raw.data, notes)
    headers = _headers(message)
    sender = _sender(headers)
    if not sender:
        notes.append("no_sender")
    body = _Body()
    try:
        body.read(message)
    except Exception:  # whatever a mail makes the parser run into; its headers are still worth having
        notes.append("unreadable")
    is_bounce, bounced = _bounce(message)
    subject = _one_line(_first(headers, "subject"))[:LONGEST_SUBJECT]
    return InboundMail(
        uid=raw.uid,
        received_at=raw.received_at,
        size=raw.size,
        sender=sender,
        subject=subject,
        text=body.text,
        message_id=next(iter(_message_ids(_first(headers, "message-id"))), ""),
        references=_references(headers),
        is_automatic=_is_automatic(message, headers),
        is_list=_is_list(headers),
        wants_no_answer=_word(_first(headers, "x-auto-response-suppress")) not in ("", "none"),
        is_bounce=is_bounce,
        bounced_message_id=bounced,
        attachments=body.attachments,
        had_html=body.had_html,
        language=language_of(f"{subject}\n{body.text}", said=_first(headers, "content-language")),
        notes=tuple(dict.fromkeys([*notes, *body.notes])),
    )


def heading(data: bytes) -> bytes:
    """The headers, as they lie there: what tells mails without a Message-ID apart."""
    ends = [at for at in (data.find(b"\r\n\r\n"), data.find(b"\n\n")) if at >= 0]
    return data[: min(ends)] if ends else data


def _message(data: bytes, notes: list[str]) -> Message:
    """Parts within parts within parts cost more the deeper they lie: nobody nests so many on purpose."""
    if data.lower().count(b"boundary=") <= MOST_NESTED:
        with suppress(Exception):  # as deep nesting that is hidden from the count
            return BytesParser().parsebytes(data)
    notes.append("unreadable")
    with suppress(Exception):
        return BytesHeaderParser().parsebytes(heading(data)[:LONGEST_HTML])
    return Message()


# -------------------------------------------------------------------------------------------------------- headers
def _headers(message: Message) -> dict[str, list[str]]:
    """Lower-case names, values as they stand there, cut where nobody honest would still be writing."""
    found: dict[str, list[str]] = {}
    for name, value in islice(message.raw_items(), 1000):
        found.setdefault(str(name).lower(), []).append(str(value)[:LONGEST_HEADER])
    return found


def _first(headers: dict[str, list[str]], name: str) -> str:
    return headers.get(name, [""])[0]


def _one_line(value: str) -> str:
    """A header in words, in one line: an encoded line break must not become one of ours."""
    return " ".join(unicodedata.normalize("NFKC", _clean(_decoded(value))).split())


def _decoded(value: str) -> str:
    """RFC 2047, and bytes that should not be there."""
    value = _FOLDING.sub(" ", value)
    try:
        pieces = decode_header(value) if "=?" in value else [(value, None)]
        return "".join(p if isinstance(p, str) else _as_text(p, charset) for p, charset in pieces)
    except Exception:  # malformed beyond words
        return value


def _sender(headers: dict[str, list[str]]) -> str:
    """The one address that it is from. Two of them, or two From lines, are nobody's."""
    lines = headers.get("from", [])
    if len(lines) != 1:
        return ""
    line = _FOLDING.sub(" ", lines[0])[:1000]
    found: list[tuple[str, str]] = []
    with suppress(Exception):  # as brackets within brackets within brackets
        found = getaddresses([_without_surrogates(line)])
    address = found[0][1] if len(found) == 1 else ""
    fits = _ADDRESS.fullmatch(address) is not None and _clean(address) == address
    return address if fits else ""


def _message_ids(value: str) -> list[str]:
    return [_without_surrogates(found) for found in _MESSAGE_ID.findall(value)]


def _references(headers: dict[str, list[str]]) -> tuple[str, ...]:
    older = _message_ids(_first(headers, "references"))
    named = [*_message_ids(_first(headers, "in-reply-to")), *reversed(older)]
    return tuple(dict.fromkeys(named))[:MOST_REFERENCES]


def _is_automatic(message: Message, headers: dict[str, list[str]]) -> bool:
    return (
        _word(_first(headers, "auto-submitted")) not in ("", "no")
        or any(_word(value) in ("auto_reply", "auto-reply") for value in headers.get("precedence", []))
        or any(name in headers for name in _OF_REPLY_MACHINES)
        or any(value.strip() == "<>" for value in headers.get("return-path", []))
        or message.get_content_type() == "multipart/report"
    )


def _is_list(headers: dict[str, list[str]]) -> bool:
    to_many = any(_word(value) in _MANY for value in headers.get("precedence", []))
    return to_many or "mailing-list" in headers or any(name.startswith("list-") for name in headers)


def _word(value: str) -> str:
    return re.split(r"[;\s]", value.strip(), maxsplit=1)[0].lower()


# -------------------------------------------------------------------------------------------------------- bounces
def _bounce(message: Message) -> tuple[bool, str]:
    """Whether it reports a mail that did not arrive, and which. Being late, or read, is another kind of report."""
    if message.get_content_type() != "multipart/report":
        return False, ""
    try:
        parts = list(islice(message.walk(), MOST_PARTS))
        failed = any(_says_failed(part) for part in parts if part.get_content_type() == "message/delivery-status")
        return failed, next(_originals(parts), "") if failed else ""
    except Exception:
        return False, ""


def _says_failed(status: Message) -> bool:
    """A delivery status is a list of blocks of headers, one for each recipient."""
    blocks = status.get_payload()
    if not isinstance(blocks, list):
        return False
    return any(_word(str(block.get("Action", ""))) == "failed" for block in blocks if isinstance(block, Message))


def _originals(parts: Iterable[Message]) -> Iterator[str]:
    for part in parts:
        inner = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(inner, list) and inner:
            original = inner[0]
        elif part.get_content_type() == "text/rfc822-headers":
            original = BytesHeaderParser().parsebytes(_bytes(part))
        else:
            continue
        if isinstance(original, Message):
            yield from _message_ids(str(original.get("Message-ID", ""))[:LONGEST_HEADER])


# ----------------------------------------------------------------------------------------------------------- words
class _Body:
    """The words of a mail: its plain text, or what its HTML says where it has no other."""

    def __init__(self) -> None:
        self.text = ""
        self.attachments = 0
        self.had_html = False
        self.notes: list[str] = []

    def read(self, message: Message) -> None:
        plain: list[str] = []
        html: list[str] = []
        leaves = self._leaves(message)
        for part in islice(leaves, MOST_PARTS):
            kind = part.get_content_type()
            if part.get_content_disposition() == "attachment" or kind not in ("text/plain", "text/html"):
                self.attachments += 1
            elif kind == "text/plain":
                plain.append(self._words(part))
            else:
                self.had_html = True
                html.append(self._words(part))
        words = "\n".join(plain).strip() or _without_tags("\n".join(html)[:LONGEST_HTML])
        self.text = _clean(words[: 2 * LONGEST_TEXT], keep=_JOINERS).strip()[:LONGEST_TEXT].rstrip()
        self.notes += ["many_parts"] if next(leaves, None) is not None else []
        self.notes += ["long"] if len(words) > LONGEST_TEXT else []
        self.notes += ["no_text"] if not self.text else []

    def _leaves(self, message: Message) -> Iterator[Message]:
        """Parts that hold words or files. A mail within a mail is a file."""
        inner = message.get_payload()
        if message.get_content_maintype() == "multipart" and isinstance(inner, list):
            for part in inner:
                if isinstance(part, Message):
                    yield from self._leaves(part)
        else:
            yield message

    def _words(self, part: Message) -> str:
        charset = part.get_param("charset")
        name = charset[2] if isinstance(charset, tuple) else charset
        return _as_text(_bytes(part), str(name) if name else None, self.notes)


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _as_text(data: bytes, charset: str | None, notes: list[str] | None = None) -> str:
    """In the charset that is named, in UTF-8, or byte by byte: something to read comes out in any case."""
    for name in (charset, "utf-8"):
        try:
            if name and codecs.lookup(name).name.replace("-", "_") not in _NOT_FOR_TEXT:
                return data.decode(name)
        except (LookupError, ValueError):
            pass
    if notes is not None:
        notes.append("charset")
    return data.decode("utf-8", "replace") if b"\xc3" in data or charset is None else data.decode("latin-1")


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPACES: Final = {0x2028: "\n", 0x2029: "\n", 0x0B: " ", 0x0C: " ", 0x85: "\n"}
_JOINERS: Final = "\u200c\u200d"
"""Some scripts need them; a subject that is searched does not."""


def _clean(text: str, *, keep: str = "") -> str:
    """Words without what only machines see: control characters, and those that hide or turn what is written."""
    text = _without_surrogates(text).replace("\r\n", "\n").replace("\r", "\n").translate(_SPACES)
    if text.isascii():
        return _CONTROLS.sub("", text)
    return "".join(c for c in text if c in "\n\t" or c in keep or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))


def _without_surrogates(text: str) -> str:
    """Bytes above ASCII in a header stand there as surrogates, which no database takes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if not text.isascii() else text


# -------------------------------------------------------------------------------------------------- which language
GERMAN: Final = "de"
LOOKED_AT: Final = 4_000
"""Letters: whoever has not said by then in which language they write is answered in English."""
CLEAR: Final = 2
"""Words more than of the other language."""
_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_GERMAN: Final = re.compile(
    r"\b(?:alles?|auf|aus|bei|bilder|bin|bitte|danke|daten|dass|de[mnrs]|dies(?:er?)?|du|ein|eine[nrs]?|es|freundlichen"
    r"|fotos|für|gelöscht|gr[uü](?:ß|ss)e?n?|gute[nr]?|habe[n]?|hallo|herren|ich|ih[mnr]|ihnen|ihre[nr]?|ist|kann|keine[nr]?"
    r"|können|liebe[r]?|löschen|mein|meine[nmr]?|mich|mir|mit|möchte|nach|nicht|noch|oder|schon|sehr|sich"
    r"|sie|sind|tag|um|und|uns|viele[n]?|von|vor|warum|werden|wie|wird|wurden?|zu[mr]?|über)\b"
    r"|l(?:ö|oe)sch|anfrage|antrag|[äöüß]"
)
_ENGLISH: Final = re.compile(
    r"\b(?:about|and|any|are|asked|be|been|can|could|deleted?|dear|deletion|did|do|erased?|for|from|get|have|hello|how"
    r"|i|is|it|kind|know|like|made|me|my|need|not|of|please|pictures|regards|request|should|that|their|them|there|these"
    r"|they|this|to|use|we|were|what|when|where|which|why|with|would|you|your)\b"
)
"""Words that are one language's and not the other's: "in", "was", "die", "am" and "will" are both. An umlaut counts
as a word more."""


def language_of(text: str, *, said: str = "") -> str:
    """The language somebody writes in. `said`: what their mail program says of it, which is often its own language, and
    so counts only where the words show none. English if in doubt. What is quoted is somebody else's."""
    own = _QUOTED.sub("", text[:LOOKED_AT]).lower()
    ahead = len(_GERMAN.findall(own)) - len(_ENGLISH.findall(own))
    if abs(ahead) >= CLEAR:
        return GERMAN if ahead > 0 else ENGLISH
    named = said.partition(",")[0].strip().partition("-")[0].lower()
    return named if named in NAMES else ENGLISH


# ------------------------------------------------------------------------------------------------------------ HTML
_UNSEEN: Final = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "object", "iframe"})
_BREAKS: Final = frozenset(
    {"br", "p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "pre", "hr", "section", "article"}
    | {f"h{level}" for level in range(1, 7)}
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")


def _without_tags(html: str) -> str:
    """What a page says, without what it shows, loads or does.

    The parser of the standard library takes minutes over some hundred kilobytes of unclosed tags. This looks at every
    character once: a tag reaches to the next `>`, a comment to its end, and what we do not show to its closing tag.
    """
    words: list[str] = []
    at = 0
    while (opens := html.find("<", at)) >= 0:
        words.append(html[at:opens])
        if html.startswith("<!--", opens):
            at = _after(html, "-->", opens + 4)
        elif (tag := _TAG.match(html, opens)) is not None:
            name = tag[2].lower()
            words.append("\n" if name in _BREAKS else "")
            at = _after(html, ">", opens)
            if name in _UNSEEN and not tag[1]:
                at = _past_the_end_of(html, name, at)
        elif html.startswith(("<!", "<?", "</"), opens):
            at = _after(html, ">", opens)
        else:
            words.append("<")
            at = opens + 1
    words.append(html[at:])
    lines = (" ".join(line.split()) for line in unescape("".join(words)).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _after(html: str, end: str, start: int) -> int:
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _past_the_end_of(html: str, name: str, start: int) -> int:
    closing = re.compile(f"</{name}", re.IGNORECASE).search(html, start)
    return _after(html, ">", closing.start()) if closing else len(html)
