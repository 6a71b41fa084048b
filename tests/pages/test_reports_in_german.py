"""The page that takes reports and what its subject reads, in German: values filled, and no English sentence left."""

import pytest

from core.abuse import blocks, glass
from core.abuse.blocks import What
from core.operators import Operator
from core.services import Services
from core.ui import pages
from tests.abuse.conftest import *  # noqa: F403
from tests.messages import said_in
from tests.pages.conftest import Tab
from tests.pages.test_in_german import Look, german, read  # noqa: F401

pytestmark = pytest.mark.sqlite_only("what is said does not depend on the database")


def only_german(tab: Tab) -> str:
    ours = said_in("de", "core/abuse/", "core/reports.py", "core/ui/report_text.py", "core/ui/screens/looked_at.py")
    sentences = {part for text in ours for part in text.split(". ") if " " in part and "{" not in part}
    helps = [element.proto.help for kind in ("text_input", "text_area", "toggle") for element in tab.at.get(kind)]
    words = " ".join([read(tab), *helps, *(toggle.label for toggle in tab.at.toggle)])
    assert [sentence for sentence in sorted(sentences) if sentence in words] == []
    assert "{" not in tab.text
    return words


def test_the_form_and_its_number(german: Look) -> None:  # noqa: F811
    tab = german(pages.REPORT)
    assert tab.title == "Ein Bild melden"
    assert "fällig ist sie innerhalb von 48 Stunden" in only_german(tab)
    assert "Bitte sagen Sie, um welches Bild es geht" in only_german(tab.press("Meldung absenden"))
    tab.at.text_area[0].input("Das bin ich.")
    words = only_german(tab.press("Meldung absenden"))
    assert "Die Meldung ist da" in words and "A-" in words


def test_who_looked_and_what_is_blocked(
    german: Look,  # noqa: F811
    open_house: Services,
    reported: str,
    kim: Operator,
    lee: Operator,
) -> None:
    view = glass.decide(open_house, lee, glass.ask_to_look(open_house, kim, reported).id, allow=True)
    blocks.block(open_house, kim, reported, What.PERSON)
    for sentence in ("Jemand aus dem Team darf ab dem 2. März, 12:00", "Jemand aus dem Team hat am 2. März, 12:00"):
        words = only_german(german(pages.MY_PHOTOS, services=open_house))
        assert sentence in words and "Bis zum 2. März 2027 werden hier keine neuen Headshots" in words
        assert "Das Team darf meine Bilder ansehen, wenn sie gemeldet werden" in words
        glass.look(open_house, kim, view.id)
