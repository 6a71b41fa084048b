"""The components as markup: pure functions from facts to `Html`, shared by every page.

Colour never speaks alone: each state has a drawing and a word. Clocks are plain `<time>` elements that are
right as they arrive; assets/behaviour.js keeps all of them ticking, so a list of two hundred costs one timer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from core.language import _, n_, number
from core.ui.widgets import wording
from core.ui.widgets.html import Html, el, icon, join

State = Literal["kept", "due", "broken", "unknown", "counting", "info"]

_ICONS: Final[dict[str, str]] = {
    "kept": "check",
    "due": "clock",
    "broken": "alert",
    "unknown": "question",
    "counting": "clock",
    "info": "info",
}


_TIMER_ICONS: Final = {**_ICONS, "due": "hourglass"}


@dataclass(frozen=True, kw_only=True)
class CopyLine:
    """Some copies that share a place and an end. `until` None: no end is known; `gone`: shown to be gone."""

    number: int
    place: str  # "here", "at APIMart"
    until: datetime | None = None
    gone: bool = False
    gone_at: datetime | None = None  # when it was shown, where that is to be said
    elsewhere: bool = False  # not ours to erase: when its end has come, we look
    open_at: datetime | None = None  # seen there after its end


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, for a timeline. `proof` is folded away until asked for."""

    at: datetime
    what: str
    proof: str | None = None
    state: State = "info"


@dataclass(frozen=True, kw_only=True)
class DownloadLink:
    """What may be downloaded: `label` completes the word Download, `detail` says size and kind."""

    label: str = ""
    href: str
    filename: str
    detail: str = ""
    primary: bool = False  # the one a screen is about, filled
    plain: bool = False  # one of many: a line, not a button


def clock(
    erase_at: datetime,
    *,
    now: datetime,
    zone: ZoneInfo,
    erased_at: datetime | None = None,
    gone_at: datetime | None = None,
    zone_note: str = "",
) -> Html:
    """The clock of a copy, a run or a photo. It ticks while it counts, and stands still once erased."""
    said = wording.erase_clock(erase_at, now=now, zone=zone, erased_at=erased_at, gone_at=gone_at, zone_note=zone_note)
    ended_at = erased_at or gone_at
    return _time(said, ended_at or erase_at, zone_note, "erase", ticking=ended_at is None)


def deadline(due_at: datetime, *, now: datetime, zone: ZoneInfo, zone_note: str = "") -> Html:
    """The clock of a promise to a person: how long is left, or how late it is."""
    said = wording.deadline_clock(due_at, now=now, zone=zone, zone_note=zone_note)
    return _time(said, due_at, zone_note, "deadline", ticking=True)


def timer(
    due_at: datetime, *, now: datetime, zone: ZoneInfo, done_at: datetime | None = None, zone_note: str = ""
) -> Html:
    """The clock of a request, to the second: how long is left, how late it is, or how it ended."""
    said = wording.timer(due_at, now=now, zone=zone, done_at=done_at, zone_note=zone_note)
    drawing = "cross" if done_at and said.state == "broken" else _TIMER_ICONS[said.state]
    return _time(said, done_at or due_at, zone_note, "timer", ticking=done_at is None, drawing=drawing)


def undo_clock(begins_at: datetime, *, now: datetime, zone: ZoneInfo) -> Html:
    """How long something can still be taken back."""
    return _time(wording.undo_clock(begins_at, now=now, zone=zone), begins_at, "", "undo", ticking=True)


def _time(said: wording.Said, at: datetime, zone_note: str, kind: str, ticking: bool, drawing: str = "") -> Html:
    return el(
        "time",
        icon(drawing or _ICONS[said.state]),
        el("span", el("strong", said.strong), " ", el("span", said.rest)),  # the dot between is drawn
        class_=f"ws-clock ws-{said.state}",
        datetime=at.isoformat(timespec="milliseconds" if kind == "timer" else "seconds"),
        data_ws_clock=kind if ticking else None,
        data_ws_note=zone_note if ticking else None,
    )


