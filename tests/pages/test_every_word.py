"""
No word on a page for everyone that cannot be said in another language.

The pages are read in a language that nobody speaks: every sentence that goes through core/language.py comes out in
ｌｅｔｔｅｒｓ that nobody writes with. Whatever else a person then reads is in English for everybody, and fails here.
"""

import gettext
import html
import json
import re
import string
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from core import access, jobs, language, requests, retention
from core.models import Generation, JobKind, RequestKind, RunState, new_id
from core.ports import Finding
from core.services import Services
from tests.conftest import ANN, BOB
from tests.fakes import DrawingEngine
from tests.messages import translated_by
from tests.pages.conftest import Opened, Tab
from tests.pages.test_check_image import checked
from tests.pages.test_third_parties import choose
from tests.provenance.signed import SIGNER, changed, signed
from tests.provenance.test_look import OURS, mark, plain
from tests.provider.outsider import Outsider, beside

pytestmark = pytest.mark.sqlite_only("pages draw the same from either database")

PAGES = ("my_photos", "promises", "guide", "policy", "checklist", "check_image", "check_receipt", "report")
NAMES = {
    *("WorkShot", "LinkedIn", "Deutsch", "English", "Streamlit", "Google", "Analytics", "APIMart", "OpenAI", "UTC"),
    *("JPEG", "JPG", "PNG", "WebP", "WEBP", "HEIC", "HEIF", "AVIF", "GPS", "EXIF", "XMP", "IPTC", "C2PA", "SHA"),
    *("CSV", "ZIP", "JSON", "Ed25519", "MediaPipe", "Cloudflare", "Amazon", "SQLite", "PostgreSQL", "HTTP"),
    *("signature", "statement"),  # the keys of a receipt's file
    *(
        "workshot",
        "Illinois",
        "ILCS",
        "Texas",
        "Bus",
        "Com",
        "Code",
        "composite",
        "signingCredential",
    ),  # a cookie, two laws, IPTC
}
NAMES |= {name.strip(".") for name in language.months("de")}
with language.speaking("de"):
    NAMES |= {language.day(date(2026, nth, 1)).split()[1] for nth in range(1, 13)}
"""What has the same name in every language, and what the calendar says."""
UNREAD = {
    *("id", "key", "form_id", "page", "url", "icon", "element_id", "component_name", "page_script_hash", "css", "js"),
    *("html_content", "css_content", "js_content", "url_pathname", "type", "format", "widget_id", "fragment_id"),
    *("anchor", "autocomplete"),
}
READ_OF_DATA = {"label", "title", "description", "facts", "closed", "options", "cards"}
ATTRIBUTES = ("alt", "aria-label", "aria-valuetext", "placeholder", "title", "data-ws-say")
SILENT, VOID = ("style", "script", "code", "kbd"), ("img", "input", "br", "hr")
"""What is nobody's language, or says itself whose it is, is not looked at."""
WORD = re.compile(r"(?<![\w/.#&=-])[A-Za-z]{3,}(?![\w/=]|\.\w)")
ADDRESS = re.compile(
    r"https?://\S+|\]\([^)]*\)|<[^>]*>|:[a-z]+/\w+:|\S+@\S+|`[^`]*`|\b[A-Z]-[0-9A-Z]{6,9}\b|\b[0-9A-Z]{4}(-[0-9A-Z]{4})+\b"
)
NO_WORDS = re.compile(r"(\{\w+(?::\w+)?\}|\]\([^)]*\)|<[^>]*>|`[^`]*`|&\w+;)")
LETTERS = {ord(letter): ord(letter) - ord("!") + ord("！") for letter in string.ascii_letters}


