"""One to try the app with: runs until interrupted."""

import argparse
import threading
from contextlib import suppress

from tests.peers.apimart import ApiMart


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.peers.apimart", description="A stand-in for APIMart.")
    parser.add_argument("--takes", type=float, default=10, help="seconds for a picture")
    parser.add_argument("--port", type=int, default=0, help="of the API")
    parser.add_argument("--results-port", type=int, default=0, help="of uploads and results")
    parser.add_argument("--without-keys", action="store_true", help="does not honour Idempotency-Key")
    told = parser.parse_args()
    with ApiMart(ports=(told.port, told.results_port)) as api, suppress(KeyboardInterrupt):
        api.knobs.takes, api.knobs.honours_keys = told.takes, not told.without_keys
        print("\n".join(f"{name}={value}" for name, value in api.environment.items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
