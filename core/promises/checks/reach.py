"""Who gets at it: sessions, addresses, cookies, and the ways between machines."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlmodel import Session, col, select

from core import access, cookies, made_up
from core.errors import NotFound
from core.models import Copy, Generation, GlassView, Role, SignInWay, new_id
from core.operators import Operator
from core.ports import Answered, Stranger
from core.promises.checks.images import SEALED, is_picture, sample
from core.promises.checks.looks import looks
from core.promises.shapes import Check, Result, Says, broken, kept, listed, says, unknown
from core.services import Services

COOKIES: Final = tuple(cookies.SESSION.named(secure=secure) for secure in (False, True))
"""The guard's; which of them it takes depends on how it is reached."""
RUNS: Final = 1
VIEWS: Final = 2
NO_EYES: Final = says("This server could not be asked from outside.")
LOCAL: Final = ("localhost", "127.0.0.1", "::1", "")

May = Callable[[Session, str, str, datetime], Any]
Own = Callable[[Session, str, str], Any]
Shows = Callable[[Services, Operator, str], bool]


def _shows(svc: Services, operator: Operator, view_id: str) -> bool:
    from core.abuse import glass  # draws: nothing that a start has to wait for

    return glass.shows(svc, operator, view_id)


# ---------------------------------------------------------------------------------------------------- only the owner
def only_the_owner(may_read: May = access.may_read, own_run: Own = access.own_run, shows: Shows = _shows) -> Check:
    """A stranger's session is refused every image and run of a sample, an operator every look that another one asked
    for, and a browser opens one person at most."""

    def check(svc: Services, now: datetime) -> Result:
        stranger = secrets.token_hex(32)
        with svc.reading() as session:
            copies = sample(session, col(Copy.erase_by) > now)
            runs, views = _runs_of(session, copies), _latest_views(session)
            opened = sum(_opens(may_read, session, stranger, copy.id, now) for copy in copies)
            opened += sum(_opens(own_run, session, stranger, run) for run in runs)
            opened += _opens(may_read, session, stranger, new_id(), now)
            operators = looks(svc, session, now)
        nobody = Operator(id=new_id(), role=Role.SUPPORT, way=SignInWay.LINK, until=now, session_id=new_id())
        seen_by_nobody = sum(shows(svc, nobody, view) for view in views)
        with svc.database.connect() as connection:
            rules = {index["name"] for index in sa.inspect(connection).get_indexes("browser_session")}
        figure = says("{opened} of {tried} opened", opened=opened, tried=len(copies) + len(runs) + 1)
        if opened or ONE_EACH not in rules:
            could = says("A session that owns nothing could open {opened}.", opened=opened)
            return broken(figure, could.followed_by(RULE_IS_THERE if ONE_EACH in rules else RULE_IS_MISSING))
        if seen_by_nobody:
            return broken(
                figure,
                says("Reported images that an operator could see who had not asked: {seen}.", seen=seen_by_nobody),
            )
        if not operators.are_well:
            return broken(figure, operators.says)
        seen = says(
            "A session that owns nothing asked for {tried} images and runs, one that never existed among them, "
            "and was told each time that there is nothing.",
            tried=len(copies) + len(runs) + 1,
        )
        return kept(figure, seen.followed_by(operators.says))

    return check


ONE_EACH: Final = "uq_browser_session_opens_one"
RULE_IS_THERE: Final = says("The rule that a browser opens one person at most is in the database: yes.")
RULE_IS_MISSING: Final = says("The rule that a browser opens one person at most is in the database: no.")


def _opens(ask: Callable[..., Any], *of: Any) -> bool:
    with suppress(NotFound):
        ask(*of)
        return True
    return False


def _runs_of(session: Session, copies: Sequence[Copy]) -> Sequence[str]:
    ids = [copy.id for copy in copies]
    return session.exec(select(Generation.id).where(col(Generation.portrait_id).in_(ids)).limit(RUNS)).all()


def _latest_views(session: Session) -> Sequence[str]:
    """Looks at reported images that were asked for last: one of them may be open."""
    real = select(GlassView.id).where(made_up.is_real(GlassView.id))
    return session.exec(real.order_by(col(GlassView.asked_at).desc(), col(GlassView.id)).limit(VIEWS)).all()


