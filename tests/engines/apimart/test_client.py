"""The engine over real HTTP: what is sent and to whom, what comes of every fault, and what no log says."""

import base64
import io
import json
import logging
import socket
import ssl
import threading
from datetime import timedelta

import pytest
from PIL import Image, ImageCms

from core.engines.apimart.engine import ApiMart as Engine
from core.engines.apimart.offers import offers
from core.errors import EngineError, EngineRefused, EngineUnavailable, InDoubt, NotTaken
from core.ports import Commission, Fetched, HandOver, Presence, TaskState
from tests.conftest import on_all_threads
from tests.engines.portraits import astronaut_pixels
from tests.fakes import jpeg
from tests.peers.apimart import faults
from tests.peers.apimart_engine import engine_at
from tests.peers.certificate import make_certificate

KEY = "run-7-1"
NOTE = "a calm expression please"
FRAME = {"ratio": "4:5", "long_side": 900, "style": "studio", "purpose": "business_profile", "variant": 1}


def inline(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def commissioned(engine: Engine, **changes: object) -> Commission:
    told = {
        **FRAME,
        "backdrop": "grey",
        "note": NOTE,
        "portrait": inline(jpeg()),
        "clothing": None,
        "backdrop_image": None,
    }
    return engine.commission(**{**told, **changes})


# ------------------------------------------------------------------------------------------------ the whole way
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_headshot_from_commission_to_picture(api_mart, engine, kind):
    api_mart.knobs.format = kind
    taken = engine.submit(commissioned(engine), key=KEY)
    report = engine.task(taken.task_id)
    (result,) = report.results
    fetched = engine.fetch(result.url)

    assert report.state is TaskState.DONE
    assert report.cost == 15_000
    assert result.expires_at - api_mart.now == pytest.approx(timedelta(hours=24), abs=timedelta(seconds=5))
    assert fetched.media_type == f"image/{kind.lower()}"
    assert Image.open(io.BytesIO(fetched.data)).size == (fetched.width, fetched.height)
    assert api_mart.charges_by_key() == {KEY: 1}
    assert engine.probe(result.url) is Presence.PRESENT
    api_mart.advance(25 * 3600)
    assert engine.probe(result.url) is Presence.ABSENT
    with pytest.raises(EngineUnavailable):
        engine.fetch(result.url)


@pytest.mark.parametrize("shape", ["default", "versioned", "result", "openai"])
def test_every_shape_of_a_submission_leads_to_a_picture(api_mart, engine, shape):
    api_mart.knobs.shape = shape
    taken = engine.submit(commissioned(engine), key=KEY)
    results = taken.results or engine.task(taken.task_id).results
    assert isinstance(engine.fetch(results[0].url), Fetched)


def test_the_very_same_again_is_answered_from_memory(api_mart, engine):
    commission = commissioned(engine)
    first, again = engine.submit(commission, key=KEY), engine.submit(commission, key=KEY)
    assert (first.replayed, again.replayed, again.task_id) == (False, True, first.task_id)
    engine.task(first.task_id)
    assert api_mart.charges_by_key() == {KEY: 1}


def test_other_words_with_the_same_key_are_doubt(api_mart, engine):
    engine.submit(commissioned(engine), key=KEY)
    with pytest.raises(InDoubt) as raised:
        engine.submit(commissioned(engine, note="something else"), key=KEY)
    assert raised.value.code == "key_reused"


def test_a_task_waits_until_it_is_done(api_mart, engine):
    api_mart.knobs.takes = 10
    taken = engine.submit(commissioned(engine), key=KEY)
    assert engine.task(taken.task_id).state is TaskState.WAITING
    api_mart.advance(11)
    assert engine.task(taken.task_id).state is TaskState.DONE


@pytest.mark.parametrize(
    ("outcome", "state", "failure", "pictures"),
    [
        (faults.TWO_IMAGES, TaskState.DONE, None, 2),
        (faults.SUCCESS, TaskState.DONE, None, 1),
        (faults.Outcome(bare_url=True, says_when=False), TaskState.DONE, None, 1),
        (faults.NO_IMAGES, TaskState.FAILED, "provider_failed", 0),
        (faults.FAILED, TaskState.FAILED, "provider_failed", 0),
        (faults.FAILED_BY_NUMBER, TaskState.FAILED, "provider_failed", 0),
        (faults.FAILED_BY_WORD, TaskState.FAILED, "provider_failed", 0),
        (faults.FAILED_WITHOUT_WORDS, TaskState.FAILED, "provider_failed", 0),
        (faults.REFUSED, TaskState.FAILED, "provider_refused", 0),
        (faults.CANCELLED, TaskState.CANCELLED, "provider_failed", 0),
    ],
)
def test_how_tasks_end(api_mart, engine, outcome, state, failure, pictures):
    api_mart.ends(outcome)
    report = engine.task(engine.submit(commissioned(engine), key=KEY).task_id)
    assert (report.state, report.failure, len(report.results)) == (state, failure, pictures)


def test_an_upload_is_public_under_a_name_that_says_nothing(api_mart, engine):
    picture = engine.for_sending(jpeg())
    left = engine.upload(picture)
    assert api_mart.uploads[0].data == picture
    assert api_mart.uploads[0].filename == "ref.jpg"
    assert engine.probe(left.url) is Presence.PRESENT
    api_mart.advance(engine.upload_kept_for.total_seconds() + 1)
    assert engine.probe(left.url) is Presence.ABSENT


def test_a_balance(api_mart, engine):
    assert engine.balance() == 10_000_000
    api_mart.knobs.unlimited = True
    assert engine.balance() is None
    api_mart.knobs.success = False
    with pytest.raises(EngineUnavailable):
        engine.balance()


# ------------------------------------------------------------------------------------------------------- faults
NOTHING_DONE = [
    (faults.busy(after="3"), NotTaken, "rate_limited"),
    (faults.BUSY_BARE, NotTaken, "rate_limited"),
    (faults.NO_CHANNEL, NotTaken, "no_channel"),
    (faults.KEYS_AWAY, NotTaken, "keys_unavailable"),
    (faults.MODERATED, EngineRefused, "provider_refused"),
    (faults.BAD_PARAMETER, EngineRefused, "provider_failed"),
    (faults.EVENT_STREAM, EngineRefused, "provider_failed"),
    (faults.NO_MONEY, EngineRefused, "provider_balance"),
    (faults.NOT_ALLOWED, EngineRefused, "provider_key"),
]
IN_DOUBT = [
    (faults.BROKEN, "in_doubt"),
    (faults.BAD_GATEWAY, "in_doubt"),
    (faults.AWAY, "in_doubt"),
    (faults.WELL_BUT_HTML, "in_doubt"),
    (faults.WELL_BUT_EMPTY, "in_doubt"),
    (faults.DROPPED, "in_doubt"),
    (faults.CUT, "in_doubt"),
    (faults.ENDLESS, "in_doubt"),
    (faults.IN_PROGRESS, "in_progress"),
    (faults.INDETERMINATE, "indeterminate"),
]


@pytest.mark.parametrize(("fault", "kind", "code"), NOTHING_DONE)
def test_where_nothing_was_done_it_is_said_and_asked_once(api_mart, engine, fault, kind, code):
    api_mart.queue("submit", fault)
    with pytest.raises(kind) as raised:
        engine.submit(commissioned(engine), key=KEY)
    assert raised.value.code == code
    assert (len(api_mart.submissions), api_mart.tasks) == (1, [])


@pytest.mark.parametrize(("fault", "code"), IN_DOUBT)
@pytest.mark.parametrize("taken", [False, True], ids=["not taken", "taken"])
def test_where_it_may_have_been_taken_that_is_said_and_it_is_asked_once(api_mart, engine, fault, code, taken):
    api_mart.queue("submit", fault.after_taking_it() if taken else fault)
    with pytest.raises(InDoubt) as raised:
        engine.submit(commissioned(engine), key=KEY)
    assert raised.value.code == code
    assert (len(api_mart.submissions), len(api_mart.tasks)) == (1, int(taken))


@pytest.mark.parametrize("fault", [faults.Fault(stalls=0.6), faults.DRIPPING])
def test_an_answer_that_is_too_late_is_doubt(api_mart, fault):
    api_mart.queue("submit", fault)
    engine = engine_at(api_mart, submit_seconds=0.2)
    with pytest.raises(InDoubt):
        engine.submit(commissioned(engine), key=KEY)
    engine.close()


def test_where_nobody_listens_nothing_was_done(api_mart):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        engine = engine_at(api_mart, base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        for deed in (lambda: engine.submit(commissioned(engine), key=KEY), lambda: engine.upload(jpeg())):
            with pytest.raises(NotTaken) as raised:
                deed()
            assert raised.value.code == "unreachable"
        with pytest.raises(EngineUnavailable):
            engine.task("task_1")
        with pytest.raises(EngineUnavailable):
            engine.balance()
    engine.close()


def test_a_server_with_a_foreign_certificate_gets_neither_key_nor_picture(api_mart, tmp_path):
    key_file, certificate = make_certificate(tmp_path)
    said = []
    with tls_server(key_file, certificate, said) as port:
        engine = engine_at(api_mart, base_url=f"https://127.0.0.1:{port}")
        with pytest.raises(NotTaken):
            engine.submit(commissioned(engine), key=KEY)
        engine.close()
    assert said == [b""]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.busy(after="2"), NotTaken),
        (faults.BROKEN, EngineUnavailable),
        (faults.BAD_GATEWAY, EngineUnavailable),
        (faults.DROPPED, EngineUnavailable),
        (faults.CUT, EngineUnavailable),
        (faults.WELL_BUT_HTML, EngineUnavailable),
        (faults.NO_MONEY, EngineUnavailable),
    ],
)
def test_a_look_that_fails_can_be_had_again(api_mart, engine, fault, kind):
    task_id = engine.submit(commissioned(engine), key=KEY).task_id
    api_mart.queue("task", fault)
    with pytest.raises(kind):
        engine.task(task_id)
    assert engine.task(task_id).state is TaskState.DONE


