"""The stand-in does what its switches say: else tests of the client would prove nothing."""

import base64
import io
import json
import math
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import httpx
import pytest
from PIL import Image

from core.engines.apimart.offers import Offer, offers
from tests import hostile
from tests.fakes import FrozenClock, jpeg
from tests.peers.apimart import ApiMart, faults, pictures
from tests.peers.apimart.faults import Fault, Outcome
from tests.peers.apimart.models import MODELS, checked

NANO = "gemini-3.1-flash-image-preview"
TOKENS = "gpt-image-2.5-flare"
DAY = 86_400

Post = Callable[..., httpx.Response]


@pytest.fixture
def http(api_mart: ApiMart) -> Iterator[httpx.Client]:
    """With the key. Without certificates, which take longer to load than a test."""
    key = {"Authorization": f"Bearer {api_mart.key}"}
    with httpx.Client(base_url=api_mart.url, headers=key, timeout=20, verify=False) as client:
        yield client


@pytest.fixture(scope="module")
def anyone() -> Iterator[httpx.Client]:
    """Somebody without a key."""
    with httpx.Client(timeout=20, verify=False) as client:
        yield client


@pytest.fixture
def post(http: httpx.Client) -> Post:
    """Submits a body that is in order but for what is given; `key` is the idempotency key."""

    def submit(*, key: str | None = None, version: str | None = None, **body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key, "X-APIMart-Response-Version": version}
        given = {"model": NANO, "prompt": "a headshot", "image_urls": [inline()], "size": "3:4", "n": 1} | body
        told = {name: value for name, value in headers.items() if value is not None}
        return http.post("/v1/images/generations", json=given, headers=told)

    return submit


@pytest.fixture
def task(http: httpx.Client) -> Callable[[httpx.Response], Any]:
    def look(taken: httpx.Response) -> Any:
        return http.get(f"/v1/tasks/{taken.json()['data'][0]['task_id']}").json()["data"]

    return look


def inline(data: bytes | None = None) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data or jpeg()).decode()


def upload(http: httpx.Client, data: bytes, name: str = "ref.jpg") -> httpx.Response:
    return http.post("/v1/uploads/images", files={"file": (name, data)})


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


# ------------------------------------------------------------------------------------------------------------ the key
@pytest.mark.parametrize("path", ["/v1/balance", "/v1/models", "/v1/tasks/task_1"])
def test_without_the_key_there_is_nothing_but_the_envelope_that_was_measured(
    anyone: httpx.Client, api_mart: ApiMart, path: str
) -> None:
    answer = anyone.get(api_mart.url + path, headers={"Authorization": "Bearer sk-another"})
    error = answer.json()["error"]
    assert answer.status_code == 401
    assert (error["code"], error["param"], error["type"]) == ("", "", "apimart_error")
    assert f"(request id: {answer.headers['X-Oneapi-Request-Id']})" in error["message"]


# ------------------------------------------------------------------------------------------------------------ uploads
def test_an_upload_lies_in_public_under_its_name_until_its_time(
    anyone: httpx.Client, http: httpx.Client, api_mart: ApiMart
) -> None:
    data = pictures.picture(b"", (64, 80), "PNG")
    told = upload(http, data, "me.jpg").json()
    assert set(told) == {"url", "filename", "content_type", "bytes", "created_at"}
    assert (told["content_type"], told["bytes"]) == ("image/png", len(data))
    assert told["url"].startswith(api_mart.result_url) and told["url"].endswith("-me.jpg")

    shown = anyone.get(told["url"])
    assert shown.content == data and "access-control-allow-origin" not in shown.headers
    api_mart.advance(3 * DAY - 60)
    assert anyone.head(told["url"]).status_code == 200
    api_mart.advance(61)
    gone = anyone.get(told["url"])
    assert (gone.status_code, gone.headers["content-type"]) == (403, "application/xml")
    assert [hit.status for hit in api_mart.reads] == [200, 200, 403]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"files": {"file": ("a.jpg", b"no picture")}}, 400),
        ({"files": {"picture": ("a.jpg", jpeg())}}, 400),
        ({"json": {"file": "a"}}, 400),
        ({"files": {"file": ("a.jpg", jpeg() + bytes(20 << 20))}}, 413),
    ],
)
def test_what_is_no_upload_is_told_so_without_a_code(http: httpx.Client, how: Any, status: int) -> None:
    answer = http.post("/v1/uploads/images", **how)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type"}


