"""The widgets in Chromium: they tick, answer to keys, copy, and keep to the content security policy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core import language
from core.ui.widgets import wording

pytestmark = pytest.mark.browser

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}
NOT_OURS = {
    "presentation-role-conflict",  # Streamlit's dropzone: role=presentation with a label
    "region",  # Streamlit's skip link and portals lie outside its landmarks
}
NOTE_REFUSALS = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => {
  // long.js inside Streamlit tries WebAssembly as it loads, and does without.
  if (event.blockedURI !== "wasm-eval") window.refused.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
SPEAKS = """
async (told) => (await import("/assets/behaviour.js")).default({ data: told })
"""
SAID = """
async ([kind, at, now, note]) =>
  (await import("/assets/behaviour.js")).said(kind, new Date(at), new Date(now), note)
"""
TWO_PICTURES = """
(left) => {
  for (const [id, ms] of [["over", left], ["not-yet", 600_000]]) {
    const place = document.createElement("div"), img = document.createElement("img");
    Object.assign(place, { id, className: "ws-photo" });
    img.dataset.wsUntil = new Date(Date.now() + ms).toISOString();
    place.append(img);
    document.body.append(place);
  }
}
"""
HEARS = """
async (told) => {
  const heard = await import("/assets/behaviour.js?on-its-own");
  const clock = document.createElement("time");
  clock.dataset.wsClock = "undo";
  clock.dateTime = new Date(600_000).toISOString();
  clock.append(document.createElement("strong"), document.createElement("span"));
  document.body.append(clock);
  const real = Date.now;
  const shown = told.map(([here, now]) => {
    Date.now = () => here * 1000;
    heard.default({ data: { now: now * 1000 } });
    return clock.firstChild.textContent;
  });
  Date.now = real;
  clock.remove();
  return shown;
}
"""
INTER = "[...document.fonts].some((face) => face.family === 'Inter' && face.status === 'loaded')"


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=SIZES["desk"], timezone_id="Europe/Berlin")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, gallery: str) -> Page:
    return opened(context, gallery)


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.add_init_script(NOTE_REFUSALS)
    page.goto(url)
    expect(page.get_by_role("button", name="Make another")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("group", name="Style")).to_be_visible()
    return page


def test_clocks_tick_in_the_readers_zone(page: Page) -> None:
    clock = page.locator("time[data-ws-clock=erase]").filter(has_text=" s left").last
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=5_000)
    at = datetime.fromisoformat(str(clock.get_attribute("datetime"))).astimezone(ZoneInfo("Europe/Berlin"))
    expect(clock).to_contain_text(f"{at:%H:%M} (your time)")


def test_a_picture_goes_with_its_time(page: Page) -> None:
    """Of two in one page: by the server's clock, and without a word from it."""
    page.evaluate(TWO_PICTURES, 1_500)
    expect(page.locator("#over img, #not-yet img")).to_have_count(2)
    expect(page.locator("#over img")).to_have_count(0, timeout=5_000)
    expect(page.locator("#over")).to_have_class("ws-photo ws-missing")
    expect(page.locator("#not-yet img")).to_have_count(1)


def test_a_clock_that_runs_out_does_not_claim_that_anything_is_gone(context: BrowserContext, gallery: str) -> None:
    context.clock.install(time=datetime.now(UTC))
    page = opened(context, gallery)
    counting = page.locator("time[data-ws-clock=erase]").filter(has_text=" s left").last
    at = str(counting.get_attribute("datetime"))
    page.clock.fast_forward(60_000)
    ran_out = page.locator(f"time[datetime='{at}']").last
    expect(ran_out).to_contain_text("Being erased")
    expect(ran_out).to_have_class("ws-clock ws-due")


@pytest.mark.parametrize("spoken", language.NAMES)
def test_browser_and_server_say_the_same(page: Page, spoken: str) -> None:
    now = datetime(2026, 11, 12, 13, 2, tzinfo=UTC)
    seconds = [
        0,
        0.4,
        1,
        59,
        60,
        299,
        300,
        3599,
        3600,
        86399,
        86400,
        2591999,
        2592000,
        6e6,
        -1,
        -899,
        -900,
        -99999,
        43200,
        43201,
        259199,
        259200,
    ]
    zone = ZoneInfo("Europe/Berlin")
    words, months = wording.told_to_the_browser(spoken), list(language.months(spoken))
    page.evaluate(SPEAKS, {"language": spoken, "words": words, "months": months})
    with language.speaking(spoken):
        note = language._(wording.YOUR_TIME)
        for ahead in seconds:
            at = now + timedelta(seconds=ahead)
            for kind, speak in (
                ("erase", wording.erase_clock),
                ("deadline", wording.deadline_clock),
                ("timer", wording.timer),
                ("undo", wording.undo_clock),
            ):
                said = speak(at, now=now, zone=zone, zone_note=note)
                heard = page.evaluate(SAID, [kind, at.isoformat(), now.isoformat(), note])
                assert heard == [said.strong, said.rest, said.state], (kind, ahead)
    assert page.evaluate("document.documentElement.lang") == spoken


