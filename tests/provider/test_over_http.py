"""
A run with the real client against a stand-in over HTTP: whatever goes wrong there, the run ends in the right state,
says why, gives the allowance back where it made nothing, is charged once, and leaves nothing behind that nobody knows.
"""

import io
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from core import copies, generations
from core.engines.apimart.offers import DEFAULT, offers
from core.generations import Agreement, Upload
from core.models import (
    AuditEntry,
    CopyKind,
    Generation,
    HandOverLink,
    HeadshotRow,
    Job,
    JobKind,
    ProviderCopy,
    ProviderTask,
    RunState,
    new_id,
)
from core.ports import HandOver
from core.provider import spending
from tests.conftest import ANN, CHOICES
from tests.peers.apimart import faults as f
from tests.peers.apimart import pictures
from tests.peers.apimart_engine import engine_at
from tests.provider.conftest import There

pytestmark = pytest.mark.by_turns("runs there are in test_runs on both; this is about what goes over the wire")

READY = ("ready", None, True)
NOTE = "A navy blazer, if that can be"


def failed(code):
    return "failed", code, False


def photo():
    image = Image.linear_gradient("L").resize((300, 400)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


PHOTO = photo()


@pytest.fixture
def over(svc, clock, api_mart, request):
    """A provider over HTTP. `keys`: its model is documented to honour them, and the stand-in does as documented."""
    api_mart.clock, api_mart.knobs.takes, api_mart.knobs.pixels = clock, 10, (320, 320)
    opened = []

    def made(*, keys=False, hand_over=HandOver.INLINE):
        api_mart.knobs.honours_keys = keys
        offer = replace(offers()[DEFAULT], honours_keys=keys)
        engine = engine_at(api_mart, offer=offer, hand_over=hand_over, submit_seconds=2.0, read_seconds=2.0)
        opened.append(engine)
        return There(replace(svc, providers={engine.name: engine}), clock, engine, press(svc))

    yield made
    for engine in opened:
        engine.close()


def press(own):
    def ask(*, svc=own, who=ANN, **choices):
        upload = Upload(kind=CopyKind.PORTRAIT, data=PHOTO, width=300, height=400, received_at=svc.clock())
        return generations.request(
            svc,
            who,
            request_id=new_id(),
            uploads=[upload],
            choices=replace(CHOICES, note=NOTE, **choices),
            agreement=Agreement(may_use_photo=True, is_adult=True),
        )

    return ask


@pytest.fixture
def ends_well(api_mart, caplog):
    """What must be true of every run that is over, however it ended."""
    caplog.set_level(logging.DEBUG)

    def check(there, run_id, how, *, charges=None):
        assert there.how(run_id) == how
        tasks = there.rows(ProviderTask)
        assert all(task.state.is_over and task.ended_at for task in tasks)
        assert not [job for job in there.rows(Job) if job.kind is JobKind.PROVIDER]
        assert all(link.closed_at for link in there.rows(HandOverLink))
        assert len(there.rows(HeadshotRow)) == sum(task.state == "kept" for task in tasks)
        for shot in there.rows(HeadshotRow):
            assert copies.read(there.svc, shot.copy_id)
        assert max(api_mart.charges_by_key().values(), default=1) == 1, "charged twice"
        if charges is not None:
            assert len(api_mart.charged) == charges
        no_secret_is_told(there, api_mart, caplog)

    return check


def no_secret_is_told(there, api, caplog):
    ours = [each.getMessage() for each in caplog.records if not each.name.startswith("uvicorn")]  # that is its own
    told = "\n".join([*ours, *(entry.facts for entry in there.rows(AuditEntry))])
    secrets = {api.key, NOTE, "navy blazer", api.url.removeprefix("http://"), api.result_url.removeprefix("http://")}
    secrets |= {task.id for task in api.tasks} | {url for task in api.tasks for url in task.urls}
    secrets |= {submission.prompt for submission in api.submissions} - {""}
    assert not [secret for secret in secrets if secret in told]


# ----------------------------------------------------------------------------------------------------- the whole way
@pytest.mark.parametrize("hand_over", [HandOver.INLINE, HandOver.UPLOAD])
def test_the_whole_way(over, api_mart, ends_well, hand_over):
    there = over(hand_over=hand_over)
    run_id = there.ask(variants=3)
    there.wait()

    ends_well(there, run_id, READY, charges=3)
    assert set(api_mart.charges_by_key()) == {f"{run_id}-{n}" for n in (1, 2, 3)}
    assert len(api_mart.uploads) == (1 if hand_over is HandOver.UPLOAD else 0)
    assert len(there.rows(ProviderCopy)) == 3 + len(api_mart.uploads)
    sent = api_mart.submissions[0].references[0].data
    assert sent != PHOTO and b"Exif" not in sent, "encoded anew"
    assert there.spent.charged == sum(spending.micro(charge.cost) for charge in api_mart.charged)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_comes_back_is_kept_as_it_is(over, api_mart, ends_well, kind):
    there = over()
    api_mart.ends(f.Outcome(format=kind, finish=pictures.signed))
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, READY)
    with there.svc.reading() as session:
        (copy,) = generations.view(session, ANN, run_id, there.clock()).headshots
    assert copy.media_type == f"image/{kind.lower()}" and (copy.width, copy.height) == (320, 320)
    (url,) = [url for task in api_mart.tasks for url in task.urls]
    assert copies.read(there.svc, copy.id) == there.provider.fetch(url).data, "signed, so not a byte of it is changed"