def test_an_answer_larger_than_any_is_not_read_to_its_end(api_mart, engine):
    well = json.dumps({"data": {"id": "task_1", "status": "pending"}}).encode()
    api_mart.queue("task", faults.serving(well + b" " * 1_000_000), faults.serving(well + b" " * (33 << 20)))
    assert engine.task("task_1").state is TaskState.WAITING
    with pytest.raises(EngineUnavailable):
        engine.task("task_1")


def test_a_task_that_is_forgotten_there(api_mart, engine):
    task_id = engine.submit(commissioned(engine), key=KEY).task_id
    api_mart.forget_tasks()
    with pytest.raises(EngineUnavailable) as raised:
        engine.task(task_id)
    assert raised.value.code == "task_unknown"


@pytest.mark.parametrize("fault", [faults.DROPPED, faults.BROKEN, faults.BAD_GATEWAY])
def test_an_upload_that_may_have_left_a_copy_is_doubt_and_not_repeated(api_mart, engine, fault):
    api_mart.queue("upload", fault.after_taking_it())
    with pytest.raises(InDoubt):
        engine.upload(jpeg())
    assert len(api_mart.uploads) == 1


# ---------------------------------------------------------------------------------------- who gets to know what
def test_our_key_goes_nowhere_else(api_mart, engine):
    api_mart.queue("submit", faults.redirect(api_mart.elsewhere, 307))
    with pytest.raises(InDoubt):
        engine.submit(commissioned(engine), key=KEY)
    leads_away = {"id": "task_1", "status": "queued", "poll_url": f"{api_mart.elsewhere}/v1/tasks/task_1"}
    api_mart.queue("submit", faults.error(202, {"code": 202, "data": leads_away}))
    with pytest.raises(EngineUnavailable):
        engine.task(engine.submit(commissioned(engine), key=KEY).task_id)
    assert api_mart.strays == []


