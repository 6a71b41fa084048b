"""
Who comes: one request's sender, known by a hash, with what they and their browser want.

Cookies and headers become a `Visitor` here. What is behind the guard asks for it (`visitor_of`), and sees no cookie of
ours and no identity that a sender claims.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response
from starlette.types import Scope

from core import cookies, language, preferences
from core.cookies import Cookie
from core.preferences import Preferences

Headers = list[tuple[bytes, bytes]]

IDENTITY_HEADER = b"x-workshot-session"  # .streamlit/config.toml maps it to st.user["session"]
STAFF_HEADER = b"x-workshot-staff"  # … and this one to st.user["staff"]
COUNTED_HEADER = b"x-workshot-counted"  # … and this one, always, to st.user["counted"]
PREFERENCES_HEADER = b"x-workshot-preferences"  # as the cookie has them, to st.user["preferences"]
LANGUAGE_HEADER = b"x-workshot-language"  # which it is in the end, where anything says so, to st.user["language"]
OUR_HEADERS = frozenset({IDENTITY_HEADER, STAFF_HEADER, COUNTED_HEADER, PREFERENCES_HEADER, LANGUAGE_HEADER})
BESIDE_A_PAGE = frozenset({b"if-none-match", b"if-modified-since", b"accept-encoding"})
"""What would bring an answer that cannot be put into anybody's language: nothing new, or packed."""
QUIET_SESSIONS = 50_000
SCOPE_KEY = "workshot.visitor"

TOKEN = re.compile(r"[\w-]{43}", re.ASCII)  # what secrets.token_urlsafe(32) looks like


class Counted(StrEnum):
    """Whether what a visitor does may be counted, and who says so."""

    YES = "yes"
    NO = "no"  # they told us
    SIGNAL = "signal"  # their browser says that they do not want it: nothing can be switched here
    GA = "ga"  # they agreed to Google Analytics as well

    @property
    def is_so(self) -> bool:
        return self in (Counted.YES, Counted.GA)


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """What a request may know about who sent it."""

    session: str | None
    secure: bool
    staff: str | None = None
    counted: Counted = Counted.NO
    language: str = language.ENGLISH
    preferences: Preferences = preferences.NOTHING


NOBODY = Visitor(session=None, secure=False)


# Who it is.


def new_session() -> str:
    """A fresh cookie value, for a route that starts a session anew. It goes to the browser and nowhere else."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """How everyone behind the guard knows a session. The prefix keeps it from matching hashes made elsewhere."""
    return hashlib.sha256(b"workshot session 1:" + token.encode()).hexdigest()


def staff_hash_of(token: str) -> str:
    """How everyone behind the guard knows an operator's session."""
    return hashlib.sha256(b"workshot staff session 1:" + token.encode()).hexdigest()


def visitor_of(scope: Scope) -> Visitor:
    """Who sent a request; nobody, where it did not come through the guard."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Visitor) else NOBODY


def session_hash(scope: Scope) -> str | None:
    """Whose request this is, for routes. None: no cookie, or the request did not come through the guard."""
    return visitor_of(scope).session


def staff_hash(scope: Scope) -> str | None:
    """The operator's session that a request claims to be of, for routes to look up. None: no cookie."""
    return visitor_of(scope).staff


# Their cookies.


def set_session_cookie(response: Response, scope: Scope, token: str) -> None:
    """Put the browser into the session `token`; the guard then adds no cookie of its own."""
    _set_cookie(response, scope, cookies.SESSION, token)


def set_staff_cookie(response: Response, scope: Scope, token: str) -> None:
    _set_cookie(response, scope, cookies.STAFF, token)


def set_count_cookie(response: Response, scope: Scope, choice: Counted) -> None:
    """Remember it in the browser alone. To be counted is what is so without it."""
    _set_cookie(response, scope, cookies.COUNT, choice.value, forget=choice is Counted.YES)


def set_preferences_cookie(response: Response, scope: Scope, wanted: Preferences) -> None:
    """Remember it in the browser alone; where nothing is preferred, nothing is remembered."""
    _set_cookie(response, scope, cookies.PREFERENCES, str(wanted), forget=wanted.is_empty)


def _set_cookie(response: Response, scope: Scope, cookie: Cookie, value: str, *, forget: bool = False) -> None:
    line = cookie.line(value, secure=scope[SCOPE_KEY].secure, forget=forget)
    response.raw_headers.append((b"set-cookie", line.encode()))


