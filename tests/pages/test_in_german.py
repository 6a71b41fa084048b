"""The tester's screens in German: each is drawn, says its values, and leaves no English sentence of its own behind."""

import re
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core import generations, jobs, retention
from core.models import Generation, JobKind, RunState
from core.services import Services
from core.ui import app, pages
from core.ui.screens import makers, over
from tests.conftest import ANN
from tests.messages import said_in
from tests.pages.conftest import APP, Tab
from tests.provider.outsider import Outsider, beside

pytestmark = pytest.mark.sqlite_only("what is said does not depend on the database")

Ask = Callable[..., str]
Work = Callable[[], int]
Put = Callable[..., None]
Look = Callable[..., Tab]
ALL_WORK = (*jobs.ENGINE_WORK, *jobs.UPKEEP_WORK, *jobs.DESK_WORK, JobKind.EXPORT)


class German(Tab):
    """What was agreed to is left out: it stays in the language in which it was."""

    @property
    def drawn(self) -> str:
        return re.sub('<div class="ws-old-text".*?</div>', "", super().drawn, flags=re.DOTALL)


@pytest.fixture
def german(svc: Services) -> Iterator[Look]:
    """The app as a browser sees it that speaks German."""

    def look(page: str | None = None, *, services: Services = svc) -> Tab:
        app.provide(services)
        at = AppTest.from_file(APP, default_timeout=60)
        at.user = {"session": ANN, "counted": "no", "language": "de"}
        tab = German(at).run()
        return tab.go(page) if page else tab

    yield look
    app.provide(None)


def read(tab: Tab) -> str:
    """All words of a page, labels and headings, too."""
    kinds = ("button", "checkbox", "text_input", "text_area", "file_uploader", "button_group", "radio", "expander")
    labels = [element.label for kind in kinds for element in tab.at.get(kind)]
    options = [choice for group in tab.at.get("button_group") for choice in group.options]
    return " ".join([tab.text, *labels, *map(str, options), *(heading.value for heading in tab.at.header)])


def english() -> list[str]:
    """Sentences of these screens that must not be read: those that German says otherwise, and no single words."""
    said = said_in("de", "core/ui/screens/", "pages/")
    whole = [text for text in said if " " in text and "{" not in text]
    return [text for text in whole if said[text] != text]


def only_german(tab: Tab) -> str:
    words = read(tab)
    assert [sentence for sentence in english() if sentence in words] == []
    return words


def test_before_there_is_a_photo(german: Look) -> None:
    tab = german()
    assert tab.title == "Ein Headshot, der noch nach Ihnen aussieht"
    words = only_german(tab)
    assert "Am besten ist ein schlichtes Selfie" in words and "Schon einmal hier gewesen?" in words
    tab.press("Meine Fotos öffnen")
    assert "Bitte geben Sie Ihren Abholcode ein" in tab.text


def test_a_photo_and_the_choices(german: Look, draft: Put, svc: Services) -> None:
    draft()
    tab = german()
    words = only_german(tab)
    assert "Die Datei enthielt nur das Bild" in words and "Wofür ist es?" in words and "Lebenslauf" in words
    assert "Heute noch 10 von 10 · alle wieder in" in words
    tab.press("Headshots erstellen")
    assert "Bitte setzen Sie zuerst beide Häkchen" in tab.text
    tab.agree().press("Headshots erstellen")
    assert tab.title == "Ihre Headshots entstehen"
    with svc.reading() as reading:
        (view,) = generations.runs_of(reading, ANN, svc.clock())
    assert (view.run.purpose, view.run.style, view.run.backdrop) == ("linkedin", "studio", "grey")
    only_german(tab)


def test_choices_hold_when_the_language_changes(german: Look, draft: Put) -> None:
    """What is held of a choice is its code: the words on it may be others a moment later."""
    draft()
    tab = german()
    for key, wanted in (("purpose", "resume"), ("contract", "24h")):
        (group,) = [one for one in tab.at.get("button_group") if one.key == key]
        group.set_value([wanted] if isinstance(group.value, list) else wanted)
    tab.run()
    assert tab.at.session_state["purpose"] == "resume" and tab.at.session_state["contract"] == "24h"
    tab.at.user = {"session": ANN, "counted": "no", "language": "en"}
    tab.run()
    assert "Upright 35 × 45 mm" in read(tab)
    assert tab.at.session_state["purpose"] == "resume" and tab.at.session_state["contract"] == "24h"


