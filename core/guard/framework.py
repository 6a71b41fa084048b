"""What the guard asks of the framework that it stands before."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from core.preferences import Theme


@dataclass(frozen=True, kw_only=True)
class OpenUpload:
    """An upload that the framework still holds. Without an owner its tab is gone."""

    owner: str | None
    size: int


class Framework(Protocol):
    def index_html(self) -> str:
        """The page that loads the front end; its inline scripts are the only ones allowed to run."""

    def page(self, speaks: str, theme: Theme | None) -> str:
        """The same for somebody who reads this language and prefers this theme, if any."""

    def owner(self, framework_session: str) -> str | None:
        """The session hash that a live connection was opened with; None unless it is live right now."""

    def open_uploads(self) -> Collection[OpenUpload]: ...
