"""
What APIMart's answers mean. Pure functions: an answer in, one of our values or one of our errors out.

Its pages contradict one another and its servers contradict its pages, so everything is read by what has been seen:
three shapes of a submission, a dozen status words, five envelopes of an error, JSON that says it is something else.

The question that matters is asked of a submission that failed: is it *proved* that nothing was done? If it is not,
sending again may cost a second headshot. Proof is short:

* the connection never opened (`client.py`), so there was nobody to take it;
* 429 and 425: turned away before the work;
* 503 with `idempotency_unavailable`, documented as "nothing was executed";
* 400 with `get_channel_failed`: no one there to hand it to;
* any other 4xx but the three below, and a 500 that begins `build_request_failed`: refused, and for good.

All else is doubt: 408 (gateways say it when what is behind *them* is slow), 409 (about an earlier submission, which may
have been taken), 502, 503, 504, any other 500, a page of HTML, a redirect, and a 200 that names no task.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from core.errors import EngineError, EngineRefused, EngineUnavailable, InDoubt, NotTaken
from core.ports import ProviderResult, Submission, TaskReport, TaskState

NAME = "APIMart"

# Codes of our errors from here. NotTaken:
RATE_LIMITED, NO_CHANNEL, UNREACHABLE, KEYS_UNAVAILABLE = (
    "rate_limited",
    "no_channel",
    "unreachable",
    "keys_unavailable",
)
# EngineRefused:
REFUSED, FAILED, BALANCE, KEY = "provider_refused", "provider_failed", "provider_balance", "provider_key"
# InDoubt. The last two end it: the same key will never bring more than this.
IN_DOUBT, IN_PROGRESS, INDETERMINATE, KEY_REUSED = "in_doubt", "in_progress", "indeterminate", "key_reused"
# EngineUnavailable:
TASK_UNKNOWN = "task_unknown"

MODERATION = (
    "moderation",
    "content policy",
    "content_policy",
    "usage policy",
    "usage policies",
    "safety",
    "prohibited",
    "public figure",
    "real people",
    "minors",
    "underage",
    "copyright",
    "sensitive content",
    "nsfw",
    "violat",
    "flagged",
)
"""What its refusals have been seen or documented to say. The wording for pictures is not published, hence a list."""

LONGEST_WAIT = 86_400.0  # seconds; what asks for more asks for never
LONGEST_LIFE = timedelta(days=30)  # of a result, ten times what is documented: beyond, it is a mistake
MOST_RESULTS = 16
MICRO = 1_000_000

_DONE = frozenset({"completed", "complete", "success", "succeeded"})
_FAILED = frozenset({"failed", "failure", "error"})
_CANCELLED = frozenset({"cancelled", "canceled"})
_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")  # becomes part of an address of ours
_REF = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_PICTURES = ("result", "images", "image", "urls", "url", "image_url", "data")  # not `image_urls`: ours may be quoted
_FIRST_SECOND, _LAST_SECOND = 1_000_000_000, 100_000_000_000  # beyond, they are milliseconds
_DEEP = 6  # levels of lists and objects around an address


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def said(self) -> Any:
        """Its JSON, whatever its content type claims; None if it is none. Numbers stay exact."""
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError, InvalidOperation):
            return None

    @property
    def request_ref(self) -> str | None:
        ref = self.headers.get("x-oneapi-request-id") or _of(self.said, "request_id")
        return ref if isinstance(ref, str) and _REF.fullmatch(ref) else None


def _no_number(constant: str) -> Any:
    raise ValueError(constant)


# --------------------------------------------------------------------------------------------------- submissions
def submission(answer: Answer, *, now: datetime, moderation: Collection[str] = MODERATION) -> Submission:
    """Raises NotTaken, EngineRefused, InDoubt: each about this one request, never about an earlier one."""
    if not 200 <= answer.status < 300:
        raise not_accepted(answer, now=now, moderation=moderation)
    data = _of(answer.said, "data")
    replayed = answer.headers.get("idempotency-replayed", "").strip().lower() == "true"
    finished = isinstance(data, dict) and data.get("object") == "generation.result"
    task_id = _task_id(data)
    if task_id is not None and not finished:
        return Submission(task_id=task_id, replayed=replayed, request_ref=answer.request_ref)
    if results := tuple(_results(data, now)):
        return Submission(task_id=None, results=results, replayed=replayed, request_ref=answer.request_ref)
    if task_id is not None:
        return Submission(task_id=task_id, replayed=replayed, request_ref=answer.request_ref)
    raise in_doubt()


def _task_id(data: Any) -> str | None:
    """`data[0].task_id` or `data.id`: never anything that would lead elsewhere once it is put into an address."""
    for each in data if isinstance(data, list) else [data]:
        for name in ("task_id", "id"):
            found = _of(each, name)
            if isinstance(found, str) and _TASK_ID.fullmatch(found):
                return found
    return None


def not_accepted(answer: Answer, *, now: datetime, moderation: Collection[str] = MODERATION) -> EngineError:
    """What a submission or an upload that was not accepted means. By status first, then by what it says."""
    code, message = _error(answer)
    after = retry_after(answer.headers, now)
    match answer.status:
        case 429 | 425:
            return NotTaken(f"{NAME} is busy just now. Try again later.", code=RATE_LIMITED, after=after)
        case 409 | 503 if code.startswith("idempotency_"):
            return _about_the_key(answer.status, code, after)
        case 408 | 409:
            return in_doubt()
        case 400 if code == "get_channel_failed" or message.startswith("get_channel_failed"):
            return NotTaken(f"{NAME} has nobody free for this just now.", code=NO_CHANNEL, after=after)
        case 401 | 403:
            return EngineRefused(f"{NAME} does not accept our key. Whoever runs this server can mend that.", code=KEY)
        case 402:
            return EngineRefused(
                f"Our balance with {NAME} is used up. Whoever runs this server can mend that.", code=BALANCE
            )
        case 500 if code == "build_request_failed" or message.startswith("build_request_failed"):
            return refused(message, moderation)
        case status if 400 <= status < 500:
            return refused(message, moderation)
    return in_doubt()


def _about_the_key(status: int, code: str, after: float | None) -> EngineError:
    if status == 503 and code == "idempotency_unavailable":
        return NotTaken(f"{NAME} cannot take this safely just now.", code=KEYS_UNAVAILABLE, after=after)
    if code == "idempotency_in_progress":
        return in_doubt(IN_PROGRESS)
    if code == "idempotency_key_reused":  # the key was ours alone, so it went out before, with something else
        return in_doubt(KEY_REUSED)
    return in_doubt(INDETERMINATE if code == "idempotency_result_indeterminate" else IN_DOUBT)


def refused(message: str, moderation: Collection[str] = MODERATION) -> EngineRefused:
    if why_failed(message, moderation) == REFUSED:
        return EngineRefused(f"{NAME} refused this picture or these words by its own rules.", code=REFUSED)
    return EngineRefused(f"{NAME} could not take this, and would not take it again.", code=FAILED)


def in_doubt(code: str = IN_DOUBT) -> InDoubt:
    return InDoubt(f"We do not know whether {NAME} took this.", code=code)


def why_failed(message: str, moderation: Collection[str] = MODERATION) -> str:
    lowered = message.lower()
    return REFUSED if any(word.lower() in lowered for word in moderation) else FAILED


# --------------------------------------------------------------------------------------------------------- tasks
def task(answer: Answer, *, now: datetime, moderation: Collection[str] = MODERATION) -> TaskReport:
    """Raises NotTaken: asked too often; EngineUnavailable: it does not say, which says nothing about the task."""
    if not 200 <= answer.status < 300:
        raise not_answered(answer, now=now)
    data = _task_of(answer.said)
    if data is None:
        raise unavailable()
    word = data.get("status")
    word = word.strip().lower() if isinstance(word, str) else ""
    cost, ref = _cost(data), answer.request_ref
    if word in _DONE:
        if results := tuple(_results(data, now)):
            return TaskReport(state=TaskState.DONE, results=results, cost=cost, request_ref=ref)
        return TaskReport(state=TaskState.FAILED, cost=cost, failure=FAILED, request_ref=ref)
    if word in _FAILED:
        failure = why_failed(" ".join(_texts(data)), moderation)
        return TaskReport(state=TaskState.FAILED, cost=cost, failure=failure, request_ref=ref)
    if word in _CANCELLED:
        return TaskReport(state=TaskState.CANCELLED, cost=cost, failure=FAILED, request_ref=ref)
    return TaskReport(state=TaskState.WAITING, request_ref=ref)  # a word we do not know: the deadline is ours


def _task_of(said: Any) -> dict[str, Any] | None:
    """With or without the wrapper; `{"data": null}` and an error in an HTTP 200 are no task."""
    data = _of(said, "data") if "data" in (said if isinstance(said, dict) else ()) else said
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    return data if isinstance(data, dict) and "status" in data else None


def _texts(data: dict[str, Any]) -> Iterator[str]:
    """Everything in which a failed task may say why: `error` is an object, a text, a number or nothing."""
    error = data.get("error")
    parts = error.values() if isinstance(error, dict) else [error]
    yield from (part for part in parts if isinstance(part, str))
    yield from (data[name] for name in ("message", "fail_reason", "error_message") if isinstance(data.get(name), str))


def _cost(data: dict[str, Any]) -> int | None:
    """Millionths of a US dollar; a credit is a tenth of one. None: it does not say."""
    cost = micro(data.get("cost"))
    if cost is not None:
        return cost
    credits = micro(data.get("credits_cost"))
    return None if credits is None else (credits + 5) // 10


def micro(amount: Any) -> int | None:
    """Dollars, as JSON had them, in millionths. None: no amount, or one that cannot be."""
    if isinstance(amount, bool) or not isinstance(amount, int | str | Decimal):
        return None
    try:
        exact = Decimal(amount)
        if not exact.is_finite() or not 0 <= exact < 1_000_000:
            return None
        return int((exact * MICRO).to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, ValueError):
        return None


def not_answered(answer: Answer, *, now: datetime) -> EngineError:
    """A question that costs nothing was not answered: it can always be asked again."""
    after = retry_after(answer.headers, now)
    if answer.status == 429 or (answer.status == 503 and after is not None):
        code = RATE_LIMITED if answer.status == 429 else UNREACHABLE
        return NotTaken(f"{NAME} is busy just now. Try again later.", code=code, after=after)
    codes = {400: TASK_UNKNOWN, 404: TASK_UNKNOWN, 410: TASK_UNKNOWN, 401: KEY, 403: KEY, 402: BALANCE}
    return unavailable(codes.get(answer.status))


def unavailable(code: str | None = None) -> EngineUnavailable:
    return EngineUnavailable(f"{NAME} does not answer this just now. Try again later.", code=code)


# ------------------------------------------------------------------------------------------------------- results
def _results(node: Any, now: datetime) -> Iterator[ProviderResult]:
    """Each address once, in order, with the expiry that stands nearest to it."""
    seen: set[str] = set()
    for url, expires_at in _addresses(node, None, _DEEP):
        if url not in seen and len(seen) < MOST_RESULTS:
            seen.add(url)
            believed = expires_at is not None and expires_at - now <= LONGEST_LIFE
            yield ProviderResult(url=url, expires_at=expires_at if believed else None)


def _addresses(node: Any, expires_at: datetime | None, deep: int) -> Iterator[tuple[str, datetime | None]]:
    if isinstance(node, str):
        if node.startswith(("https://", "http://")):
            yield node, expires_at
    elif deep and isinstance(node, list):
        for each in node:
            yield from _addresses(each, expires_at, deep - 1)
    elif deep and isinstance(node, dict):
        expires_at = instant(node.get("expires_at")) or expires_at
        for name in _PICTURES:
            yield from _addresses(node.get(name), expires_at, deep - 1)


def instant(told: Any) -> datetime | None:
    """Seconds or milliseconds since 1970, as number or text, or ISO 8601."""
    try:
        if isinstance(told, str) and not re.fullmatch(r"[0-9]{9,14}", told):
            parsed = datetime.fromisoformat(told)
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        if isinstance(told, bool) or not isinstance(told, int | str | Decimal):
            return None
        number = Decimal(told)
        if not _FIRST_SECOND < number < 1000 * _LAST_SECOND:
            return None
        return datetime.fromtimestamp(int(number) // (1 if number < _LAST_SECOND else 1000), UTC)
    except (ValueError, OverflowError, InvalidOperation):
        return None


# --------------------------------------------------------------------------------------------- uploads, balance
def upload(answer: Answer, *, now: datetime, moderation: Collection[str] = MODERATION) -> ProviderResult:
    """Raises as `submission` does. In doubt, there may be a public copy of which we have no address."""
    if not 200 <= answer.status < 300:
        raise not_accepted(answer, now=now, moderation=moderation)
    url = _of(answer.said, "url") or _of(_of(answer.said, "data"), "url")
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return ProviderResult(url=url)
    raise in_doubt()


def balance(answer: Answer, *, now: datetime) -> int | None:
    """None: without limit. Raises EngineUnavailable, also for a failure that calls itself HTTP 200."""
    if answer.status != 200:
        error = not_answered(answer, now=now)
        raise error if isinstance(error, EngineUnavailable) else unavailable(error.code)
    said = answer.said
    if not isinstance(said, dict) or said.get("success") is not True:
        raise unavailable()
    if said.get("unlimited_quota") is True:
        return None
    left = said.get("remain_balance")
    if isinstance(left, int | Decimal) and not isinstance(left, bool) and left < 0:
        return 0  # overdrawn
    amount = micro(left)
    if amount is None:
        raise unavailable()
    return amount


# -------------------------------------------------------------------------------------------------------- errors
def _error(answer: Answer) -> tuple[str, str]:
    """(code, message) of any envelope, empty where there is none. Read by us alone: it may quote the prompt."""
    said = answer.said
    error = _of(said, "error")
    if isinstance(error, str):
        return "", error.strip()
    inner = error if isinstance(error, dict) else said
    code, message = _of(inner, "code"), _of(inner, "message")
    return (code if isinstance(code, str) else ""), (message.strip() if isinstance(message, str) else "")


def _of(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, dict) else None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from now, from seconds or from a date. None: it does not say."""
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", told):
        return min(float(told), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(told)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)