def ago(at: datetime, *, now: datetime) -> Html:
    """`3 min ago`, growing older in the browser too."""
    return el(
        "time", wording.ago(now - at), datetime=at.isoformat(timespec="seconds"), data_ws_ago=True, class_="ws-ago"
    )


def state_chip(state: State, word: str) -> Html:
    return el("span", icon(_ICONS[state]), el("span", word), class_=f"ws-chip ws-{state}")


def key_figure(
    number: str,
    counts: str,
    *,
    unit: str = "",
    change: str = "",
    state: State | None = None,
    trend: Sequence[float | None] = (),
    trend_says: str = "",
) -> Html:
    """A number, what it counts, how it changed. `trend_says` puts the little bars into words; None is a hidden one."""
    of_what = el("span", f" {unit}", class_="ws-unit") if unit else None
    return el(
        "div",
        el("p", number, of_what, class_="ws-figure-number"),
        el("p", counts, class_="ws-figure-counts"),
        _bars(trend, trend_says) if trend else None,
        (state_chip(state, change) if state else el("p", change, class_="ws-quiet")) if change else None,
        class_="ws-figure",
    )


def _bars(values: Sequence[float | None], says: str) -> Html:
    top = max((value for value in values if value is not None), default=0) or 1
    bars = (
        el("i", style="--h:25%", class_="ws-hidden")
        if value is None
        else el("i", style=f"--h:{max(4, round(100 * value / top))}%")
        for value in values
    )
    return el("div", *bars, class_="ws-bars", role="img", aria_label=says or _("Trend"))


def figures(*items: Html) -> Html:
    """Key figures side by side, as many as fit."""
    return el("div", *items, class_="ws-figures")


def copy_list(lines: Sequence[CopyLine], *, now: datetime, zone: ZoneInfo, total: bool = False) -> Html:
    """Where bytes lie: `2 here until 12 Dec · 2 at APIMart until today 14:02`; `total` says first how many in all."""
    if not lines:
        return el("p", _("No copies left."), class_="ws-quiet")
    listed = el("ul", *(el("li", _copy_line(line, now, zone)) for line in lines), class_="ws-copies")
    if not total:
        return listed
    in_all = n_("{n} copy:", "{n} copies:", sum(line.number for line in lines))
    return el("div", el("p", in_all), listed, class_="ws-copies-all")


def _copy_line(line: CopyLine, now: datetime, zone: ZoneInfo) -> Html:
    where = f"{number(line.number)} {line.place}"
    if line.until:
        where = _("{where} until {when}", where=where, when=wording.near(line.until, now=now, zone=zone))
    if line.gone:
        when = _after(line.until, line.gone_at, now, zone) if line.gone_at else ""
        if when:
            return join([icon("check"), _("{where}, checked gone {when}", where=where, when=when)])
        return join([icon("check"), _("{place}, gone", place=f"{number(line.number)} {line.place}")])
    if line.open_at is not None:
        when = _after(line.until, line.open_at, now, zone)
        return join([_warning(), _("{where}, still there {when}", where=where, when=when)])
    if line.elsewhere and line.until is not None and line.until <= now:
        return join([_("{where}, being checked", where=where)])
    return join([where if line.until else _("{place}, no end known yet", place=where)])


def _warning() -> Html:
    return el("span", icon("alert"), class_="ws-broken")