class Nobodys(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        parts = NO_WORDS.split(message)
        return "".join(part if nth % 2 else part.translate(LETTERS) for nth, part in enumerate(parts))

    def ngettext(self, one: str, many: str, n: int) -> str:
        return self.gettext(one if n == 1 else many)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


class _Drawn(HTMLParser):
    """What is read of HTML, aloud too."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []  # one text: a sentence may have a link in it
        self.aloud: list[str] = []
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            self.aloud += [value or "" for name, value in attributes if name in ATTRIBUTES]
            return
        self._open.append(tag in SILENT or "lang" in dict(attributes))
        self.aloud += [value or "" for name, value in attributes if name in ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.seen.append(data)


def read(at: AppTest) -> Iterator[str]:
    for node in _nodes(at._tree):
        yield from _of_message(node.proto) if node.proto is not None else ()


def _nodes(block: Block) -> Iterator[Any]:
    for child in block.children.values():
        yield child
        if isinstance(child, Block):
            yield from _nodes(child)


def _of_message(message: Message) -> Iterator[str]:
    if message.DESCRIPTOR.name == "Html":
        drawn = _Drawn()
        drawn.feed(message.body)  # type: ignore[attr-defined]
        yield from drawn.aloud
        yield " ".join(drawn.seen)
        return
    for field, value in message.ListFields():
        if field.name in UNREAD:
            continue
        for each in _each(value):
            if field.type == FieldDescriptor.TYPE_MESSAGE and isinstance(each, Message):
                yield from _of_message(each)
            elif isinstance(each, str):
                yield from _of_data(_parsed(each))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _each(value: Any) -> list[Any]:
    return [value] if isinstance(value, str | bytes | Message | int | float) else list(value)


def _of_data(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from _of_data(item)
    elif isinstance(data, Mapping):
        for key in READ_OF_DATA & data.keys():
            yield from _of_data(data[key])


def english(texts: Iterator[str]) -> list[str]:
    """What nobody translated, the other words left out."""
    plain = (ADDRESS.sub(" ", html.unescape(text)) for text in texts)
    return [" ".join(words) for text in plain if (words := [w for w in WORD.findall(text) if w not in NAMES])]


@pytest.fixture
def nobodys() -> Iterator[None]:
    with translated_by(Nobodys(), "de"):
        yield


@pytest.fixture
def foreign(opened: Opened, nobodys: None, engine: DrawingEngine) -> Callable[..., Tab]:
    engine.run_by = "１２３"  # somebody's name
    return lambda page=None, **how: opened(page, language="de", **how)


def whole(tab: Tab) -> list[str]:
    assert set(LETTERS.values()) & set(map(ord, "".join(read(tab.at)))), "the page is in no foreign language"
    return english(read(tab.at))


def test_what_is_in_english_is_found() -> None:
    strange = Nobodys().gettext("Hello {name}, see [the policy](/policy) and <b>this</b>.")
    assert english(iter([strange.format(name="WorkShot"), "12 MB", "a · 3"])) == []
    assert english(iter([strange, f"{strange} Hello", "and"])) == ["name", "name Hello", "and"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_photos(foreign: Callable[..., Tab], page: str) -> None:
    assert whole(foreign(f"pages/{page}.py")) == []


def test_the_studio_before_there_is_a_photo(foreign: Callable[..., Tab]) -> None:
    assert whole(foreign()) == []


def test_the_studio_with_a_photo(foreign: Callable[..., Tab], draft: Callable[..., None]) -> None:
    draft()
    tab = foreign()
    assert whole(tab) == []
    tab.at.button(key="generate").click()
    assert whole(tab.run()) == []


def test_a_photo_that_cannot_be_used(
    foreign: Callable[..., Tab], draft: Callable[..., None], engine: DrawingEngine
) -> None:
    engine.examine = lambda portrait: [Finding(code="no_person", says="１２３", blocking=True)]
    draft()
    assert whole(foreign()) == []


def test_a_run_from_its_beginning_to_its_end(
    foreign: Callable[..., Tab], svc: Services, ask: Callable[..., str], work: Callable[[], int]
) -> None:
    run_id = ask()
    assert whole(foreign()) == []
    assert whole(foreign("pages/my_photos.py")) == []
    work()
    assert whole(foreign()) == []
    access.issue_claim_code(svc, ANN)
    assert whole(foreign("pages/my_photos.py")) == []
    retention.erase_run(svc, run_id)
    work()
    assert whole(foreign()) == []
    assert whole(foreign("pages/my_photos.py")) == []


def test_a_run_that_failed(foreign: Callable[..., Tab], svc: Services, ask: Callable[..., str]) -> None:
    run_id = ask()
    with svc.transaction() as session:
        session.get_one(Generation, run_id).state = RunState.FAILED
    assert whole(foreign()) == []
    assert whole(foreign("pages/my_photos.py")) == []


def test_each_button_of_my_photos(
    foreign: Callable[..., Tab], ask: Callable[..., str], work: Callable[[], int]
) -> None:
    ask()
    work()
    assert whole(foreign("pages/my_photos.py")) == [], "the first look, at which a claim code is there"
    names = list(_buttons(foreign("pages/my_photos.py")))
    assert {"new-code", "ask-copy", "ask-erase", "in-writing-send"} < set(names)
    for name in names:
        tab = foreign("pages/my_photos.py")
        assert name in _buttons(tab), f"a press before took {name} away: it is not looked at"
        _buttons(tab)[name].click()
        assert whole(tab.run()) == [], name


def _buttons(tab: Tab) -> dict[str, Any]:
    return {button.key or button.label: button for button in tab.at.button}


@pytest.mark.parametrize("kind", RequestKind)
def test_a_request_from_its_beginning_to_its_end(
    foreign: Callable[..., Tab], svc: Services, ask: Callable[..., str], worker: jobs.Worker, kind: RequestKind
) -> None:
    ask()
    worker.look(jobs.ENGINE_WORK)
    requests.open_in_product(svc, ANN, kind=kind, press_id=new_id(), words="１２３")
    assert whole(foreign("pages/my_photos.py")) == []
    svc.clock.advance(minutes=5)  # type: ignore[attr-defined]
    while worker.look((*jobs.UPKEEP_WORK, *jobs.DESK_WORK, JobKind.EXPORT)):
        pass
    assert whole(foreign("pages/my_photos.py")) == []


def test_somebody_else_makes_it(foreign: Callable[..., Tab], svc: Services, draft: Callable[..., None]) -> None:
    draft()
    tab = foreign(services=beside(svc, Outsider()))
    assert whole(tab) == []
    assert whole(choose(tab, "apimart")) == []


@pytest.mark.parametrize("file", [mark(plain(), OURS), plain(), signed(), changed(signed()), b"no image"])
def test_what_is_found_in_an_image(foreign: Callable[..., Tab], file: bytes) -> None:
    theirs = {*SIGNER.split(), "Painter", "trainedAlgorithmicMedia", *re.findall(r"\w+", OURS.system)}
    assert [said for said in whole(checked(foreign("pages/check_image.py"), file)) if set(said.split()) - theirs] == []


@pytest.mark.parametrize("text", ["{}", "no receipt", '{"statement": 1, "signature": "x"}'])
def test_what_is_found_in_a_text(foreign: Callable[..., Tab], text: str) -> None:
    tab = foreign("pages/check_receipt.py")
    tab.at.text_area[0].set_value(text)
    tab.at.button[0].click()
    assert whole(tab.run()) == []


def test_a_code_that_opens_nothing(foreign: Callable[..., Tab]) -> None:
    tab = foreign("pages/my_photos.py")
    tab.at.text_input[0].input("7Q4K")
    tab.at.button[0].click()
    assert whole(tab.run()) == []


def test_a_used_up_day_and_a_full_queue(
    foreign: Callable[..., Tab], ask: Callable[..., str], draft: Callable[..., None], limit_to: Callable[..., Services]
) -> None:
    ask(who=BOB)
    draft()
    tab = foreign(services=limit_to(queue_limit=1)).agree()
    tab.at.button(key="generate").click()
    assert whole(tab.run()) == []
    ask()
    assert whole(foreign(services=limit_to(runs_per_day=1))) == []