# ------------------------------------------------------------------------------------------------------------ sending
TAKEN = f.Fault.after_taking_it
SENDING = {  # at the first request: how it ends without keys, and with them; how often it is charged in each
    "busy, later": (f.busy(after="3"), READY, READY, 1, 1),
    "busy": (f.busy(), READY, READY, 1, 1),
    "busy, bare": (f.BUSY_BARE, READY, READY, 1, 1),
    "no channel": (f.NO_CHANNEL, READY, READY, 1, 1),
    "keys away": (f.KEYS_AWAY, READY, READY, 1, 1),
    "moderated": (f.MODERATED, failed("provider_refused"), failed("provider_refused"), 0, 0),
    "bad parameter": (f.BAD_PARAMETER, failed("provider_failed"), failed("provider_failed"), 0, 0),
    "422 as a stream": (f.EVENT_STREAM, failed("provider_failed"), failed("provider_failed"), 0, 0),
    "no money": (f.NO_MONEY, failed("provider_failed"), failed("provider_failed"), 0, 0),
    "not allowed": (f.NOT_ALLOWED, failed("provider_failed"), failed("provider_failed"), 0, 0),
    "500": (f.BROKEN, failed("unknown"), READY, 0, 1),
    "500, and taken": (TAKEN(f.BROKEN), failed("unknown"), READY, 1, 1),
    "502 as a page": (f.BAD_GATEWAY, failed("unknown"), READY, 0, 1),
    "503": (f.AWAY, failed("unknown"), READY, 0, 1),
    "a page, and taken": (TAKEN(f.WELL_BUT_HTML), failed("unknown"), READY, 1, 1),
    "nothing, and taken": (TAKEN(f.WELL_BUT_EMPTY), failed("unknown"), READY, 1, 1),
    "hung up": (f.DROPPED, failed("unknown"), READY, 0, 1),
    "hung up, and taken": (TAKEN(f.DROPPED), failed("unknown"), READY, 1, 1),
    "cut, and taken": (TAKEN(f.CUT), failed("unknown"), READY, 1, 1),
    "in progress": (f.IN_PROGRESS, failed("unknown"), READY, 0, 1),
    "key reused": (f.KEY_REUSED, failed("unknown"), failed("unknown"), 0, 0),
    "indeterminate": (f.INDETERMINATE, failed("unknown"), failed("unknown"), 0, 0),
}


