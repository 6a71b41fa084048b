"""The weekly summary: the numbers of the page in words, once a week however many workers there are."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from core import bootstrap, doctor, jobs
from core.adapters.smtp import SmtpPost
from core.errors import BadSettings
from core.models import JobKind, MailOut, UsageCount, UsageSent
from core.settings import load_settings
from core.usage import summary
from core.usage.metrics import Metric
from tests.conftest import on_all_threads
from tests.peers.smtp import mail_server
from tests.usage.made import quiet, write

MONDAY = datetime(2026, 3, 23, 7, 0, tzinfo=UTC)
SUNDAY = date(2026, 3, 22)
ANN, BOB = "ann@workshot.example", "bob@workshot.example"


@pytest.fixture
def svc(svc, clock):
    clock.now = MONDAY
    given = {
        "summary_to": f"{ANN}, {BOB}",
        "mail_from": "privacy@workshot.example",
        "public_url": "https://workshot.example",
    }
    return replace(svc, settings=svc.settings.model_copy(update=given))


def queued(svc):
    with svc.reading() as session:
        mails = session.exec(select(MailOut).order_by(MailOut.once)).all()
    return [(mail.once, read(svc.vault.open_text(mail, mail.sealed_mail))) for mail in mails]


def read(text):
    return email.message_from_string(text, policy=email.policy.SMTPUTF8)


def a_scripted_week(svc):
    """As ever, but APIMart has failed since Thursday, a promise was broken, and there were requests."""
    counts = quiet(SUNDAY, visits=150)
    for back in range(4):
        counts[SUNDAY - timedelta(days=back), Metric.RUN, "apimart", "no_person"] *= 4
    counts |= {(SUNDAY - timedelta(days=back), Metric.TICKET, "product", "erase"): 1 for back in range(20)}
    counts |= {(SUNDAY, Metric.TICKET, "mail", "erase"): 5, (SUNDAY, Metric.TICKET_END, "refused", "late"): 2}
    for promise in ("erased_by_the_clock", "encrypted"):
        counts[SUNDAY, Metric.PROMISE, promise, "kept"] = 6000
    counts[SUNDAY, Metric.PROMISE, "erased_by_the_clock", "broken"] = 3
    counts[SUNDAY, Metric.PROMISE, "erased_by_the_clock", "unknown"] = 1
    write(svc, counts)


TEXT = """\
Usage of March 2026, as of 23 March, 07:00 UTC, compared with February 2026.

Unusual
- Failures at APIMart four times the usual since Thursday.

Key figures
- Visits: 3,056 (3 % per day less than before)
- Headshots: 9,170 (3 % per day less than before)
- Runs that ended ready: 75.0 % (2 points less than before)
- Median time to a headshot: 7.5 s (as before)
- Cost of a headshot: $0.04 (as before)
- Requests done in time: –
- Promise checks kept: 99.9 % (nothing to compare with)

Requests
- Came in: 25
- Ended: –, of those late: –

Promises
- erased by the clock: 3 broken and 1 unknown, of 6,004 checks

Cost
- APIMart: $122.24 for 3,056 headshots, $0.04 each

A number from 1 to 4 is told as "<5", and one that would give such a number
away as "–", here as on the page. Who opted out is not counted at all.