# -------------------------------------------------------------------------------------------------------- submissions
@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"model": "dall-e-2"}, 400),
        ({"prompt": ""}, 400),
        ({"n": "1"}, 400),
        ({"n": True}, 400),
        ({"n": 2}, 500),
        ({"size": "7:9"}, 500),
        ({"resolution": "1k"}, 500),
        ({"model": "gpt-image-2", "resolution": "1K"}, 500),
        ({"model": "gemini-2.5-flash-image-preview", "prompt": "a" * 1001}, 500),
        ({"image_urls": [inline()] * 15}, 500),
        ({"image_urls": [{"url": inline()}]}, 400),
        ({"image_urls": ["data:image/jpeg;base64,?"]}, 400),
        ({"image_urls": ["data:image/jpeg;base64,AAAA"]}, 500),
        ({"image_urls": ["ref.jpg"]}, 400),
        ({"image_urls": ["http://127.0.0.1:1/nobody.jpg"]}, 400),
        ({"model": TOKENS}, 400),
        ({"key": "has a space"}, 400),
    ],
)
def test_a_body_that_is_wrong_is_refused_and_costs_nothing(
    post: Post, api_mart: ApiMart, wrong: Any, status: int
) -> None:
    answer = post(**wrong)
    assert answer.status_code == status
    assert answer.json()["error"]["message"].startswith("build_request_failed: ") == (status == 500)
    assert [each.answered for each in api_mart.submissions] == [status]
    assert not api_mart.tasks and not api_mart.charged


@pytest.mark.parametrize("offer", offers().values(), ids=lambda offer: offer.id)
def test_everything_that_we_offer_is_accepted(post: Post, api_mart: ApiMart, offer: Offer) -> None:
    """The stand-in's table and ours were made by two people from the same pages."""
    given = {**offer.fields, "model": offer.id, "prompt": "a" * offer.prompt_limit}
    for ratio, size in product(offer.ratios, offer.sizes):
        order = checked({**given, "size": ratio, "resolution": size}, MODELS)
        assert order.model.prices[size] * 1_000_000 <= offer.prices[size]
    picture = inline() if offer.takes_inline else f"{api_mart.elsewhere}/ref.png"
    assert post(**given, image_urls=[picture] * offer.references).status_code == 200
    assert offer.reference_bytes <= order.model.reference_bytes
    assert offer.result_hours >= order.model.hours


def test_the_answer_comes_in_all_its_shapes(
    anyone: httpx.Client, post: Post, api_mart: ApiMart, http: httpx.Client
) -> None:
    plain = post()
    assert (plain.status_code, plain.json()["data"][0]["status"]) == (200, "submitted")
    for newer in (post(version="2026-07-27"), post(model="gpt-image-2.5-ext")):
        assert (newer.status_code, newer.headers["x-apimart-response-version"]) == (202, "2026-07-27")
        assert newer.json()["data"]["object"] == "generation.task"
        assert newer.json()["data"]["poll_url"] == f"{api_mart.url}/v1/tasks/{newer.json()['data']['id']}"
    api_mart.knobs.shape = "openai"
    assert anyone.get(post().json()["data"][0]["url"]).status_code == 200
    api_mart.knobs.shape = "result"
    assert post().json()["data"]["result"]["images"]


def test_pictures_are_really_fetched_and_noted_as_they_came(post: Post, api_mart: ApiMart, http: httpx.Client) -> None:
    laden = hostile.encoded(Image.new("RGB", (64, 80)), "JPEG", exif=hostile.exif(1))
    address = upload(http, laden).json()["url"]
    assert post(image_urls=[address, api_mart.elsewhere + "/theirs.png", inline()]).status_code == 200
    first, second, third = api_mart.submissions[0].references
    assert (first.how, second.how, third.how) == ("upload", "link", "inline")
    assert first.data == laden and third.data == jpeg()
    assert [fetch.url for fetch in api_mart.fetched] == [address, f"{api_mart.elsewhere}/theirs.png"]
    assert {fetch.status for fetch in api_mart.fetched} == {200}
    assert len(api_mart.strays) == 1


@pytest.mark.parametrize("status", [400, 500])
def test_a_link_that_works_once_is_enough_unless_it_is_read_twice(
    post: Post, api_mart: ApiMart, http: httpx.Client, status: int
) -> None:
    api_mart.knobs.unreachable = status
    address = upload(http, jpeg()).json()["url"]
    api_mart.queue("file", None, faults.GONE, None)
    assert post(image_urls=[address]).status_code == 200
    assert post(image_urls=[address]).status_code == status
    api_mart.queue("file", faults.GONE)
    api_mart.knobs.fetches = 2
    assert post(image_urls=[address]).status_code == status
    assert [fetch.status for fetch in api_mart.fetched] == [200, 403, 200, 403]


