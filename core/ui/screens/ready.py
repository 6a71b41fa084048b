"""The results: large, beside what they were made from, each with its clock, and everything one may do with them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core import drift, generations, pictures, retention
from core.catalogue import catalogue
from core.contracts import Contract
from core.errors import WorkShotError
from core.generations import RunView
from core.language import N_, _, n_, p_
from core.models import Copy, ProviderCopy, RunState
from core.provider import residue
from core.services import Services
from core.ui import counting, widgets
from core.ui.screens import flow, makers
from core.ui.screens.again import once_more
from core.ui.screens.claim import show_code

DISCLOSURE = N_(
    "Edited by AI from your photo, not taken by a photographer. Every file says so in a mark that machines can read."
)
DRAWN = N_(
    "Drawn by AI at {title} from your photo, not taken by a photographer. Every file says so in a mark that machines "
    "can read."
)
FREE_TRY = N_("Make it once more, for free")


def ready(svc: Services, me: str, view: RunView, now: datetime) -> None:
    many = len(view.headshots) > 1
    said = [_made(svc, view)]
    if view.run.state is RunState.CANCELLED:
        said.append(_("The run was stopped; this is what was finished."))
    if view.run.state is RunState.READY and view.made < view.run.variants:
        said.append(_("{made} of {variants} could be made.", made=view.made, variants=view.run.variants))
    title = _("Your headshots are ready") if many else _("Your headshot is ready")
    widgets.frame(title, " ".join(said), now=now)
    counting.reached(svc, me, "ready")
    with svc.reading() as reading:
        elsewhere = residue.of_run(reading, view.run.id)
    left, right = st.columns([6, 5], gap="large")
    with left:
        number = _which(view) if many else 1
        copy = view.headshots[number - 1]
        _compare(view, copy, number, now)
        _drift(svc, me, view, copy, now)
    with right:
        widgets.show(widgets.clock(view.run.erase_by, now=now), where(svc, view, elsewhere, now))
        _downloads(view, copy, number)
        _favourite(svc, me, view, copy)
        _more(svc, me, view, now)
        keep_less(svc, view, now)
        erase_button(svc, view, _("Erase now"), elsewhere)
    show_code(svc, me, unasked=True)


def _made(svc: Services, view: RunView) -> str:
    if makers.is_elsewhere(svc, view.run.engine):
        return _(DRAWN, title=makers.title_of(svc, view.run.engine))
    return _(DISCLOSURE)


def where(svc: Services, view: RunView, elsewhere: Sequence[ProviderCopy], now: datetime) -> widgets.Html | None:
    """ "4 copies: 2 here until 12 Dec · 2 at APIMart until today 14:02", where some are not here."""
    if not elsewhere:
        return None
    here = [copy for copy in (view.portrait, *view.headshots) if copy.may_be_read(now)]
    ours = Counter(copy.erase_by for copy in here)
    lines = [widgets.CopyLine(number=n, place=_("here"), until=until) for until, n in sorted(ours.items())]
    return widgets.copy_list([*lines, *makers.lines(svc, elsewhere)], now=now, total=True)


def _drift(svc: Services, me: str, view: RunView, copy: Copy, now: datetime) -> None:
    """Where skin came out much lighter or darker than in the photo: said, and one more try for free."""
    with svc.reading() as reading:
        shifts = generations.shifts(reading, view.run.id)
        is_free = generations.has_free_try(reading, view.run)
    said = drift.says(shifts.get(copy.id))
    if said is None:
        return
    offered = is_free and view.portrait.may_be_read(now)
    once = _("You may have it made once more; that does not count.")
    widgets.show(widgets.note(f"{said} {once}" if offered else said, "due"))
    if offered:
        once_more(svc, me, view, _(FREE_TRY), free=True)


def _which(view: RunView) -> int:
    favourite = next((n for n, copy in enumerate(view.headshots, 1) if copy.id == view.run.favourite_id), 1)
    urls = [f"/img/{copy.id}?w=240" for copy in view.headshots]
    return widgets.variants(urls, key=f"variant-{view.run.id}", ratio=view.run.ratio, value=favourite)


def _compare(view: RunView, copy: Copy, number: int, now: datetime) -> None:
    before = f"/before/{view.run.id}?w=900" if view.portrait.may_be_read(now) else None
    widgets.show(
        widgets.compare(before, f"/img/{copy.id}?w=900", _("Headshot {number}", number=number), ratio=view.run.ratio)
    )
    if before is None:
        widgets.show(widgets.quiet(_("Your photo itself is erased already, so there is no before to compare with.")))


def _downloads(view: RunView, copy: Copy, number: int) -> None:
    made = (copy.width, copy.height)
    sizes = pictures.downloads(catalogue().purpose(view.run.purpose), made)
    kinds = {size: copy.media_type if size == made else "image/jpeg" for size in sizes}
    largest, *others = [
        widgets.DownloadLink(
            label=f"{width} × {height}",
            href=f"/img/{copy.id}?w={width}&dl=1",
            filename=f"headshot-{view.run.purpose}-{number}-{width}x{height}.{pictures.ending(kinds[width, height])}",
            detail=pictures.called(kinds[width, height]),
            primary=(width, height) == sizes[0],
            plain=(width, height) != sizes[0],
        )
        for width, height in sizes
    ]
    widgets.show(widgets.stack(widgets.links([largest]), widgets.links([*others, all_of(view)])))


def all_of(view: RunView) -> widgets.DownloadLink:
    """The ZIP."""
    return widgets.DownloadLink(
        label=p_("to download", "all"),
        href=f"/zip/{view.run.id}",
        filename=f"headshots-{view.run.purpose}.zip",
        detail=n_("{n} headshot, every size, ZIP", "{n} headshots, every size, ZIP", len(view.headshots)),
        plain=True,
    )


def _favourite(svc: Services, me: str, view: RunView, copy: Copy) -> None:
    if len(view.headshots) < 2:
        return
    is_it = view.run.favourite_id == copy.id
    label = _("Your favourite") if is_it else _("Make this my favourite")
    if st.button(label, icon=":material/star:" if is_it else ":material/star_outline:"):
        generations.pick_favourite(svc, me, view.run.id, None if is_it else copy.id)
        st.rerun()


def _more(svc: Services, me: str, view: RunView, now: datetime) -> None:
    with st.container(horizontal=True):
        if view.portrait.may_be_read(now) and st.button(_("Make another from this photo")):
            flow.compose_like(view)
        if st.button(_("Use another photo")):
            flow.compose_new()


def keep_less(svc: Services, view: RunView, now: datetime) -> None:
    """Shorter contracts than the run's, where they still lie ahead or end it now."""
    terms = svc.settings.terms
    shorter = [
        contract
        for contract in terms.offered
        if contract is not Contract.PROCESS
        and contract.keep_for < view.run.contract.keep_for
        and view.run.uploaded_at + terms.clock(contract) > now
    ]
    if not shorter or view.run.contract is Contract.PROCESS:
        return
    key = f"keep-{view.run.id}"
    labels = {contract.value: terms.label(contract) for contract in shorter}
    wanted = st.pills(_("Keep less"), list(labels), format_func=labels.__getitem__, key=key)
    if wanted and st.button(
        _("Keep only {time}", time=labels[wanted]),
        key=f"{key}-yes",
        help=_("Counted from the upload. A clock can only become shorter."),
    ):
        try:
            retention.shorten(svc, view.run.id, Contract(wanted))
        except WorkShotError as exc:
            widgets.show(widgets.note(str(exc), "due"))
            return
        st.session_state.pop(key, None)
        st.rerun()


def erase_button(svc: Services, view: RunView, label: str, elsewhere: Sequence[ProviderCopy] = ()) -> None:
    """ "Erase now" for one run. What lies elsewhere is named: it stays."""
    stays = makers.not_ours(svc, elsewhere, svc.clock())
    many = len(view.headshots)
    if widgets.confirm(
        label,
        title=_("Erase this run"),
        sentence=n_(
            "This erases {n} headshot and the photo they were made from, unless another run still uses it.",
            "This erases {n} headshots and the photo they were made from, unless another run still uses it.",
            many,
        ),
        button_label=n_("Erase {n} headshot", "Erase {n} headshots", many),
        typed_word=p_("the word to type", "ERASE"),
        stays=stays,
        key=f"erase-{view.run.id}",
    ):
        retention.erase_run(svc, view.run.id)
        flow.show_run(view.run.id)
