"""
The studio with a stand-in for APIMart behind it, as tests in a browser and people at home use it.

The server is the real one in a process of its own. Its worker runs here, because no setting lets results be fetched
from this machine: it has the engine that may (tests/peers/apimart_engine.py).

By hand: `python -m tests.peers.apimart_app`, and then http://localhost:8501.
"""

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from core import bootstrap
from core.settings import Settings
from tests.peers.apimart import ApiMart
from tests.peers.apimart_engine import engine_at
from tests.web.served import ROOT, Server, serve


@contextmanager
def studio(
    api: ApiMart, folder: Path, *, port: int | None = None, engine: dict[str, Any] | None = None, **environment: str
) -> Iterator[Server]:
    """The app on a data folder of its own. `engine` changes the one that is behind it."""
    data_dir = folder / "data"
    told = {**api.environment, "APIMART_RESULT_HOSTS": "127.0.0.1", "WORKER": "external", "DATA_DIR": str(data_dir)}
    with serve(folder / "server.log", page=ROOT / "streamlit_app.py", port=port, **{**told, **environment}) as server:
        svc = bootstrap.build(Settings(data_dir=data_dir))
        svc, runner = bootstrap.with_runner(replace(svc, providers={"apimart": engine_at(api, **(engine or {}))}))
        runner.start()
        try:
            yield server
        finally:
            runner.stop()
            svc.database.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description="The studio with a stand-in for APIMart behind it, to try.")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--takes", type=float, default=10, help="seconds for a picture")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ApiMart() as api, suppress(KeyboardInterrupt):
        api.knobs.takes = told.takes
        with studio(api, Path(folder), port=told.port) as server:
            print(f"{server.url} · everything is gone when you press Ctrl-C", flush=True)
            threading.Event().wait()


if __name__ == "__main__":
    main()