@pytest.mark.parametrize("keys", [False, True], ids=["without keys", "with keys"])
@pytest.mark.parametrize("name", SENDING)
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_whatever_is_answered_to_a_request(over, api_mart, ends_well, name, keys):
    fault, without, with_keys, charges, charges_with = SENDING[name]
    there = over(keys=keys)
    api_mart.queue("submit", fault)
    run_id = there.ask()
    there.wait()
    there.clock.advance(minutes=1)

    ends_well(there, run_id, with_keys if keys else without, charges=charges_with if keys else charges)
    if not keys and without == failed("unknown"):
        assert len(api_mart.submissions) == 1, "never sent again"
        assert there.spent.doubtful == 1


def test_a_provider_that_is_not_there(over, api_mart, ends_well):
    """Nobody listens: nothing was sent, and it is given up in time."""
    there = over()
    there.provider._how["base_url"] = "http://127.0.0.1:9"
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, failed("provider_away"), charges=0)


# ------------------------------------------------------------------------------------------------------------ waiting
WAITING = {
    "busy": f.busy(after="2"),
    "500": f.BROKEN,
    "502 as a page": f.BAD_GATEWAY,
    "503": f.AWAY,
    "hung up": f.DROPPED,
    "a page": f.WELL_BUT_HTML,
    "nothing": f.WELL_BUT_EMPTY,
    "no money": f.NO_MONEY,
}


@pytest.mark.parametrize("name", WAITING)
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_whatever_is_answered_to_a_look_it_is_looked_at_again(over, api_mart, ends_well, name):
    there = over()
    api_mart.queue("task", WAITING[name], WAITING[name])
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, READY, charges=1)


ENDS = {
    "one": (f.WELL, READY, 1),
    "success": (f.SUCCESS, READY, 1),
    "slow": (f.SLOW, READY, 1),
    "two pictures": (f.TWO_IMAGES, READY, 2),
    "a bare address": (f.Outcome(bare_url=True), READY, 1),
    "two in one entry": (f.Outcome(images=2, one_entry=True), READY, 2),
    "says not when": (f.Outcome(says_when=False), READY, 1),
    "says not what it cost": (f.Outcome(says_cost=False), READY, 1),
    "no pictures": (f.NO_IMAGES, failed("provider_failed"), 0),
    "failed": (f.FAILED, failed("provider_failed"), 0),
    "failed by number": (f.FAILED_BY_NUMBER, failed("provider_failed"), 0),
    "failed by word": (f.FAILED_BY_WORD, failed("provider_failed"), 0),
    "failed without words": (f.FAILED_WITHOUT_WORDS, failed("provider_failed"), 0),
    "refused": (f.REFUSED, failed("provider_refused"), 0),
    "cancelled": (f.CANCELLED, failed("provider_failed"), 0),
    "never": (f.Outcome(takes=3600), failed("provider_slow"), 0),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_however_a_task_ends(over, api_mart, ends_well, name):
    outcome, how, results = ENDS[name]
    there = over()
    api_mart.ends(outcome)
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, how)
    assert len(there.rows(ProviderCopy)) == results
    assert bool(there.spent.possible) is (not outcome.says_cost)
    assert there.spent.charged == (0 if not outcome.says_cost else _charged(api_mart))


def _charged(api):
    return sum(spending.micro(charge.cost) for charge in api.charged)


# ----------------------------------------------------------------------------------------------------------- fetching
FETCHING = {
    "gone": (f.GONE, None),
    "a page": (f.NO_PICTURE, failed("result_refused")),
    "empty": (f.EMPTY, failed("result_refused")),
    "too large": (f.HUGE, failed("result_refused")),
    "endless": (f.ENDLESS, failed("result_refused")),
    "zipped": (f.zipped(), failed("result_refused")),
    "leads elsewhere": (f.redirect("http://127.0.0.1:1/"), failed("result_refused")),
    "cut": (f.CUT_PICTURE, None),
    "500": (f.BROKEN, None),
}


