"""
Reported images: what operators may do about them, and for how long.

* `glass`: one operator looks at one image, if another one allows it and its owner has not forbidden it.
* `blocks`: a person or a file makes nothing more here, for a while.
* `finding`: whose image it is, by keyed hashes, numbers of runs and marks; never by what is to be seen.
* `terms`: how long all of it lasts. `upkeep`: telling people on duty, and removing what is too old.

Reports themselves, and what needs requests, stand above: core/reports.py.
"""

from core.abuse.terms import ANSWERED_IN, GROUNDS, LOOK_FOR, MOST_WORDS
from core.abuse.upkeep import prune, tell

__all__ = [
    "ANSWERED_IN",
    "GROUNDS",
    "LOOK_FOR",
    "MOST_WORDS",
    "prune",
    "tell",
]