# --------------------------------------------------------------------------------------------------- idempotency keys
def test_the_same_key_leads_to_the_same_task_for_a_day(post: Post, api_mart: ApiMart) -> None:
    first, again = post(key="run-1"), post(key="run-1")
    assert again.json() == first.json()
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert post(key="run-1", prompt="other").json()["error"]["code"] == "idempotency_key_reused"
    assert post(key="run-1", version="2026-07-27").status_code == 409
    assert api_mart.charges_by_key() == {"run-1": 1}
    api_mart.advance(DAY)
    assert post(key="run-1").json() != first.json()
    assert api_mart.charges_by_key() == {"run-1": 2}


def test_keys_that_are_not_honoured_cost_twice(post: Post, api_mart: ApiMart) -> None:
    api_mart.knobs.honours_keys = False
    assert post(key="run-1").json() != post(key="run-1").json()
    assert api_mart.charges_by_key() == {"run-1": 2}
    assert api_mart.charges_by_prompt() == {"a headshot": 2}


def test_a_key_is_in_progress_while_its_picture_is_being_fetched(
    post: Post, api_mart: ApiMart, http: httpx.Client
) -> None:
    address = upload(http, jpeg()).json()["url"]
    gate = api_mart.hold("file")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(post, key="run-1", image_urls=[address])
        assert gate.reached.wait(10)
        second = post(key="run-1", image_urls=[address])
        gate.let_go()
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert second.json()["error"]["code"] == "idempotency_in_progress"
    assert first.result().status_code == 200


def test_a_refusal_leaves_its_key_unused(post: Post, api_mart: ApiMart) -> None:
    assert post(key="run-1", size="7:9").status_code == 500
    assert post(key="run-1").status_code == 200


# -------------------------------------------------------------------------------------------------------------- tasks
def test_a_task_goes_by_the_clock(post: Post, task: Any, api_mart: ApiMart, clock: FrozenClock) -> None:
    api_mart.clock, api_mart.knobs.takes = clock, 10
    taken = post()
    begun = int(clock().timestamp())
    assert task(taken) | {"id": ""} == {
        "id": "",
        "status": "pending",
        "progress": 0,
        "created": begun,
        "estimated_time": 60,
    }
    clock.advance(seconds=5)
    assert task(taken)["status"] == "processing"
    assert not api_mart.charged
    api_mart.advance(5)
    done = task(taken)
    assert (done["status"], done["completed"], done["actual_time"]) == ("completed", begun + 10, 10)
    assert (done["cost"], done["credits_cost"]) == (0.015, 0.15)
    assert "usage" not in done
    assert done["result"]["images"][0]["expires_at"] == begun + 10 + DAY
    assert [poll.word for poll in api_mart.polls] == ["pending", "processing", "completed"]


@pytest.mark.parametrize(
    ("size", "kind", "pixels"),
    [("9:16", "PNG", (768, 1376)), ("1:1", "JPEG", (1024, 1024)), ("auto", "WEBP", (928, 1152))],
)
def test_the_result_is_made_of_the_portrait(
    anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart, size: str, kind: str, pixels: tuple[int, int]
) -> None:
    api_mart.knobs.format = kind
    address = task(post(size=size, image_urls=[inline(jpeg(400, 500, "orange"))]))["result"]["images"][0]["url"][0]
    shown = anyone.get(address)
    with opened(shown.content) as image:
        assert (image.format, image.size, shown.headers["content-type"]) == (kind, pixels, f"image/{kind.lower()}")
        middle = image.convert("RGB").getpixel((pixels[0] // 2, pixels[1] // 2))
        frame = image.convert("RGB").getpixel((2, 2))
    assert math.dist(middle, (255, 165, 0)) < 10 and math.dist(frame, pictures.FRAME) < 40
    part = anyone.get(address, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, shown.content[:4])


def test_models_by_tokens_say_what_they_used(anyone: httpx.Client, post: Post, task: Any, http: httpx.Client) -> None:
    done = task(post(model=TOKENS, image_urls=[upload(http, jpeg()).json()["url"]], output_format="webp"))
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]
    assert 0 < done["cost"] < 0.1
    assert anyone.get(done["result"]["images"][0]["url"][0]).headers["content-type"] == "image/webp"


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (faults.FAILED, "failed"),
        (faults.FAILED_BY_NUMBER, "failed"),
        (faults.FAILED_BY_WORD, "failed"),
        (faults.FAILED_WITHOUT_WORDS, "failed"),
        (faults.REFUSED, "failed"),
        (faults.CANCELLED, "cancelled"),
        (Outcome(word="error", error=""), "error"),
    ],
)
def test_a_task_that_fails_is_a_200_and_costs_nothing(
    post: Post, http: httpx.Client, api_mart: ApiMart, outcome: Outcome, word: str
) -> None:
    api_mart.ends(outcome)
    answer = http.get(f"/v1/tasks/{post().json()['data'][0]['task_id']}")
    data = answer.json()["data"]
    assert (answer.status_code, data["status"], data["cost"]) == (200, word, 0)
    assert data.get("error") == outcome.error and "result" not in data
    assert not api_mart.charged and api_mart.balance == 10


