"""The Streamlit side of a session, without a server: what a page reads, takes and says."""

from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from core.ui import session

PAGE = str(Path(__file__).parent / "app" / "mini.py")
ME = "a" * 64


def page(user: dict[str, object]) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=30)
    at.user = user
    return at.run()


def said(at: AppTest) -> str:
    return " ".join(text.value for text in at.text)


def test_a_page_knows_whose_it_is() -> None:
    at = page({"session": ME})

    assert not at.exception
    assert f"me={ME} " in said(at)


@pytest.mark.parametrize("claimed", [None, "", "nobody-1234", "A" * 64, "a" * 63, 7])
def test_anything_but_a_hash_is_nobody(claimed: object) -> None:
    at = page({"session": claimed})

    assert [info.value for info in at.info] == [session.NO_COOKIE]
    assert said(at) == ""


@pytest.mark.parametrize(
    ("address", "alone"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False), (None, False),
     ("192.168.1.7", False), ("localhost.example.com", False), ("unix:///run/workshot", False)],
)  # fmt: skip
def test_who_reaches_the_server_is_known_of_one_that_streamlit_started(
    monkeypatch: pytest.MonkeyPatch, address: str | None, alone: bool
) -> None:
    before = config.get_option("server.address")
    config.set_option("server.address", address)
    try:
        monkeypatch.setattr("sys.argv", ["streamlit_app.py"])
        assert session.here_alone() is alone
        monkeypatch.setattr("sys.argv", ["/usr/bin/uvicorn", "streamlit_app:app", "--host", "0.0.0.0"])
        assert not session.here_alone()
    finally:
        config.set_option("server.address", before)


def test_an_upload_is_taken_once_and_the_uploader_starts_afresh() -> None:
    at = page({"session": ME})
    first = at.file_uploader[1].key

    at.file_uploader[1].upload("Jane.png", b"x" * 70, "image/png").run()

    assert "took 70 bytes" in said(at)
    assert at.file_uploader[1].key != first
    assert at.run() and said(at).count("took") == 1


def test_an_uploader_that_was_cleared_takes_nothing() -> None:
    at = page({"session": ME})

    at.file_uploader[1].set_value(None).run()

    assert not at.exception
    assert "took" not in said(at)