def _taken(headers: Headers, cookie: str) -> tuple[str | None, Headers]:
    """The token in it, and the headers without it. Cookies of other apps on this host stay as they are."""
    token = next(filter(TOKEN.fullmatch, _values(headers, cookie)), None)
    return token, [(name, _without(cookie, value) if name == b"cookie" else value) for name, value in headers]


def _values(headers: Headers, cookie: str) -> list[str]:
    """The values of all cookies of this name."""
    pairs = (pair.partition("=") for name, value in headers if name == b"cookie" for pair in _pairs(value))
    return [value for name, _sep, value in pairs if name == cookie]


def _without(cookie: str, header: bytes) -> bytes:
    return "; ".join(pair for pair in _pairs(header) if pair.partition("=")[0] != cookie).encode("latin-1")


def _pairs(header: bytes) -> list[str]:
    return [pair.strip() for pair in header.decode("latin-1").split(";")]


# What they want.


def _signals(headers: Headers) -> bool:
    """Global Privacy Control, or Do Not Track: either is a no."""
    return any(name.lower() in (b"sec-gpc", b"dnt") and value.strip() == b"1" for name, value in headers)


def _chosen(headers: Headers, *, secure: bool) -> Counted:
    """What the preference cookie says; anything else that it may hold says nothing."""
    values = _values(headers, cookies.COUNT.named(secure=secure))
    return next((choice for choice in (Counted.NO, Counted.GA) if choice.value in values), Counted.YES)


def _preferred(headers: Headers, *, secure: bool) -> Preferences:
    found = map(preferences.read, _values(headers, cookies.PREFERENCES.named(secure=secure)))
    return next((each for each in found if not each.is_empty), preferences.NOTHING)


def _accepted(headers: Headers) -> str | None:
    """The language that the browser asks for, if it does."""
    said = [value.decode("latin-1") for name, value in headers if name == b"accept-language"]
    return language.accepted(", ".join(said)) if said else None


def wants_page(headers: Headers) -> bool:
    return b"text/html" in dict(headers).get(b"accept", b"")


def needs_session(scope: Scope) -> bool:
    """Only a person who opens a page gets a session, not a script, a picture or a health check."""
    return session_hash(scope) is None and scope["method"] == "GET" and wants_page(scope["headers"])


class Visitors:
    """Knows them as they come."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._quiet: dict[str, None] = {}  # whose browser said that they are not to be counted; in the event loop only

    def identified(self, scope: Scope) -> Scope:
        """The same request with its sender's hash in place of the cookie, and no identity that the sender claimed."""
        token, headers = _taken(list(scope["headers"]), cookies.SESSION.named(secure=self._secure))
        staff_token, headers = _taken(headers, cookies.STAFF.named(secure=self._secure))
        session = hash_of(token) if token else None
        wanted = _preferred(headers, secure=self._secure)
        speaks = wanted.language or _accepted(headers)  # None: nothing says so
        visitor = Visitor(
            session=session,
            secure=self._secure,
            staff=staff_hash_of(staff_token) if staff_token else None,
            counted=self._may_count(session, headers),
            language=speaks or language.ENGLISH,
            preferences=wanted,
        )
        dropped = OUR_HEADERS | BESIDE_A_PAGE if wants_page(headers) else OUR_HEADERS
        headers = [(name, value) for name, value in headers if name.lower() not in dropped]
        if scope["type"] == "websocket":
            headers += _told(visitor, speaks)
        return {**scope, "headers": headers, SCOPE_KEY: visitor}

    def _may_count(self, session: str | None, headers: Headers) -> Counted:
        """A browser that signals it once, with a page or a picture, has said it for its session: not every browser
        says it again when it opens a stream."""
        if _signals(headers):
            if session:
                self._quiet[session] = None
            while len(self._quiet) > QUIET_SESSIONS:
                del self._quiet[next(iter(self._quiet))]
            return Counted.SIGNAL
        return Counted.SIGNAL if session in self._quiet else _chosen(headers, secure=self._secure)


def _told(visitor: Visitor, speaks: str | None) -> Iterator[tuple[bytes, bytes]]:
    """What Streamlit learns of whoever opens a stream."""
    # A visitor without a cookie is nobody, and a different nobody each time: nothing to take over.
    yield IDENTITY_HEADER, (visitor.session or f"nobody-{secrets.token_hex(16)}").encode()
    if visitor.staff:
        yield STAFF_HEADER, visitor.staff.encode()
    yield COUNTED_HEADER, visitor.counted.value.encode()
    yield PREFERENCES_HEADER, str(visitor.preferences).encode()
    if speaks:
        yield LANGUAGE_HEADER, speaks.encode()