# -------------------------------------------------------------------------------------------------- from outside
def no_public_address(svc: Services, now: datetime) -> Result:
    """Every address of a sample is answered exactly as one that never existed; storage shows nothing without a key."""
    if svc.outside is None:
        return unknown(says("not asked"), NO_EYES)
    with svc.reading() as session:
        some = sample(session)
        copies = [*some[:1], *some[1:][-1:]]  # the oldest and the newest
        runs, views = _runs_of(session, some), _latest_views(session)
    cookie = "; ".join(f"{name}={secrets.token_urlsafe(32)}" for name in COOKIES)
    with svc.outside() as stranger:
        seen = [
            one
            for pattern, refs in _addresses(copies, runs, views)
            for headers in ({}, {"cookie": cookie})
            for one in _seen(stranger, pattern, refs, headers)
        ]
        stored = [_stored(stranger, svc, copy) for copy in copies] if svc.settings.uses_s3 else []
        way = WAYS[stranger.way]
    all_seen = [*seen, *stored]
    figure = says("{tried} addresses tried, {open} open", tried=len(all_seen), open=all_seen.count(True))
    if True in all_seen:
        told = says("Addresses of images answered a stranger otherwise than if nothing were there.")
        return broken(figure, told.followed_by(way))
    if None in all_seen:
        return unknown(figure, NO_EYES.followed_by(way))
    what = says(
        "Of {images} images every address was asked for without a cookie and with a stranger's, and answered as one "
        "that never existed.",
        images=len(copies),
    )
    return kept(figure, what.followed_by(way, *[NO_KEY] if stored else []))


NO_KEY: Final = says("Storage gave nothing without a key at its S3 address.")
IN_BETWEEN: Final = frozenset({429, 502, 503, 504})
"""Too many at once, or a proxy that could not ask us: not our answer."""
WAYS: Final = {
    "https": says("Asked over HTTPS, at the public address."),
    "http": says("Asked over HTTP on this machine."),
    "inside": says("Asked within this process: the server could not be reached over the network from here."),
}


