"""
Libraries that write down whole addresses: ours hold secrets and ids, which belong into no log.

A logger that is disabled stays so whatever somebody sets as the level of its parents.
"""

import logging
from typing import Final

_TELLTALES: Final = (
    "httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks",
)  # fmt: skip


def keep_addresses_out_of_logs() -> None:
    for name in _TELLTALES:
        logging.getLogger(name).disabled = True
