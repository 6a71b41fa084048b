"""People on duty are told by a real webhook and a real mail server, and no log learns their addresses."""

import logging
import subprocess
import sys

import pytest

from core.adapters.duty import Duty
from core.settings import ROOT
from tests.peers.process import free_port
from tests.peers.smtp import mail_server
from tests.peers.webhook import webhook

TITLE, TEXT = "WorkShot: 1 request overdue", "D-7Q4K2M9: overdue by 2 h\nThe desk: https://workshot.example"


@pytest.fixture
def hook():
    with webhook() as running:
        yield running


def test_a_webhook_is_told_in_plain_text_as_it_is(hook):
    assert Duty([hook.url]).tell(TITLE, TEXT)
    assert [(told["title"], told["message"]) for told in hook.got] == [(TITLE, TEXT)]


def test_a_mailbox_is_told(hook):
    with mail_server() as server:
        url = f"mailto://127.0.0.1:{server.port}?from=duty@workshot.example&to=on-call@workshot.example&mode=insecure"
        assert Duty([url]).tell(TITLE, TEXT)
    (taken,) = server.took
    assert taken.to == ["on-call@workshot.example"] and b"D-7Q4K2M9" in taken.data


def test_one_who_heard_it_is_enough_and_nobody_is_not(hook):
    nowhere = f"json://127.0.0.1:{free_port()}/"
    assert Duty([nowhere, hook.url]).tell(TITLE, TEXT)
    hook.answers = 500
    assert not Duty([nowhere, hook.url, "no-such-service://x"]).tell(TITLE, TEXT)
    assert not Duty([]).tell(TITLE, TEXT)


def test_addresses_are_checked_without_telling_anybody(hook):
    assert Duty([hook.url, "no-such-service://x", "words"]).check() == (1, 3)
    assert hook.got == []


def test_no_log_learns_an_address(hook, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    urls = [f"json://ann:a-password@127.0.0.1:{hook.port}/a-token", "no-such-service://a-password", "slack://a-token"]
    urls += [f"json://127.0.0.1:{free_port()}/a-token"]
    hook.answers = 403
    Duty(urls).tell(TITLE, TEXT)

    written = caplog.text + "".join(capfd.readouterr())
    assert "alert address 2 of 4 is not understood" in written
    assert "a-token" not in written and "a-password" not in written
    assert "a-token" not in repr(Duty(urls))


def test_the_library_is_loaded_when_there_is_something_to_tell():
    program = """
import sys
import core.bootstrap, core.alerts, core.doctor
from core.adapters.duty import Duty
Duty(["json://127.0.0.1/"])
print({"apprise", "smtplib", "requests"} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
