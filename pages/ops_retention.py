"""Retention, for operators: what goes when, what is late and why, and what can be done. Never a picture."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core import backlog, futures, lifecycle, retention
from core.backlog import Deed, Done, Item, Queue, Wanted
from core.canary import Song
from core.contracts import Contract
from core.errors import NotAllowed
from core.futures import Cell, Count, Figures, Forecast
from core.models import CopyKind, Role
from core.ports import Presence
from core.ui import app, charts, operators, widgets

ASKED, DONE, RUN = "retention-asked", "retention-done", "retention-run"
CONFIRM, CONFIRM_HOLD = "retention-confirm", "retention-hold"
WORD = "erase"
STORAGE_ASKED_EVERY, RULE_ASKED_EVERY = timedelta(seconds=30), timedelta(minutes=5)
SHORTEST_CHART = 7
KINDS = [CopyKind.PORTRAIT, CopyKind.HEADSHOT, CopyKind.CLOTHING, CopyKind.BACKDROP]
KIND_SAYS = {
    CopyKind.PORTRAIT: "portrait",
    CopyKind.HEADSHOT: "headshot",
    CopyKind.CLOTHING: "clothing",
    CopyKind.BACKDROP: "backdrop",
}
UNDER_SAYS = {
    Contract.MONTH: "30 d",
    Contract.WEEK: "7 d",
    Contract.THREE_DAYS: "72 h",
    Contract.DAY: "24 h",
    Contract.HOUR: "1 h",
    Contract.PROCESS: "not kept",
}
SHORT = "1 h or less"
QUEUE_SAYS = {
    Queue.COMING: "Next 24 h",
    Queue.DUE: "Due",
    Queue.OVERDUE: "Overdue",
    Queue.BLOCKED: "Blocked",
    Queue.UNPROVED: "Unproved",
    Queue.UNTRACKED: "Untracked",
    Queue.MISSING: "Missing",
    Queue.MISMATCH: "Mismatch",
    Queue.ZOMBIE: "Came back",
}
QUEUE_EMPTY = {
    Queue.COMING: "Nothing goes within the next 24 hours.",
    Queue.DUE: "Nothing is due. What becomes due goes with the next sweep.",
    Queue.OVERDUE: "Nothing is overdue.",
    Queue.BLOCKED: "Nothing stands in the way of erasing.",
    Queue.UNPROVED: "All that was erased is proved gone.",
    Queue.UNTRACKED: "Storage holds nothing that no row knows.",
    Queue.MISSING: "Every row's object is there.",
    Queue.MISMATCH: "Every object that was looked at is what its row says.",
    Queue.ZOMBIE: "Nothing came back after it was gone.",
}
DEED_SAYS = {Deed.ERASE: "Erase", Deed.PROBE: "Ask storage again about", Deed.MEND: "Mend"}

who = operators.require(Role.SUPPORT, Role.FOUNDER)
svc = app.services()
now = svc.clock()
zone, zone_says = widgets.reader_zone()


# ------------------------------------------------------------------------------------------------------ how it stands
def remembered(key: str, span: timedelta, ask: Callable[[], Any]) -> Any:
    """What storage answers takes its time; asked again after a while."""
    known = st.session_state.get(key)
    if known is None or now - known[0] >= span:
        known = st.session_state[key] = (now, ask())
    return known[1]


def storage_answers() -> bool:
    """A key that never existed must be absent: any other answer means that storage cannot be asked."""
    asked = remembered("retention-storage", STORAGE_ASKED_EVERY, lambda: svc.vault.store.head("0" * 40))
    return bool(asked is Presence.ABSENT)


def alarms(stand: Figures) -> None:
    if stand.switch.is_stopped:
        widgets.show(
            widgets.problem(
                stand.switch.says,
                f"Reason: {stand.switch.reason}, by {stand.switch.actor.replace(':', ' ')}. "
                "Every clock that runs out meanwhile is a promise that breaks.",
                "When it is safe again, run `python -m core erasing start`.",
            )
        )
    if not storage_answers():
        widgets.show(
            widgets.problem(
                "Storage cannot be reached just now.",
                "Nothing can be erased or proved until it is back. Access still ends on time.",
                "Check that the vault's disk is mounted, or the S3 settings and the provider's status page.",
            )
        )
    if stand.hold is not None:
        held(stand.hold)


def held(hold: retention.Hold) -> None:
    of_all = f"{hold.copies:,} of {hold.kept_in_all:,} copies"
    says = f"{of_all} are due by the clock at once: more than a sweep erases unasked."
    widgets.show(
        widgets.problem(
            says,
            "If that is right, erase them. If the clock of this machine is wrong, nothing of it must go.",
            f"Plan {hold.plan_hash}, valid until {said(hold.valid_until)}. Look at the queue below first.",
        )
    )
    sure = widgets.confirm(
        f"Erase these {hold.copies:,}",
        title=f"Erase {hold.copies:,} copies",
        sentence=f"{hold.copies:,} copies whose clocks ran out are erased, and proved gone.",
        button_label=f"Erase {hold.copies:,} copies",
        key=CONFIRM_HOLD,
        typed_word=WORD,
    )
    if sure:
        with st.spinner("Erasing …"):
            st.session_state[DONE] = confirmed(hold.plan_hash)
        st.rerun()


def confirmed(plan_hash: str) -> list[Done]:
    try:
        report = retention.confirm(svc, plan_hash, actor=who.actor)
    except NotAllowed as exc:
        return [Done(plan_hash, False, str(exc))]
    says = f"{report.gone:,} gone, {report.not_proved:,} not proved yet, {report.kept:,} left alone"
    return [Done(plan_hash, not report.not_proved, says)]


def top(stand: Figures) -> None:
    widgets.show(
        widgets.figures(
            widgets.key_figure(
                str(stand.overdue),
                "overdue now",
                change=f"by {widgets.length(stand.overdue_by)}" if stand.overdue else "every clock kept",
                state="broken" if stand.overdue else "kept",
            ),
            oldest(stand),
            widgets.key_figure(str(stand.next_day), "go within 24 h", change="by themselves", state="counting"),
            widgets.key_figure(
                str(stand.unproved),
                "erased, not proved",
                change="asked again" if stand.unproved else "all proved",
                state="unknown" if stand.unproved else "kept",
            ),
            swept(stand),
            sung(stand.song),
            widgets.key_figure(
                "off" if stand.switch.is_stopped else "on",
                "erasing",
                change="stopped" if stand.switch.is_stopped else "not stopped",
                state="broken" if stand.switch.is_stopped else "kept",
            ),
        )
    )


def oldest(stand: Figures) -> widgets.Html:
    kept_for = stand.oldest_kept_for
    if kept_for is None:
        return widgets.key_figure("–", "oldest copy", change="nothing is kept", state="kept")
    late = kept_for > stand.promise
    return widgets.key_figure(
        coarse(kept_for)[0],
        f"oldest copy, of {widgets.length(stand.promise)}",
        unit=coarse(kept_for)[1],
        change="too old" if late else "as promised",
        state="broken" if late else "kept",
    )


def swept(stand: Figures) -> widgets.Html:
    if stand.sweep is None:
        return widgets.key_figure("–", "last sweep", change="none yet", state="unknown")
    number, unit = coarse(now - stand.sweep.ended_at)
    well = stand.sweep.well
    change = "went well" if well else "stopped or held"
    return widgets.key_figure(
        number, "since the last sweep", unit=unit, change=change, state="kept" if well else "broken"
    )


def sung(song: Song) -> widgets.Html:
    """How long after its clock a canary was gone, and whether the last one was."""
    if song.last_well_at is None or song.p95 is None:
        failed = song.last_failure or ""
        change, state = (code(failed), "broken") if failed else ("none yet", "unknown")
        return widgets.key_figure("–", "last canary", change=change, state=state)  # type: ignore[arg-type]
    number, unit = coarse(now - song.last_well_at)
    change = f"p95 {widgets.length(song.p95)}" if song.is_well else code(song.last_failure or "")
    return widgets.key_figure(
        number, "since a canary was gone", unit=unit, change=change, state="kept" if song.is_well else "broken"
    )


def times(song: Song) -> None:
    """Of the last month, from the end of a canary's clock to the proof that it is gone."""
    if song.p50 is None or song.p95 is None or song.longest is None:
        return
    p50, p95, longest = (widgets.length(span) for span in (song.p50, song.p95, song.longest))
    failed = f", {song.failed:,} failed" if song.failed else ""
    says = f"Time to gone, {song.runs:,} canaries this month{failed}: p50 {p50} · p95 {p95} · longest {longest}."
    widgets.show(widgets.quiet(says))