def _after(first: datetime | None, at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The time of day alone, where the day has just been named."""
    same_day = first is not None and first.astimezone(zone).date() == at.astimezone(zone).date()
    return wording.time_of_day(at, zone=zone) if same_day else wording.instant(at, now=now, zone=zone)


def timeline(events: Sequence[Event], *, now: datetime, zone: ZoneInfo) -> Html:
    """Instants down the left, what happened right, proofs folded."""
    return el("ol", *(_event(event, now, zone) for event in events), class_="ws-timeline")


def _event(event: Event, now: datetime, zone: ZoneInfo) -> Html:
    proof = el("details", el("summary", _("Proof")), el("p", event.proof, class_="ws-proof")) if event.proof else None
    return el(
        "li",
        el(
            "time",
            wording.instant(event.at, now=now, zone=zone),
            datetime=event.at.isoformat(timespec="seconds"),
        ),
        el("div", el("p", event.what), proof),
        class_=f"ws-{event.state}",
    )


def stages(
    names: Sequence[str], *, done: Collection[str] = (), current: str | None = None, failed: str | None = None
) -> Html:
    """Real progress, stage by stage. What changes is also said politely to screen readers."""
    items = [_stage(name, name in done, name == current, name == failed) for name in names]
    return el("ol", *items, class_="ws-stages", data_ws_say=_progress(names, done, current, failed))


def _stage(name: str, done: bool, current: bool, failed: bool) -> Html:
    if failed:
        return el("li", icon("alert"), name, el("span", _("· stopped here")), class_="ws-broken")
    if done:
        return el("li", icon("check"), name, el("span", _("done"), class_="ws-unseen"), class_="ws-done")
    if current:
        return el(
            "li",
            icon("dots"),
            name,
            el("span", _("now"), class_="ws-unseen"),
            class_="ws-now",
            aria_current="step",
        )
    return el("li", icon("ring"), name, el("span", _("to come"), class_="ws-unseen"), class_="ws-later")


def _progress(names: Sequence[str], done: Collection[str], current: str | None, failed: str | None) -> str:
    if failed:
        return _("Stopped at: {stage}.", stage=failed)
    if current in names:
        return _("Step {n} of {all}: {stage}.", n=names.index(current) + 1, all=len(names), stage=current)
    if names and all(name in done for name in names):
        return _("All steps done.")
    return _("Waiting to start.")


def problem(happened: str, means: str, do: str) -> Html:
    """What happened · what it means for your photo · what to do now."""
    return el(
        "div",
        icon("alert"),
        el("div", el("p", el("strong", happened)), el("p", means), el("p", do)),
        class_="ws-card ws-problem",
        role="alert",
    )


def note(text: "Html | str", state: State = "info") -> Html:
    return el("div", icon(_ICONS[state]), el("div", el("p", text)), class_=f"ws-note ws-{state}")


def told(lines: Sequence[tuple[State, str]]) -> Html:
    """Sentences below each other, each with the drawing of its state."""
    items = (el("li", icon(_ICONS[state]), el("span", says), class_=f"ws-{state}") for state, says in lines)
    return el("ul", *items, class_="ws-told")


def facts(pairs: Sequence[tuple[str, "Html | str"]]) -> Html:
    """Terms and what they are, as a statement prints them."""
    rows = (el("div", el("dt", term), el("dd", what)) for term, what in pairs)
    return el("dl", *rows, class_="ws-facts")


def lead(title: str | None, text: str | None) -> Html:
    return join(
        [el("h1", title) if title else None, el("p", text, class_="ws-lead") if text else None],
    )


def photo(
    url: str,
    alt: str,
    *,
    ratio: str = "4:5",
    max_width: int | None = None,
    lazy: bool = False,
    until: datetime | None = None,
) -> Html:
    """A picture from our own route. Its place is kept, as a calm shape, until it is there. `until`: the browser takes
    it away by itself then."""
    wide, high = (int(side) for side in ratio.split(":"))
    size = f"width:{max_width}px;max-width:100%;" if max_width else ""
    return el(
        "div",
        el(
            "img",
            src=url,
            alt=alt,
            width=max_width or 880,
            height=round((max_width or 880) * high / wide),
            loading="lazy" if lazy else "eager",
            decoding="async",
            data_ws_until=until.isoformat() if until else None,
        ),
        class_="ws-photo",
        style=f"{size}aspect-ratio:{wide}/{high}",
    )


def compare(before_url: str | None, after_url: str, alt: str, *, ratio: str = "4:5", max_width: int = 480) -> Html:
    """Before and after under one slider: a native range, to be dragged, tapped or stepped with arrow keys."""
    if before_url is None:
        return photo(after_url, alt, ratio=ratio, max_width=max_width)
    wide, high = (int(side) for side in ratio.split(":"))
    return el(
        "div",
        el("img", src=after_url, alt=alt, class_="ws-after"),
        el("img", src=before_url, alt=_("Your photo before"), class_="ws-before"),
        el("span", _("Before"), class_="ws-tag ws-tag-before", aria_hidden="true"),
        el("span", _("After"), class_="ws-tag ws-tag-after", aria_hidden="true"),
        el(
            "input",
            type="range",
            min=0,
            max=100,
            value=50,
            aria_label=_("Compare before and after"),
            aria_valuetext=_("{before} % before, {after} % after", before=50, after=50),
            data_ws_compare=True,
        ),
        el("div", el("span", icon("slide"), class_="ws-handle"), class_="ws-divider", aria_hidden="true"),
        class_="ws-compare",
        style=f"max-width:{max_width}px;aspect-ratio:{wide}/{high};--at:50%",
    )


def claim_code(code: str, *, saved_as: str = "workshot-claim-code.txt") -> Html:
    """The code, once: large, in fours, with a copy button and a file made in the browser alone."""
    shown = wording.groups_of_four(code)
    return el(
        "div",
        el("p", el("strong", _("Your claim code"))),
        el("p", shown, class_="ws-code", data_ws_code=True),
        el(
            "div",
            _button(_("Copy code"), "copy", data_ws_copy=shown),
            _button(_("Save code as a file"), "file", data_ws_save=shown, data_ws_name=saved_as),
            class_="ws-row",
        ),
        el(
            "p",
            _(
                "Shown this once. With it, any browser opens your photos, their clocks and the erase button; "
                "without it, only this browser does. We keep no copy we could read out to you."
            ),
            class_="ws-quiet",
        ),
        class_="ws-card ws-claim",
    )


def _button(label: str, drawing: str, **attributes: str) -> Html:
    return el("button", icon(drawing), el("span", label), type="button", class_="ws-button", **attributes)


def text_file(label: str, text: str, *, saved_as: str) -> Html:
    """A button that saves a text as a file, made in the browser alone."""
    return _button(label, "file", data_ws_save=text, data_ws_name=saved_as, data_ws_said=_("Saved as a file."))


def print_button(label: str) -> Html:
    """Prints the page, as the style sheet has it on paper."""
    return _button(label, "file", data_ws_print="page")


def links(items: Sequence[DownloadLink]) -> Html:
    """Downloads as buttons. They are links, so that the browser itself fetches, names and saves the file."""
    return el("div", *(_download(item) for item in items), class_="ws-row")


def _download(item: DownloadLink) -> Html:
    label = _("Download {what}", what=item.label) if item.label else _("Download")
    detail = el("span", item.detail, class_="ws-detail") if item.detail else None
    looks = "ws-line" if item.plain else "ws-button ws-primary" if item.primary else "ws-button"
    return el("a", icon("download"), el("span", label), detail, href=item.href, download=item.filename, class_=looks)


def card(*parts: "Html | str | None") -> Html:
    """Things that belong together, within one line."""
    return el("div", *parts, class_="ws-card")


def stack(*parts: "Html | str | None") -> Html:
    """Parts one below the other, as one element."""
    return el("div", *parts, class_="ws-stack")


def row(*parts: "Html | str | None") -> Html:
    return el("div", *parts, class_="ws-row")


def quiet(*parts: "Html | str | None") -> Html:
    """A line in quiet ink; a clock may stand in it."""
    return el("div", *parts, class_="ws-quiet")


def points(lines: Sequence[str]) -> Html:
    """A plain list of words that are not ours, and so are no Markdown."""
    return el("ul", *(el("li", line) for line in lines), class_="ws-points")


def promised(lines: Sequence[str]) -> Html:
    """What holds for a photo, before it is added: a line each, with a tick."""
    return el("ul", *(el("li", icon("check"), el("span", line)) for line in lines), class_="ws-promised")