def test_a_task_ends_as_it_was_told_to(post: Post, task: Any, api_mart: ApiMart) -> None:
    away = ("http://127.0.0.1/", "http://169.254.169.254/latest", api_mart.elsewhere)
    api_mart.ends(
        faults.TWO_IMAGES,
        faults.NO_IMAGES,
        Outcome(word="success", bare_url=True, says_when=False, says_cost=False),
        Outcome(images=2, one_entry=True, lives=60),
        Outcome(urls=away, cost=0.5),
    )
    two, none, bare, one_entry, elsewhere = (task(post()) for _ in range(5))
    assert len(two["result"]["images"]) == 2 and two["cost"] == 0.015
    assert none["result"]["images"] == [] and none["cost"] == 0
    assert bare["status"] == "success" and "cost" not in bare
    assert list(bare["result"]["images"][0]) == ["url"] and isinstance(bare["result"]["images"][0]["url"], str)
    assert len(one_entry["result"]["images"][0]["url"]) == 2
    assert one_entry["result"]["images"][0]["expires_at"] == one_entry["completed"] + 60
    assert tuple(image["url"][0] for image in elsewhere["result"]["images"]) == away and elsewhere["cost"] == 0.5


def test_an_unknown_task_is_an_error(http: httpx.Client, post: Post, api_mart: ApiMart) -> None:
    known = post().json()["data"][0]["task_id"]
    api_mart.forget_tasks()
    for task_id in ("task_none", known):
        answer = http.get(f"/v1/tasks/{task_id}")
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


def test_results_can_outlive_their_time_or_go_before_it(
    anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart
) -> None:
    address = task(post())["result"]["images"][0]["url"][0]
    assert api_mart.public == [address]
    api_mart.knobs.outlives = -3600
    api_mart.advance(DAY - 3500)
    assert anyone.get(address).status_code == 403
    api_mart.knobs.outlives = math.inf
    api_mart.advance(30 * DAY)
    assert anyone.get(address).status_code == 200
    api_mart.knobs.outlives = 0
    assert api_mart.public == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_signed_result_is_still_a_picture(
    anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart, kind: str
) -> None:
    api_mart.ends(Outcome(format=kind, finish=pictures.signed))
    data = anyone.get(task(post())["result"]["images"][0]["url"][0]).content
    with opened(data) as image:
        image.load()
        assert image.format == kind
    assert b"c2pa" in data


def test_flat_pictures_fail_where_that_is_switched_on(
    post: Post, task: Any, http: httpx.Client, api_mart: ApiMart
) -> None:
    api_mart.knobs.refuses_flat = True
    flat, photo = jpeg(), pictures.picture(b"", (64, 80), "JPEG")
    assert upload(http, flat).json()["error"]["code"] == "invalid_request_error"
    assert upload(http, photo).status_code == 200
    assert task(post(image_urls=[inline(flat)]))["status"] == "failed"
    assert task(post(image_urls=[inline(photo)]))["status"] == "completed"


