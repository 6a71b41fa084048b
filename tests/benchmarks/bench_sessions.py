"""
A hundred browsers that arrive at the same moment: how long until each has its first page, and whether any is lost.

Run it with `python -m tests.benchmarks.bench_sessions [--json]`. Every visitor first asks for `/` and so gets its
cookie. Then all connect at once over Streamlit's own websocket, spoken with Streamlit's own messages, ask for a run of
the page, and read until the run is finished. The same visitors go to a bare Streamlit app: that is the floor.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.typing import Origin, Subprotocol

from tests.benchmarks.common import APP, BARE, Figure, main, server

SESSIONS = 100
ROUNDS = 3
PROMISED = 2.0
GIVEN_UP_AFTER = 60.0
AT_THE_DOOR = 10  # visitors who ask for `/` at the same time


@dataclass(frozen=True)
class Crowd:
    """How one arrival of all went."""

    seconds: list[float]  # of those who got their page
    lost: int


def measure() -> list[Figure]:
    ours, bare = [], []
    with TemporaryDirectory() as name:
        folder = Path(name)
        data = str(folder / "data")
        with (
            server(BARE, folder, healthy="/_stcore/health") as (bare_url, _, _),
            server(APP, folder, healthy="/healthz", DATA_DIR=data) as (url, _, _),
        ):
            for address in (bare_url, url):
                asyncio.run(arrive(address, 1))  # whoever comes first warms the room
            for _ in range(ROUNDS):
                bare.append(asyncio.run(arrive(bare_url, SESSIONS)))
                ours.append(asyncio.run(arrive(url, SESSIONS)))
    return [
        Figure(name=f"last of {SESSIONS} has its page", value=_last(ours), floor=_last(bare), of="value",
               promised=PROMISED),
        Figure(name=f"median of {SESSIONS}", value=_median(ours), floor=_median(bare)),
        Figure(name="sessions lost", value=sum(crowd.lost for crowd in ours), unit="", of="value", promised=0,
               floor=sum(crowd.lost for crowd in bare)),
    ]  # fmt: skip


def _last(crowds: list[Crowd]) -> float:
    """Of a usual arrival, not of the luckiest."""
    return statistics.median(max(crowd.seconds, default=GIVEN_UP_AFTER) for crowd in crowds)


def _median(crowds: list[Crowd]) -> float:
    return statistics.median(seconds for crowd in crowds for seconds in crowd.seconds)


async def arrive(url: str, visitors: int) -> Crowd:
    door = asyncio.Semaphore(AT_THE_DOOR)
    cookies = await asyncio.gather(*(_cookies(url, door) for _ in range(visitors)))
    answers = await asyncio.gather(*(_first_page(url, *each) for each in cookies), return_exceptions=True)
    seconds = [answer for answer in answers if isinstance(answer, float)]
    return Crowd(seconds, lost=visitors - len(seconds))


async def _cookies(url: str, door: asyncio.Semaphore) -> tuple[str, str]:
    """The cookies that a browser has after its first request, and the token among them."""
    async with door, httpx.AsyncClient(base_url=url, timeout=30, verify=False) as http:
        await http.get("/", headers={"accept": "text/html"})
        await http.get("/_stcore/health")
        return "; ".join(f"{c.name}={c.value}" for c in http.cookies.jar), http.cookies.get("_streamlit_xsrf") or "none"


async def _first_page(url: str, cookies: str, token: str) -> float:
    started = time.perf_counter()
    async with asyncio.timeout(GIVEN_UP_AFTER):
        async with connect(
            f"{url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
            origin=Origin(url),
            additional_headers={"Cookie": cookies},
            max_size=None,
            compression=None,
            open_timeout=GIVEN_UP_AFTER,
            proxy=None,
        ) as socket:
            ask = BackMsg()
            ask.rerun_script.query_string = ""
            await socket.send(ask.SerializeToString())
            async for frame in socket:
                message = ForwardMsg.FromString(frame)  # type: ignore[arg-type]
                if message.WhichOneof("type") == "script_finished":
                    if message.script_finished != ForwardMsg.FINISHED_SUCCESSFULLY:
                        raise ConnectionError("the page was not finished")
                    return time.perf_counter() - started
    raise ConnectionError("the server hung up")


if __name__ == "__main__":
    main(measure, __doc__)