def code(word: str) -> str:
    return word.replace("_", " ")


def coarse(span: timedelta) -> tuple[str, str]:
    """A number and its unit, the largest that fits."""
    number, unit = widgets.length(span).split(" ")[:2]
    return number, unit


def said(at: datetime | None) -> str:
    return f"{at.astimezone(zone):%d %b, %H:%M}" if at else "–"


def clocks() -> None:
    """Our clock, the bucket's, and what people were promised, side by side."""
    three = remembered("retention-rule", RULE_ASKED_EVERY, lambda: lifecycle.check(svc))
    well = three.setting <= three.policy
    red = any(finding.trouble.is_red for finding in three.findings)
    if not three.applies:
        rule = widgets.state_chip("info", "bucket rule not applicable: local vault")
    elif three.rule_days is None:
        rule = widgets.state_chip("broken" if red else "unknown", "bucket rule " + ("none" if red else "not readable"))
    else:
        rule = widgets.state_chip("broken" if red else "kept", f"bucket rule {three.rule_days} d")
    widgets.show(
        widgets.row(
            widgets.state_chip("kept" if well else "broken", f"app clock {days(three.setting)}"),
            rule,
            widgets.state_chip("kept", f"policy {days(three.policy)}"),
        )
    )
    for finding in three.findings:
        widgets.show(widgets.note(finding.says, "broken" if finding.trouble.is_red else "unknown"))
        st.code(finding.mend, language="sh", wrap_lines=True)