# -------------------------------------------------------------------------------------------------------------- money
def test_the_balance_goes_down_with_what_was_made(post: Post, http: httpx.Client, api_mart: ApiMart) -> None:
    api_mart.knobs.takes = 10
    post()
    assert http.get("/v1/balance").json() == {
        "success": True,
        "remain_balance": 10,
        "remain_credits": 100,
        "used_balance": 0,
        "used_credits": 0,
        "unlimited_quota": False,
    }
    api_mart.advance(10)
    assert http.get("/user/balance").json()["remain_balance"] == 9.985  # nobody had to look at the task
    api_mart.knobs.unlimited = True
    assert http.get("/v1/balance").json()["remain_credits"] == -1
    api_mart.knobs.success = False
    answer = http.get("/v1/balance")
    assert (answer.status_code, answer.json()["success"]) == (200, False)


def test_without_money_nothing_is_taken(post: Post, http: httpx.Client, api_mart: ApiMart) -> None:
    api_mart.balance = 0
    assert {post().status_code, http.get("/v1/models").status_code} == {402}
    assert not api_mart.tasks


# ------------------------------------------------------------------------------------------------------------- faults
@pytest.mark.parametrize(
    ("fault", "status", "media_type", "said"),
    [
        (faults.busy(), 429, "application/json", "rate_limit_error"),
        (faults.busy(after="7"), 429, "application/json", "rate_limit_error"),
        (faults.BUSY_BARE, 429, "application/json", '{"code": 429'),
        (faults.BROKEN, 500, "application/json", "server_error"),
        (faults.MODERATED, 500, "application/json", '"build_request_failed: content moderation failed'),
        (faults.BAD_GATEWAY, 502, "text/html; charset=utf-8", "<!DOCTYPE"),
        (faults.AWAY, 503, "application/json", "service_unavailable"),
        (faults.NO_CHANNEL, 400, "application/json", "get_channel_failed"),
        (faults.EVENT_STREAM, 422, "text/event-stream; charset=utf-8", "bad_response_status_code"),
        (faults.WELL_BUT_HTML, 200, "text/html; charset=utf-8", "<!DOCTYPE"),
        (faults.WELL_BUT_EMPTY, 200, "application/json", '"data": []'),
        (faults.INDETERMINATE, 409, "application/json", "idempotency_result_indeterminate"),
        (faults.KEYS_AWAY, 503, "application/json", "idempotency_unavailable"),
    ],
)
@pytest.mark.parametrize("taken", [False, True])
def test_a_queued_fault_happens_once(
    post: Post, api_mart: ApiMart, fault: Fault, status: int, media_type: str, said: str, taken: bool
) -> None:
    api_mart.queue("submit", fault.after_taking_it() if taken else fault)
    answer = post()
    assert (answer.status_code, answer.headers["content-type"]) == (status, media_type)
    assert said in answer.text and "{ref}" not in answer.text
    assert answer.headers.get("retry-after") == fault.headers.get("Retry-After")
    if "json" in media_type or "event" in media_type:
        json.loads(answer.content)
    assert len(api_mart.charged) == taken
    assert (api_mart.submissions[0].task_id is not None) == taken
    assert post().status_code == 200


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("fault", [faults.DROPPED, faults.CUT])
def test_a_connection_drops_before_or_after_the_task_was_made(
    post: Post, api_mart: ApiMart, fault: Fault, taken: bool
) -> None:
    api_mart.queue("submit", fault.after_taking_it() if taken else fault)
    with pytest.raises(httpx.HTTPError):
        post(key="run-1")
    assert len(api_mart.charged) == taken
    again = post(key="run-1")
    assert again.headers.get("idempotency-replayed") == ("true" if taken else None)
    assert api_mart.charges_by_key() == {"run-1": 1}


def test_a_fault_for_good_stays_until_it_is_lifted(post: Post, http: httpx.Client, api_mart: ApiMart) -> None:
    api_mart.always("submit", faults.AWAY)
    api_mart.queue("submit", None)
    assert [post().status_code for _ in range(3)] == [200, 503, 503]
    assert http.get("/v1/balance").status_code == 200
    api_mart.always("submit", None)
    assert post().status_code == 200


def test_every_door_has_its_faults(anyone: httpx.Client, post: Post, http: httpx.Client, api_mart: ApiMart) -> None:
    for door in ("upload", "task", "balance", "file"):
        api_mart.queue(door, faults.AWAY)
    address = f"/v1/tasks/{post().json()['data'][0]['task_id']}"
    asks = [
        lambda: upload(http, jpeg()),
        lambda: http.get(address),
        lambda: http.get("/v1/balance"),
        lambda: anyone.get(api_mart.public[0]),
    ]
    assert [ask().status_code for ask in asks] == [503] * 4
    assert [ask().status_code for ask in asks] == [200] * 4


