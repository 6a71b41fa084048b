"""How long things last here, and how what was reported is said. Nothing heavy: promises and policy read it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from core.language import N_
from core.models import AbuseKind

ANSWERED_IN: Final = timedelta(hours=48)
"""From a report to its end."""
LOOK_FOR: Final = timedelta(minutes=10)
"""From the moment that a second operator allows it, one operator may look at one image."""
BLOCKED_FOR: Final = timedelta(days=365)
"""A block, unless an operator lifts it."""
KEPT: Final = timedelta(days=365)
"""A report and the looks at what it was about, from its end. Its words and address are destroyed with that end."""
BLOCKS_KEPT: Final = timedelta(days=30)
"""A block that is over or lifted."""
MOST_WORDS: Final = 2_000
"""Letters, of a report."""

GROUNDS: Final[Mapping[AbuseKind, str]] = {
    AbuseKind.NOT_ASKED: N_("It shows somebody who was not asked"),
    AbuseKind.CHILD: N_("It shows a child"),
    AbuseKind.INTIMATE: N_("It is intimate or sexual"),
    AbuseKind.PRETENDS: N_("It is used to pass for somebody else"),
    AbuseKind.OTHER: N_("Something else is wrong with it"),
}
"""What was reported, as its owner reads it: nothing of who reported it."""
