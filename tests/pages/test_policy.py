"""The policy's page: the whole text with how each promise stands, what is announced, and what was before."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import language as spoken
from core import policy
from core.errors import BadSettings
from core.models import PolicyVersion, PromiseCheck, PromiseState
from core.promises import PROMISES
from core.promises.shapes import says
from core.services import Services
from core.ui import app, session
from tests.fakes import FrozenClock

PAGE = str(Path(__file__).parents[2] / "pages" / "policy.py")
pytestmark = pytest.mark.sqlite_only("what is stored of versions is tested on both")

LimitTo = Callable[..., Services]
Opened = Callable[..., AppTest]


@pytest.fixture
def opened(svc: Services) -> Iterator[Opened]:
    def look(server: Services = svc, *, language: str = "en", **query: str) -> AppTest:
        app.provide(server)
        page = AppTest.from_file(PAGE, default_timeout=30)
        page.user = {"language": language}  # type: ignore[attr-defined]
        spoken.ask(session.language)
        for name, value in query.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    yield look
    app.provide(None)


def drawn(page: AppTest) -> str:
    return " ".join(element.proto.body for element in page.get("html") if "<style>" not in element.proto.body)


def words(page: AppTest) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", drawn(page))).split())


def test_all_of_the_text_is_on_it(opened: Opened, svc: Services) -> None:
    page = opened()
    here, said = policy.of(svc), words(page)
    assert [header.value for header in page.header] == [section.title for section in here.document().sections]
    for section in here.document().sections:
        assert all(" ".join(line.text.split()) in said for line in section.lines)
        for table in section.folded:
            assert all(" ".join(cell.split()) in said for row in table.rows for cell in row.cells)


def test_it_is_read_in_the_readers_language(opened: Opened, svc: Services) -> None:
    policy.note(svc)
    page, here = opened(language="de"), policy.of(svc)
    said = words(page)
    assert [header.value for header in page.header] == [section.title for section in here.document("de").sections]
    assert all(
        line in said for section in here.document("de").sections for line in (each.text for each in section.lines)
    )
    assert f"In Kraft seit dem 2. März 2026, Version {here.version[:8]}. 3 Minuten Lesezeit" in said
    assert "zurzeit nicht nachgewiesen" in said and "in Kraft seit dem 2. März 2026 Die erste." in said
    assert "Your photos" not in said and "promise" not in re.sub(r"[\w.-]+@", "", said)


def test_versions_are_compared_in_the_readers_language_where_both_have_it(
    opened: Opened, svc: Services, limit_to: LimitTo, clock: FrozenClock
) -> None:
    before = policy.note(svc)
    clock.now += timedelta(days=1)
    later = limit_to(longest_days=14)
    after = policy.note(later)
    said = words(opened(later, language="de", version=after.id))
    assert "Neu unter „Ihre Fotos“: Ein Foto und alles," in said and "höchstens 14 Tage" in said
    with svc.transaction() as session:
        session.get_one(PolicyVersion, before.id).texts = json.dumps({"en": before.texts["en"]})
    page = opened(later, language="de", version=after.id)
    assert "darum werden sie auf Englisch verglichen" in words(page) and '<ins lang="en">' in drawn(page)
    page = opened(later, language="de", version=before.id)
    assert "nur auf Englisch" in words(page) and "at most 30 days" in words(page)
    assert 'class="ws-old-text" lang="en"' in drawn(page)
    assert "in English alone" not in words(opened(later, version=before.id))


def test_what_was_withdrawn_is_listed_and_not_announced(
    opened: Opened, svc: Services, limit_to: LimitTo, ask: Callable[..., str], clock: FrozenClock
) -> None:
    tight = limit_to(longest_days=14)
    policy.note(tight)
    ask()
    with pytest.raises(BadSettings):
        policy.note(svc)
    clock.now += timedelta(days=2)
    policy.withdraw(tight, policy.version(svc), actor="operator:command-line")
    said = words(opened(tight))
    assert "may promise less" not in said and "announced on 2 Mar 2026, withdrawn on 4 Mar 2026" in said


def test_it_says_since_when_which_version_and_how_long_it_takes(opened: Opened, svc: Services) -> None:
    policy.note(svc)
    said = words(opened())
    assert f"In force since 2 Mar 2026, version {policy.version(svc)[:8]}. 3 minutes to read" in said


def test_every_section_can_be_jumped_to(opened: Opened) -> None:
    page = opened()
    anchors = [header.proto.anchor for header in page.header]
    assert re.findall(r'href="#([\w-]+)"', drawn(page)) == anchors


def test_each_promise_says_how_it_stands(opened: Opened, svc: Services) -> None:
    states = {PROMISES[0].id: PromiseState.KEPT, PROMISES[1].id: PromiseState.BROKEN}
    long_ago = svc.clock() - timedelta(days=3)
    with svc.transaction() as session:
        for name, state in states.items():
            said = says("as measured").as_json()
            broken = {"broken_at": long_ago} if state is PromiseState.BROKEN else {}
            session.add(
                PromiseCheck(
                    promise=name,
                    state=state,
                    figure=said,
                    evidence=said,
                    checked_at=svc.clock(),
                    since=long_ago,
                    **broken,
                )
            )
    said = words(opened())
    settings = svc.settings
    assert f"{PROMISES[0].filled(settings)} holds" in said
    assert f"{PROMISES[1].filled(settings)} broken now" in said
    assert f"{PROMISES[2].filled(settings)} not proved just now" in said
    assert "is broken" in said


def test_what_is_announced_stands_above_with_what_will_change(
    opened: Opened, svc: Services, limit_to: LimitTo, ask: Callable[..., str]
) -> None:
    tight = limit_to(longest_days=14)
    policy.note(tight)
    ask()
    assert "may promise less" not in words(opened(tight))
    with pytest.raises(BadSettings):
        policy.note(svc)
    said = words(opened(tight))
    assert "From 16 Mar 2026 on this policy may promise less" in said
    assert re.search(r"Added under “Your photos”: A photo and everything made from it .{30,80} at most 30 days", said)
    assert "announced on 2 Mar 2026, in force from 16 Mar 2026 on" in said


def test_older_versions_are_kept_with_what_changed(
    opened: Opened, svc: Services, limit_to: LimitTo, clock: FrozenClock
) -> None:
    before = policy.note(svc)
    clock.now += timedelta(days=1)
    later = limit_to(longest_days=14)
    after = policy.note(later)
    page = opened(later)
    assert f'href="/policy?version={before.id}"' in drawn(page)
    assert f"Version {before.id[:8]} · came into force on 2 Mar 2026 The first." in words(page)
    assert f"Version {after.id[:8]} · in force since 3 Mar 2026 What changed" in words(page)

    old = words(opened(later, version=before.id))
    assert "as it was kept" in old and "at most 30 days" in old
    new = opened(later, version=after.id)
    assert f"What it changed from version {before.id[:8]}" in words(new)
    assert "<del>" in drawn(new) and "<ins>" in drawn(new)
    assert opened(later, version="../../etc").header, "an unknown version is the one in force"


def test_where_nothing_was_noted_it_is_shown_all_the_same(opened: Opened) -> None:
    assert "In force, version" in words(opened()) and "This is the first version." in words(opened())


def test_what_the_operator_writes_is_never_markup(opened: Opened, svc: Services) -> None:
    changed = {"run_by": "<img src=x> {data_dir}", "privacy_contact": 'a@b.example"onclick=x', "authority": "<b>x</b>"}
    page = opened(replace(svc, settings=svc.settings.model_copy(update=changed)))
    assert "<img" not in drawn(page) and "<b>" not in drawn(page) and 'onclick="' not in drawn(page)
    assert "<img src=x> {data_dir}" in html.unescape(drawn(page))


def test_an_address_is_a_link(opened: Opened, limit_to: LimitTo) -> None:
    assert 'href="mailto:privacy@studio.example"' in drawn(opened(limit_to(privacy_contact="privacy@studio.example")))
