"""The engine, pointed at the stand-in on this machine: what no setting allows, as no setting should."""

from typing import Any

from core.engines.apimart.engine import ApiMart as Engine
from core.engines.apimart.offers import DEFAULT, offers
from core.engines.apimart.results import Results
from tests.peers.apimart import ApiMart


def engine_at(api: ApiMart, *, model: str = DEFAULT, results: dict[str, Any] | None = None, **changes: Any) -> Engine:
    """`results` changes how pictures are fetched, the rest how the API is asked."""
    near = Results(**{"hosts": ["127.0.0.1"], "nearby": True, **(results or {})})
    told = {"offer": offers()[model], "key": api.key, "base_url": api.url, "results": near, "clock": lambda: api.now}
    return Engine(**{**told, **changes})