def days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):g} d"


# ------------------------------------------------------------------------------------------------------------ futures
def what_goes_when() -> None:
    st.header("What goes when", anchor=False)
    known = futures.forecast(svc)
    if known is None:
        uncounted()
        return
    if not known.cells:
        widgets.show(widgets.note("Nothing of anybody is kept. There is nothing to come.", "kept"))
        return
    offered = futures.policies(svc)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        policy = st.segmented_control(
            "If nothing were kept longer than",
            offered,
            default=offered[0],
            required=True,
            format_func=lambda one: f"{UNDER_SAYS[one]}, as it is" if one is offered[0] else UNDER_SAYS[one],
            key="retention-policy",
            wrap=True,
        )
        by_kind = st.segmented_control(
            "Coloured by", ["Contract", "Kind"], default="Contract", required=True, key="retention-colours"
        )
    policy = policy or offered[0]
    draw(known, policy, by_kind == "Kind")


def uncounted() -> None:
    widgets.show(widgets.note("There is too much to count while you wait. A worker counts it with its next sweep."))
    if st.button("Count now"):
        with st.spinner("Counting …"):
            futures.count(svc)
        st.rerun()


def draw(known: Forecast, policy: Contract, by_kind: bool) -> None:
    today = now.date()
    shifted = futures.what_if(known.cells, policy, early=svc.settings.erase_early)
    cells = futures.from_today(shifted, today)
    last = max(*(cell.day for cell in cells), today + timedelta(days=SHORTEST_CHART - 1))
    every_day = [today + timedelta(days=ahead) for ahead in range((last - today).days + 1)]
    series = [
        charts.Series(name, [sum(cell.copies for cell in some if cell.day == day) for day in every_day], colour)
        for colour, (name, some) in enumerate(grouped(cells, by_kind).items())
        if some
    ]
    sums = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    peak = max(range(len(sums)), key=lambda at: sums[at])
    chart, numbers = st.columns([3, 2], gap="medium")
    with chart:
        figure = charts.stacked_bars([day_says(day) for day in every_day], series, unit="copies", which=charts.theme())
        most = f"most on {day_says(every_day[peak])}: {sums[peak]:,.0f}"
        charts.draw(
            figure, key="retention-futures", alt=f"Copies that go on each day (UTC), {most} of {known.copies:,}."
        )
        by_a_day(cells, every_day, policy)
    with numbers:
        table = pd.DataFrame({"day": [day_says(day) for day in every_day], "copies": [int(total) for total in sums]})
        for one in series:
            table[one.name] = [int(value) for value in one.values]
        table["MB"] = [sum(cell.size for cell in cells if cell.day == day) / 1e6 for day in every_day]
        st.dataframe(
            table,
            hide_index=True,
            height=340,
            column_config={"MB": st.column_config.NumberColumn(format="%.1f")},
            alt="The same numbers as in the chart, a row for each day (UTC)",
        )
    counted = "now" if known.counted_at >= now else f"{widgets.length(now - known.counted_at)} ago"
    widgets.show(widgets.quiet(f"{known.copies:,} copies, counted {counted}. Days are UTC."))


