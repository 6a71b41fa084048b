"""Where a page finds the services: the server provides them once, before the first visitor."""

from core.services import Services

_provided: list[Services] = []


def provide(svc: Services | None) -> None:
    """From the server's lifespan, or a test. None: the server is stopping."""
    _provided[:] = [svc] if svc is not None else []


def services() -> Services:
    if not _provided:
        raise RuntimeError("the server has not started")
    return _provided[0]