def test_a_request_is_held_until_it_is_let_go(post: Post, api_mart: ApiMart) -> None:
    for fault, made in [(faults.NO_FAULT, 0), (faults.NO_FAULT.after_taking_it(), 2)]:
        gate = api_mart.hold("submit", fault)
        with ThreadPoolExecutor(1) as threads:
            held = threads.submit(post)
            assert gate.reached.wait(10)
            assert len(api_mart.tasks) == made
            gate.let_go()
        assert held.result().status_code == 200


def test_a_slow_answer_comes_late(http: httpx.Client, post: Post, api_mart: ApiMart) -> None:
    api_mart.queue("submit", Fault(stalls=0.3))
    assert post().elapsed.total_seconds() >= 0.3
    api_mart.queue("submit", Fault(stalls=5))
    with pytest.raises(httpx.ReadTimeout):
        http.post("/v1/images/generations", timeout=0.1)


# -------------------------------------------------------------------------------------------------- faults of results
@pytest.mark.parametrize(
    ("fault", "status", "media_type"),
    [
        (faults.GONE, 403, "application/xml"),
        (faults.NO_PICTURE, 200, "image/png"),
        (faults.EMPTY, 200, "image/png"),
        (faults.serving(b"GIF89a", "image/gif"), 200, "image/gif"),
    ],
)
def test_a_result_is_not_what_it_seems(
    anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart, fault: Fault, status: int, media_type: str
) -> None:
    api_mart.ends(Outcome(served=fault))
    shown = anyone.get(task(post())["result"]["images"][0]["url"][0])
    assert (shown.status_code, shown.headers["content-type"], shown.content) == (status, media_type, fault.body)


def test_a_result_leads_elsewhere(anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart) -> None:
    api_mart.ends(Outcome(served=faults.redirect(api_mart.elsewhere + "/a.png")))
    address = task(post())["result"]["images"][0]["url"][0]
    assert anyone.get(address).status_code == 302 and not api_mart.strays
    assert anyone.get(address, follow_redirects=True).status_code == 200
    assert [re.sub(r"\d+", "", hit.url) for hit in api_mart.strays] == ["http://localhost:/a.png"]


@pytest.mark.parametrize("fault", [faults.ENDLESS, faults.HUGE, faults.DRIPPING])
def test_a_result_has_no_end(anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart, fault: Fault) -> None:
    api_mart.ends(Outcome(served=fault))
    enough, got = (200 if fault.pause else 10 << 20), 0
    with anyone.stream("GET", task(post())["result"]["images"][0]["url"][0]) as answer:
        for piece in answer.iter_raw():
            got += len(piece)
            if got > enough:
                break
    assert got > enough
    assert answer.headers.get("content-length") == (str(fault.claims) if fault.claims else None)


def test_a_result_breaks_off_or_unpacks_to_more_than_it_was(
    anyone: httpx.Client, post: Post, task: Any, api_mart: ApiMart
) -> None:
    api_mart.ends(Outcome(served=faults.CUT_PICTURE), Outcome(served=faults.zipped(1 << 20)))
    cut, zipped = (task(post())["result"]["images"][0]["url"][0] for _ in range(2))
    with pytest.raises(httpx.RemoteProtocolError):
        anyone.get(cut)
    large = anyone.get(zipped)
    assert int(large.headers["content-length"]) < 10_000 < 1 << 20 < len(large.content)


# ----------------------------------------------------------------------------------------------------------- together
def test_a_hundred_at_once(post: Post, task: Any, api_mart: ApiMart) -> None:
    api_mart.knobs.pixels = (64, 64)
    with ThreadPoolExecutor(20) as threads:
        done = list(threads.map(lambda number: task(post(key=f"run-{number}")), range(100)))
    assert {each["status"] for each in done} == {"completed"}
    assert api_mart.charges_by_key() == {f"run-{number}": 1 for number in range(100)}
    assert round(api_mart.balance, 6) == 10 - 1.5


def test_a_reset_forgets_everything_and_lets_go_of_everyone(post: Post, api_mart: ApiMart) -> None:
    gate = api_mart.hold("submit")
    api_mart.always("submit", faults.AWAY)
    api_mart.advance(DAY)
    with ThreadPoolExecutor(1) as threads:
        held = threads.submit(post)
        assert gate.reached.wait(10)
        api_mart.reset()
    assert held.result().status_code == 200
    assert not api_mart.tasks and not api_mart.submissions and not api_mart.charged
    assert post().status_code == 200
