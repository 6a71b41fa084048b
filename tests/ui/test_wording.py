"""What clocks say at their edges, and that nothing people write becomes markup."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core import sla
from core.ui import widgets
from core.ui.widgets import CopyLine, Event, markup, wording

NOW = datetime(2026, 11, 12, 13, 2, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
NASTY = "<img src=x onerror=alert(1)>\"'&"
GALLERY = str(Path(__file__).with_name("gallery.py"))


@pytest.mark.parametrize(
    ("span", "says"),
    [
        (timedelta(days=30), "30 d"),
        (timedelta(days=30) - timedelta(seconds=1), "29 d 23 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=1) - timedelta(seconds=1), "23 h 59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1) - timedelta(seconds=1), "59 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(minutes=5) - timedelta(seconds=1), "4 min 59 s"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(milliseconds=400), "0 s"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_a_length_has_two_units_at_most_and_is_rounded_down(span: timedelta, says: str) -> None:
    assert wording.length(span) == says


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(days=30), "30 d left · erased 12 Dec, 14:02"),
        (timedelta(seconds=59), "59 s left · erased 12 Nov, 14:02"),
        (timedelta(0), "Being erased · due 12 Nov, 14:02"),
        (timedelta(minutes=-14), "Being erased · due 12 Nov, 13:48"),
        (timedelta(minutes=-15), "15 min overdue · due 12 Nov, 13:47"),
        (timedelta(days=60), "60 d left · erased 11 Jan 2027, 14:02"),
    ],
)
def test_an_erase_clock_never_says_erased_before_it_is_true(ahead: timedelta, says: str) -> None:
    assert str(wording.erase_clock(NOW + ahead, now=NOW, zone=BERLIN)) == says


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(days=30), "30 d 00 h 00 m 00 s left · on track"),
        (timedelta(hours=72), "3 d 00 h 00 m 00 s left · on track"),
        (timedelta(hours=71, minutes=59, seconds=59), "71 h 59 m 59 s left · on track"),
        (timedelta(hours=31, minutes=4, seconds=12), "31 h 04 m 12 s left · on track"),
        (sla.DUE_SOON + timedelta(seconds=1), "12 h 00 m 01 s left · on track"),
        (sla.DUE_SOON, "12 h 00 m 00 s left · due soon"),
        (timedelta(seconds=61), "1 m 01 s left · due soon"),
        (timedelta(0), "0 s left · due soon"),
        (timedelta(seconds=-1), "overdue by 1 s · breached"),
        (-timedelta(hours=2, minutes=14, seconds=9), "overdue by 2 h 14 m 09 s · breached"),
    ],
)
def test_a_timer_counts_to_the_second_and_says_how_it_stands(ahead: timedelta, says: str) -> None:
    assert str(wording.timer(NOW + ahead, now=NOW, zone=BERLIN)) == says


@pytest.mark.parametrize(
    ("after_due", "says"),
    [
        (timedelta(0), "0 s to spare · met"),
        (timedelta(hours=-2), "2 h 00 m 00 s to spare · met"),
        (timedelta(seconds=1), "1 s late · missed"),
    ],
)
def test_a_timer_that_has_ended_says_how_it_ended(after_due: timedelta, says: str) -> None:
    assert str(wording.timer(NOW, now=NOW, zone=BERLIN, done_at=NOW + after_due)) == says


def test_a_timer_says_when_in_the_readers_zone_and_in_utc() -> None:
    at = NOW + timedelta(hours=10, minutes=30)
    assert wording.timer(at, now=NOW, zone=BERLIN, zone_note="(your time)").rest == (
        "due soon · due 13 Nov, 00:32 (your time), 12 Nov, 23:32 UTC"
    )
    assert wording.timer(NOW, now=NOW, zone=BERLIN, zone_note="(your time)").rest == (
        "due soon · due 12 Nov, 14:02 (your time), 13:02 UTC"
    )
    assert (
        wording.timer(at, now=NOW, zone=ZoneInfo("UTC"), zone_note="(UTC)").rest == "due soon · due 12 Nov, 23:32 UTC"
    )


def test_erased_is_not_proved_until_storage_has_shown_it() -> None:
    erased = wording.erase_clock(NOW, now=NOW, zone=BERLIN, erased_at=NOW)
    gone = wording.erase_clock(NOW, now=NOW, zone=BERLIN, erased_at=NOW, gone_at=NOW + timedelta(minutes=1))
    assert str(erased) == "Erased 12 Nov, 14:02 · not proved yet"
    assert str(gone) == "Erased 12 Nov, 14:02 · proved"


def test_a_deadline_says_how_late_it_is() -> None:
    assert str(wording.deadline_clock(NOW + timedelta(hours=3, minutes=2), now=NOW, zone=BERLIN)).startswith(
        "3 h 2 min left"
    )
    late = wording.deadline_clock(NOW - timedelta(hours=2, minutes=14), now=NOW, zone=BERLIN)
    assert (late.strong, late.state) == ("2 h 14 min overdue", "broken")


def test_near_instants_are_told_by_the_clock_and_far_ones_by_the_day() -> None:
    said = [wording.near(NOW + timedelta(hours=h), now=NOW, zone=BERLIN) for h in (1, 20, 700)]
    assert said == ["today 15:02", "tomorrow 10:02", "11 Dec"]


def test_a_claim_code_is_shown_in_fours() -> None:
    assert wording.groups_of_four("7Q4KM2XW9P") == "7Q4K-M2XW-9P" == wording.groups_of_four("7Q4K-M2XW-9P")


def test_copies_say_where_they_lie_and_until_when() -> None:
    lines = [
        CopyLine(number=2, place="here", until=NOW + timedelta(days=30)),
        CopyLine(number=2, place="at APIMart", until=NOW + timedelta(minutes=0)),
        CopyLine(number=1, place="at APIMart", gone=True),
    ]
    html = markup.copy_list(lines, now=NOW, zone=BERLIN)
    assert "2 here until 12 Dec" in html
    assert "2 at APIMart until today 14:02" in html
    assert "1 at APIMart, gone" in html


def test_nothing_handed_in_becomes_markup() -> None:
    drawn = [
        widgets.problem(NASTY, NASTY, NASTY),
        widgets.note(NASTY),
        widgets.state_chip("kept", NASTY),
        widgets.photo(f"/i/{NASTY}", NASTY),
        widgets.compare(NASTY, NASTY, NASTY),
        widgets.key_figure(NASTY, NASTY, unit=NASTY, change=NASTY, trend=[1, 2], trend_says=NASTY),
        widgets.stages([NASTY], current=NASTY),
        widgets.claim_code(NASTY),
        widgets.links([widgets.DownloadLink(label=NASTY, href=NASTY, filename=NASTY, detail=NASTY)]),
        widgets.facts([(NASTY, NASTY)]),
        widgets.card(NASTY),
        markup.lead(NASTY, NASTY),
        markup.timeline([Event(at=NOW, what=NASTY, proof=NASTY)], now=NOW, zone=BERLIN),
        markup.copy_list([CopyLine(number=1, place=NASTY)], now=NOW, zone=BERLIN),
    ]
    for html in drawn:
        assert "<img src=x" not in html
        assert '"\'&"' not in html


def test_download_links_start_with_the_word() -> None:
    html = widgets.links([widgets.DownloadLink(href="/x", filename="x.jpg")])
    assert "<span>Download</span>" in html
    assert 'download="x.jpg"' in html


def test_pages_without_a_browser_get_the_default_choice() -> None:
    page = AppTest.from_file(GALLERY, default_timeout=30).run()
    assert not page.exception
    assert "chosen style: soft" in [text.value for text in page.text]
    assert "chosen variant: 1" in [text.value for text in page.text]


def test_erasing_asks_for_the_word_and_answers_once() -> None:
    page = AppTest.from_file(GALLERY, default_timeout=30).run()
    page.button(key="erase").click().run()
    assert page.text_input(key="erase-typed").label == "Type ERASE to confirm"
    page.button(key="erase-yes").click().run()
    assert any("Nothing was erased" in html.proto.body for html in page.get("html"))
    page.text_input(key="erase-typed").input("erase")
    page.button(key="erase-yes").click().run()
    assert any("Erased 11 images." in html.proto.body for html in page.get("html"))
    page.run()
    assert not any("Erased 11 images." in html.proto.body for html in page.get("html"))


def test_keeping_everything_closes_the_question() -> None:
    page = AppTest.from_file(GALLERY, default_timeout=30).run()
    page.button(key="erase").click().run()
    page.button(key="erase-no").click().run()
    assert not [field for field in page.text_input if field.key == "erase-typed"]
