"""What of the counts may be shown (under way: see `Shown`)."""

from dataclasses import dataclass
from typing import Literal

Why = Literal["", "few", "kept_back", "beneath"]


@dataclass(frozen=True)
class Shown:
    """A number that may be shown, or why it may not. `n` None: hidden. `at_least`: something of the sum was hidden."""

    n: int | None
    why: Why = ""
    at_least: bool = False
    below: int = 5  # what `few` is less than

    @property
    def text(self) -> str:
        """`12`, `<5`, `–`, `≥ 120`."""
        if self.n is None:
            return f"<{self.below}" if self.why == "few" else "–"
        return f"≥ {self.n:,}" if self.at_least else f"{self.n:,}"

    @property
    def why_hidden(self) -> str:
        """In a sentence; empty where everything is shown."""
        if self.at_least:
            return "Something of this sum is hidden, so it is at least that many."
        if self.why == "few":
            return f"Between 1 and {self.below - 1}: too few to be shown without pointing at somebody."
        if self.why == "kept_back":
            return f"{self.below} or more, kept back so that a hidden number beside it cannot be worked out."
        return "What it is a part of is hidden, or it would give a hidden number away." if self.why else ""
