"""Every answer that has been documented, measured or can be imagined, and what it is taken to mean."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engines.apimart.answers import Answer, balance, instant, micro, retry_after, submission, task, upload
from core.errors import EngineError, EngineRefused, EngineUnavailable, InDoubt, NotTaken
from core.ports import ProviderResult, TaskState

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ONE, TWO = "https://getapib.org/f/image/1-out_0.png", "https://getapib.org/f/image/2-out_1.png"
TASK = "task_01EXAMPLE0000000000000000A"
HTML = b"<html><body>502 Bad Gateway</body></html>"


def said(status: int, body: object, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=raw)


def wrong(status: int, *, code: object = "", message: str = "no", **headers: str) -> Answer:
    return said(status, {"error": {"code": code, "message": message, "param": "", "type": "apimart_error"}}, **headers)


# --------------------------------------------------------------------------------------------------- submissions
TAKEN = {
    "default": said(200, {"code": 200, "data": [{"status": "submitted", "task_id": TASK}]}),
    "versioned": said(
        202,
        {
            "code": 202,
            "request_id": "req_example",
            "data": {
                "object": "generation.task",
                "id": TASK,
                "status": "queued",
                "poll_url": "https://evil.example/v1/tasks/x",
            },
        },
    ),
    "labelled as events": said(200, {"data": [{"task_id": TASK}]}, content_type="text/event-stream"),
    "with a byte order mark": said(200, b"\xef\xbb\xbf" + json.dumps({"data": [{"task_id": TASK}]}).encode()),
    "one object": said(200, {"data": {"task_id": TASK}}),
}


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN.keys())
def test_a_submission_is_taken_in_every_shape(answer):
    taken = submission(answer, now=NOW)
    assert (taken.task_id, taken.results, taken.replayed) == (TASK, (), False)


HERE_AT_ONCE = {
    "as OpenAI has it": said(200, {"created": 1, "data": [{"url": ONE}]}),
    "a finished task": said(
        200,
        {"data": {"object": "generation.result", "id": TASK, "result": {"images": [{"url": [ONE]}]}}},
    ),
    "a finished task without its wrapping": said(
        200, {"data": {"object": "generation.result", "id": TASK, "images": [ONE]}}
    ),
}


@pytest.mark.parametrize("answer", HERE_AT_ONCE.values(), ids=HERE_AT_ONCE.keys())
def test_a_result_can_be_here_at_once(answer):
    taken = submission(answer, now=NOW)
    assert (taken.task_id, [each.url for each in taken.results]) == (None, [ONE])


def test_a_finished_task_without_a_picture_is_asked_for_like_any_other():
    answer = said(200, {"data": {"object": "generation.result", "id": TASK}})
    assert submission(answer, now=NOW).task_id == TASK


def test_an_answer_from_memory_says_so_and_the_exchange_has_a_name():
    answer = said(
        200, {"data": [{"task_id": TASK}]}, idempotency_replayed="true", x_oneapi_request_id="20260101000000000"
    )
    taken = submission(answer, now=NOW)
    assert (taken.replayed, taken.request_ref) == (True, "20260101000000000")
    assert submission(TAKEN["versioned"], now=NOW).request_ref == "req_example"


def test_a_name_that_is_no_name_is_left_out():
    assert said(200, {}, x_oneapi_request_id="a b\nc").request_ref is None
    assert said(200, {"request_id": "x" * 81}).request_ref is None


NOT_TAKEN = {
    "too often": (wrong(429), "rate_limited", None),
    "too often, seconds": (wrong(429, retry_after="7"), "rate_limited", 7.0),
    "too often, bare form": (said(429, {"code": 429, "message": "slow down"}), "rate_limited", None),
    "too often, in HTML": (said(429, HTML), "rate_limited", None),
    "too often, a date": (wrong(429, retry_after="Sat, 21 Nov 2026 12:01:30 GMT"), "rate_limited", 90.0),
    "too early": (said(425, b""), "rate_limited", None),
    "nobody free": (wrong(400, code="get_channel_failed"), "no_channel", None),
    "nobody free, in words": (wrong(400, message="get_channel_failed: none"), "no_channel", None),
    "keys unavailable": (wrong(503, code="idempotency_unavailable", retry_after="2"), "keys_unavailable", 2.0),
}


@pytest.mark.parametrize(("answer", "code", "after"), NOT_TAKEN.values(), ids=NOT_TAKEN.keys())
def test_what_proves_that_nothing_was_done(answer, code, after):
    with pytest.raises(NotTaken) as raised:
        submission(answer, now=NOW)
    assert (raised.value.code, raised.value.after) == (code, after)


REFUSED = {
    "a bad parameter": (wrong(400, code=400, message="bad size"), "provider_failed"),
    "upload envelope": (
        said(400, {"error": {"message": "no file", "type": "invalid_request_error"}}),
        "provider_failed",
    ),
    "no key": (wrong(401, message="invalid API key (request id: 1)"), "provider_key"),
    "not with this key": (wrong(403), "provider_key"),
    "no money": (wrong(402), "provider_balance"),
    "no such door": (said(404, HTML), "provider_failed"),
    "too large": (said(413, b""), "provider_failed"),
    "422 labelled as events": (
        wrong(422, code="bad_response_status_code", content_type="text/event-stream"),
        "provider_failed",
    ),
    "a bad parameter as 500": (wrong(500, message="build_request_failed: invalid size"), "provider_failed"),
    "the same by its code": (wrong(500, code="build_request_failed", message="invalid size"), "provider_failed"),
    "moderation as 500": (
        wrong(500, message="build_request_failed: content moderation failed: violence"),
        "provider_refused",
    ),
    "moderation as 400": (wrong(400, message="Rejected by Content Policy"), "provider_refused"),
    "error as a plain text": (said(400, {"error": "flagged by moderation"}), "provider_refused"),
}


@pytest.mark.parametrize(("answer", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_for_good(answer, code):
    with pytest.raises(EngineRefused) as raised:
        submission(answer, now=NOW)
    assert raised.value.code == code


DOUBTFUL = {
    "500": wrong(500, message="internal error"),
    "500 that only mentions it": wrong(500, message="oops: build_request_failed"),
    "500 with moderation but no proof": wrong(500, message="content moderation failed"),
    "500 that has no channel": wrong(500, code="get_channel_failed"),
    "502 in HTML": said(502, HTML),
    "503": wrong(503, retry_after="3"),
    "503 that has no channel": wrong(503, code="get_channel_failed"),
    "504": said(504, b""),
    "520 of somebody in between": said(520, HTML),
    "500 with a code about keys": wrong(500, code="idempotency_unavailable"),
    "408, which gateways say of what is behind them": said(408, b""),
    "409 about something else": wrong(409, code="conflict"),
    "a redirect": said(307, b"", location="https://elsewhere.example/"),
    "200 in HTML": said(200, HTML),
    "200 with nothing": said(200, b""),
    "200 with no task": said(200, {"code": 200, "data": []}),
    "200 with an error": said(200, {"code": 429, "message": "slow down"}),
    "200 and a refusal": wrong(200, message="build_request_failed: no"),
    "200 with an id that leads elsewhere": said(200, {"data": [{"task_id": "../balance?x="}]}),
    "200 with an id that is a number": said(200, {"data": [{"task_id": 7}]}),
    "200 cut short": said(200, b'{"code":200,"data":[{"task_id":"task_1'),
    "200 nested beyond reason": said(200, b"[" * 100_000),
    "200 with no number": said(200, b'{"data": NaN}'),
    "204": said(204, b""),
}


@pytest.mark.parametrize("answer", DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_all_else_is_doubt(answer):
    with pytest.raises(InDoubt) as raised:
        submission(answer, now=NOW)
    assert raised.value.code == "in_doubt"


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("idempotency_in_progress", "in_progress"),
        ("idempotency_key_reused", "key_reused"),
        ("idempotency_result_indeterminate", "indeterminate"),
        ("idempotency_of_another_kind", "in_doubt"),
    ],
)
def test_what_is_said_about_a_key_leaves_the_earlier_submission_in_doubt(code, ours):
    with pytest.raises(InDoubt) as raised:
        submission(wrong(409, code=code, retry_after="1"), now=NOW)
    assert raised.value.code == ours


def test_the_words_of_a_refusal_can_be_chosen():
    answer = wrong(400, message="Das Bild wurde ABGELEHNT")
    with pytest.raises(EngineRefused) as raised:
        submission(answer, now=NOW, moderation=["abgelehnt"])
    assert raised.value.code == "provider_refused"


@pytest.mark.parametrize(
    "answer", [each[0] for each in (*NOT_TAKEN.values(), *REFUSED.values())] + [*DOUBTFUL.values()]
)
def test_no_error_quotes_what_was_said(answer):
    with pytest.raises(EngineError) as raised:
        submission(answer, now=NOW)
    assert "request id" not in str(raised.value) and "size" not in str(raised.value)
    assert str(raised.value).endswith(".")


# --------------------------------------------------------------------------------------------------------- tasks
def told(**data: object) -> Answer:
    return said(200, {"code": 200, "data": {"id": TASK, **data}})


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *(
            (word, TaskState.WAITING)
            for word in ("pending", "processing", "submitted", "queued", "in_progress", "new!")
        ),
        *((word, TaskState.WAITING) for word in ("", None, 7, "Processing")),
        *((word, TaskState.DONE) for word in ("completed", "success", "succeeded", " COMPLETED ")),
        *((word, TaskState.FAILED) for word in ("failed", "error", "failure")),
        *((word, TaskState.CANCELLED) for word in ("cancelled", "canceled")),
    ],
)
def test_all_words_for_how_a_task_is(word, state):
    assert task(told(status=word, result={"images": [{"url": [ONE]}]}), now=NOW).state is state


EXPIRES = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EPOCH = int(EXPIRES.timestamp())
PICTURES = {
    "a list in an entry": ({"images": [{"url": [ONE], "expires_at": EPOCH}]}, [(ONE, EXPIRES)]),
    "a bare string": ({"images": [{"url": ONE, "expires_at": EPOCH}]}, [(ONE, EXPIRES)]),
    "two in one entry": ({"images": [{"url": [ONE, TWO], "expires_at": EPOCH}]}, [(ONE, EXPIRES), (TWO, EXPIRES)]),
    "two entries": (
        {"images": [{"url": [ONE], "expires_at": EPOCH}, {"url": TWO}]},
        [(ONE, EXPIRES), (TWO, None)],
    ),
    "addresses alone": ({"images": [ONE, TWO]}, [(ONE, None), (TWO, None)]),
    "said twice": ({"images": [{"url": [ONE, ONE]}, ONE]}, [(ONE, None)]),
    "no list at all": ({"images": {"url": ONE}, "expires_at": EPOCH}, [(ONE, EXPIRES)]),
    "milliseconds": ({"images": [{"url": ONE, "expires_at": EPOCH * 1000}]}, [(ONE, EXPIRES)]),
    "in words": ({"images": [{"url": ONE, "expires_at": "2026-11-22T12:00:00Z"}]}, [(ONE, EXPIRES)]),
    "in a thousand years": ({"images": [{"url": ONE, "expires_at": 33_000_000_000}]}, [(ONE, None)]),
    "a date that is none": ({"images": [{"url": ONE, "expires_at": "soon"}]}, [(ONE, None)]),
    "more beside it": (
        {"images": [{"url": [ONE], "sizes": ["1x1"], "layers": [TWO], "output_formats": ["png"]}]},
        [(ONE, None)],
    ),
}


@pytest.mark.parametrize(("result", "expected"), PICTURES.values(), ids=PICTURES.keys())
def test_pictures_are_found_in_every_shape(result, expected):
    report = task(told(status="completed", result=result), now=NOW)
    assert [(each.url, each.expires_at) for each in report.results] == expected


@pytest.mark.parametrize("result", [None, {}, {"images": []}, {"images": [{"url": []}]}, {"images": ["ftp://x/y"]}])
def test_done_without_a_picture_has_failed(result):
    report = task(told(status="completed", result=result, cost=0.0125), now=NOW)
    assert (report.state, report.failure, report.cost) == (TaskState.FAILED, "provider_failed", 12_500)


def test_what_we_handed_over_is_no_result():
    report = task(told(status="completed", image_urls=[ONE], input={"images": [ONE]}, result={"images": []}), now=NOW)
    assert report.results == ()


def test_results_are_not_without_end():
    many = [f"https://getapib.org/{number}" for number in range(1000)]
    assert len(task(told(status="completed", result={"images": many}), now=NOW).results) == 16


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "task_failed", "message": "upstream broke", "type": "task_failed", "param": ""}, "provider_failed"),
        ({"code": 500, "message": "upstream broke"}, "provider_failed"),
        ({"code": "", "message": "Blocked by our safety system"}, "provider_refused"),
        ({"code": "content_policy_violation", "message": ""}, "provider_refused"),
        ("rejected: public figure", "provider_refused"),
        ("it broke", "provider_failed"),
        (17, "provider_failed"),
        (None, "provider_failed"),
        ([{"message": "x"}], "provider_failed"),
    ],
)
def test_a_failed_task_says_why_in_any_way(error, code):
    report = task(told(status="failed", cost=0, error=error), now=NOW)
    assert (report.state, report.failure, report.cost) == (TaskState.FAILED, code, 0)


def test_a_task_without_its_wrapping_is_a_task():
    assert task(said(200, {"id": TASK, "status": "pending"}), now=NOW).state is TaskState.WAITING
    assert task(said(200, {"data": [{"id": TASK, "status": "pending"}]}), now=NOW).state is TaskState.WAITING


@pytest.mark.parametrize(
    ("data", "micros"),
    [
        (b'"cost": 0.0114', 11_400),
        (b'"cost": 0.1', 100_000),
        (b'"cost": 1.1e-2', 11_000),
        (b'"cost": 0.00000049', 0),
        (b'"cost": 0.0000005', 1),
        (b'"cost": 3', 3_000_000),
        (b'"cost": "0.029"', 29_000),
        (b'"cost": 0, "credits_cost": 0.114', 0),
        (b'"credits_cost": 0.114', 11_400),
        (b'"cost": null, "credits_cost": 0.114', 11_400),
        (b'"cost": -1', None),
        (b'"cost": 1e400', None),
        (b'"cost": 1e999999999', None),
        (b'"cost": true', None),
        (b'"cost": "Infinity"', None),
        (b'"cost": "a lot"', None),
        (b'"cost": [1]', None),
        (b'"nothing": 1', None),
    ],
)
def test_costs_are_exact_millionths(data, micros):
    body = b'{"data": {"status": "failed", ' + data + b"}}"
    assert task(said(200, body), now=NOW).cost == micros


NO_TASK = {
    "unknown": (wrong(400), "task_unknown"),
    "not found": (wrong(404), "task_unknown"),
    "key": (wrong(401), "provider_key"),
    "money": (wrong(402), "provider_balance"),
    "broken": (wrong(500), "engine_unavailable"),
    "moderation at the wrong door": (wrong(500, message="build_request_failed: moderation"), "engine_unavailable"),
    "gateway": (said(502, HTML), "engine_unavailable"),
    "no JSON": (said(200, HTML), "engine_unavailable"),
    "an error that calls itself 200": (wrong(200), "engine_unavailable"),
    "nothing": (said(200, {"code": 200, "data": None}), "engine_unavailable"),
    "a list": (said(200, []), "engine_unavailable"),
}


@pytest.mark.parametrize(("answer", "code"), NO_TASK.values(), ids=NO_TASK.keys())
def test_no_answer_says_nothing_about_the_task(answer, code):
    with pytest.raises(EngineUnavailable) as raised:
        task(answer, now=NOW)
    assert raised.value.code == code


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "unreachable")])
def test_asked_too_often_says_when_to_ask_again(status, code):
    with pytest.raises(NotTaken) as raised:
        task(wrong(status, retry_after="4"), now=NOW)
    assert (raised.value.code, raised.value.after) == (code, 4.0)


# --------------------------------------------------------------------------------------------- uploads, balance
def test_an_upload_is_flat_or_wrapped():
    flat = {"url": ONE, "filename": "ref.jpg", "content_type": "image/jpeg", "bytes": 3, "created_at": 1}
    assert upload(said(200, flat), now=NOW) == upload(said(200, {"data": flat}), now=NOW) == ProviderResult(url=ONE)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(200, {}), InDoubt),
        (said(200, {"url": "javascript:x"}), InDoubt),
        (said(500, {"error": {"message": "x", "type": "server_error"}}), InDoubt),
        (said(413, {"error": {"message": "x", "type": "invalid_request_error"}}), EngineRefused),
        (wrong(429), NotTaken),
    ],
)
def test_an_upload_that_failed(answer, kind):
    with pytest.raises(kind):
        upload(answer, now=NOW)


def left(**body: object) -> Answer:
    return said(200, {"success": True, "remain_credits": 98.7, "unlimited_quota": False, **body})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (left(remain_balance=9.87), 9_870_000),
        (left(remain_balance=0), 0),
        (left(remain_balance=-0.02), 0),
        (left(remain_balance=-1, unlimited_quota=True), None),
    ],
)
def test_a_balance(answer, expected):
    assert balance(answer, now=NOW) == expected


@pytest.mark.parametrize(
    "answer",
    [
        said(200, {"success": False, "message": "no"}),
        wrong(200),
        wrong(401),
        wrong(429, retry_after="9"),
        said(200, HTML),
        left(remain_balance="much"),
        left(),
        said(200, {"remain_balance": 9.87}),
    ],
)
def test_no_balance_is_not_an_empty_one(answer):
    with pytest.raises(EngineUnavailable):
        balance(answer, now=NOW)


# ---------------------------------------------------------------------------------------------------- small parts
@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("0", 0.0),
        ("1.5", 1.5),
        ("120", 120.0),
        ("999999999", 86_400.0),
        ("Sat, 21 Nov 2026 12:00:10 GMT", 10.0),
        ("Sat, 21 Nov 2026 11:59:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 14:00:10 +0200", 10.0),
        ("Sat, 21 Nov 2099 12:00:10 GMT", 86_400.0),
        ("-5", None),
        ("nan", None),
        ("1e9", None),
        ("soon", None),
        ("", None),
    ],
)
def test_when_to_come_back(told, seconds):
    assert retry_after({"retry-after": told}, NOW) == seconds


@pytest.mark.parametrize("told", [True, None, [], 12, "12", 10**30, "9" * 15, -5, "2026-13-01", float("nan")])
def test_no_instant(told):
    assert instant(told) is None


def test_instants_are_aware():
    assert instant("2026-11-22T13:00:00+01:00") == instant("2026-11-22T12:00:00") == instant(str(EPOCH)) == EXPIRES


def test_no_float_is_an_amount():
    assert micro(0.1) is None


FIELDS = ["data", "error", "code", "message", "status", "result", "images", "url", "task_id", "id", "cost", "success"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(ONE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
headers = st.dictionaries(
    st.sampled_from(["retry-after", "x-oneapi-request-id", "idempotency-replayed"]), st.text(max_size=30)
)


@given(st.sampled_from([200, 202, 400, 401, 409, 422, 429, 500, 503]), anything | st.binary(max_size=40), headers)
def test_whatever_is_said_only_our_errors_come_of_it(status, body, headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status=status, headers=headers, body=raw)
    for read in (submission, task, upload, balance):
        try:
            read(answer, now=NOW)
        except EngineError:
            continue


def test_nothing_of_an_answer_is_in_its_repr():
    answer = said(200, {"url": ONE}, set_cookie="secret")
    assert "secret" not in repr(answer) and "getapib" not in repr(answer)
    assert ONE not in repr(task(told(status="completed", result={"images": [ONE]}), now=NOW))
