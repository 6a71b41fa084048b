"""
A provider of sign-ins in a process of its own: people are told to it by name, and whoever types a name is that person.

It forgives what a real one would refuse (verifiers, secrets, redirect addresses): good for our side, no opinion on it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.web.served import free_port, until

CONFIGURED = """
[auth]
redirect_uri = "{app}/oauth2callback"
cookie_secret = "only-for-this-test-and-long-enough-to-be-one"

[auth.company]
client_id = "workshot"
client_secret = "not-a-secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
client_kwargs = {{ scope = "openid email" }}
"""


@contextmanager
def provider(people: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Its address, until the end of the block."""
    port = free_port()
    users = [f"--user-claims={json.dumps({'sub': sub, **claims})}" for sub, claims in people.items()]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port), "-H", "localhost", *users],
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://localhost:{port}"
    try:
        assert until(lambda: _answers(url), seconds=60), "the provider has not started"
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/.well-known/openid-configuration").status_code == 200
    except httpx.HTTPError:
        return False


def configure(home: Path, *, app: str, provider: str) -> None:
    """What an installation writes into secrets.toml, in a home folder of its own."""
    folder = home / ".streamlit"
    folder.mkdir(parents=True)
    (folder / "secrets.toml").write_text(CONFIGURED.format(app=app, provider=provider))