def test_the_host_of_pictures_learns_nothing_about_us(api_mart, engine):
    (result,) = engine.task(engine.submit(commissioned(engine), key=KEY).task_id).results
    engine.fetch(result.url)
    engine.probe(result.url)
    assert len(api_mart.reads) == 2
    for read in api_mart.reads:
        assert set(read.headers) <= {"host", "accept", "accept-encoding", "user-agent", "range"}
        assert read.headers["user-agent"] == "WorkShot"


def test_the_environment_does_not_decide_where_a_face_goes(api_mart, engine, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, api_mart.elsewhere)
        monkeypatch.setenv(name.lower(), api_mart.elsewhere)
    (result,) = engine.task(engine.submit(commissioned(engine), key=KEY).task_id).results
    engine.fetch(result.url)
    assert api_mart.strays == []


def test_no_log_says_an_address_a_key_or_a_word(api_mart, engine, caplog):
    """Also where somebody has switched everything on to find out more."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("tests").debug("this is seen")

    commission = commissioned(engine)
    task_id = engine.submit(commission, key=KEY).task_id
    (result,) = engine.task(task_id).results
    engine.fetch(result.url)
    engine.probe(result.url)
    left = engine.upload(jpeg())
    api_mart.queue("submit", faults.MODERATED, faults.DROPPED, faults.BAD_GATEWAY)
    api_mart.queue("file", faults.GONE, faults.redirect(api_mart.elsewhere), faults.NO_PICTURE, faults.DROPPED)
    shown = [attempt(lambda: engine.submit(commission, key=KEY)) for _ in range(3)]
    shown += [attempt(lambda: engine.fetch(result.url)) for _ in range(4)]

    assert "this is seen" in caplog.messages
    ours = [each for each in caplog.records if not each.name.startswith("uvicorn")]  # those are the stand-in's own
    seen = "\n".join([logging.Formatter().format(each) for each in ours] + shown)
    prompt = json.loads(commission.body)["prompt"]
    for secret in (
        api_mart.key,
        task_id,
        result.url,
        left.url,
        KEY,
        NOTE,
        prompt[:30],
        "127.0.0.1",
        "/f/image",
        "http:",
    ):
        assert secret not in seen


def attempt(deed) -> str:
    """What somebody who logs an error would show of it."""
    with pytest.raises(EngineError) as raised:
        deed()
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return f"{raised.value} {raised.value!r} {raised.value.args}"


def test_all_threads_share_one_client(api_mart):
    engine = engine_at(api_mart)
    clients = on_all_threads(lambda: engine._client, times=8)
    assert len(set(map(id, clients))) == 1
    assert on_all_threads(engine.balance, times=8) == [10_000_000] * 8
    engine.close()


# ------------------------------------------------------------------------------------------------- what is sent
def test_a_commission_is_the_same_bytes_each_time_and_says_what_was_chosen(engine):
    commission = commissioned(engine)
    assert commission.body == commissioned(engine).body
    said = json.loads(commission.body)
    assert list(said) == sorted(said)
    assert (said["model"], said["n"], said["size"], said["resolution"]) == (engine.model, 1, "4:5", "1K")
    assert type(said["n"]) is int
    assert NOTE in said["prompt"]
    assert NOTE not in repr(commission)


def test_pictures_go_in_the_order_that_the_words_count_them_in(engine):
    urls = [f"https://workshot.example/h/{name}" for name in ("portrait", "clothing", "backdrop")]
    commission = commissioned(engine, portrait=urls[0], clothing=urls[1], backdrop="own", backdrop_image=urls[2])
    said = json.loads(commission.body)
    assert said["image_urls"] == urls
    assert "second picture" in said["prompt"] and "third picture" in said["prompt"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"style": "unheard of"}, "unknown_choice"),
        ({"note": "make me look like Angela Merkel, as a celebrity"}, "note_refused"),
    ],
)
def test_what_is_not_commissioned(engine, changes, code):
    with pytest.raises(EngineRefused) as raised:
        commissioned(engine, **changes)
    assert raised.value.code == code


def test_a_model_is_not_sent_what_it_does_not_take(api_mart):
    by_address = next(offer for offer in offers().values() if not offer.takes_inline)
    engine = engine_at(api_mart, model=by_address.id, hand_over=HandOver.UPLOAD)
    with pytest.raises(EngineRefused) as raised:
        commissioned(engine)
    assert raised.value.code == "hand_over_failed"
    too_many = ["https://workshot.example/h/1"] * (by_address.references + 1)
    with pytest.raises(EngineRefused) as raised:
        engine._check_pictures(too_many)
    assert raised.value.code == "too_many_pictures"


def test_a_picture_for_sending_is_small_upright_and_says_nothing():
    engine = Engine(offer=offers()["gpt-image-2"], key="sk-x")
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (3000, 1800), "teal").save(out, "JPEG", exif=exif, icc_profile=profile, comment=b"a name")
    sent = engine.for_sending(out.getvalue())

    assert sent == engine.for_sending(out.getvalue())
    with Image.open(io.BytesIO(sent)) as image:
        assert image.format == "JPEG"
        assert image.size == (1229, 2048)
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Exif" not in sent and b"ICC_PROFILE" not in sent and b"a name" not in sent


def test_a_small_picture_is_not_made_larger_and_a_heavy_one_is_made_lighter():
    from core.engines.apimart.pictures import for_sending

    with Image.open(io.BytesIO(for_sending(jpeg(400, 500), 10_000_000))) as image:
        assert image.size == (400, 500)
    out = io.BytesIO()
    Image.fromarray(astronaut_pixels()[::4, ::4]).save(out, "PNG", compress_level=1)
    well = for_sending(out.getvalue(), 10_000_000)
    assert len(for_sending(out.getvalue(), len(well) - 1)) < len(well)
    with pytest.raises(EngineRefused):
        for_sending(out.getvalue(), 1000)
    with pytest.raises(EngineRefused):
        for_sending(b"no picture", 10_000_000)


# ---------------------------------------------------------------------------------------------------- a server
class tls_server:  # noqa: N801
    """Takes one connection and keeps what it says once the line is encrypted."""

    def __init__(self, key_file, certificate, said) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key_file)
        self._said = said

    def __enter__(self) -> int:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self._socket.getsockname()[1]

    def __exit__(self, *_) -> None:
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        line, _ = self._socket.accept()
        try:
            with self._context.wrap_socket(line, server_side=True) as encrypted:
                self._said.append(encrypted.recv(4096))
        except OSError:
            self._said.append(b"")