@pytest.mark.parametrize("name", FETCHING)
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_whatever_a_result_is(over, api_mart, ends_well, name):
    fault, how = FETCHING[name]
    there = over()
    api_mart.ends(f.Outcome(served=fault))
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, how or there.how(run_id), charges=1)
    assert there.how(run_id)[1] in ("result_refused", "provider_away")
    assert len(there.rows(ProviderCopy)) == 1, "it stays noted: somebody may see it after all"
    assert there.spent.charged == _charged(api_mart)


@pytest.mark.parametrize("name", ["cut", "500"])
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_a_result_that_comes_at_the_second_try_is_kept(over, api_mart, ends_well, name):
    there = over()
    api_mart.queue("file", FETCHING[name][0])
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, READY, charges=1)


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/x.png", "https://example.com/x.png", "file:///x.png"])
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_an_address_that_is_no_result_s_is_not_asked(over, api_mart, ends_well, url):
    there = over()
    api_mart.ends(f.Outcome(urls=(url,)))
    run_id = there.ask()
    there.wait()

    assert there.how(run_id)[1] in ("result_refused", "provider_failed")
    assert not there.headshots(run_id)


# ------------------------------------------------------------------------------------------------------------- uploads
@pytest.mark.parametrize(
    ("fault", "how", "uploads"),
    [
        (TAKEN(f.DROPPED), READY, 2),
        (f.busy(after="1"), READY, 1),
        (f.BAD_PARAMETER, failed("hand_over_failed"), 0),
    ],
)
@pytest.mark.sqlite_only("about what an answer means; how it is recorded is tested on both in test_runs.py")
def test_whatever_is_answered_to_an_upload(over, api_mart, ends_well, fault, how, uploads):
    there = over(hand_over=HandOver.UPLOAD)
    api_mart.queue("upload", fault)
    run_id = there.ask()
    there.wait()

    ends_well(there, run_id, how)
    assert len(api_mart.uploads) == uploads


# ----------------------------------------------------------------------------------------------------------- cancelled
def test_what_it_finishes_after_we_left_is_looked_after(over, api_mart, ends_well):
    """Nobody waits for it; it is made, charged and public all the same, and the ledger learns of it."""
    there = over()
    run_id = there.ask()
    there.steps()
    generations.cancel(there.svc, ANN, run_id)
    there.steps()
    ends_well(there, run_id, ("cancelled", None, False))
    assert not there.rows(ProviderCopy)

    for _ in range(4):
        there.clock.advance(minutes=1)
        there.worker.beat()
        there.steps((JobKind.RESIDUE,))
    assert len(there.rows(ProviderCopy)) == 1
    assert there.spent.charged == _charged(api_mart) > 0
    assert [run.state for run in there.rows(Generation)] == [RunState.CANCELLED]


def test_a_busy_hour(over, api_mart, ends_well):
    """Every third request fails in some way; what was charged is what is booked, or booked as possible."""
    there = over()
    there.set(queue_limit=100, runs_per_day=100)
    mishaps = [f.busy(after="2"), TAKEN(f.DROPPED), f.NO_CHANNEL, f.MODERATED]
    runs = []
    for number in range(12):
        api_mart.queue("submit", mishaps[number // 3] if number % 3 == 2 else None)
        runs.append(there.ask(who=f"{number:064x}"))
        there.steps()
        there.clock.advance(seconds=20)
    there.wait()
    there.clock.advance(minutes=1)

    states = [there.run(run).state for run in runs]
    assert states.count(RunState.READY) >= 9
    booked = there.spent
    assert booked.charged <= _charged(api_mart) <= booked.at_most + booked.doubtful * 10_000
    assert timedelta(0) <= there.clock() - there.run(runs[0]).created_at
