"""
Google Analytics 4, told by its Measurement Protocol how often things happened on a day. From this server, and from
nowhere else: no script, no cookie and no address of a visitor gets there.

One POST for a day, one event for each count, as `{"name": "workshot_visit", "params": {"value": 12, …}}`: Google adds
`value` up as "Event value". The protocol wants a client id; each day gets a random one, which stands for nobody, so
that Google sees one "user" a day, without a session. What may be done with it is denied (`consent`).

Google answers 2xx whatever is in the body, and has no way to ask whether something came: nothing is shown to have been
counted, and nothing is sent again unless it certainly was not taken. Events may be up to 72 hours old.
https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events
"""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from core.adapters.hush import keep_addresses_out_of_logs
from core.errors import AnalyticsUnavailable

log = logging.getLogger(__name__)

ADDRESS: Final = "https://www.google-analytics.com/mp/collect"
PREFIX: Final = "workshot_"
"""Keeps clear of the names that Google keeps for itself."""
MOST_EVENTS: Final = 25  # in one request
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONNECT_SECONDS, _SECONDS = 5.0, 20.0


@dataclass(frozen=True)
class Ga4:
    """One stream of one property."""

    measurement_id: str
    api_secret: str = field(repr=False)
    address: str = ADDRESS

    def send(self, day: date, counts: Mapping[str, int]) -> None:
        import httpx

        keep_addresses_out_of_logs()  # ours has the secret in it
        query = {"measurement_id": self.measurement_id, "api_secret": self.api_secret}
        timeout = httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS)
        surely_not = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
        try:
            with (
                httpx.Client(timeout=timeout, trust_env=False, headers={"User-Agent": "WorkShot"}) as http,
                http.stream("POST", self.address, params=query, json=_body(day, counts)) as answer,
            ):
                code = answer.status_code
        except surely_not:
            raise AnalyticsUnavailable("Google Analytics cannot be reached.", code="unreachable") from None
        except httpx.HTTPError as exc:
            log.warning("Google Analytics may have counted a day or not (%s); it is not sent again", type(exc).__name__)
            return
        if not 200 <= code < 300:
            raise AnalyticsUnavailable(f"Google Analytics answered {code}.", code=f"answer_{code}")


def _body(day: date, counts: Mapping[str, int]) -> dict[str, Any]:
    """All that leaves. At noon: most time zones of a property agree then on what day it is."""
    noon = datetime.combine(day, time(12), UTC)
    events = [_event(name, count, day) for name, count in counts.items()]
    if len(events) > MOST_EVENTS:
        raise ValueError("more events than one request takes")
    return {
        "client_id": f"{secrets.randbelow(10**10)}.{int(noon.timestamp())}",
        "timestamp_micros": int(noon.timestamp()) * 1_000_000,
        "consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
        "events": events,
    }


def _event(name: str, count: int, day: date) -> dict[str, Any]:
    full = f"{PREFIX}{name}"
    if not _NAME.fullmatch(full):
        raise ValueError("not a name that the protocol takes")
    return {"name": full, "params": {"value": count, "day": day.isoformat()}}
