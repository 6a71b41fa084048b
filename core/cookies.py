"""
Cookies: what they are called, how long a browser keeps them, and how it is told. The guard sets and reads them, and the
policy tells people of each.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

XSRF: Final = "_streamlit_xsrf"
"""Streamlit's own, which calls it so in no public place."""


@dataclass(frozen=True)
class Cookie:
    name: str
    lives: timedelta | None = None
    """Without a lifetime it ends with the browser."""

    def named(self, *, secure: bool) -> str:
        """The prefix makes the browser refuse it from a subdomain or without https."""
        return f"__Host-{self.name}" if secure else self.name

    def line(self, value: str, *, secure: bool, forget: bool = False) -> str:
        """What a browser is told. Lax: a link in a mail must find the session it left."""
        parts = [f"{self.named(secure=secure)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
        if self.lives is not None:
            parts.append(f"Max-Age={0 if forget else int(self.lives.total_seconds())}")
        return "; ".join([*parts, "Secure"] if secure else parts)


SESSION: Final = Cookie("workshot")
STAFF: Final = Cookie("workshot_staff", timedelta(hours=12))
"""An operator's, beside their session as a visitor. The session behind it ends then, too."""
COUNT: Final = Cookie("workshot_count", timedelta(days=365))
"""A preference, the same for everybody who has it: no id is in it."""
PREFERENCES: Final = Cookie("workshot_prefs", timedelta(days=365))
"""Likewise."""
