"""What it can be told to do wrong, and how its tasks can end."""

import gzip
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JSON, HTML, EVENTS, XML = "application/json", "text/html; charset=utf-8", "text/event-stream", "application/xml"
PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"
PNG_START = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Where a request waits until the test lets it go, so that something can happen in between."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def let_go(self) -> None:
        self.opened.set()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    One request answered otherwise. Without a `status` it is answered well after all, only later.

    In an answer's body `{ref}` becomes the request id. `takes_it` does what was asked first: the task is made, and will
    be charged.
    """

    status: int | None = None
    body: bytes = b""
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    takes_it: bool = False
    stalls: float = 0  # real seconds before it answers
    gate: Gate | None = None
    drops: bool = False  # hangs up instead of answering
    cut: bool = False  # hangs up in the middle of the answer
    endless: bool = False  # never stops sending
    pause: float = 0  # real seconds between two pieces of an endless answer
    claims: int | None = None  # what Content-Length says instead of the truth

    def after_taking_it(self) -> "Fault":
        return replace(self, takes_it=True)

    @property
    def answers_otherwise(self) -> bool:
        return self.status is not None or self.drops


def error(status: int, body: Any, *, media_type: str = JSON, **headers: str) -> Fault:
    """An answer in JSON. Underscores in the names of headers become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=status, body=json.dumps(body).encode(), media_type=media_type, headers=named)


def documented(status: int, kind: str, message: str, **headers: str) -> Fault:
    """The envelope of the documentation, which not all answers come in."""
    return error(status, {"error": {"code": status, "message": message, "type": kind}}, **headers)


def measured(status: int, code: str, message: str, *, media_type: str = JSON, **headers: str) -> Fault:
    told = {"code": code, "message": f"{message} (request id: {{ref}})", "type": "apimart_error"}
    return error(status, {"error": told}, media_type=media_type, **headers)


def busy(*, after: str | None = None) -> Fault:
    """429, saying when to come back or not."""
    told = {"Retry_After": after} if after else {}
    return documented(429, "rate_limit_error", "Rate limit reached, please slow down", **told)


NO_FAULT = Fault()
BUSY_BARE = error(429, {"code": 429, "message": "too many requests"})
BROKEN = documented(500, "server_error", "internal server error")
MODERATED = measured(
    500, "build_request_failed", "build_request_failed: content moderation failed: the prompt was rejected"
)
BAD_PARAMETER = measured(500, "build_request_failed", "build_request_failed: invalid size")
BAD_GATEWAY = Fault(status=502, body=PAGE, media_type=HTML)
AWAY = documented(503, "service_unavailable", "upstream is not available")
NO_CHANNEL = measured(400, "get_channel_failed", "no available channel for this model")
EVENT_STREAM = measured(422, "bad_response_status_code", "bad response status code 422", media_type=EVENTS)
NO_MONEY = documented(402, "payment_required", "insufficient balance")
NOT_ALLOWED = documented(403, "permission_error", "this key may not use this model")
WELL_BUT_HTML = Fault(status=200, body=PAGE, media_type=HTML)
WELL_BUT_EMPTY = error(200, {"code": 200, "data": []})
DROPPED = Fault(drops=True)
CUT = Fault(status=200, body=b'{"code":200,"data":[{"sta', cut=True, claims=400)

IN_PROGRESS = measured(409, "idempotency_in_progress", "a request with this key is being processed", Retry_After="1")
KEY_REUSED = measured(409, "idempotency_key_reused", "this key was used with another body")
INDETERMINATE = measured(409, "idempotency_result_indeterminate", "the result of this request is not known")
KEYS_AWAY = measured(503, "idempotency_unavailable", "nothing was executed")

NO_BALANCE = error(200, {"success": False, "message": "failed to read the balance"})

# What a result can be instead of a picture.
GONE = Fault(
    status=403,
    body=b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    media_type=XML,
)
NO_PICTURE = Fault(status=200, body=PAGE, media_type="image/png")
EMPTY = Fault(status=200, media_type="image/png")
ENDLESS = Fault(status=200, body=PNG_START, media_type="image/png", endless=True)
DRIPPING = replace(ENDLESS, pause=0.05)  # each piece comes soon enough, and the last one never
HUGE = replace(ENDLESS, claims=10 << 30)
CUT_PICTURE = Fault(status=200, body=PNG_START + bytes(100), media_type="image/png", cut=True, claims=5000)


def redirect(to: str, status: int = 302) -> Fault:
    return Fault(status=status, headers={"Location": to}, media_type=HTML)


def zipped(size: int = 64 << 20) -> Fault:
    """Small on the line, large once unpacked."""
    packed = gzip.compress(PNG_START + bytes(size), 1)
    return Fault(status=200, body=packed, media_type="image/png", headers={"Content-Encoding": "gzip"})


def serving(data: bytes, media_type: str = "image/png") -> Fault:
    """These bytes, labelled so."""
    return Fault(status=200, body=data, media_type=media_type)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task ends. As it is: one picture of the portrait, in the format that the model makes."""

    word: str = ""  # by which it says that it is over; "": `completed`, or `failed` where there is an error
    error: Any = None  # whatever JSON; with one (even an empty string) the task has failed
    takes: float | None = None  # seconds, instead of the knobs'
    images: int | None = None  # how many come back, whatever `n` said
    bare_url: bool = False  # `url` is a string and no list
    one_entry: bool = False  # all addresses in the list of one entry
    urls: tuple[str, ...] | None = None  # told instead of the true ones
    says_when: bool = True  # expires_at is there
    lives: float | None = None  # seconds until expires_at, instead of the model's
    cost: float | None = None  # US dollars, instead of the model's
    says_cost: bool = True
    format: str = ""  # JPEG, PNG or WEBP, instead of the knobs'
    finish: Callable[[bytes], bytes] = lambda data: data  # a last touch to the file, as `pictures.signed`
    served: Fault | None = None  # how its pictures are served

    @property
    def fails(self) -> bool:
        return self.error is not None or self.word in NOT_MADE


NOT_MADE = {"failed", "error", "cancelled", "canceled"}
WELL = Outcome()
TWO_IMAGES = Outcome(images=2)
NO_IMAGES = Outcome(images=0)
FAILED = Outcome(error={"code": "task_failed", "message": "generation failed", "type": "task_failed", "param": ""})
FAILED_BY_NUMBER = Outcome(error={"code": 500, "message": "generation failed", "type": "server_error"})
FAILED_BY_WORD = Outcome(error="generation failed")
FAILED_WITHOUT_WORDS = Outcome(word="failed")
REFUSED = Outcome(
    error={
        "code": "task_failed",
        "message": "The request was rejected by content moderation: it may show a public figure",
        "type": "task_failed",
        "param": "",
    }
)
CANCELLED = Outcome(word="cancelled")
SUCCESS = Outcome(word="success")
SLOW = Outcome(takes=180)
