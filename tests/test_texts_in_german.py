"""The longer texts, refusals and findings, to somebody who reads German: whole, filled in, and none left in English."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import intake
from core.engines.on_device import findings as on_device
from core.errors import InvalidPhoto, LimitReached
from core.fair_use import GUESSES, Guesses
from core.intake.removed import Removed, RemovedItem
from core.language import ENGLISH, _, current, speaking
from core.models import Generation, RunState
from core.ports import HandOver
from core.provenance import Credentials, Findings, Mark, State
from core.provider import gate
from core.services import Services
from core.settings import ROOT, Settings
from core.third_parties import THIRD_PARTIES_FILE, third_parties
from core.ui import app, checklist_text, guide_text, image_text
from core.ui.screens import over
from tests.conftest import ANN
from tests.fakes import FrozenClock, jpeg
from tests.provider.outsider import Outsider

pytestmark = pytest.mark.sqlite_only("words, and no rows")

ALIKE = {"Content Credentials"}
"""The same in both."""
ENGLISH_WORDS = r"\b(?:the|and|with|which|from|they|that|this|are|your|not|is|of|for)\b"
NAMED = {
    "privacy_contact": "privacy@example.org",
    "run_by": "Ann’s Studio",
    "jurisdiction": "Germany",
    "authority": "BfDI",
}
LOOKED_AT = Findings(
    format="JPEG",
    width=800,
    height=1000,
    mark=Mark(state=State.KEPT, source_type="compositeSynthetic", created_at=datetime(2026, 10, 5, 14, 2, tzinfo=UTC)),
    credentials=Credentials(state=State.BROKEN, signer="Somebody", problems=("assertion.dataHash.mismatch",)),
)

Read = Callable[..., str]


@pytest.fixture
def read(svc: Services) -> Iterator[Read]:
    """Everything on a page, as a German reader has it before them."""

    def look(page: str, *, services: Services = svc, **kept: Any) -> str:
        app.provide(services)
        at = AppTest.from_file(str(ROOT / page), default_timeout=60)
        at.user = {"session": ANN, "counted": "yes", "language": "de"}
        for name, value in kept.items():
            at.session_state[name] = value
        at.run()
        assert not at.exception, [shown.message for shown in at.exception]
        return _all_of(at)

    yield look
    app.provide(None)


def _all_of(at: AppTest) -> str:
    drawn = " ".join(found.proto.body for found in at.get("html") if "<style>" not in found.proto.body)
    plain = html.unescape(re.sub(r"<[^>]+>", " ", drawn))
    others = [found.value for kind in ("header", "markdown") for found in at.get(kind)]
    labels = [found.label for kind in ("expander", "checkbox", "text_input", "file_uploader") for found in at.get(kind)]
    return " ".join(" ".join([plain, *others, *labels]).split())


def sentences(module: ModuleType) -> set[str]:
    """What a module has to say in more than one word, beside the places in braces."""
    constants = (value for name, value in vars(module).items() if name.isupper() and not name.startswith("__"))
    found = {text for value in constants for text in _texts(value) if " " in re.sub(r"\{\w+\}", "", text).strip()}
    return found - ALIKE


def parts(module: ModuleType) -> set[str]:
    """What stands between the places of those sentences, where it is long enough to be English and nothing else."""
    between = {part.strip(" .,:;“”") for text in sentences(module) for part in re.split(r"\{\w+\}", text)}
    return {part for part in between if part.count(" ") > 1}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))


@pytest.mark.parametrize("module", [guide_text, checklist_text, image_text], ids=lambda module: module.__name__)
def test_every_sentence_of_a_text_is_said_in_german(module: ModuleType) -> None:
    known = sentences(module)
    assert len(known) > 20
    with speaking("de"):
        assert not {text for text in known if _(text) == text}


@pytest.mark.parametrize(
    ("page", "module"),
    [("pages/guide.py", guide_text), ("pages/checklist.py", checklist_text), ("pages/check_image.py", image_text)],
)
def test_a_page_has_nothing_english_and_nothing_open(read: Read, svc: Services, page: str, module: ModuleType) -> None:
    for settings, providers in ((NAMED, {"apimart": Outsider(hand_over=HandOver.UPLOAD)}), ({}, {})):
        under: Any = {"settings": Settings(data_dir=svc.settings.data_dir, **settings), "providers": providers}
        said = read(page, services=replace(svc, **under), **{"image-findings": LOOKED_AT})
        assert not re.search(r"[{}]", said)
        assert not [part for part in parts(module) | parts(guide_text) if part in said]
        assert not re.findall(ENGLISH_WORDS, re.sub("„[^“]*“", "", said))  # but for words of others


def test_a_page_is_filled_in_german_too(read: Read, svc: Services) -> None:
    said = read("pages/guide.py", services=replace(svc, providers={"apimart": Outsider(hand_over=HandOver.UPLOAD)}))
    assert "APIMart (Betreiber: APIMart (apimart.ai), ein Dritter)" in said
    assert "24 bis 72 Stunden" in said and "Gelesen am 21. Nov. 2026." in said
    checked = read("pages/check_image.py", **{"image-findings": LOOKED_AT})
    assert " 5. Oktober 2026, 14:02 Uhr UTC" in checked
    assert "Nicht vorhanden" not in checked and "Beschädigt" in checked


def test_words_of_others_stay_theirs() -> None:
    quoted = re.findall(r"“([^”]+)”", THIRD_PARTIES_FILE.read_text(encoding="utf-8"))
    with speaking("de"):
        said = " ".join(_(statement.text) for statement in third_parties()["apimart"].says)
    assert quoted and all(f"„{words}“" in said for words in quoted)


def test_refusals_are_said_to_whoever_is_refused(svc: Services) -> None:
    with speaking("de"):
        with pytest.raises(InvalidPhoto, match="Diese Datei ist leer"):
            intake.read(b"")
        with pytest.raises(InvalidPhoto, match="Dieses Bild hat 100 × 120 Pixel"):
            intake.read(jpeg(100, 120))
        guesses = Guesses(FrozenClock())
        for _guess in range(GUESSES):
            guesses.spend("me", "")
        with pytest.raises(LimitReached, match="zu viele Codes"):
            guesses.spend("me", "")
        assert gate.says(gate.BUDGET_DAY, "APIMart").startswith("APIMart ist bis Mitternacht (UTC) geschlossen")
    with pytest.raises(InvalidPhoto, match="This file is empty"):
        intake.read(b"")


def test_every_reason_to_refuse_a_note_is_said(svc: Services) -> None:
    reasons = json.loads((THIRD_PARTIES_FILE.parent / "refused_wishes.json").read_text(encoding="utf-8"))["reasons"]
    with speaking("de"):
        assert not [reason["id"] for reason in reasons if _(reason["says"]) == reason["says"]]


def test_what_was_found_follows_a_change_of_language() -> None:
    with speaking("de"):
        small = next(each for each in intake.read(jpeg(300, 400)).findings if each.code == "small")
        assert small.in_words.startswith("Dieses Foto hat 300 × 400 Pixel")
        assert on_device.finding("no_person").in_words.startswith("Wir finden auf diesem Foto keine Person.")
    assert current() == ENGLISH
    assert small.in_words.startswith("This photo is 300 × 400 pixels")


def test_what_was_removed_is_counted_in_english_and_said_in_german() -> None:
    gone = Removed((RemovedItem(words="GPS position", group="Where you were", count=3),) * 3)
    with speaking("de"):
        assert gone.headline() == "GPS-Position, GPS-Position, 3 weitere"
        assert Removed().headline() == "nichts: In der Datei war nur das Bild"


def test_a_failure_that_the_worker_noted_is_read_in_german(
    read: Read, svc: Services, ask: Callable[..., str], work: Callable[[], int]
) -> None:
    run_id = ask()
    work()
    with svc.transaction() as session:
        run = session.get_one(Generation, run_id)
        run.state, run.failure, run.counts = RunState.FAILED, "no_person", False
    english = over.FAILURES["no_person"][0]
    with speaking("de"):
        german = _(english)
    said = read("streamlit_app.py", run=run_id)
    assert german in said and english not in said
