"""
People on duty, told through Apprise: mail, chat, webhooks and a hundred more, each named by one address.

Such an address holds passwords and tokens, and Apprise writes them into its log when one fails. So that log is closed,
and ours says how many of how many took the news, by their place in ALERT_URLS, and nothing else. The library is loaded
when there is something to tell: half a second that no start waits for.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)
_OURS: Mapping[str, Any] = {"app_id": "WorkShot", "app_desc": "WorkShot", "app_url": "", "image_url_logo": ""}
"""Instead of Apprise's own name and pictures, which lie with a third party."""


@dataclass(frozen=True)
class Duty:
    """Tells everybody; one who heard it is enough."""

    urls: Sequence[str] = field(repr=False)

    def tell(self, title: str, text: str) -> bool:
        heard = [self._told(place, way, title, text) for place, way in enumerate(self._ways(), 1)]
        return any(heard)

    def check(self) -> tuple[int, int]:
        return sum(way is not None for way in self._ways()), len(self.urls)

    def _told(self, place: int, way: Any, title: str, text: str) -> bool:
        from apprise import NotifyFormat, NotifyType

        if way is None:
            log.warning("alert address %d of %d is not understood", place, len(self.urls))
            return False
        try:
            heard = bool(way.notify(text, title, notify_type=NotifyType.WARNING, body_format=NotifyFormat.TEXT))
        except Exception as exc:  # a plugin may raise whatever the library of its service does
            log.warning("alert address %d of %d: %s", place, len(self.urls), type(exc).__name__)
            return False
        if not heard:
            log.warning("alert address %d of %d did not take an alert", place, len(self.urls))
        return heard

    def _ways(self) -> Iterator[Any]:
        """What each address stands for, None where it stands for nothing."""
        _close_its_log()
        import apprise

        asset = apprise.AppriseAsset(storage_mode="memory", pgp_autogen=False, pem_autogen=False, **_OURS)
        for url in self.urls:
            way = apprise.Apprise(asset=asset)
            try:
                yield way if way.add(url) else None
            except Exception:
                yield None


def _close_its_log() -> None:
    """Every time: a library that is loaded later may have opened it. urllib3 tells paths, but to debuggers only."""
    its = logging.getLogger("apprise")
    its.disabled, its.propagate = True, False
    logging.getLogger("urllib3").setLevel(logging.WARNING)
