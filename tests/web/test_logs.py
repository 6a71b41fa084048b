"""What other people's loggers may still say once `quiet_logs` has been called."""

import logging
from collections.abc import Iterator

import pytest

from core.logs import outline, quiet_logs

STREAMLIT_SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    access, factory = logging.getLogger("uvicorn.access"), logging.getLogRecordFactory()
    was = access.disabled
    quiet_logs()
    yield
    access.disabled = was
    logging.setLogRecordFactory(factory)


def test_no_address_is_logged_at_all() -> None:
    assert logging.getLogger("uvicorn.access").disabled


@pytest.mark.parametrize("secret", [STREAMLIT_SESSION, "a" * 64, "x-_" * 14 + "y"])
def test_what_streamlit_says_names_no_session(caplog: pytest.LogCaptureFixture, secret: str) -> None:
    logging.getLogger("streamlit.web").warning("Session with id %s is already connected", secret)

    assert caplog.messages == ["Session with id … is already connected"]


def test_an_exception_is_a_type_and_a_place(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("Jane Doe")
    except ValueError as exc:
        told = outline(exc)
        logging.getLogger("streamlit").exception("Uncaught")

    assert told.startswith("ValueError at test_logs.py:")
    assert "Jane" not in caplog.text
    assert "Uncaught: ValueError at test_logs.py:" in caplog.text
