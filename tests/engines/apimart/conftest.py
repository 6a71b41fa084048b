"""What the tests of this engine share. The one that costs money is there only where somebody has set a key for it."""

import os
from collections.abc import Iterator

import pytest

from core.engines.apimart.engine import ApiMart as Engine
from tests.peers.apimart import ApiMart
from tests.peers.apimart_engine import engine_at

LIVE_KEY = "APIMART_LIVE_KEY"
collect_ignore = [] if os.environ.get(LIVE_KEY) else ["test_live.py"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "live: asks the real service, which costs a few cents")


@pytest.fixture
def engine(api_mart: ApiMart) -> Iterator[Engine]:
    made = engine_at(api_mart, read_seconds=5.0, submit_seconds=5.0)
    yield made
    made.close()
