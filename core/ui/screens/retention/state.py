"""How retention stands: what is wrong, the key figures, and the three clocks side by side."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import streamlit as st

from core import lifecycle, retention
from core.backlog import Done
from core.canary import Song
from core.errors import NotAllowed
from core.futures import Figures
from core.ports import Presence
from core.ui import widgets
from core.ui.screens.retention import deeds
from core.ui.screens.retention.desk import WORD, Desk, coarse, code

CONFIRM_HOLD = "retention-hold"
STORAGE_ASKED_EVERY, RULE_ASKED_EVERY = timedelta(seconds=30), timedelta(minutes=5)


def alarms(desk: Desk, stand: Figures) -> None:
    if not _storage_answers(desk):
        widgets.show(
            widgets.problem(
                "Storage cannot be reached just now.",
                "Nothing can be erased or proved until it is back. Access still ends on time.",
                "Check that the vault's disk is mounted, or the S3 settings and the provider's status page.",
            )
        )
    if stand.hold is not None:
        _held(desk, stand.hold)


def _storage_answers(desk: Desk) -> bool:
    """A key that never existed must be absent: any other answer means that storage cannot be asked."""
    store = desk.svc.vault.store
    asked = _remembered(desk, "retention-storage", STORAGE_ASKED_EVERY, lambda: store.head("0" * 40))
    return bool(asked is Presence.ABSENT)


def _remembered(desk: Desk, key: str, span: timedelta, ask: Callable[[], Any]) -> Any:
    """What storage answers takes its time; asked again after a while."""
    known = st.session_state.get(key)
    if known is None or desk.now - known[0] >= span:
        known = st.session_state[key] = (desk.now, ask())
    return known[1]


def _held(desk: Desk, hold: retention.Hold) -> None:
    of_all = f"{hold.copies:,} of {hold.kept_in_all:,} copies"
    says = f"{of_all} are due by the clock at once: more than a sweep erases unasked."
    widgets.show(
        widgets.problem(
            says,
            "If that is right, erase them. If the clock of this machine is wrong, nothing of it must go.",
            f"Plan {hold.plan_hash}, valid until {desk.said(hold.valid_until)}. Look at the queue below first.",
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
            deeds.remember([_confirmed(desk, hold.plan_hash)])
        st.rerun()


def _confirmed(desk: Desk, plan_hash: str) -> Done:
    try:
        report = retention.confirm(desk.svc, plan_hash, actor=desk.who.actor)
    except NotAllowed as exc:
        return Done(plan_hash, False, str(exc))
    says = f"{report.gone:,} gone, {report.not_proved:,} not proved yet, {report.kept:,} left alone"
    return Done(plan_hash, not report.not_proved, says)


def top(desk: Desk, stand: Figures) -> None:
    widgets.show(
        widgets.figures(
            _overdue(stand),
            _oldest(stand),
            widgets.key_figure(str(stand.next_day), "go within 24 h", change="by themselves", state="counting"),
            widgets.key_figure(
                str(stand.unproved),
                "erased, not proved",
                change="asked again" if stand.unproved else "all proved",
                state="unknown" if stand.unproved else "kept",
            ),
            _swept(desk, stand),
            _sung(desk, stand.song),
            widgets.key_figure(
                "off" if stand.switch.is_stopped else "on",
                "erasing",
                change="stopped" if stand.switch.is_stopped else "not stopped",
                state="broken" if stand.switch.is_stopped else "kept",
            ),
        )
    )
    _times(stand.song)


def _overdue(stand: Figures) -> widgets.Html:
    return widgets.key_figure(
        str(stand.overdue),
        "overdue now",
        change=f"by {widgets.length(stand.overdue_by)}" if stand.overdue else "every clock kept",
        state="broken" if stand.overdue else "kept",
    )


def _oldest(stand: Figures) -> widgets.Html:
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


def _swept(desk: Desk, stand: Figures) -> widgets.Html:
    if stand.sweep is None:
        return widgets.key_figure("–", "last sweep", change="none yet", state="unknown")
    number, unit = coarse(desk.now - stand.sweep.ended_at)
    well = stand.sweep.well
    change = "went well" if well else "stopped or held"
    return widgets.key_figure(
        number, "since the last sweep", unit=unit, change=change, state="kept" if well else "broken"
    )


def _sung(desk: Desk, song: Song) -> widgets.Html:
    """How long after its clock a canary was gone, and whether the last one was."""
    if song.last_well_at is None or song.p95 is None:
        failed = song.last_failure
        return widgets.key_figure(
            "–", "last canary", change=code(failed) if failed else "none yet", state="broken" if failed else "unknown"
        )
    number, unit = coarse(desk.now - song.last_well_at)
    change = f"p95 {widgets.length(song.p95)}" if song.is_well else code(song.last_failure or "")
    return widgets.key_figure(
        number, "since a canary was gone", unit=unit, change=change, state="kept" if song.is_well else "broken"
    )


def _times(song: Song) -> None:
    """Of the last month, from the end of a canary's clock to the proof that it is gone."""
    if song.p50 is None or song.p95 is None or song.longest is None:
        return
    p50, p95, longest = (widgets.length(span) for span in (song.p50, song.p95, song.longest))
    failed = f", {song.failed:,} failed" if song.failed else ""
    says = f"Time to gone, {song.runs:,} canaries this month{failed}: p50 {p50} · p95 {p95} · longest {longest}."
    widgets.show(widgets.quiet(says))


def clocks(desk: Desk) -> None:
    """Our clock, the bucket's, and what people were promised, side by side."""
    svc = desk.svc
    three: lifecycle.TwoClocks = _remembered(desk, "retention-rule", RULE_ASKED_EVERY, lambda: lifecycle.check(svc))
    well = three.setting <= three.policy
    widgets.show(
        widgets.row(
            widgets.state_chip("kept" if well else "broken", f"app clock {_days(three.setting)}"),
            _rule(three),
            widgets.state_chip("kept", f"policy {_days(three.policy)}"),
        )
    )
    for finding in three.findings:
        widgets.show(widgets.note(finding.says, "broken" if finding.trouble.is_red else "unknown"))
        st.code(finding.mend, language="sh", wrap_lines=True)


def _rule(three: lifecycle.TwoClocks) -> widgets.Html:
    red = any(finding.trouble.is_red for finding in three.findings)
    if not three.applies:
        return widgets.state_chip("info", "bucket rule not applicable: local vault")
    if three.rule_days is None:
        return widgets.state_chip("broken" if red else "unknown", "bucket rule " + ("none" if red else "not readable"))
    return widgets.state_chip("broken" if red else "kept", f"bucket rule {three.rule_days} d")


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):g} d"
