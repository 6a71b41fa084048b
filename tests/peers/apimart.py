"""
A stand-in for APIMart's image API over real HTTP, in this process: as it is documented, as it was measured where that
differs, and as wrong as it is told to be.

    with ApiMart() as api:
        api.knobs.takes = 10                        # for good
        api.queue("submit", busy(after="3"), None)  # the next one, and the one after it is answered well
        api.ends(FAILED, WELL)                      # how the next tasks end
        ...
        assert api.charges_by_key() == {key: 1}

Three addresses: the API, the host that uploads and results lie on (public, no key, no CORS), and one more that nobody
has any business at, for redirects and lies. Nothing here decides what a client should make of an answer.
Left out, as our client has no use for them: webhooks, batches of tasks, masks, usage per day.

By hand: `python -m tests.peers.apimart` prints the settings that an app needs to use it.
"""

import argparse
import asyncio
import base64
import hashlib
import io
import itertools
import json
import math
import re
import secrets
import socket
import threading
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any, Literal, Self, cast

import httpx
import uvicorn
from PIL import Image, ImageDraw, ImageOps
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.peers.apimart_faults import (
    GONE,
    IN_PROGRESS,
    KEY_REUSED,
    NO_FAULT,
    WELL,
    Fault,
    Gate,
    Outcome,
    documented,
    measured,
)

UPLOAD_CAP = 20 << 20
UPLOADS_LIVE, KEYS_LIVE = timedelta(hours=72), timedelta(hours=24)
VERSION_HEADER, VERSION = "X-APIMart-Response-Version", "2026-07-27"
REQUEST_ID = "X-Oneapi-Request-Id"
CREDITS_PER_DOLLAR = 10
PIECE = 64 << 10

Door = Literal["upload", "submit", "task", "balance", "file"]
Shape = Literal["default", "versioned", "result", "openai"]

# ------------------------------------------------------------------------------------------------------------- models
GEMINI = "auto 1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9"
GEMINI_31 = f"{GEMINI} 1:4 4:1 1:8 8:1"
OPENAI = f"{GEMINI} 1:2 2:1 9:21 1:3 3:1"  # fifteen are documented; which ones is a guess
UPPER = {"0.5K": 512, "1K": 1024, "2K": 2048, "4K": 4096}
LOWER = {"1k": 1024, "2k": 2048, "4k": 4096}


@dataclass(frozen=True, kw_only=True)
class Model:
    """What is accepted for a model. Where pages contradict each other it is the stricter one."""

    ratios: str
    prices: Mapping[str, float]  # US dollars for each resolution; the first one is what it makes unless told
    references: int = 14
    reference_bytes: int = 10 << 20
    inline: bool = True  # takes data: addresses
    most: int = 1  # pictures in one task
    prompt: int | None = None
    hours: int = 24  # that a result lives
    by_tokens: bool = False
    versioned: bool = False  # always answers in shape B
    chooses_format: bool = False  # takes output_format

    def side(self, resolution: str) -> int:
        """Of the square that is as large as a picture."""
        return (UPPER | LOWER)[resolution]


MODELS = {
    "gemini-2.5-flash-image-preview": Model(ratios=GEMINI, prices={"1K": 0.0125}, prompt=1000),
    "gemini-3-pro-image-preview": Model(ratios=GEMINI, prices={"1K": 0.03, "2K": 0.03, "4K": 0.04}, references=8),
    "gemini-3.1-flash-image-preview": Model(
        ratios=GEMINI_31, prices={"1K": 0.015, "0.5K": 0.015, "2K": 0.025, "4K": 0.04}
    ),
    "gemini-3.1-flash-lite-image-ext": Model(ratios=GEMINI, prices={"1K": 0.0125}, most=4),
    "gpt-image-2": Model(
        ratios=OPENAI, prices={"1k": 0.0085, "2k": 0.014, "4k": 0.021}, references=15, reference_bytes=20 << 20
    ),
    "gpt-image-2-official": Model(
        ratios=OPENAI, prices={"1k": 0, "2k": 0, "4k": 0}, references=16, inline=False, most=4, by_tokens=True,
        chooses_format=True,
    ),
    "gpt-image-2.5-flare": Model(
        ratios=OPENAI, prices={"1k": 0, "2k": 0, "4k": 0}, references=16, inline=False, most=4, by_tokens=True,
        chooses_format=True,
    ),
    "gpt-image-2.5-ext": Model(ratios=OPENAI, prices={"1k": 0.01, "2k": 0.02}, references=16, versioned=True),
    "seedream-5-0-pro": Model(
        ratios=GEMINI, prices={"1K": 0.029, "2K": 0.0586}, references=10, reference_bytes=30 << 20, hours=72
    ),
    "flux-kontext-pro": Model(ratios=f"{GEMINI} match_input_image", prices={"1K": 0.02}, references=1, inline=False),
}  # fmt: skip
MODELS |= {
    f"{name}-official": MODELS[name] for name in list(MODELS) if name.startswith("gemini") and "lite" not in name
}
MODELS["gpt-image-2.5-sunburst"] = MODELS["gpt-image-2.5-flare"]


