"""
What we promise, as a program: one source states each promise, names what enforces it, measures it and prints it.

The studio and the policy print its sentences, settings fill in their numbers, and `stands` says of each whether it
holds right now. `table` has the sentences, `checks` measures them, `checking` runs the checks and remembers what they
said, `bounds` stops a start with settings that promise less than what is published. Which text is in force is kept by
`core.policy`.
"""

from collections.abc import Sequence

from core.language import _, either
from core.models import PromiseState
from core.promises.checking import Day, Stand, are_well, headline, headline_says, run_checks, stands
from core.promises.shapes import GROUPS, Promise, Result, Says, numbers
from core.promises.table import PROMISES
from core.promises.telling import tell
from core.settings import Settings

__all__ = [
    "GROUPS",
    "PROMISES",
    "Day",
    "Promise",
    "PromiseState",
    "Result",
    "Says",
    "Stand",
    "are_well",
    "glance",
    "headline",
    "headline_says",
    "numbers",
    "run_checks",
    "stands",
    "tell",
]


def glance(settings: Settings, *, here: bool = True, others: Sequence[str] = ()) -> list[str]:
    """The few lines that are read before a photo is added, with the numbers in force. `others`: third parties that
    can be chosen, and `here`: whether this server can be chosen as well."""
    said = [promise for promise in PROMISES if promise.at_a_glance]
    if not others:
        return [promise.glance(settings) for promise in said]
    names, figures = either(others), numbers(settings)
    here_too = _("Made on this server{run_by}, or by {others}", run_by=figures["run_by"], others=names)
    made = here_too if here else _("Made by {others}", others=names)
    texts = [promise.with_others or promise.at_a_glance for promise in said]
    return [_(text, **figures, made=made, others=names) for text in texts]
