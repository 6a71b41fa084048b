"""The audit log, for operators: look something up, have the whole chain verified, take it away."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core import audit
from core.audit import Action, Filter, Verdict
from core.models import AuditEntry, Role
from core.operators import Operator
from core.ui import app, operators, widgets

PAGE_SIZE = 50
CURSORS = "audit-cursors"
ACTORS = {"Anybody": "", "The system": audit.SYSTEM, "A person": audit.SUBJECT, "An operator": audit.OPERATOR}
WHO = {audit.SYSTEM: "the system", audit.SUBJECT: "a person"}

who = operators.require(Role.SUPPORT, Role.FOUNDER)
svc = app.services()
now = svc.clock()
zone, zone_says = widgets.reader_zone()


def state_of_the_log() -> None:
    with svc.reading() as session:
        span, signed = audit.span(session), audit.last_checkpoint(session)
    since = f"{span.newest_at.astimezone(zone):%d %b, %H:%M}" if span.newest_at else "–"
    age = widgets.length(now - signed.at) + " ago" if signed else "not yet"
    unsigned = span.last - (signed.seq if signed else 0)
    widgets.show(
        widgets.figures(
            widgets.key_figure(f"{span.entries:,}", "entries kept"),
            widgets.key_figure(since, f"newest entry {zone_says}"),
            widgets.key_figure(age, "last signed"),
            widgets.key_figure(f"{unsigned:,}", "written since"),
        )
    )


def verifying(who: Operator) -> None:
    if st.button("Verify the whole log", type="primary"):
        bar = st.progress(0.0, text="Reading every entry …")
        verdict = audit.verify(svc, progress=lambda done, of: bar.progress(min(1.0, done / max(of, 1))))
        bar.empty()
        with svc.transaction() as session:
            audit.record(
                session,
                Action.AUDIT_VERIFIED,
                who.id,
                at=svc.clock(),
                actor=who.actor,
                well=verdict.well,
                entries=verdict.entries,
                problems=len(verdict.problems),
            )
        say_verdict(verdict)


def say_verdict(verdict: Verdict) -> None:
    if verdict.well:
        widgets.show(widgets.note(verdict.says, "kept"))
    else:
        first, *more = verdict.problems
        widgets.show(
            widgets.problem(
                first.says,
                "What was recorded is not what is here now. Photos and their clocks are not touched by this.",
                "Keep a copy of the database as it is, and compare it with your backups from that entry on.",
            ),
            *(widgets.note(problem.says, "broken") for problem in more),
        )
    widgets.show(widgets.quiet(f"Head, to note somewhere else: {verdict.head}"))


def asked_for() -> Filter:
    """The filter row. Every change starts at the newest page again."""
    action, actor, operator_id, ref, days = st.columns([3, 2, 2, 3, 3], vertical_alignment="bottom")
    chosen = action.selectbox("What", ["", *Action], format_func=_action_says, on_change=_to_newest)
    role = actor.selectbox("Who", list(ACTORS), on_change=_to_newest)
    named = operator_id.text_input("Operator's id", on_change=_to_newest, disabled=role != "An operator").strip()
    about = ref.text_input("Id", on_change=_to_newest, help="Of a person, a run, a copy or an operator").strip()
    between = days.date_input("Days", value=(), on_change=_to_newest)
    since, until = _span(between)
    actor_word = f"{audit.OPERATOR}:{named}" if named and role == "An operator" else ACTORS[role]
    return Filter(action=str(chosen), actor=actor_word, ref=about, since=since, until=until)


def _action_says(action: str) -> str:
    return f"{action} · {Action(action).says}" if action else "Everything"


def _span(days: object) -> tuple[datetime | None, datetime | None]:
    """Whole days of the reader, the last one included."""
    first, last = (*days, *days)[:2] if isinstance(days, tuple) and days else (None, None)
    if not isinstance(first, date) or not isinstance(last, date):
        return None, None
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


def _to_newest() -> None:
    st.session_state[CURSORS] = []


def listing(which: Filter) -> None:
    cursors: list[int] = st.session_state.setdefault(CURSORS, [])
    before = cursors[-1] if cursors else None
    with svc.reading() as session:
        found = audit.page(session, which, before=before, size=PAGE_SIZE + 1)
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    if not shown:
        widgets.show(widgets.note("Nothing fits this filter."))
        return
    st.dataframe(
        table(shown),
        hide_index=True,
        height="content",
        column_config={
            "#": st.column_config.NumberColumn(width="small", format="localized"),
            "when": st.column_config.TextColumn(f"when {zone_says}", width=150),
            "who": st.column_config.TextColumn(width=150),
            "id": st.column_config.TextColumn(width=285),
        },
        alt=f"Audit entries {shown[-1].seq} to {shown[0].seq}, newest first",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Newer", disabled=not cursors):
            cursors.pop()
            st.rerun()
        if st.button("Older", disabled=not more):
            cursors.append(shown[-1].seq)
            st.rerun()
        widgets.show(widgets.quiet(f"Entries {shown[-1].seq:,} to {shown[0].seq:,}, newest first"))


def table(shown: Sequence[AuditEntry]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "#": [entry.seq for entry in shown],
            "when": [f"{entry.at.astimezone(zone):%d %b %y, %H:%M:%S}" for entry in shown],
            "who": [WHO.get(entry.actor, entry.actor.replace(":", " ")) for entry in shown],
            "what": [audit.says(entry.action) for entry in shown],
            "id": [entry.ref for entry in shown],
            "facts": [facts(entry) for entry in shown],
        }
    )


def facts(entry: AuditEntry) -> str:
    words = {True: "yes", False: "no"}
    told = audit.facts_of(entry).items()
    return " · ".join(f"{name} {words[value] if isinstance(value, bool) else value}" for name, value in told)


def exports(which: Filter) -> None:
    words = urlencode(which.as_words())
    forms = (("csv", "CSV", "for a spreadsheet"), ("jsonl", "JSON lines", "from which anybody can verify the chain"))
    widgets.show(
        widgets.links(
            [
                widgets.DownloadLink(
                    label=name, href=f"/ops/audit.{form}?{words}", filename=f"audit.{form}", detail=how
                )
                for form, name, how in forms
            ]
        )
    )


widgets.frame("Audit", "Who did what, in the order it was done. Nothing here names anyone.", now=now, wide=True)
operators.bar(who)
state_of_the_log()
verifying(who)
which = asked_for()
listing(which)
exports(which)