def grouped(cells: Sequence[Cell], by_kind: bool) -> dict[str, list[Cell]]:
    """As many as there are colours, the longest contract first."""
    if by_kind:
        return {KIND_SAYS[kind]: [cell for cell in cells if cell.kind is kind] for kind in KINDS}
    long = (Contract.MONTH, Contract.WEEK, Contract.THREE_DAYS, Contract.DAY)
    groups = {UNDER_SAYS[contract]: [cell for cell in cells if cell.contract is contract] for contract in long}
    return groups | {SHORT: [cell for cell in cells if cell.contract not in long]}


def by_a_day(cells: Sequence[Cell], every_day: Sequence[date], policy: Contract) -> None:
    chosen = st.select_slider(
        "By the end of", every_day, format_func=day_says, key=f"retention-day-{policy}", label_visibility="collapsed"
    )
    gone, left = futures.by(cells, chosen)
    widgets.show(widgets.quiet(f"By the end of {day_says(chosen)}: {gone:,} gone, {left:,} left of what is kept now."))


def day_says(day: date) -> str:
    return f"{day.day} {day:%b}"


# ------------------------------------------------------------------------------------------------------------- queues
def queues() -> None:
    st.header("Queues", anchor=False)
    sizes = backlog.counts(svc)
    widgets.show(
        widgets.quiet(" · ".join(f"{QUEUE_SAYS[queue].lower()} {size}" for queue, size in sizes.items())),
    )
    wanted = asked_for(sizes)
    if wanted is None:
        widgets.show(widgets.note("That is not an id. Ids are letters and digits, as the audit log shows them."))
        return
    size = backlog.size_of(svc, wanted)
    if not size:
        empty = "Nothing here has this id." if wanted.id else QUEUE_EMPTY[wanted.queue]
        widgets.show(widgets.note(empty, "unknown" if wanted.id else "kept"))
        results()
        return
    shown = listing(wanted, size)
    actions(wanted, size, shown)
    results()


def asked_for(sizes: dict[Queue, Count]) -> Wanted | None:
    queue = st.segmented_control(
        "Queue",
        list(Queue),
        default=Queue.OVERDUE if sizes[Queue.OVERDUE] else Queue.DUE,
        required=True,
        format_func=lambda one: QUEUE_SAYS[one],
        key="retention-queue",
        on_change=to_first,
    )
    kind_at, id_at = st.columns([1, 3], vertical_alignment="bottom")
    kind = kind_at.selectbox(
        "Kind", [None, *KINDS], format_func=lambda one: KIND_SAYS[one] if one else "Any kind", on_change=to_first
    )
    sought = id_at.text_input(
        "Id", help="Of a copy, a person or a run, or a run's number. Looks everywhere.", on_change=to_first
    )
    try:
        words = Wanted(queue=queue or Queue.DUE, kind=kind, id=sought.strip()).as_words()
        return Wanted.of_words(words)
    except ValueError:
        return None


def to_first() -> None:
    """Another question starts at its first page, with nothing chosen."""
    st.session_state[RUN] = st.session_state.get(RUN, 0) + 1
    st.session_state.pop(DONE, None)


def listing(wanted: Wanted, size: Count) -> list[Item]:
    run, pages = st.session_state.get(RUN, 0), backlog.pages(size)
    at = f"retention-page-{run}"
    number = min(int(st.session_state.get(at, 1)), pages)
    items = backlog.page(svc, wanted, number=number)
    first = (number - 1) * backlog.PAGE + 1
    chosen = st.dataframe(
        table(items),
        hide_index=True,
        height="content",
        key=f"retention-table-{run}-{number}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "id": st.column_config.TextColumn(width=285),
            "why": st.column_config.TextColumn(width=250),
            "kB": st.column_config.NumberColumn(format="%,.0f", width="small"),
            "asked": st.column_config.NumberColumn(width="small", help="How often storage was asked in vain"),
        },
        alt=f"Rows {first} to {first + len(items) - 1} of {size}, the most urgent first",
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        more = " Filter, or take the CSV, for the rest." if size.is_more else ""
        widgets.show(widgets.quiet(f"{first:,} to {first + len(items) - 1:,} of {size}, in {zone_says[1:-1]}.{more}"))
        if pages > 1:
            st.pagination(pages, key=at)
        export(wanted)
    rows = chosen["selection"]["rows"] if chosen else []
    return [items[row] for row in rows if row < len(items)]


