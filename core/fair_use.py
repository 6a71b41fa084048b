"""
Fair use that needs no database: guesses at claim codes, and runs per network. Both live in memory and forget.
"""

import hashlib
import ipaddress
import secrets
import threading
from collections import Counter, deque
from datetime import date, datetime, timedelta

from core.clock import Clock
from core.errors import LimitReached
from core.language import _

GUESSES, GUESS_WINDOW = 10, timedelta(minutes=10)


class Guesses:
    """Limits how often codes may be tried: per browser, per network and in all. In memory, for minutes."""

    def __init__(self, clock: Clock, *, allowed: int = GUESSES, everyone: int = 50 * GUESSES) -> None:
        self._clock = clock
        self._allowed = allowed
        self._everyone = everyone
        self._tries: deque[tuple[datetime, str, str]] = deque()
        self._lock = threading.Lock()

    def spend(self, session_hash: str, network: str) -> None:
        """Count one try. Raises LimitReached, which says when to come back."""
        now = self._clock()
        with self._lock:
            while self._tries and self._tries[0][0] <= now - GUESS_WINDOW:
                self._tries.popleft()
            mine = sum(1 for _at, who, where in self._tries if who == session_hash or (network and where == network))
            if mine >= self._allowed or len(self._tries) >= self._everyone:
                raise LimitReached(_("Too many codes were tried. Please wait ten minutes and try again."))
            self._tries.append((now, session_hash, network))

    def forgive(self, session_hash: str) -> None:
        """A right code: its owner's slips no longer count."""
        with self._lock:
            self._tries = deque(t for t in self._tries if t[1] != session_hash)


class Networks:
    """Counts runs per network and UTC day without knowing networks.

    An address becomes a keyed hash whose key lives in memory only and is thrown away at midnight UTC (and with every
    restart: the limit is a soft one). Nothing here can be turned back into an address, or joined to another day.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._day: date | None = None
        self._salt = b""
        self._runs: Counter[str] = Counter()
        self._of: dict[str, str] = {}  # session hash → today's name of its network

    def seen(self, session_hash: str, address: str) -> None:
        """A browser connected from this address; what is kept of it is today's name of its network."""
        network = self.name(address)
        with self._lock:
            self._of[session_hash] = network

    def of(self, session_hash: str) -> str:
        """Where a browser was seen last. "" if that was yesterday: the limit is a soft one."""
        with self._lock:
            self._turn_the_day()
            return self._of.get(session_hash, "")

    def name(self, address: str) -> str:
        """Today's name of the network that an address belongs to: /24 for IPv4, /56 for IPv6."""
        with self._lock:
            self._turn_the_day()
            return hashlib.blake2b(_network_of(address).encode(), key=self._salt, digest_size=16).hexdigest()

    def spend(self, network: str, *, limit: int) -> None:
        """Count a run; one from nowhere ("") is not limited. Raises LimitReached."""
        with self._lock:
            self._turn_the_day()
            if network and self._runs[network] >= limit:
                says = _("Your network has made many headshots today. Please come back tomorrow.")
                raise LimitReached(says, code="limit_network")
            self._runs[network] += 1

    def give_back(self, network: str) -> None:
        with self._lock:
            self._runs[network] = max(0, self._runs[network] - 1)

    def _turn_the_day(self) -> None:
        today = self._clock().date()
        if today != self._day:
            self._day, self._salt, self._runs, self._of = today, secrets.token_bytes(32), Counter(), {}


def _network_of(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 56), strict=False))
