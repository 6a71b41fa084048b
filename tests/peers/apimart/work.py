"""What it does with what it is asked, whatever may happen on the line: uploads, submissions, tasks, money."""

import hashlib
import itertools
import json
import re
import secrets
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from tests.peers.apimart import models, pictures
from tests.peers.apimart.book import Book, Charge, Fetch, File, Key, Poll, Reference, Shape, Submission, Task, Upload
from tests.peers.apimart.faults import IN_PROGRESS, KEY_REUSED, NO_BALANCE, NO_MONEY, Fault, Outcome, documented
from tests.peers.apimart.models import Model, Order, Refused, bad, unbuilt

UPLOAD_CAP = 20 << 20
UPLOADS_LIVE, KEYS_LIVE = timedelta(hours=72), timedelta(hours=24)
VERSION_HEADER, VERSION = "X-APIMart-Response-Version", "2026-07-27"
CREDITS_PER_DOLLAR = 10
FLAT = Outcome(error={"code": "task_failed", "message": "invalid image", "type": "task_failed", "param": ""})

_numbers = itertools.count(1)


class Works:
    def __init__(
        self,
        *,
        url: str,
        result_url: str,
        now: Callable[[], datetime],
        fetch: Callable[[str], Awaitable[httpx.Response]],
    ) -> None:
        self.book = Book()
        self._url, self._result_url, self._now, self._fetch = url, result_url, now, fetch
        self._turn = threading.RLock()  # tests look while the server works

    # ------------------------------------------------------------------------------------------------------- uploads
    async def store(self, given: Any) -> Response:
        """Raises Refused, in an envelope that has no code."""
        if not isinstance(given, UploadFile):
            raise _no_upload(400, "file field is required")
        data, filename = await given.read(), given.filename or ""
        media_type = pictures.sniffed(data)
        if len(data) > UPLOAD_CAP:
            raise _no_upload(413, "file is too large")
        if media_type is None:
            raise _no_upload(400, "unsupported image type")
        if self.book.knobs.refuses_flat and pictures.is_flat(data):
            raise _no_upload(400, "invalid image content", code="invalid_request_error")
        now = self._now()
        file = File(
            path=self._path(filename),  # the name becomes part of a public address
            kind="upload",
            media_type=media_type,
            until=now + UPLOADS_LIVE,
            make=lambda: data,
        )
        self.book.files[file.path] = file
        upload = Upload(
            filename=filename, data=data, media_type=media_type, url=self._result_url + file.path, until=file.until
        )
        self.book.uploads.append(upload)
        told = {"url": upload.url, "filename": filename, "content_type": media_type, "bytes": len(data)}
        return JSONResponse({**told, "created_at": int(now.timestamp())})

    def _path(self, name: str) -> str:
        return f"/f/image/{next(_numbers)}-{secrets.token_hex(4)}-{name}"

    # --------------------------------------------------------------------------------------------------- submissions
    async def take(self, submission: Submission) -> Response:
        """A key that is known leads to the answer that it had; a new one to a task. Raises Refused."""
        key = submission.key
        if key is not None and not re.fullmatch(r"[!-~]{1,191}", key):
            raise bad("Idempotency-Key must be 1-191 visible ASCII characters")
        if key is None or not self.book.knobs.honours_keys:
            return await self._take(submission)
        digest = hashlib.sha256(submission.raw + _version_asked(submission).encode()).hexdigest()
        seen = self.book.keys.get(key)
        if seen and self._now() < seen.at + KEYS_LIVE:
            return _replayed(seen, digest, submission)
        entry = self.book.keys[key] = Key(digest=digest, at=self._now())
        try:
            answer = await self._take(submission)
        except Refused:
            del self.book.keys[key]  # nothing was done
            raise
        entry.answer, entry.task_id = answer, submission.task_id
        return answer

    async def _take(self, submission: Submission) -> Response:
        self.want_money()
        order = models.checked(submission.body, self.book.knobs.models)
        for url in order.urls:
            submission.references.append(await self._reference(order.model, url))
        task = self._task(order, submission)
        submission.task_id = task.id
        self.book.tasks[task.id] = task
        return self._taken(task, self._shape(order, submission))

    def _task(self, order: Order, submission: Submission) -> Task:
        knobs, now = self.book.knobs, self._now()
        outcome = self.book.next_outcome()
        if knobs.refuses_flat and any(pictures.is_flat(each.data) for each in submission.references):
            outcome = FLAT
        takes = knobs.takes if outcome.takes is None else outcome.takes
        if self._shape(order, submission) in ("result", "openai"):
            takes = 0
        return Task(
            id=f"task_{secrets.token_hex(13).upper()}",
            order=order,
            key=submission.key,
            references=submission.references,
            outcome=outcome,
            created=now,
            ends=now + timedelta(seconds=takes),
        )

    def _shape(self, order: Order, submission: Submission) -> Shape:
        newer = order.model.versioned or _version_asked(submission) == VERSION
        return self.book.knobs.shape or ("versioned" if newer else "default")

    def _taken(self, task: Task, shape: Shape) -> Response:
        if shape == "default":
            return JSONResponse({"code": 200, "data": [{"status": "submitted", "task_id": task.id}]})
        if shape == "versioned":
            poll = f"{self._url}/v1/tasks/{task.id}"
            told = {"object": "generation.task", "id": task.id, "status": "queued", "poll_url": poll}
            body = {"code": 202, "request_id": f"req_{task.id[5:17]}", "data": told}
            return JSONResponse(body, 202, headers={VERSION_HEADER: VERSION})
        self.settle()
        if shape == "openai":
            images = [{"url": url} for url in task.urls]
            return JSONResponse({"created": int(task.created.timestamp()), "data": images})
        return JSONResponse({"code": 200, "data": {"object": "generation.result", **self._told(task)}})

    def want_money(self) -> None:
        """Raises Refused."""
        self.settle()
        if self.book.balance <= 0 and not self.book.knobs.unlimited:
            raise Refused(NO_MONEY)

    # ---------------------------------------------------------------------------------------------------- references
    async def _reference(self, model: Model, url: str) -> Reference:
        if url.startswith("data:"):
            if not (model.inline and self.book.knobs.takes_inline):
                raise bad("image_urls must be public http(s) URLs")
            reference = Reference(how="inline", data=models.unpacked(url), media_type=url[5:].partition(";")[0])
        elif url.startswith(("http://", "https://")):
            reference = await self._read(url)
        else:
            raise bad("image_urls must be URLs")
        if len(reference.data) > model.reference_bytes or pictures.sniffed(reference.data) is None:
            raise unbuilt("a reference image is too large or not an image")
        return reference

    async def _read(self, url: str) -> Reference:
        """As often as the knob says: an address that works once is found out. The first answer is worked from."""
        answers = [await self._read_once(url) for _ in range(self.book.knobs.fetches)]
        how: Literal["upload", "link"] = "upload" if url.startswith(self._result_url) else "link"
        return Reference(how=how, data=answers[0].data, media_type=answers[0].headers.get("content-type", ""))

    async def _read_once(self, url: str) -> Fetch:
        try:
            answer = await self._fetch(url)
            seen = Fetch(url=url, status=answer.status_code, data=answer.content, headers=dict(answer.headers))
        except (httpx.HTTPError, httpx.InvalidURL):
            seen = Fetch(url=url, status=None)
        self.book.fetched.append(seen)
        if seen.status == 200:
            return seen
        message = "failed to fetch image_urls"
        raise unbuilt(message) if self.book.knobs.unreachable == 500 else bad(message)

    # --------------------------------------------------------------------------------------------------------- tasks
    def look(self, task_id: str, language: str | None) -> Response:
        """Raises Refused. A task that failed is an answer like any other."""
        self.settle()
        task = self.book.tasks.get(task_id)
        if task is None:
            raise Refused(documented(self.book.knobs.unknown_task, "invalid_request_error", "task not found"))
        told = self._told(task)
        self.book.polls.append(Poll(task_id=task_id, at=self._now(), language=language, word=told["status"]))
        return JSONResponse({"code": 200, "data": told})

    def _told(self, task: Task) -> dict[str, Any]:
        told: dict[str, Any] = {"id": task.id, "created": int(task.created.timestamp()), "estimated_time": 60}
        if not task.over:
            return {**told, "progress": 0, "status": self._waiting(task)}
        took = int((task.ends - task.created).total_seconds())
        told |= {"progress": 100, "completed": int(task.ends.timestamp()), "actual_time": took}
        if task.outcome.says_cost:
            told |= {"cost": task.cost, "credits_cost": round(task.cost * CREDITS_PER_DOLLAR, 6)}
        return {**told, **(_failed(task) if task.outcome.fails else _made(task))}

    def _waiting(self, task: Task) -> str:
        """The words in order, each for its share of the time."""
        share, words = (self._now() - task.created) / (task.ends - task.created), self.book.knobs.words
        return words[max(0, min(int(share * len(words)), len(words) - 1))]

    def settle(self) -> None:
        """What is due by the clock has happened: pictures lie there, and are charged."""
        with self._turn:
            now = self._now()
            for task in list(self.book.tasks.values()):
                if not task.over and task.ends <= now:
                    if not task.outcome.fails:
                        self._finish(task)
                    task.over = True

    def _finish(self, task: Task) -> None:
        outcome, order = task.outcome, task.order
        lives = order.model.hours * 3600 if outcome.lives is None else outcome.lives
        task.until = task.ends + timedelta(seconds=lives)
        made = order.n if outcome.images is None else outcome.images
        urls = [self._lay_out(task, number, task.until) for number in range(made)]
        task.urls = urls if outcome.urls is None else list(outcome.urls)
        charged = models.cost(order, references=len(task.references), made=min(made, order.n))
        task.cost = charged if outcome.cost is None else outcome.cost
        self.book.charged.append(Charge(task_id=task.id, key=task.key, prompt=order.prompt, cost=task.cost))
        self.book.used += task.cost
        self.book.balance -= task.cost

    def _lay_out(self, task: Task, number: int, until: datetime) -> str:
        """Where one of its pictures lies."""
        outcome, knobs = task.outcome, self.book.knobs
        kind = outcome.format or task.order.format or knobs.format
        portrait = task.references[0].data if task.references else b""
        pixels, finish = knobs.pixels or pictures.size_of(task.order, portrait), outcome.finish
        file = File(
            path=self._path(f"out_{number}.{kind.lower()}"),
            kind="result",
            media_type=f"image/{kind.lower()}",
            until=until,
            make=lambda: finish(pictures.picture(portrait, pixels, kind)),
            served=outcome.served,
        )
        self.book.files[file.path] = file
        return self._result_url + file.path

    # ------------------------------------------------------------------------------------------------------- balance
    def count(self) -> Response:
        """Raises Refused, by a 200."""
        self.settle()
        if not self.book.knobs.success:
            raise Refused(NO_BALANCE)
        unlimited = self.book.knobs.unlimited
        left, used = round(self.book.balance, 6), round(self.book.used, 6)
        return JSONResponse(
            {
                "success": True,
                "remain_balance": -1 if unlimited else left,
                "remain_credits": -1 if unlimited else round(left * CREDITS_PER_DOLLAR, 5),
                "used_balance": used,
                "used_credits": round(used * CREDITS_PER_DOLLAR, 5),
                "unlimited_quota": unlimited,
            }
        )