def table(items: Sequence[Item]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clock": [clock_says(item) for item in items],
            "kind": [KIND_SAYS.get(item.kind, "object") if item.kind else "object" for item in items],
            "why": [item.why for item in items],
            "id": [item.ref for item in items],
            "kB": [item.size / 1000 for item in items],
            "added": [said(item.added_at) for item in items],
            "erase by": [said(item.erase_by) for item in items],
            "asked": [item.probes for item in items],
            "asked again": [said(item.ask_again_at) for item in items],
        }
    )


def clock_says(item: Item) -> str:
    left = backlog.slack(item, now)
    if item.gone_at is not None:
        return f"gone {said(item.gone_at)}"
    if left is None:
        return "no clock"
    return f"{widgets.length(left)} left" if left > timedelta(0) else f"{widgets.length(-left)} late"


def export(wanted: Wanted) -> None:
    href = f"/ops/retention.csv?{urlencode(wanted.as_words())}"
    widgets.show(widgets.links([widgets.DownloadLink(label="CSV", href=href, filename="retention.csv")]))


# ------------------------------------------------------------------------------------------------------------ actions
def actions(wanted: Wanted, size: Count, chosen: Sequence[Item]) -> None:
    """For the chosen ones, or for all there are; asked first, and with a typed word above ten."""
    queue = chosen[0].queue if wanted.id and chosen else wanted.queue
    deed = backlog.deed_for(None if wanted.id and not chosen else queue)
    if deed is None:
        if not wanted.id:
            widgets.show(widgets.quiet("Their clocks still run: they go by themselves."))
        return
    does = DEED_SAYS[deed]
    with st.container(horizontal=True):
        if widgets.danger_button(f"{does} {len(chosen):,} chosen", key="retention-some", disabled=not chosen):
            ask(wanted, deed, queue, [item.ref for item in chosen])
        if not wanted.id:
            everything = f"the first {size.number:,}" if size.is_more else f"all {size.number:,}"
            if widgets.danger_button(f"{does} {everything}", key="retention-all"):
                found = backlog.page(svc, wanted, number=1, size=size.number)
                ask(wanted, deed, queue, [item.ref for item in found])
    answer()


def ask(wanted: Wanted, deed: Deed, queue: Queue | None, refs: list[str]) -> None:
    st.session_state[ASKED] = (deed, queue, refs)
    widgets.open_confirm(CONFIRM)


def answer() -> None:
    if ASKED not in st.session_state:
        return
    deed, queue, refs = st.session_state[ASKED]
    things = widgets.count(len(refs), "copy", "copies")
    sure = widgets.confirm_dialog(
        f"{DEED_SAYS[deed]} {things}",
        sentence=SENTENCES[deed].format(things=things),
        button_label=f"{DEED_SAYS[deed]} {things}",
        key=CONFIRM,
        typed_word=WORD if len(refs) > backlog.ASK_BEFORE else None,
    )
    if sure:
        del st.session_state[ASKED]
        bar = st.progress(0.0, text=f"0 of {len(refs):,}")
        st.session_state[DONE] = backlog.do(
            svc,
            deed,
            refs,
            actor=who.actor,
            finding=queue.finding if queue else None,
            progress=lambda done, of: bar.progress(done / of, text=f"{done:,} of {of:,}"),
        )
        st.session_state[RUN] = st.session_state.get(RUN, 0) + 1
        st.rerun()


SENTENCES = {
    Deed.ERASE: "{things} whose clocks ran out: each is looked at again, erased, and asked for in storage.",
    Deed.PROBE: "{things}: each is erased once more where storage still has it, and storage is asked again.",
    Deed.MEND: "{things}: each is looked at again, and made to agree with storage. What cannot be read is erased.",
}


def results() -> None:
    """What came of each, until another question is asked."""
    done: list[Done] = st.session_state.get(DONE, [])
    if not done:
        return
    well = sum(one.well for one in done)
    says = f"{well:,} of {len(done):,} done." if well < len(done) else f"{widgets.count(len(done), 'item')}: all done."
    widgets.show(widgets.note(says, "kept" if well == len(done) else "due"))
    st.dataframe(
        pd.DataFrame({"id": [one.ref for one in done], "what came of it": [one.says for one in done]}),
        hide_index=True,
        height="content" if len(done) <= 10 else 390,
        alt=f"What came of each: {well} of {len(done)} done",
    )


widgets.frame(
    "Retention", "What goes when, what is late, and why. Ids and clocks, never a picture.", now=now, wide=True
)
operators.bar(who)
stand = futures.figures(svc)
alarms(stand)
top(stand)
times(stand.song)
clocks()
what_goes_when()
queues()
