"""
The engine that is a third party. Implements ports.Provider.

What is sent is made of fixed words and clean pictures; what comes back is believed as little as anything from outside.
Its HTTP is loaded when it is first needed: a server that starts has nothing to ask yet.
"""

import json
from collections.abc import Collection
from datetime import timedelta
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.clock import Clock, utc_now
from core.engines.apimart import answers, prompts, refusals
from core.engines.apimart.offers import Offer
from core.errors import EngineRefused
from core.language import N_
from core.ports import Commission, Fetched, HandOver, Presence, ProviderResult, Submission, TaskReport

if TYPE_CHECKING:
    from core.engines.apimart.client import Client
    from core.engines.apimart.results import Results

SENDING, WAITING, FETCHING = "sending", "waiting", "fetching"

BASE_URL = "https://api.apimart.ai"
RESULT_HOSTS = ("getapib.org", "upload.apimart.ai", "cdn.apimart.ai")
UPLOAD_KEPT_FOR = timedelta(hours=72)
"""As its page on uploads says (docs.apimart.ai, uploads/images, read in 2026). There is no way to erase one."""


class ApiMart:
    """Implements ports.Provider. Safe to share between threads."""

    name = "apimart"
    title = answers.NAME
    run_by = N_("APIMart (apimart.ai), a third party")
    takes_note = True
    stages: tuple[str, ...] = (SENDING, WAITING, FETCHING)
    upload_kept_for = UPLOAD_KEPT_FOR

    def __init__(
        self,
        *,
        offer: Offer,
        key: str,
        base_url: str = BASE_URL,
        hand_over: HandOver = HandOver.INLINE,
        price: int | None = None,
        result_hosts: Collection[str] = RESULT_HOSTS,
        read_seconds: float = 15.0,
        submit_seconds: float = 45.0,
        moderation: Collection[str] = answers.MODERATION,
        clock: Clock = utc_now,
        results: "Results | None" = None,
    ) -> None:
        """`price` in millionths of a US dollar, where it is not what the catalogue lists."""
        self.model = offer.id
        self.price = offer.price if price is None else price
        self.hand_over = hand_over
        self.takes_clothing = offer.references >= 2
        self.honours_keys = offer.honours_keys
        self.result_kept_for = timedelta(hours=offer.result_hours)
        self.usual = timedelta(seconds=offer.usual_seconds)
        self._offer = offer
        self._hosts = result_hosts
        self._moderation = tuple(moderation)
        self._clock = clock
        self._results_given = results
        self._how = {"base_url": base_url, "key": key, "read_seconds": read_seconds, "submit_seconds": submit_seconds}
        self._loading = Lock()

    # ---------------------------------------------------------------------------------------------- what is sent
    def refuses(self, note: str) -> str | None:
        return refusals.refuses(note)

    def for_sending(self, picture: bytes) -> bytes:
        from core.engines.apimart.pictures import for_sending

        return for_sending(picture, self._offer.reference_bytes)

    def commission(
        self,
        *,
        ratio: str,
        long_side: int,
        style: str,
        purpose: str,
        backdrop: str,
        note: str,
        variant: int,
        portrait: str,
        clothing: str | None,
        backdrop_image: str | None,
    ) -> Commission:
        pictures = prompts.in_order(portrait, clothing, backdrop_image)
        self._check_pictures(pictures)
        if sentence := refusals.refuses(note):
            raise EngineRefused(sentence, code="note_refused")
        asked: dict[str, Any] = {
            **self._offer.fields,
            "model": self.model,
            "prompt": self._words(style, purpose, backdrop, note, variant, clothing, backdrop_image),
            "image_urls": pictures,
            "n": 1,
            "size": self._offer.ratio_for(ratio),
            "resolution": self._offer.resolution_for(long_side),
        }
        body = json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()
        return Commission(model=self.model, template=prompts.TEMPLATE, body=body)

    def _check_pictures(self, urls: list[str]) -> None:
        if len(urls) > self._offer.references:
            raise EngineRefused("This model takes fewer pictures than were chosen.", code="too_many_pictures")
        if any(url.startswith("data:") for url in urls) and not self._offer.takes_inline:
            raise EngineRefused("This model takes no pictures in this way.", code="hand_over_failed")

    def _words(
        self,
        style: str,
        purpose: str,
        backdrop: str,
        note: str,
        variant: int,
        clothing: str | None,
        backdrop_image: str | None,
    ) -> str:
        try:
            return prompts.words(
                style=style,
                purpose=purpose,
                backdrop=backdrop,
                note=note,
                variant=variant,
                clothing=clothing is not None,
                own_backdrop=backdrop_image is not None,
                limit=self._offer.prompt_limit,
            )
        except KeyError:
            raise EngineRefused(
                "One of these choices is not offered any more. Please choose again.", code="unknown_choice"
            ) from None

    # ------------------------------------------------------------------------------------------------ what is asked
    def upload(self, picture: bytes) -> ProviderResult:
        answer = self._client.upload(picture)
        return answers.upload(answer, now=self._clock(), moderation=self._moderation)

    def submit(self, commission: Commission, *, key: str) -> Submission:
        """What it raises is about this one request: of an earlier one with the same key it says nothing."""
        answer = self._client.submit(commission.body, key)
        return answers.submission(answer, now=self._clock(), moderation=self._moderation)

    def task(self, task_id: str) -> TaskReport:
        return answers.task(self._client.task(task_id), now=self._clock(), moderation=self._moderation)

    def fetch(self, url: str) -> Fetched:
        return self._results.fetch(url)

    def probe(self, url: str) -> Presence:
        return self._results.probe(url)

    def balance(self) -> int | None:
        return answers.balance(self._client.balance(), now=self._clock())

    def close(self) -> None:
        """Lets go of its connections. What is asked afterwards fails."""
        with self._loading:
            if "_made_client" in self.__dict__:
                self._made_client.close()

    @property
    def _client(self) -> "Client":
        """One for the process: whoever comes first makes it; who comes meanwhile waits."""
        with self._loading:
            return self._made_client

    @property
    def _results(self) -> "Results":
        with self._loading:
            return self._results_given or self._made_results

    @cached_property
    def _made_client(self) -> "Client":
        from core.engines.apimart.client import Client

        return Client(**self._how)  # type: ignore[arg-type]

    @cached_property
    def _made_results(self) -> "Results":
        from core.engines.apimart.results import Results

        return Results(self._hosts)