def _no_upload(status: int, message: str, **more: str) -> Refused:
    told = {"error": {"message": message, "type": "invalid_request_error", **more}}
    return Refused(Fault(status=status, body=json.dumps(told).encode()))


def _version_asked(submission: Submission) -> str:
    return submission.headers.get(VERSION_HEADER.lower(), "")


def _replayed(seen: Key, digest: str, submission: Submission) -> Response:
    """Raises Refused."""
    if seen.digest != digest:
        raise Refused(KEY_REUSED)
    if seen.answer is None:
        raise Refused(IN_PROGRESS)
    submission.task_id, submission.replayed = seen.task_id, True
    again = Response(seen.answer.body, seen.answer.status_code, media_type="application/json")
    again.headers["Idempotency-Replayed"] = "true"
    return again


def _failed(task: Task) -> dict[str, Any]:
    error = {} if task.outcome.error is None else {"error": task.outcome.error}
    return {"status": task.outcome.word or "failed", **error}


def _made(task: Task) -> dict[str, Any]:
    told: dict[str, Any] = {"status": task.outcome.word or "completed", "result": {"images": _images(task)}}
    if task.order.model.by_tokens:
        told["usage"] = models.usage(task.order, references=len(task.references), made=len(task.urls))
    return told


def _images(task: Task) -> list[dict[str, Any]]:
    outcome = task.outcome
    when = {"expires_at": int(task.until.timestamp())} if task.until and outcome.says_when else {}
    if outcome.one_entry:
        return [{"url": task.urls, **when}]
    return [{"url": url if outcome.bare_url else [url], **when} for url in task.urls]