def test_what_the_server_says_late_or_again_moves_no_clock(page: Page) -> None:
    """Each time: what this browser's clock says, three hours ahead at first, and what the server said, in seconds."""
    ahead = 3 * 3600
    told = [
        (ahead, 0),  # at once
        (ahead + 60, 0),  # the same again, as when the page is drawn anew
        (ahead + 70, 61),  # nine seconds on its way
        (ahead + 80, 80),
        (90, 90),  # somebody has put this clock right
        (100, 91),
    ]
    left = [600, 540, 530, 520, 510, 500]
    assert page.evaluate(HEARS, told) == [f"{wording.length(timedelta(seconds=s))} left to take it back" for s in left]


def test_a_picture_is_chosen_by_keyboard_and_python_hears_it(page: Page) -> None:
    page.get_by_role("radio", name="Soft light").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("chosen style: crisp")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("chosen style: warm")).to_be_visible()
    expect(page.get_by_role("radio", name="Warm")).to_be_focused()
    page.get_by_role("button", name="Make another").click()
    expect(page.get_by_role("radio", name="Warm")).to_be_checked()
    expect(page.get_by_text("chosen style: warm")).to_be_visible()


def test_the_compare_slider_moves_by_keys_and_by_hand(page: Page) -> None:
    slider = page.get_by_role("slider", name="Compare before and after")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "51 % before, 49 % after")
    box = slider.bounding_box()
    assert box and box["width"] > 300 and box["height"] > 300
    slider.click(position={"x": box["width"] * 0.2, "y": 40})
    assert 15 <= int(slider.input_value()) <= 25
    assert page.locator(".ws-compare").evaluate("e => parseFloat(e.style.getPropertyValue('--at'))") < 26


def test_the_code_is_copied_and_saved(context: BrowserContext, gallery: str) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=gallery)
    page = opened(context, gallery)
    code = page.locator("[data-ws-code]").inner_text()
    page.get_by_role("button", name="Copy code").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code == "7Q4K-M2XW-9PTB-3HVN-6RCJ-8DYF-5A"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save code as a file").click()
    assert download.value.path().read_text().strip() == code
    expect(page.get_by_role("status").filter(has_text="Code saved")).to_have_count(1)


def test_without_a_clipboard_the_code_is_copied_the_old_way(context: BrowserContext, gallery: str) -> None:
    context.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page = opened(context, gallery)
    page.get_by_role("button", name="Copy code").click()
    expect(page.locator("button[data-ws-copy]")).to_have_text("Copied")


def test_progress_is_said_politely(page: Page) -> None:
    expect(page.locator("#ws-live")).to_have_text("Step 3 of 5: Light.")
    expect(page.locator("#ws-live")).to_have_attribute("aria-live", "polite")


def test_a_rerun_redraws_no_picture(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/picture/" in request.url else None)
    page.get_by_role("button", name="Make another").click()
    page.get_by_role("radio", name="Crisp").check()
    expect(page.get_by_text("chosen style: crisp")).to_be_visible()
    assert [url for url in asked if "none-such" not in url] == []


def test_erasing_is_asked_and_kept_by_escape(page: Page) -> None:
    page.get_by_role("button", name="Erase now").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This cannot be undone.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Erase now").click()
    dialog.get_by_label("Type ERASE to confirm").fill("ERASE")
    dialog.get_by_role("button", name="Erase 3 photos and 8 headshots").click()
    expect(page.get_by_text("Erased 11 images.")).to_be_visible()


def test_looks_stay_from_page_to_page(page: Page) -> None:
    page.get_by_role("link", name="My photos").click()
    expect(page.get_by_role("heading", name="My photos")).to_have_css("font-size", "30px")
    page.get_by_role("link", name="Make a headshot").click()
    expect(page.get_by_role("heading", name="A headshot that still looks like you.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_of_ours_is_inaccessible_or_refused(chromium: Browser, gallery: str, size: str, scheme: Any) -> None:
    context = chromium.new_context(
        viewport=SIZES[size], color_scheme=scheme, has_touch=size == "phone", reduced_motion="reduce"
    )
    try:
        page = opened(context, gallery)
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size]["width"]
        assert page.evaluate(INTER)
        assert found(page) == []
        page.get_by_role("button", name="Erase now").click()
        expect(page.get_by_role("dialog")).to_have_css("color-scheme", scheme)
        assert found(page) == []
        assert page.evaluate("window.refused") == []
    finally:
        context.close()


def found(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for violation in violations
        if violation["id"] not in NOT_OURS
        for node in violation["nodes"]
    ]
