"""
Addresses that we write to: one person's, in the plain form. Whatever could be two, or a line of its own, is refused.

Narrower than the standard on purpose: quoted names before the @, comments, groups and numbers in brackets are legal,
and nobody who writes to us about a photo has such an address.
"""

import re
from typing import Final

from core.errors import NotAllowed
from core.language import _
from core.settings import Settings

LONGEST: Final = 254  # characters, of RFC 5321
_NAMED = re.compile(r"[^<>@,;:\r\n\x00-\x1f\x7f]*<([^<>]+)>")
_LOCAL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f]{1,64}")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)


def address(text: str) -> str:
    """`ann@example.org` from itself or from `Ann <ann@example.org>`. Raises NotAllowed for all that is not one address.

    The domain comes back in the form that servers know (`xn--…`), and in lower case.
    """
    text = text.strip(" \t")
    named = _NAMED.fullmatch(text)
    local, at, domain = (named[1] if named else text).strip(" \t").rpartition("@")
    plain = _ascii(domain)
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    if not at or not plain or dots or not _LOCAL.fullmatch(local) or len(local) + len(plain) >= LONGEST:
        raise NotAllowed(_("We can't write to this address. Check it for a typing mistake."), code="bad_address")
    return f"{local}@{plain}"


def _ascii(domain: str) -> str:
    """The domain as servers know it, or nothing if it is none."""
    try:
        plain = domain.encode("idna").decode("ascii").lower() if not domain.isascii() else domain.lower()
    except UnicodeError:
        return ""
    return plain if all(_LABEL.fullmatch(label) for label in plain.split(".")) else ""


def sender(settings: Settings) -> str | None:
    """The address our mail comes from: MAIL_FROM, or else PRIVACY_CONTACT where that is one. Raises NotAllowed if
    MAIL_FROM is none."""
    if settings.mail_from:
        return address(settings.mail_from)
    try:
        return address(settings.privacy_contact)
    except NotAllowed:
        return None
