"""
Correspondence: mails of ours, from the transaction that wants one to the server that takes it.

* Wanted with its reason. `queue` writes a mail in the transaction of what it tells of: there is none without the other,
  and `once` makes a second one of the same the first.
* Built once. Address, words, Message-ID and date are fixed before the first try, so that a mail that is sent again is
  the same mail, and mail programs show it once.
* Nobody's robot answers. Every mail says that a machine sent it, and answers what it answers (In-Reply-To), so that a
  reply finds its request.
* Sealed until it is over. A mail lies under a key of its own, which is destroyed as soon as it is sent, refused or
  given up; that there was one, for what and when, is kept.

Parts: `messages` (the form), `sending` (queue and job), `templates` (the words),
`grounds` (on which a request may be refused).
"""

from core.correspondence.grounds import Ground, ground_of, grounds
from core.correspondence.messages import Attachment, message_hash
from core.correspondence.sending import bounced, lost, queue, send, tend, waiting_since
from core.correspondence.templates import TEMPLATES, Facts, Letter, Template, draft, letter, rendered

__all__ = [
    "TEMPLATES",
    "Attachment",
    "Facts",
    "Ground",
    "Letter",
    "Template",
    "bounced",
    "draft",
    "ground_of",
    "grounds",
    "letter",
    "lost",
    "message_hash",
    "queue",
    "rendered",
    "send",
    "tend",
    "waiting_since",
]