# -------------------------------------------------------------------------------------------------- what is noted
@dataclass(kw_only=True)
class Knobs:
    """How it behaves until told otherwise."""

    takes: float = 0  # seconds for a picture; 0: done at the first look
    models: dict[str, Model] = field(default_factory=lambda: dict(MODELS))
    shape: Shape | None = None  # of the answer to a submission; None: as asked
    words: tuple[str, ...] = ("pending", "processing")  # while it works, one after the other
    outcome: Outcome = WELL
    format: str = "PNG"
    pixels: tuple[int, int] | None = None  # of every picture, instead of what was ordered
    outlives: float = 0  # seconds that results and uploads stay public after their time; below 0: before it
    honours_keys: bool = True
    takes_inline: bool = True  # False: no model takes data: addresses, as the page about uploads has it
    fetches: int = 1  # how often an address of ours is asked for, as by whoever is behind it
    unreachable: int = 400  # the status where an address of ours cannot be fetched: 400 or 500
    refuses_flat: bool = False  # pictures of a single colour, as the real one does
    unknown_task: int = 400
    success: bool = True  # False: the balance is not told, by a 200
    unlimited: bool = False
    faults: dict[Door, Fault] = field(default_factory=dict)  # for good, where none is queued


@dataclass(kw_only=True)
class Reference:
    """A picture that was handed over, as it arrived."""

    how: Literal["link", "inline"]
    data: bytes = field(repr=False)
    media_type: str


@dataclass(kw_only=True)
class Fetch:
    """An address that was asked for a reference."""

    url: str
    status: int | None  # None: nobody there
    data: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Submission:
    """One POST, whatever became of it."""

    at: datetime
    headers: dict[str, str]
    raw: bytes = field(repr=False)
    body: Any
    answered: int | None = None  # None: it was hung up on, or waits
    task_id: str | None = None  # what it led to
    replayed: bool = False
    references: list[Reference] = field(default_factory=list)

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def prompt(self) -> str:
        return str(self.body.get("prompt", "")) if isinstance(self.body, dict) else ""


@dataclass(kw_only=True)
class File:
    """Something public, to whoever knows its address."""

    path: str
    kind: Literal["upload", "result"]
    media_type: str
    until: datetime
    make: Callable[[], bytes] = field(repr=False)
    served: Fault | None = None


@dataclass(kw_only=True)
class Upload:
    filename: str
    data: bytes = field(repr=False)
    media_type: str
    url: str
    until: datetime


@dataclass(kw_only=True)
class Hit:
    """A request at a public address, or at the one that nobody has any business at."""

    method: str
    url: str
    headers: dict[str, str]
    status: int


@dataclass(kw_only=True)
class Poll:
    task_id: str
    at: datetime
    language: str | None
    word: str  # what was told


@dataclass(kw_only=True)
class Charge:
    task_id: str
    key: str | None
    prompt: str
    cost: float


@dataclass(kw_only=True)
class Task:
    id: str
    model: str
    order: "Order"
    key: str | None
    references: list[Reference]
    outcome: Outcome
    created: datetime
    ends: datetime
    over: bool = False
    urls: list[str] = field(default_factory=list)
    until: datetime | None = None
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """A body that was found in order."""

    model: Model
    prompt: str
    ratio: str
    resolution: str
    n: int
    format: str
    urls: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Key:
    """An idempotency key that has been seen. Without an answer: it is being worked on."""

    digest: str
    at: datetime
    answer: Response | None = None
    task_id: str | None = None


@dataclass(kw_only=True)
class Book:
    """All that happened since the last reset. A request keeps the one that it began with."""

    knobs: Knobs = field(default_factory=Knobs)
    queued: dict[Door, deque[Fault | None]] = field(default_factory=lambda: defaultdict(deque))
    outcomes: deque[Outcome] = field(default_factory=deque)
    submissions: list[Submission] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    fetched: list[Fetch] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    reads: list[Hit] = field(default_factory=list)
    strays: list[Hit] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    charged: list[Charge] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    balance: float = 10.0
    used: float = 0.0

    def fault_at(self, door: Door) -> Fault | None:
        queued = self.queued[door]
        return queued.popleft() if queued else self.knobs.faults.get(door)


class Refused(Exception):
    def __init__(self, answer: Fault) -> None:
        super().__init__(answer.status)
        self.answer = answer


def bad(message: str) -> Refused:
    return Refused(documented(400, "invalid_request_error", message))


