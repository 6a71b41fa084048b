"""What tests hold in their hands: three addresses, switches, a clock, and lists of what happened."""

import asyncio
import itertools
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.peers.apimart import models, pictures
from tests.peers.apimart.book import Charge, Door, Fetch, Hit, Knobs, Poll, Submission, Task, Upload
from tests.peers.apimart.faults import GONE, NO_FAULT, Fault, Gate, Outcome
from tests.peers.apimart.line import NoAnswer, Pieces, Server, listening
from tests.peers.apimart.models import Refused
from tests.peers.apimart.work import UPLOAD_CAP, Works

REQUEST_ID = "X-Oneapi-Request-Id"
ROOM = 64 << 10  # bytes in a piece of an endless answer


class ApiMart:
    """`with ApiMart() as api:`. One can be used for many tests, with `reset` in between."""

    def __init__(self, *, key: str = "sk-stand-in-of-apimart", ports: tuple[int, int] = (0, 0)) -> None:
        self.key = key
        self.clock: Callable[[], datetime] = _real_time  # or a test's own
        self._ahead = timedelta(0)
        self._refs = itertools.count(1)
        self._sockets = listening((*ports, 0))
        api, results, elsewhere = (each.getsockname()[1] for each in self._sockets)
        self.url, self.result_url = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{results}"
        self.elsewhere = f"http://localhost:{elsewhere}"
        self._fetching = httpx.AsyncClient(
            timeout=10,
            trust_env=False,
            follow_redirects=True,
            verify=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # whoever asks anew finds out who is still there
        self._works = self._as_new()

    # ------------------------------------------------------------------------------------------------ start and stop
    def __enter__(self) -> Self:
        apps = (self._api(), self._files(), self._elsewhere())
        self._server = Server(dict(zip(self._sockets, apps, strict=True)))
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def reset(self) -> None:
        """As new, by the real clock. What is still under way goes on in the old book, where nobody looks."""
        old, self._works = self._works, self._as_new()
        self.clock, self._ahead = _real_time, timedelta(0)
        for gate in old.book.gates:
            gate.let_go()

    def _as_new(self) -> Works:
        return Works(url=self.url, result_url=self.result_url, now=lambda: self.now, fetch=self._fetching.get)

    @property
    def environment(self) -> dict[str, str]:
        """What an app needs to use it."""
        return {
            "APIMART_API_KEY": self.key,
            "APIMART_BASE_URL": self.url,
            "APIMART_RESULT_HOSTS": "127.0.0.1",
        }

    # ------------------------------------------------------------------------------------------------------ switches
    @property
    def knobs(self) -> Knobs:
        return self._works.book.knobs

    def queue(self, door: Door, *faults: Fault | None) -> None:
        """What happens to the next requests at a door, one each. None: nothing."""
        self._works.book.queued[door].extend(faults)

    def always(self, door: Door, fault: Fault | None) -> None:
        """What happens to every request at a door for which nothing is queued."""
        if fault is None:
            self.knobs.faults.pop(door, None)
        else:
            self.knobs.faults[door] = fault

    def hold(self, door: Door, fault: Fault = NO_FAULT) -> Gate:
        """
        Keeps the next request at a door waiting for its answer: `gate.reached.wait(10)`, then `gate.let_go()`.
        Nothing has been done for it yet, unless the fault is one `after_taking_it()`.
        """
        gate = Gate()
        self._works.book.gates.append(gate)
        self.queue(door, replace(fault, gate=gate))
        return gate

    def ends(self, *outcomes: Outcome) -> None:
        """How the next tasks end, one each. What is taken after them ends as the knobs say."""
        self._works.book.outcomes.extend(outcomes)

    def advance(self, seconds: float) -> None:
        """Its clock, not that of the app."""
        self._ahead += timedelta(seconds=seconds)

    @property
    def now(self) -> datetime:
        return self.clock() + self._ahead

    @property
    def balance(self) -> float:
        self._works.settle()
        return self._works.book.balance

    @balance.setter
    def balance(self, dollars: float) -> None:
        self._works.settle()
        self._works.book.balance = dollars

    def forget_tasks(self) -> None:
        """As after some days: ids that were good are unknown."""
        self._works.settle()
        self._works.book.tasks.clear()

    # ------------------------------------------------------------------------------------------------- what happened
    @property
    def submissions(self) -> list[Submission]:
        """Every POST, also those that were refused, hung up on or answered from memory."""
        return list(self._works.book.submissions)

    @property
    def tasks(self) -> list[Task]:
        """Everything that was taken, in order."""
        self._works.settle()
        return list(self._works.book.tasks.values())

    @property
    def charged(self) -> list[Charge]:
        """What is due by the clock, whether anybody asked for it or not."""
        self._works.settle()
        return list(self._works.book.charged)

    def charges_by_key(self) -> Counter[str | None]:
        return Counter(charge.key for charge in self.charged)

    def charges_by_prompt(self) -> Counter[str]:
        return Counter(charge.prompt for charge in self.charged)

    @property
    def uploads(self) -> list[Upload]:
        return list(self._works.book.uploads)

    @property
    def fetched(self) -> list[Fetch]:
        """The addresses of `image_urls` that it read, also in vain, with what it got."""
        return list(self._works.book.fetched)

    @property
    def polls(self) -> list[Poll]:
        return list(self._works.book.polls)

    @property
    def reads(self) -> list[Hit]:
        """What was asked of the host of uploads and results."""
        return list(self._works.book.reads)

    @property
    def strays(self) -> list[Hit]:
        """What was asked of `elsewhere`."""
        return list(self._works.book.strays)

    @property
    def public(self) -> list[str]:
        """Addresses that anybody can read now."""
        self._works.settle()
        book, now = self._works.book, self.now
        return [self.result_url + file.path for file in list(book.files.values()) if book.is_public(file, now)]

    # ------------------------------------------------------------------------------------------------------- the API
    def _api(self) -> Starlette:
        balances = ("/balance", "/user/balance", "/v1/balance", "/v1/user/balance")
        return Starlette(
            routes=[
                Route("/v1/uploads/images", self._upload, methods=["POST"]),
                Route("/v1/images/generations", self._submit, methods=["POST"]),
                Route("/v1/tasks/{task_id}", self._look, methods=["GET"]),
                Route("/v1/models", self._list_models, methods=["GET"]),
                *(Route(path, self._count, methods=["GET"]) for path in balances),
            ]
        )

    async def _upload(self, request: Request) -> Response:
        works = self._works

        async def store() -> Response:
            return await works.store(await _file_in(request))

        return await self._answered(works, "upload", request, store)

    async def _submit(self, request: Request) -> Response:
        works, raw = self._works, await request.body()
        submission = Submission(at=self.now, headers=dict(request.headers), raw=raw, body=models.parsed(raw))
        works.book.submissions.append(submission)
        answer = await self._answered(works, "submit", request, lambda: works.take(submission))
        submission.answered = None if isinstance(answer, NoAnswer) else answer.status_code
        return answer

    async def _look(self, request: Request) -> Response:
        works = self._works

        async def look() -> Response:
            return works.look(request.path_params["task_id"], request.query_params.get("language"))

        return await self._answered(works, "task", request, look)

    async def _count(self, request: Request) -> Response:
        works = self._works

        async def count() -> Response:
            return works.count()

        return await self._answered(works, "balance", request, count)

    async def _list_models(self, request: Request) -> Response:
        works = self._works

        async def listed() -> Response:
            works.want_money()
            data = [{"id": name, "object": "model"} for name in works.book.knobs.models]
            return JSONResponse({"object": "list", "data": data})

        return await self._answered(works, None, request, listed)

    async def _answered(
        self, works: Works, door: Door | None, request: Request, do: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The key first, then what was queued for this door, then what was asked for."""
        ref = f"20260101{next(self._refs):09}"
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return self._otherwise(request, _no_key(ref), ref)
        fault = works.book.fault_at(door) if door else None
        answer = await self._well(request, do, ref) if fault is None or fault.takes_it else None
        if fault is not None:
            await self._wait(fault)
            if fault.answers_otherwise:
                return self._otherwise(request, fault, ref)
        return answer or await self._well(request, do, ref)

    async def _well(self, request: Request, do: Callable[[], Awaitable[Response]], ref: str) -> Response:
        try:
            answer = await do()
        except Refused as refused:
            return self._otherwise(request, refused.answer, ref)
        answer.headers[REQUEST_ID] = ref
        return answer

    # ------------------------------------------------------------------------------------------- the other two hosts
    def _files(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._read, methods=["GET", "HEAD"])])

    def _elsewhere(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._stray, methods=["GET", "HEAD", "POST"])])

    async def _read(self, request: Request) -> Response:
        """No key is asked for here, and none should be shown."""
        works = self._works
        answer = await self._file(works, request)
        status = None if isinstance(answer, NoAnswer) else answer.status_code
        works.book.reads.append(_hit(request, status))
        return answer

    async def _file(self, works: Works, request: Request) -> Response:
        fault = works.book.fault_at("file")
        if fault is not None:
            await self._wait(fault)
            if fault.answers_otherwise:
                return self._otherwise(request, fault)
        file = works.book.files.get(request.url.path)
        if file is None or not works.book.is_public(file, self.now):
            return self._otherwise(request, GONE)
        if file.served is not None:
            await self._wait(file.served)
            if file.served.answers_otherwise:
                return self._otherwise(request, file.served)
        return _part(await run_in_threadpool(file.make), file.media_type, request.headers.get("range", ""))

    async def _stray(self, request: Request) -> Response:
        """A fine picture for whoever asks: only those who never came have kept to their list."""
        self._works.book.strays.append(_hit(request, 200))
        return Response(pictures.picture(b"", (512, 512), "PNG"), media_type="image/png")

    # -------------------------------------------------------------------------------------------------------- faults
    async def _wait(self, fault: Fault) -> None:
        await self._pause(fault.stalls)
        if fault.gate:
            fault.gate.reached.set()
            while not fault.gate.opened.is_set() and not self._server.is_stopping:
                await asyncio.sleep(0.005)

    async def _pause(self, seconds: float) -> None:
        """Real seconds: whoever waits for an answer has no other."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self._server.is_stopping and (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.1))

    def _otherwise(self, request: Request, fault: Fault, ref: str = "") -> Response:
        if fault.drops:
            return NoAnswer()
        headers = {**fault.headers, **({REQUEST_ID: ref} if ref else {})}
        status, body = fault.status or 200, fault.body.replace(b"{ref}", ref.encode())
        if not (fault.endless or fault.cut or fault.claims is not None):
            return Response(body, status, headers=headers, media_type=fault.media_type)
        headers["Content-Type"] = fault.media_type
        if fault.claims is not None:
            headers["Content-Length"] = str(fault.claims)
        return Pieces(self._pieces(request, fault), status, headers, cut=fault.cut or fault.endless)

    async def _pieces(self, request: Request, fault: Fault) -> AsyncIterator[bytes]:
        yield fault.body
        while fault.endless and not self._server.is_stopping and not await request.is_disconnected():
            yield bytes(100) if fault.pause else bytes(ROOM)
            await self._pause(fault.pause)


def _real_time() -> datetime:
    return datetime.now(UTC)


async def _file_in(request: Request) -> Any:
    """Whatever is no form has no file in it."""
    with suppress(Exception):
        return (await request.form(max_part_size=2 * UPLOAD_CAP)).get("file")


def _no_key(ref: str) -> Fault:
    told = {"code": "", "message": f"invalid API key (request id: {ref})", "param": "", "type": "apimart_error"}
    return Fault(status=401, body=json.dumps({"error": told}).encode())


def _part(data: bytes, media_type: str, asked: str) -> Response:
    """All of a file, or the range that was asked for."""
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
    if not span or int(span[1]) >= len(data):
        return Response(data, media_type=media_type)
    first, last = int(span[1]), min(int(span[2] or len(data)), len(data) - 1)
    headers = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
    return Response(data[first : last + 1], 206, headers=headers, media_type=media_type)


def _hit(request: Request, status: int | None) -> Hit:
    return Hit(method=request.method, url=str(request.url), headers=dict(request.headers), status=status)