All of it, with charts: https://workshot.example/ops_usage
"""


def test_the_summary_of_a_scripted_week_to_the_letter(svc):
    a_scripted_week(svc)
    summary.send_due(svc)

    (first, mail), (second, other) = queued(svc)
    assert (first, second) == ("summary:2026-03-23:1", "summary:2026-03-23:2")
    assert (mail["To"], other["To"]) == (ANN, BOB) and BOB not in str(mail)
    assert mail["Subject"] == other["Subject"] == "WorkShot: usage of March 2026, as of 23 March"
    assert mail.get_content_type() == "text/plain" and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == other.get_content().replace("\r\n", "\n") == TEXT


def test_on_the_first_of_a_month_it_is_of_the_whole_month_before(svc, clock):
    clock.now = datetime(2026, 6, 1, 6, tzinfo=UTC)
    write(svc, quiet(date(2026, 5, 31), days=100))
    words = summary.write(svc, date(2026, 6, 1), clock.now)
    assert words.subject == "WorkShot: usage of May 2026"
    assert words.text.startswith("Usage of May 2026, compared with April 2026.\n\nUnusual\n- Nothing.\n")
    assert "Promises\n- No checks." in words.text and "Ended: 31, of those late: 0" in words.text


def test_where_nothing_was_counted_it_says_so_without_a_number(svc):
    text = summary.write(svc, MONDAY.date(), MONDAY).text
    assert "- Visits: 0" in text and "Cost\n- Nothing was charged." in text and "- Cost of a headshot: –\n" in text


def test_made_up_numbers_are_called_so(svc):
    with svc.transaction() as session:
        session.add(UsageCount(demo=True, day=SUNDAY, metric=Metric.DOWNLOAD, a="all", b="", n=50))
    assert summary.DEMO in summary.write(svc, MONDAY.date(), MONDAY).text


def test_small_numbers_are_hidden_as_on_the_page(svc):
    with svc.transaction() as session:
        session.add(UsageCount(day=SUNDAY, metric=Metric.TICKET, a="mail", b="erase", n=3))
        session.add(UsageCount(day=SUNDAY, metric=Metric.STEP, a="visit", b="", n=4))
    text = summary.write(svc, MONDAY.date(), MONDAY).text
    assert "- Visits: <5" in text and "4" not in text.split("Key figures")[1].split("Cost")[0]


# ------------------------------------------------------------------------------------------------------------- once
def test_several_workers_at_once_want_it_once(svc):
    on_all_threads(lambda: summary.send_due(svc), times=6)
    assert [once for once, _ in queued(svc)] == ["summary:2026-03-23:1", "summary:2026-03-23:2"]
    with svc.reading() as session:
        assert [row.day for row in session.exec(select(UsageSent))] == [MONDAY.date()]


def test_what_did_not_commit_was_not_sent(svc, clock):
    bad = replace(svc, settings=svc.settings.model_copy(update={"summary_to": f"{ANN}, nobody"}))
    with pytest.raises(Exception, match="can't write"):
        summary.send_due(bad)
    assert queued(svc) == [] and summary.last_sent(svc) is None
    summary.send_due(svc)
    assert len(queued(svc)) == 2


@pytest.mark.parametrize(
    ("hours", "sent"),
    [(-24, 0), (-3, 0), (-2, 2), (0, 2), (64, 2), (65, 0), (90, 0)],  # from Monday, 07:00
)
def test_it_goes_out_on_mondays_and_is_made_up_for_until_wednesday(svc, clock, hours, sent):
    clock.advance(hours=hours)
    summary.send_due(svc)
    assert len(queued(svc)) == sent


def test_the_next_week_has_one_of_its_own(svc, clock):
    for _ in range(13 * 24):
        summary.send_due(svc)
        clock.advance(hours=1)
    assert [once for once, _ in queued(svc)] == [
        f"summary:2026-03-{day}:{number}" for day in (23, 30) for number in (1, 2)
    ]


def test_without_founders_nothing_is_written(svc):
    nobody = replace(svc, settings=svc.settings.model_copy(update={"summary_to": ""}))
    summary.send_due(nobody)
    assert queued(svc) == [] and summary.last_sent(svc) is None


def test_who_is_named_twice_gets_one(svc):
    twice = replace(svc, settings=svc.settings.model_copy(update={"summary_to": f"{ANN},{ANN} , {BOB}"}))
    summary.send_due(twice)
    assert len(queued(svc)) == 2


def test_it_arrives_through_a_mail_server(svc):
    summary.send_due(svc)
    with mail_server() as server:
        post = SmtpPost(host="127.0.0.1", port=server.port, security="none")
        worker = jobs.Worker(replace(svc, post=post))
        while worker.look([JobKind.MAIL_OUT]):
            pass
    assert sorted(mail.to[0] for mail in server.took) == [ANN, BOB]
    assert all(b"/ops_usage" in mail.data and mail.sender == "privacy@workshot.example" for mail in server.took)
    summary.send_due(svc)
    with svc.reading() as session:
        assert len(session.exec(select(MailOut)).all()) == 2


# -------------------------------------------------------------------------------------------------------- operators
@pytest.mark.parametrize("to", ["nobody", "ann@workshot.example; bob@workshot.example", "a@b, , @x", "a@b.example\nc"])
def test_an_address_that_is_none_stops_the_start_with_a_sentence(tmp_path, to):
    with pytest.raises(BadSettings) as caught:
        bootstrap.build(load_settings(data_dir=tmp_path, summary_to=to))
    assert "SUMMARY_TO: number" in str(caught.value) and "nobody" not in str(caught.value)


def summary_check(svc):
    return next(check for check in doctor.examine(svc) if check.name == "summary")


@pytest.mark.sqlite_only("what a doctor says is the same on both")
def test_a_doctor_warns_where_it_would_go_no_farther_than_the_outbox(svc):
    assert summary_check(svc).health is doctor.Health.WARNING and "SMTP_HOST" in summary_check(svc).says
    able = replace(svc, settings=svc.settings.model_copy(update={"smtp_host": "mail.workshot.example"}))
    assert summary_check(able).health is doctor.Health.FINE and "2 founders" in summary_check(able).says
    summary.send_due(able)
    assert "23 March" in summary_check(able).says
    off = replace(svc, settings=svc.settings.model_copy(update={"summary_to": ""}))
    assert summary_check(off).health is doctor.Health.FINE