def unbuilt(message: str) -> Refused:
    """A bad parameter by the status of a broken server, as the real one has it."""
    return Refused(measured(500, "build_request_failed", f"build_request_failed: {message}"))


def no_upload(status: int, message: str) -> Refused:
    """The envelope of uploads has no code."""
    told = {"error": {"message": message, "type": "invalid_request_error"}}
    return Refused(Fault(status=status, body=json.dumps(told).encode()))


# --------------------------------------------------------------------------------------------------------- the server
class ApiMart:
    """`with ApiMart() as api:`. The clock is handed in where a test has one of its own; `advance` moves it further."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        key: str = "sk-stand-in-of-apimart",
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        self.key = key
        self.clock = clock or (lambda: datetime.now(UTC))
        self._ahead = timedelta(0)
        self._ports = (*ports, 0)
        self._book = Book()
        self._turn = threading.RLock()
        self._ids = itertools.count(1)
        self._stopping = False

    # ----------------------------------------------------------------------------------------------- for the tests
    def reset(self) -> None:
        """As new: what is still under way ends in the old book, where nobody looks."""
        old, self._book = self._book, Book()
        for gate in old.gates:
            gate.let_go()
        self._ahead = timedelta(0)

    def queue(self, door: Door, *faults: Fault | None) -> None:
        """What happens to the next requests at a door, one each. None: nothing."""
        self._book.queued[door].extend(faults)

    def always(self, door: Door, fault: Fault | None) -> None:
        """What happens to every request at a door for which nothing is queued."""
        if fault is None:
            self.knobs.faults.pop(door, None)
        else:
            self.knobs.faults[door] = fault

    def hold(self, door: Door, fault: Fault = NO_FAULT) -> Gate:
        """Holds the next request at a door until told to let it go: `gate.reached.wait(10)`, then `gate.let_go()`."""
        gate = Gate()
        self._book.gates.append(gate)
        self.queue(door, replace(fault, gate=gate))
        return gate

    def ends(self, *outcomes: Outcome) -> None:
        """How the next tasks end, one each. What is taken after them ends as the knobs say."""
        self._book.outcomes.extend(outcomes)

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)

    @property
    def now(self) -> datetime:
        return self.clock() + self._ahead

    @property
    def knobs(self) -> Knobs:
        return self._book.knobs

    @property
    def submissions(self) -> list[Submission]:
        """Every POST, also those that were refused, dropped or answered from memory."""
        return list(self._book.submissions)

    @property
    def tasks(self) -> list[Task]:
        """Everything that was taken, in order."""
        self._settle(self._book)
        return list(self._book.tasks.values())

    @property
    def charged(self) -> list[Charge]:
        self._settle(self._book)
        return list(self._book.charged)

    @property
    def uploads(self) -> list[Upload]:
        return list(self._book.uploads)

    @property
    def fetched(self) -> list[Fetch]:
        """The addresses of `image_urls` that it asked for, also in vain."""
        return list(self._book.fetched)

    @property
    def polls(self) -> list[Poll]:
        return list(self._book.polls)

    @property
    def reads(self) -> list[Hit]:
        """What was asked of the host of uploads and results."""
        return list(self._book.reads)

    @property
    def strays(self) -> list[Hit]:
        """What was asked of the address that nobody has any business at."""
        return list(self._book.strays)

    @property
    def balance(self) -> float:
        self._settle(self._book)
        return self._book.balance

    @balance.setter
    def balance(self, dollars: float) -> None:
        self._settle(self._book)
        self._book.balance = dollars

    @property
    def public(self) -> list[str]:
        """Addresses that anybody can still read."""
        now = self.now
        return [self.result_url + file.path for file in list(self._book.files.values()) if self._is_public(file, now)]

    def charges_by_key(self) -> Counter[str | None]:
        return Counter(charge.key for charge in self.charged)

    def charges_by_prompt(self) -> Counter[str]:
        return Counter(charge.prompt for charge in self.charged)

    def forget_tasks(self) -> None:
        """As after some days: ids that were good are unknown now."""
        self._settle(self._book)
        self._book.tasks.clear()

    @property
    def environment(self) -> dict[str, str]:
        """What an app needs to use it."""
        return {
            "APIMART_API_KEY": self.key,
            "APIMART_BASE_URL": self.url,
            "APIMART_RESULT_HOSTS": self.result_url.removeprefix("http://"),
        }

    # ------------------------------------------------------------------------------------------------ start and stop
    def __enter__(self) -> Self:
        sockets = [_listening(port) for port in self._ports]
        api, results, elsewhere = (each.getsockname()[1] for each in sockets)
        self.url, self.result_url = f"http://127.0.0.1:{api}", f"http://127.0.0.1:{results}"
        self.elsewhere = f"http://localhost:{elsewhere}"
        self._apps = {api: self._api(), results: self._public(), elsewhere: self._nobodys()}
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http=_Line,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(sockets, started)), daemon=True)
        self._thread.start()
        assert started.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = self._server.should_exit = True
        self._thread.join(30)

    async def _run(self, sockets: list[socket.socket], started: threading.Event) -> None:
        async with httpx.AsyncClient(timeout=10, trust_env=False, limits=httpx.Limits(max_connections=200)) as client:
            self._fetching = client
            started.set()  # the sockets listen already
            await self._server.serve(sockets)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apps[scope["server"][1]](scope, receive, send)

    def _api(self) -> Starlette:
        balance = ("/balance", "/user/balance", "/v1/balance", "/v1/user/balance")
        return Starlette(
            routes=[
                Route("/v1/uploads/images", self._upload, methods=["POST"]),
                Route("/v1/images/generations", self._submit, methods=["POST"]),
                Route("/v1/tasks/{task_id}", self._task, methods=["GET"]),
                Route("/v1/models", self._models, methods=["GET"]),
                *(Route(path, self._balance, methods=["GET"]) for path in balance),
            ]
        )

    def _public(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._file, methods=["GET", "HEAD"])])

    def _nobodys(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._stray, methods=["GET", "HEAD", "POST"])])

    # ---------------------------------------------------------------------------------------------------- the doors
    async def _upload(self, request: Request) -> Response:
        book = self._book
        return await self._through(book, "upload", request, lambda: self._store(book, request))

    async def _submit(self, request: Request) -> Response:
        book, raw = self._book, await request.body()
        submission = Submission(at=self.now, headers=dict(request.headers), raw=raw, body=_parsed(raw))
        book.submissions.append(submission)
        answer = await self._through(book, "submit", request, lambda: self._take_once(book, submission))
        submission.answered = None if isinstance(answer, _Nothing) else answer.status_code
        return answer

    async def _task(self, request: Request) -> Response:
        book = self._book
        return await self._through(book, "task", request, lambda: self._look(book, request))

    async def _balance(self, request: Request) -> Response:
        book = self._book
        return await self._through(book, "balance", request, lambda: self._count(book))

    async def _models(self, request: Request) -> Response:
        book = self._book

        async def listed() -> Response:
            self._want_money(book)
            return JSONResponse(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in book.knobs.models]}
            )

        return await self._through(book, None, request, listed)

    async def _file(self, request: Request) -> Response:
        """No key is asked for here, and none should be shown."""
        book, now = self._book, self.now
        file = book.files.get(request.url.path)
        fault = book.fault_at("file") or (file.served if file else None)
        if file is None or not self._is_public(file, now):
            fault = fault if fault and fault.status and fault.status >= 500 else GONE
        if fault is None or not fault.answers_otherwise:
            await self._wait(fault)
            answer = Response(await run_in_threadpool(file.make), media_type=file.media_type) if file else _Nothing()
        else:
            await self._wait(fault)
            answer = self._faulty(request, fault, ref="")
        book.reads.append(_hit(request, answer))
        return answer

    async def _stray(self, request: Request) -> Response:
        """Serves a picture to whoever asks: only a client that never came has kept to its list."""
        answer = Response(_picture(b"", (64, 64), "PNG"), media_type="image/png")
        self._book.strays.append(_hit(request, answer))
        return answer

    async def _through(
        self, book: Book, door: Door | None, request: Request, handle: Callable[[], Awaitable[Response]]
    ) -> Response:
        """The key first, then whatever was queued, then what was asked for."""
        ref = f"20260101{next(self._ids):09}"
        fault = book.fault_at(door) if door else None
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return self._faulty(request, _no_key(ref), ref)
        answer = await self._handled(request, handle, ref) if fault is None or fault.takes_it else None
        await self._wait(fault)
        if fault is not None and fault.answers_otherwise:
            return self._faulty(request, fault, ref)
        return answer or await self._handled(request, handle, ref)

    async def _handled(self, request: Request, handle: Callable[[], Awaitable[Response]], ref: str) -> Response:
        try:
            answer = await handle()
        except Refused as refused:
            return self._faulty(request, refused.answer, ref)
        answer.headers[REQUEST_ID] = ref
        return answer

    async def _wait(self, fault: Fault | None) -> None:
        if fault is None:
            return
        await self._pause(fault.stalls)
        if fault.gate:
            fault.gate.reached.set()
            while not fault.gate.opened.is_set() and not self._stopping:
                await asyncio.sleep(0.005)

    async def _pause(self, seconds: float) -> None:
        """Real seconds, as long as anybody is there to wait for."""
        until = asyncio.get_running_loop().time() + seconds
        while not self._stopping and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 0.1))

    def _faulty(self, request: Request, fault: Fault, ref: str) -> Response:
        if fault.drops:
            return _Nothing()
        headers = {**fault.headers, **({REQUEST_ID: ref} if ref else {})}
        if fault.endless or fault.cut or fault.claims is not None:
            return _Stream(fault, headers, pieces=self._pieces(request, fault))
        return Response(
            fault.body.replace(b"{ref}", ref.encode()),
            fault.status or 200,
            headers=headers,
            media_type=fault.media_type,
        )

    async def _pieces(self, request: Request, fault: Fault) -> AsyncIterator[bytes]:
        yield fault.body
        while fault.endless and not self._stopping and not await request.is_disconnected():
            yield bytes(100) if fault.pause else bytes(PIECE)
            await self._pause(fault.pause)

    # ------------------------------------------------------------------------------------------------------- uploads
    async def _store(self, book: Book, request: Request) -> Response:
        with suppress(Exception):  # whatever is no form has no file in it
            async with request.form(max_part_size=UPLOAD_CAP * 2) as form:
                given = form.get("file")
                if isinstance(given, UploadFile):
                    return self._stored(book, given.filename or "", await given.read())
        raise no_upload(400, "file field is required")

    def _stored(self, book: Book, filename: str, data: bytes) -> Response:
        if len(data) > UPLOAD_CAP:
            return self._plain(no_upload(413, "file is too large"))
        media_type = _sniffed(data)
        if media_type is None:
            return self._plain(no_upload(400, "unsupported image type"))
        if book.knobs.refuses_flat and _is_flat(data):
            return self._plain(bad("invalid image content"))
        now = self.now
        path = f"/f/image/{len(book.files) + 1}-{secrets.token_hex(4)}-{filename}"
        file = File(path=path, kind="upload", media_type=media_type, until=now + UPLOADS_LIVE, make=lambda: data)
        book.files[path] = file
        url = self.result_url + path
        book.uploads.append(Upload(filename=filename, data=data, media_type=media_type, url=url, until=file.until))
        told = {"url": url, "filename": filename, "content_type": media_type, "bytes": len(data)}
        return JSONResponse({**told, "created_at": int(now.timestamp())})

    def _plain(self, refused: Refused) -> Response:
        return Response(refused.answer.body, refused.answer.status or 400, media_type=refused.answer.media_type)

    def _is_public(self, file: File, now: datetime) -> bool:
        outlives = self._book.knobs.outlives
        return outlives == math.inf or now < file.until + timedelta(seconds=outlives)

    # ---------------------------------------------------------------------------------------------------- submissions
    async def _take_once(self, book: Book, submission: Submission) -> Response:
        """A key that is known leads to the answer that it had; one that is new, to a task."""
        key = submission.key
        if key is not None and not re.fullmatch(r"[!-~]{1,191}", key):
            raise bad("Idempotency-Key must be 1-191 visible ASCII characters")
        if key is None or not book.knobs.honours_keys:
            return await self._take(book, submission)
        version = submission.headers.get(VERSION_HEADER.lower(), "")
        digest = hashlib.sha256(submission.raw + version.encode()).hexdigest()
        seen = book.keys.get(key)
        if seen and self.now < seen.at + KEYS_LIVE:
            return self._replayed(seen, digest, submission)
        entry = book.keys[key] = Key(digest=digest, at=self.now)
        try:
            answer = await self._take(book, submission)
        except Refused:
            del book.keys[key]  # nothing was done
            raise
        entry.answer, entry.task_id = answer, submission.task_id
        return answer

    def _replayed(self, seen: Key, digest: str, submission: Submission) -> Response:
        if seen.digest != digest:
            raise Refused(KEY_REUSED)
        if seen.answer is None:
            raise Refused(IN_PROGRESS)
        submission.task_id, submission.replayed = seen.task_id, True
        again = Response(seen.answer.body, seen.answer.status_code, media_type="application/json")
        again.headers["Idempotency-Replayed"] = "true"
        return again

    async def _take(self, book: Book, submission: Submission) -> Response:
        self._want_money(book)
        order = checked(submission.body, book.knobs)
        for url in order.urls:
            submission.references.append(await self._reference(book, order.model, url))
        outcome = book.outcomes.popleft() if book.outcomes else book.knobs.outcome
        if book.knobs.refuses_flat and any(_is_flat(reference.data) for reference in submission.references):
            outcome = Outcome(
                error={"code": "task_failed", "message": "invalid image", "type": "task_failed", "param": ""}
            )
        shape = book.knobs.shape or ("versioned" if self._wants_version(order, submission) else "default")
        takes = book.knobs.takes if outcome.takes is None else outcome.takes
        now = self.now
        task = Task(
            id=f"task_{next(self._ids):06}{secrets.token_hex(10).upper()}",
            model=submission.body["model"],
            order=order,
            key=submission.key,
            references=submission.references,
            outcome=outcome,
            created=now,
            ends=now if shape in ("result", "openai") else now + timedelta(seconds=takes),
        )
        submission.task_id = task.id
        book.tasks[task.id] = task
        return self._taken(book, task, shape)

    def _wants_version(self, order: Order, submission: Submission) -> bool:
        return order.model.versioned or submission.headers.get(VERSION_HEADER.lower()) == VERSION

    def _taken(self, book: Book, task: Task, shape: Shape) -> Response:
        if shape == "default":
            return JSONResponse({"code": 200, "data": [{"status": "submitted", "task_id": task.id}]})
        if shape == "versioned":
            poll = f"{self.url}/v1/tasks/{task.id}"
            told = {"object": "generation.task", "id": task.id, "status": "queued", "poll_url": poll}
            body = {"code": 202, "request_id": f"req_{task.id[5:17]}", "data": told}
            return JSONResponse(body, 202, headers={VERSION_HEADER: VERSION})
        self._settle(book)
        created = int(task.created.timestamp())
        if shape == "openai":
            return JSONResponse({"created": created, "data": [{"url": url} for url in task.urls]})
        return JSONResponse({"code": 200, "data": {"object": "generation.result", **self._told(book, task)}})

    def _want_money(self, book: Book) -> None:
        self._settle(book)
        if book.balance <= 0 and not book.knobs.unlimited:
            raise Refused(documented(402, "payment_required", "insufficient balance"))

    async def _reference(self, book: Book, model: Model, url: str) -> Reference:
        if url.startswith("data:"):
            if not (model.inline and book.knobs.takes_inline):
                raise bad("image_urls must be public http(s) URLs")
            reference = Reference(how="inline", data=_inline(url), media_type=url[5:].partition(";")[0])
        elif url.startswith(("http://", "https://")):
            data, media_type = await self._fetched_from(book, url)
            reference = Reference(how="link", data=data, media_type=media_type)
        else:
            raise bad("image_urls must be URLs")
        if len(reference.data) > model.reference_bytes or _sniffed(reference.data) is None:
            raise unbuilt("a reference image is too large or not an image")
        return reference

    async def _fetched_from(self, book: Book, url: str) -> tuple[bytes, str]:
        """Once, or as often as those behind it do; the first answer is what is worked from."""
        answers = []
        for _ in range(book.knobs.fetches):
            try:
                answer = await self._fetching.get(url)
            except httpx.HTTPError:
                book.fetched.append(Fetch(url=url, status=None))
                raise self._unreachable(book) from None
            seen = Fetch(url=url, status=answer.status_code, data=answer.content, headers=dict(answer.headers))
            book.fetched.append(seen)
            if answer.status_code != 200:
                raise self._unreachable(book)
            answers.append(answer)
        return answers[0].content, answers[0].headers.get("content-type", "")

    def _unreachable(self, book: Book) -> Refused:
        message = "failed to fetch image_urls[0]"
        return unbuilt(message) if book.knobs.unreachable == 500 else bad(message)

    # ------------------------------------------------------------------------------------------------ tasks and money
    async def _look(self, book: Book, request: Request) -> Response:
        self._settle(book)
        task_id = request.path_params["task_id"]
        task = book.tasks.get(task_id)
        if task is None:
            raise Refused(documented(book.knobs.unknown_task, "invalid_request_error", "task not found"))
        told = self._told(book, task)
        language = request.query_params.get("language")
        book.polls.append(Poll(task_id=task_id, at=self.now, language=language, word=told["status"]))
        return JSONResponse({"code": 200, "data": told})

    def _told(self, book: Book, task: Task) -> dict[str, Any]:
        told: dict[str, Any] = {"id": task.id, "created": int(task.created.timestamp()), "estimated_time": 60}
        if not task.over:
            return {**told, "progress": 0, "status": self._waiting(book, task)}
        took = int((task.ends - task.created).total_seconds())
        told |= {"progress": 100, "completed": int(task.ends.timestamp()), "actual_time": took}
        outcome = task.outcome
        if outcome.says_cost:
            told |= {"cost": task.cost, "credits_cost": round(task.cost * CREDITS_PER_DOLLAR, 6)}
        if outcome.fails:
            return {
                **told,
                "status": outcome.word or "failed",
                **({"error": outcome.error} if outcome.error is not None else {}),
            }
        if task.order.model.by_tokens:
            told["usage"] = usage(task)
        return {**told, "status": outcome.word or "completed", "result": {"images": self._images(task)}}

    def _waiting(self, book: Book, task: Task) -> str:
        """The words in order, each for its share of the time."""
        share = (self.now - task.created) / (task.ends - task.created)
        words = book.knobs.words
        return words[min(int(share * len(words)), len(words) - 1)]

    def _images(self, task: Task) -> list[dict[str, Any]]:
        until = task.until if task.outcome.says_when else None
        when = {"expires_at": int(until.timestamp())} if until else {}
        if task.outcome.one_entry:
            return [{"url": task.urls, **when}]
        return [{"url": url if task.outcome.bare_url else [url], **when} for url in task.urls]

    def _settle(self, book: Book) -> None:
        """What is due by the clock has happened: pictures lie there, and are paid for."""
        with self._turn:
            now = self.now
            for task in list(book.tasks.values()):
                if not task.over and task.ends <= now:
                    self._end(book, task)
                    task.over = True

    def _end(self, book: Book, task: Task) -> None:
        outcome = task.outcome
        if outcome.fails:
            return
        lives = task.order.model.hours * 3600 if outcome.lives is None else outcome.lives
        task.until = task.ends + timedelta(seconds=lives)
        made = task.order.n if outcome.images is None else outcome.images
        task.urls = [self._lay_out(book, task, number) for number in range(made)]
        if outcome.urls is not None:
            task.urls = list(outcome.urls)
        task.cost = round(cost(task, min(made, task.order.n)) if outcome.cost is None else outcome.cost, 6)
        book.charged.append(Charge(task_id=task.id, key=task.key, prompt=task.order.prompt, cost=task.cost))
        book.used += task.cost
        book.balance -= task.cost

    def _lay_out(self, book: Book, task: Task, number: int) -> str:
        outcome, kind = task.outcome, task.outcome.format or task.order.format or book.knobs.format
        portrait = task.references[0].data if task.references else b""
        pixels = book.knobs.pixels or size_of(task.order, portrait)
        finish = outcome.finish or (lambda data: data)
        suffix = {"JPEG": "jpg"}.get(kind, kind.lower())
        path = f"/f/image/{len(book.files) + 1}-{secrets.token_hex(4)}-out_{number}.{suffix}"
        book.files[path] = File(
            path=path,
            kind="result",
            media_type=f"image/{kind.lower()}",
            until=cast(datetime, task.until),
            make=lambda: finish(_picture(portrait, pixels, kind)),
            served=outcome.served,
        )
        return self.result_url + path

    async def _count(self, book: Book) -> Response:
        self._settle(book)
        if not book.knobs.success:
            return JSONResponse({"success": False, "message": "failed to read the balance"})
        left = -1.0 if book.knobs.unlimited else round(book.balance, 6)
        used = round(book.used, 6)
        return JSONResponse(
            {
                "success": True,
                "remain_balance": left,
                "remain_credits": -1 if book.knobs.unlimited else round(left * CREDITS_PER_DOLLAR, 5),
                "used_balance": used,
                "used_credits": round(used * CREDITS_PER_DOLLAR, 5),
                "unlimited_quota": book.knobs.unlimited,
            }
        )


# -------------------------------------------------------------------------------------------------- what is accepted
def checked(body: Any, knobs: Knobs) -> Order:
    if not isinstance(body, dict):
        raise bad("the body is not a JSON object")
    model = knobs.models.get(body.get("model", "")) if isinstance(body.get("model"), str) else None
    if model is None:
        raise bad("model is not known")
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise bad("prompt is required")
    if model.prompt and len(prompt) > model.prompt:
        raise unbuilt("prompt is too long")
    ratio, resolution, n = _dimensions(body, model)
    return Order(
        model=model, prompt=prompt, ratio=ratio, resolution=resolution, n=n, format=_format(body, model),
        urls=_urls(body, model),
    )  # fmt: skip


def _dimensions(body: Mapping[str, Any], model: Model) -> tuple[str, str, int]:
    n = body.get("n", 1)
    if type(n) is not int:
        raise bad("n must be a number")
    if not 1 <= n <= model.most:
        raise unbuilt("n is out of range")
    ratio = body.get("size", "auto")
    if ratio not in model.ratios.split():
        raise unbuilt("invalid size")
    resolution = body.get("resolution", next(iter(model.prices)))
    if resolution not in model.prices:
        raise unbuilt("invalid resolution")
    return ratio, resolution, n


def _format(body: Mapping[str, Any], model: Model) -> str:
    """Those that have no choice of it ignore it."""
    asked = body.get("output_format")
    if asked is None or not model.chooses_format:
        return ""
    if asked not in ("png", "jpeg", "webp"):
        raise bad("output_format is not known")
    return str(asked).upper()


def _urls(body: Mapping[str, Any], model: Model) -> tuple[str, ...]:
    urls = body.get("image_urls", [])
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise bad("image_urls must be an array of strings")
    if len(urls) > model.references:
        raise unbuilt("too many reference images")
    return tuple(urls)


def _inline(url: str) -> bytes:
    head, _, packed = url.partition(",")
    if not re.fullmatch(r"data:image/(jpeg|png|webp|gif);base64", head):
        raise bad("image_urls must be data:image/...;base64")
    try:
        return base64.b64decode(packed, validate=True)
    except ValueError:
        raise bad("image_urls are not base64") from None


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _no_key(ref: str) -> Fault:
    told = {"code": "", "message": f"invalid API key (request id: {ref})", "param": "", "type": "apimart_error"}
    return Fault(status=401, body=json.dumps({"error": told}).encode())


# ---------------------------------------------------------------------------------------------------------- the prices
def usage(task: Task) -> dict[str, Any]:
    text, images = len(task.order.prompt) // 4 + 1, 1024 * len(task.references)
    out = 196 * len(task.urls)
    return {
        "input_tokens": text + images,
        "input_tokens_details": {"cached_tokens": 0, "image_tokens": images, "text_tokens": text},
        "output_tokens": out,
        "output_tokens_details": {"image_tokens": out, "text_tokens": 0},
        "total_tokens": text + images + out,
    }


def cost(task: Task, made: int) -> float:
    """In US dollars: of what was delivered."""
    order = task.order
    if not order.model.by_tokens:
        return order.model.prices[order.resolution] * made
    used = usage(task)
    inputs, outputs = used["input_tokens_details"], used["output_tokens"]
    return float(4 * inputs["text_tokens"] + 6.4 * inputs["image_tokens"] + 24 * outputs) / 1_000_000


# -------------------------------------------------------------------------------------------------------- the pictures
def _sniffed(data: bytes) -> str | None:
    """By its first bytes, whatever it is called."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if data.startswith((b"GIF87a", b"GIF89a")) else None