def test_headshots_are_ready(german: Look, ask: Ask, work: Work) -> None:
    ask()
    work()
    tab = german()
    assert tab.title == "Ihre Headshots sind fertig"
    words = only_german(tab)
    assert "Alle herunterladen 2 Headshots, jede Größe, ZIP" in words
    assert "headshot-linkedin-1-" in tab.drawn, "names of files are the same everywhere"
    tab.press("Jetzt löschen")
    assert "Das löscht 2 Headshots und das Foto dazu" in tab.text
    (typed,) = [one for one in tab.at.text_input if "LÖSCHEN" in one.label]
    typed.set_value("löschen")
    tab.press("2 Headshots löschen")
    assert tab.title in ("Wird gelöscht", "Gelöscht")


def test_a_run_is_erased_and_proved(german: Look, ask: Ask, work: Work, svc: Services) -> None:
    run_id = ask()
    work()
    retention.erase_run(svc, run_id)
    assert "Headshot 1: noch nicht nachgewiesen (noch nicht an der Reihe)" in german().text
    work()
    words = only_german(german())
    assert "Headshot 1 gelöscht ✓ nachgewiesen" in words and "Ihr Foto gelöscht" in words


def test_how_runs_end_without_results(german: Look, ask: Ask, svc: Services) -> None:
    run_id, tab = ask(), german()
    for failure in (*over.FAILURES, *over.ELSEWHERE, "something else"):
        with svc.transaction() as session:
            run = session.get_one(Generation, run_id)
            run.state, run.failure, run.ended_at, run.counts = RunState.FAILED, failure, svc.clock(), False
        tab.run()
        assert tab.title in ("Das hat nicht geklappt", "Wir wissen es nicht")
        assert "Dieser Durchlauf zählt heute nicht mit." in only_german(tab)
        assert "{" not in tab.text


def test_everything_is_copied_erased_and_taken_back(german: Look, ask: Ask, worker: jobs.Worker, svc: Services) -> None:
    ask()
    _until_idle(worker)
    tab = german(pages.MY_PHOTOS)
    assert "1 Foto und 2 Headshots" in only_german(tab)
    tab.press("Kopie meiner Daten anfordern").press("Jetzt packen")
    assert "Ihre Kopie wird gepackt." in tab.text
    _until_idle(worker)
    words = only_german(tab.run())
    assert "1 Foto, 2 Headshots und 1 ZIP Ihrer Daten" in words and "Meine Daten herunterladen" in words
    tab.press("Alles löschen")
    assert "Das löscht 1 Foto und 2 Headshots sowie alles, was daraus entstanden ist." in tab.text
    tab.press("1 Foto und 2 Headshots löschen")
    only_german(tab)
    tab.press("Zurücknehmen")
    assert "Sie haben es rechtzeitig zurückgenommen. Es wurde nichts gelöscht." in only_german(tab)


def test_a_question_in_ones_own_words(german: Look, ask: Ask, work: Work, svc: Services) -> None:
    ask()
    work()
    tab = german(pages.MY_PHOTOS).press("Senden")
    assert "Bitte schreiben Sie ein oder zwei Sätze" in tab.text
    (words,) = [one for one in tab.at.text_area if one.label == "In Ihren Worten"]
    (address,) = [one for one in tab.at.text_input if one.label == "E-Mail für unsere Antwort"]
    words.set_value("Was liegt hier?")
    address.set_value("ann@example.org")
    tab.press("Senden")
    assert "Ein Mensch liest sie und antwortet." in only_german(tab)


def test_somebody_else_may_make_them(german: Look, draft: Put, svc: Services) -> None:
    draft()
    both = beside(svc, Outsider())
    tab = german(services=both)
    tab.at.session_state[makers._CHOSEN], tab.at.session_state[makers._TURN] = "apimart", 1
    tab.run()
    assert "An APIMart senden und erstellen" in tab.labels
    only_german(tab)


def test_a_receipt_is_checked(german: Look) -> None:
    tab = german(pages.CHECK_RECEIPT).press("Diesen Text prüfen")
    assert "Fügen Sie zuerst den Text einer Quittung ein." in tab.text
    tab.at.text_area[0].set_value("{}")
    tab.press("Diesen Text prüfen")
    assert "„So ist eine Quittung aufgebaut“" in only_german(tab)


@pytest.mark.parametrize("page", [pages.GUIDE, "pages/checklist.py", pages.CHECK_IMAGE])
def test_pages_to_read(german: Look, page: str) -> None:
    words = only_german(german(page))
    assert "{" not in words


def _until_idle(worker: jobs.Worker) -> None:
    while worker.look(ALL_WORK):
        pass