def _addresses(
    copies: Sequence[Copy], runs: Sequence[str], views: Sequence[str]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Every kind of address, with what is asked for by it."""
    for pattern in ("/img/{}", "/img/{}?w=400&dl=1", "/export/{}", "/media/{}.jpg"):
        yield pattern, [copy.id for copy in copies] or [new_id()]
    for pattern in ("/zip/{}", "/before/{}", "/preview/{}?ratio=1:1"):
        yield pattern, runs
    yield "/ops/glass/{}", views


def _seen(stranger: Stranger, pattern: str, refs: Sequence[str], headers: Mapping[str, str]) -> Iterator[bool | None]:
    """True: it tells more than the same address of something that never existed. None: nobody answered of either."""
    nothing = stranger.ask(pattern.format(new_id()), headers) if refs else None
    for ref in refs:
        answer = stranger.ask(pattern.format(ref), headers)
        yield None if answer is None or nothing is None else _tells(answer, nothing)


def _tells(answer: Answered, nothing: Answered) -> bool | None:
    if answer.status < 400 or is_picture(answer.start):
        return True
    if IN_BETWEEN & {answer.status, nothing.status}:
        return None
    return _said(answer) != _said(nothing)


def _said(answer: Answered) -> tuple[int, bytes, str]:
    return answer.status, answer.start, answer.header("content-type")


def _stored(stranger: Stranger, svc: Services, copy: Copy) -> bool | None:
    answer = stranger.ask(f"{svc.settings.s3_endpoint_url}/{svc.settings.s3_bucket}/{copy.object_key}")
    return None if answer is None else answer.status < 400 or answer.start.startswith(SEALED)


# ------------------------------------------------------------------------------------------------------- the cookie
def session_ends_with_the_browser(svc: Services, now: datetime) -> Result:
    """A new browser gets a random cookie without a lifetime, that no script can read."""
    if svc.outside is None:
        return unknown(says("not asked"), NO_EYES)
    with svc.outside() as stranger:
        answers = [stranger.ask("/receipt-key", {"accept": "text/html"}) for _ in range(2)]
        way = WAYS[stranger.way]
    cookies = [_our_cookie(answer) for answer in answers if answer is not None]
    figure = says("ends with the browser")
    if len(cookies) < len(answers) or not all(cookies):
        return unknown(says("not asked"), says("No cookie was handed out to a new browser.").followed_by(way))
    found = {what.template: what for cookie in cookies for what in _wrong_with(cookie)}
    wrong = [found[words] for words in sorted(found)]
    if len({cookie.partition(";")[0] for cookie in cookies}) < len(cookies):
        wrong.append(says("the same for everybody"))
    if wrong:
        return broken(
            says("does not end with the browser"), says("The cookie of a session: {wrong}.", wrong=listed(wrong))
        )
    seen = says(
        "A new browser got 256 random bits without a lifetime, which no script can read; the next one got others."
    )
    return kept(figure, seen.followed_by(way))


HAS_A_LIFETIME: Final = says("it has a lifetime")
SCRIPTS_READ_IT: Final = says("scripts can read it")
LOOKS_OTHERWISE: Final = says("it is not what a session's looks like")


def _our_cookie(answer: Answered) -> str:
    known = (value for name, value in answer.headers if name == "set-cookie")
    return next((value for value in known if value.partition("=")[0] in COOKIES), "")


def _wrong_with(cookie: str) -> Iterator[Says]:
    pair, *attributes = (part.strip() for part in cookie.split(";"))
    names = {attribute.partition("=")[0].lower() for attribute in attributes}
    if names & {"max-age", "expires"}:
        yield HAS_A_LIFETIME
    if "httponly" not in names:
        yield SCRIPTS_READ_IT
    if not re.fullmatch(r"[\w-]{43}", pair.partition("=")[2], re.ASCII):
        yield LOOKS_OTHERWISE


# ------------------------------------------------------------------------------------------------------- on the way
@dataclass(frozen=True)
class Way:
    """Between this server and somebody. None: it cannot be seen from here."""

    name: Says
    safe: bool | None


def encrypted_on_the_way(svc: Services, now: datetime) -> Result:
    """Every way is encrypted, or stays on this machine."""
    ways = list(_ways(svc))
    bare, dark = [way.name for way in ways if way.safe is False], [way.name for way in ways if way.safe is None]
    figure = says("{safe} of {of} ways", safe=sum(bool(way.safe) for way in ways), of=len(ways))
    if bare:
        return broken(figure, says("Not encrypted, and not on this machine alone: {bare}.", bare=listed(bare)))
    if dark:
        return unknown(figure, says("It cannot be seen whether this is encrypted: {dark}.", dark=listed(dark)))
    seen = says("Encrypted, or on this machine alone: {names}.", names=listed(way.name for way in ways))
    here = [] if svc.settings.secure else [THIS_MACHINE]
    return kept(figure, seen.followed_by(*here))


THIS_MACHINE: Final = says(
    "No public address is set: this server is meant for this machine. Set PUBLIC_URL with https before others come."
)


def _ways(svc: Services) -> Iterator[Way]:
    settings = svc.settings
    yield Way(says("browsers"), _browsers_are_safe(svc))
    yield Way(says("database"), _database_is_safe(svc))
    if settings.uses_s3:
        yield Way(says("storage"), _is_safe(settings.s3_endpoint_url))
    for name, host, security in (
        (says("mail out"), settings.smtp_host, settings.smtp_security),
        (says("mail in"), settings.imap_host, settings.imap_security),
    ):
        if host:
            yield Way(name, security != "none" or _stays(host))
    if svc.providers:
        yield Way(says("third parties"), _is_safe(settings.apimart_base_url))


def _browsers_are_safe(svc: Services) -> bool | None:
    """Without a public address, the one that the server listens at decides who comes, and only the server knows it."""
    settings = svc.settings
    if settings.secure:
        return True
    if not (_is_local(settings.public_url) and all(map(_stays, settings.hosts))):
        return False
    return True if svc.here_alone else None


def _is_safe(url: str) -> bool:
    return url.startswith("https://") or _is_local(url)


def _is_local(url: str) -> bool:
    return _stays(urlsplit(url).hostname or "")


def _stays(host: str) -> bool:
    return host in LOCAL or host.endswith(".localhost")


def _database_is_safe(svc: Services) -> bool | None:
    """Asked of our end of the connection: what stands before the database may speak to it in another way."""
    if svc.database.dialect.name != "postgresql":
        return True
    with svc.database.connect() as connection:
        ours: Any = connection.connection.driver_connection
        return stays_or_sealed(ours.info.host, encrypted=ours.info.pgconn.ssl_in_use)


def stays_or_sealed(host: str, *, encrypted: bool) -> bool | None:
    """A name without a dot is one of a network of containers: that one may well be on this machine alone."""
    if encrypted or host.startswith(SOCKETS) or (host and _stays(host)):
        return True
    return False if set(host) & set(".:") else None


SOCKETS: Final = ("/", "@")