def _is_flat(data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        return all(low == high for low, high in image.convert("RGB").getextrema())


def size_of(order: Order, portrait: bytes) -> tuple[int, int]:
    """As large as the resolution's square, in the ratio; sides are multiples of 16."""
    area = order.model.side(order.resolution) ** 2
    if ":" in order.ratio:
        across, down = map(int, order.ratio.split(":"))
    elif portrait:
        with Image.open(io.BytesIO(portrait)) as image:
            across, down = image.size
    else:
        across, down = 1, 1
    width = math.sqrt(area * across / down)
    return _sixteens(width), _sixteens(area / width)


def _sixteens(side: float) -> int:
    return max(16, math.ceil(side / 16 - 1e-6) * 16)


@lru_cache(maxsize=8)
def _picture(portrait: bytes, pixels: tuple[int, int], kind: str) -> bytes:
    """The portrait, cut to the ratio, in a frame of another colour."""
    image = _opened(portrait) if portrait else Image.linear_gradient("L").convert("RGB")
    image = ImageOps.fit(image, pixels)
    edge = max(1, min(pixels) // 50)
    ImageDraw.Draw(image).rectangle((0, 0, pixels[0] - 1, pixels[1] - 1), outline="teal", width=edge)
    out = io.BytesIO()
    image.save(out, kind, **({"compress_level": 1} if kind == "PNG" else {"quality": 90}))
    return out.getvalue()


def _opened(portrait: bytes) -> Image.Image:
    with Image.open(io.BytesIO(portrait)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


# ----------------------------------------------------------------------------------------------------------- the line
class _Line(H11Protocol):
    """Lets an answer hang up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Nothing(Response):
    """Hangs up instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _hang_up(scope)


class _Stream(Response):
    """An answer that is not as long as it says, or that does not end."""

    def __init__(self, fault: Fault, headers: Mapping[str, str], pieces: AsyncIterator[bytes]) -> None:
        length = {"Content-Length": str(fault.claims)} if fault.claims is not None else {}
        super().__init__(None, fault.status or 200, media_type=fault.media_type)
        plain = {**headers, **length, "Content-Type": fault.media_type}
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in plain.items()]
        self.fault, self.pieces = fault, pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if self.fault.cut or self.fault.endless:
            await asyncio.sleep(0.02)  # what was sent so far is on its way
            await _hang_up(scope)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hang_up(scope: Scope) -> None:
    scope["state"]["transport"].abort()
    await asyncio.sleep(0)  # until the server has noticed, and misses no end of the answer


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    return listener


def _hit(request: Request, answer: Response) -> Hit:
    return Hit(
        method=request.method, url=str(request.url), headers=dict(request.headers), status=answer.status_code
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ by hand
def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for APIMart, to try the app with.")
    parser.add_argument("--takes", type=float, default=10, help="seconds for a picture")
    parser.add_argument("--port", type=int, default=0, help="of the API")
    parser.add_argument("--results-port", type=int, default=0, help="of uploads and results")
    parser.add_argument("--without-keys", action="store_true", help="does not honour Idempotency-Key")
    told = parser.parse_args()
    with ApiMart(ports=(told.port, told.results_port)) as api, suppress(KeyboardInterrupt):
        api.knobs.takes, api.knobs.honours_keys = told.takes, not told.without_keys
        print("\n".join(f"{name}={value}" for name, value in api.environment.items()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
