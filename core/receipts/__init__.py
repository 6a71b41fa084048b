"""
Receipts: signed statements of what was erased and how it was proved, which anybody can check.

* `make` writes one in the transaction that closes a request, from rows alone; `amend` writes another revision when a
  copy that was not proved then has been shown to be gone since.
* `verify` needs the bytes of a receipt and public keys, nothing else: no database, no network, no settings.
* Nothing in it is personal. Copies are named by salted hashes: with the salt, which stands in the receipt, the operator
  can show which copy was meant; nobody can link two receipts by them.
* It says what it does not prove as clearly as what it does.

The form is data/receipt_format.md, from which anybody can write a verifier.
"""

from core.receipts.checking import MOST_BYTES, Finding, Verdict, as_file, verify
from core.receipts.making import amend, amend_due, check, make, newest, of_request, own
from core.receipts.printing import page_html
from core.receipts.statement import FORMAT, Statement
from core.receipts.wording import Words, words

__all__ = [
    "FORMAT",
    "MOST_BYTES",
    "Finding",
    "Statement",
    "Verdict",
    "Words",
    "amend",
    "amend_due",
    "as_file",
    "check",
    "make",
    "newest",
    "of_request",
    "own",
    "page_html",
    "verify",
    "words",
]
