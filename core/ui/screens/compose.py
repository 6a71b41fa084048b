"""
Compose: a photo, what is wrong with it, the choices, and the button.

Until the button is pressed nothing is stored: the photo waits in memory (core/drafts.py) and leaves it by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import streamlit as st

from core import access, copies, generations, intake, promises
from core.abuse import blocks
from core.catalogue import OWN_BACKDROP, Choice, Purpose, catalogue
from core.contracts import Contract
from core.drafts import Draft, DraftKind
from core.errors import InvalidPhoto, WorkShotError
from core.generations import Agreement, Choices, RunView, Upload
from core.language import N_, _, n_
from core.models import CopyKind, new_id
from core.ports import Finding, Framing
from core.services import Services
from core.ui import counting, pages, session, widgets
from core.ui.screens import flow, makers
from core.ui.screens.claim import ask_for_code
from core.ui.screens.looked_at import is_blocked
from core.ui.screens.makers import Maker

PHOTO_TYPES = ["jpg", "jpeg", "png", "webp", "heic", "heif", "avif"]
ZOOM = (70, 150, 100)
MINE = N_("This is my photo, or I have clear permission to use it")
ADULT = N_("I am 18 or older, and so is the person in the photo")
AGREE_TO = N_(
    "Ticking both, you agree to [the policy](/policy). It takes three minutes, and My photos keeps its text for you."
)
REFERENCES = {
    DraftKind.BACKDROP: (N_("Your backdrop"), N_("Your backdrop"), N_("Use another backdrop")),
    DraftKind.CLOTHING: (N_("Your clothing picture (optional)"), N_("Your clothing"), N_("Use another clothing")),
}
"""Pictures that go along with the photo: asked for, shown, and changed for another one."""


def compose(svc: Services, me: str, now: datetime, *, like: RunView | None = None) -> None:
    """A new run: from a new photo, or from the photo of an earlier one (`like`)."""
    if is_blocked(svc, me, now):
        svc.drafts.drop(me)  # what waits here can go nowhere
        _back_to_results()
        return
    draft = svc.drafts.get(me, DraftKind.PORTRAIT) if like is None else None
    if like is None and draft is None:
        _welcome(svc, me)
        return
    if draft is not None:
        findings = _look(svc, me, draft)
        if any(finding.blocking for finding in findings):
            _unusable(svc, me, findings)
            return
        counting.reached(svc, me, "checks")
    offered = makers.makers(svc, now)
    left, right = st.columns([5, 6], gap="large")
    with left:
        framing = _framing(draft, like, makers.chosen(offered))
    with right:
        _about_the_photo(svc, me, draft)
        _purpose(like)
    choices = _choices(svc, me, framing, like, offered, now)
    agreement = _agreement() if like is None else None
    _button(svc, me, choices, agreement, draft, like, now)


# ------------------------------------------------------------------------------------------------------ the photo
def _welcome(svc: Services, me: str) -> None:
    """Before there is a photo: what happens to it, the place to put it, and the way back for those who were here."""
    others = [provider.title for provider in svc.providers.values()]
    widgets.show(widgets.promised(promises.glance(svc.settings, here=bool(svc.engines), others=others)))
    with st.container(key="ws-glance-link"):
        st.page_link(pages.PROMISES, label=_("Does all of this hold right now?"))
    if said := st.session_state.pop("intake_problem", None):
        widgets.show(widgets.problem(said, _("It was not stored anywhere."), _("Add another photo below.")))
    _uploader(svc, me, _("Your photo"), DraftKind.PORTRAIT)
    if st.session_state.get("camera_on"):
        _camera(svc, me)
    elif st.button(_("Take a photo instead"), icon=":material/photo_camera:"):
        st.session_state["camera_on"] = True
        st.rerun()
    best = _(
        "A plain selfie is best: your own photo, one person, face to the light. No children, documents, screens or "
        "badges, and nobody else in the picture."
    )
    widgets.show(widgets.note(best))
    ask_for_code(svc, me)


def _uploader(svc: Services, me: str, label: str, kind: DraftKind) -> None:
    place = st.empty()
    with place:
        st.file_uploader(label, type=PHOTO_TYPES, key=session.upload_key(kind.value), max_upload_size=20)
    _take(svc, me, kind.value, kind, place.empty)


def _camera(svc: Services, me: str) -> None:
    place = st.empty()
    with place:
        st.camera_input(_("Take a photo"), key=session.upload_key("camera"), label_visibility="collapsed")
    _take(svc, me, "camera", DraftKind.PORTRAIT, place.empty)


def _take(svc: Services, me: str, name: str, kind: DraftKind, clear: Callable[[], object]) -> None:
    """What an uploader holds goes through intake into memory of ours, and out of Streamlit's."""
    if st.session_state.get(session.upload_key(name)) is None:
        return
    clear()
    if kind is DraftKind.PORTRAIT:
        counting.reached(svc, me, "photo")
    with st.spinner(_("Looking at your photo and removing everything but the picture …")):
        data = session.take_upload(name)
        try:
            original_hash = _hash_of_original(svc, name, data or b"")
            blocks.refuse_file(svc, original_hash)
            photo = intake.read(data or b"")
            svc.drafts.put(me, kind, photo, original_hash=original_hash)
        except WorkShotError as exc:
            st.session_state["intake_problem"] = str(exc)
            _count_refusal(svc, me, kind, exc)
        else:
            flow.forget("turns", "zoom", "findings", "camera_on")
    st.rerun()


def _count_refusal(svc: Services, me: str, kind: DraftKind, exc: WorkShotError) -> None:
    counting.met(svc, me, exc)
    if kind is DraftKind.PORTRAIT and isinstance(exc, InvalidPhoto):
        counting.refused(svc, me, exc.code)


def _hash_of_original(svc: Services, name: str, data: bytes) -> str | None:
    """Of a file that was chosen. What the camera took here is nowhere else: nobody could ever show it again."""
    return None if name == "camera" else copies.hash_of_original(svc, data)


def _look(svc: Services, me: str, draft: Draft) -> list[Finding]:
    """What the photo's pixels and the person's outline tell, looked at once per photo."""
    known: tuple[str, list[Finding]] | None = st.session_state.get("findings")
    if known is None or known[0] != draft.id:
        known = draft.id, [*draft.photo.findings, *svc.framer.examine(draft.photo.data)]
        st.session_state["findings"] = known
        for code in [finding.code for finding in known[1] if finding.blocking][:1]:
            counting.refused(svc, me, code)
    return known[1]


def _unusable(svc: Services, me: str, findings: list[Finding]) -> None:
    worst = next(finding for finding in findings if finding.blocking)
    means = _("It was not stored anywhere, and nothing was spent.")
    widgets.show(widgets.problem(worst.in_words, means, _("Try another one.")))
    if st.button(_("Use another photo"), type="primary"):
        svc.drafts.drop(me)
        st.rerun()


def _framing(draft: Draft | None, like: RunView | None, maker: Maker) -> Framing:
    """The framing preview and its two controls."""
    purpose = _chosen_purpose(like)
    if like:
        st.session_state.setdefault("turns", like.run.turns)
    st.session_state.setdefault("zoom", round(100 * like.run.zoom) if like else ZOOM[2])
    framing = Framing(zoom=st.session_state["zoom"] / 100, turns=st.session_state.get("turns"))
    if maker.provider is not None:
        url = _preview_url(draft, like, purpose, Framing())
        widgets.show(widgets.photo(url, _("Your photo"), ratio=purpose.ratio))
        st.caption(_("{title} gets the whole photo and frames it by itself.", title=maker.title))
        return Framing()
    url = _preview_url(draft, like, purpose, framing)
    widgets.show(widgets.photo(url, _("How your headshot will be framed"), ratio=purpose.ratio))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.slider(_("Zoom"), ZOOM[0], ZOOM[1], key="zoom", format="%d %%")
        if st.button(_("Rotate"), icon=":material/rotate_90_degrees_ccw:", help=_("A quarter turn to the left")):
            st.session_state["turns"] = ((framing.turns or 0) + 1) % 4
            st.rerun()
    return framing


def _about_the_photo(svc: Services, me: str, draft: Draft | None) -> None:
    """What was removed from it and what was found, and the way to another one."""
    if draft is None:
        _back_to_results()
        return
    _what_was_removed(draft)
    found = _look(svc, me, draft)
    widgets.show(*(widgets.note(finding.in_words, "due") for finding in found))
    if not found:
        widgets.show(widgets.note(_("This photo looks good."), "kept"))
    if st.button(_("Use another photo")):
        svc.drafts.drop(me)
        st.rerun()


def _back_to_results() -> None:
    if st.session_state.get("composing") and st.button(_("Back to the results")):
        flow.forget("composing", "turns", "zoom")
        st.rerun()


def _purpose(like: RunView | None) -> None:
    ids = [purpose.id for purpose in catalogue().purposes]
    titles = {purpose.id: _(purpose.title) for purpose in catalogue().purposes}
    st.session_state.setdefault("purpose", like.run.purpose if like else ids[0])
    st.pills(_("What is it for?"), ids, format_func=titles.__getitem__, key="purpose", required=True)
    st.caption(_(_chosen_purpose(like).hint))


def _preview_url(draft: Draft | None, like: RunView | None, purpose: Purpose, framing: Framing) -> str:
    query = {"ratio": purpose.ratio, "zoom": round(100 * framing.zoom)}
    if framing.turns is not None:
        query["turns"] = framing.turns
    path = f"/draft/{draft.id}" if draft else f"/preview/{like.run.id}" if like else ""
    return f"{path}?{urlencode(query)}"


def _what_was_removed(draft: Draft) -> None:
    removed = draft.photo.removed
    if not removed.items:
        widgets.show(widgets.note(_("The file held only the picture: there was nothing to remove."), "kept"))
    else:
        widgets.show(widgets.note(_("Removed before saving: {what}.", what=removed.headline()), "kept"))
        with st.expander(_("Everything that was removed"), type="compact"):
            widgets.show(widgets.facts([
                (_(group), ", ".join(map(_removed, items)))
                for group, items in removed.by_group().items()
            ]))  # fmt: skip


def _removed(item: intake.RemovedItem) -> str:
    return f"{_(item.words)} ({item.count})" if item.count > 1 else _(item.words)


# ---------------------------------------------------------------------------------------------------- the choices
@dataclass(frozen=True)
class _Chosen:
    choices: Choices
    references: tuple[Draft, ...]
    maker: Maker
    instead: Maker | None  # where the chosen one cannot be used just now
    missing: str  # what is to be done first, as a sentence


def _chosen_purpose(like: RunView | None) -> Purpose:
    """The purpose decides the shape of the preview above it, so it is read before its widget is drawn."""
    chosen = st.session_state.get("purpose") or (like.run.purpose if like else None)
    purposes = catalogue().purposes
    return next((purpose for purpose in purposes if purpose.id == chosen), purposes[0])


def _choices(
    svc: Services, me: str, framing: Framing, like: RunView | None, offered: list[Maker], now: datetime
) -> _Chosen:
    maker = makers.ask(offered) if len(offered) > 1 else None
    purpose = _chosen_purpose(like)
    style = _by_looking(_("Style"), "style", catalogue().styles, like.run.style if like else "studio")
    backdrop = _by_looking(
        _("Backdrop"), "backdrop", catalogue().backdrops, like.run.backdrop if like else "grey", own=like is None
    )
    own = _reference(svc, me, DraftKind.BACKDROP) if backdrop == OWN_BACKDROP and like is None else None
    variants = st.segmented_control(_("How many variants?"), [1, 2, 3, 4], default=2, key="variants", required=True)
    maker = maker or makers.ask(offered)
    note, refused = _note(svc, maker, like)
    clothing = None
    if maker.offered.takes_clothing and like is None:
        clothing = _reference(svc, me, DraftKind.CLOTHING)
    contract = like.run.contract if like else _contract(svc, now)
    without = backdrop == OWN_BACKDROP and like is None and own is None
    return _Chosen(
        Choices(
            purpose=purpose.id,
            ratio=purpose.ratio,
            long_side=purpose.long_side,
            style=style,
            backdrop=backdrop,
            variants=int(variants or 1),
            engine=maker.name,
            contract=contract,
            framing=framing,
            note=note,
        ),
        tuple(reference for reference in (own, clothing) if reference is not None),
        maker,
        makers.instead_of(maker, offered),
        refused or (_("Please add your backdrop first, or choose another one.") if without else ""),
    )


def _note(svc: Services, maker: Maker, like: RunView | None) -> tuple[str, str]:
    """The person's own words, and why they cannot be sent on. Nothing of them is lost."""
    if not maker.offered.takes_note:
        return "", ""
    if "note" not in st.session_state:
        st.session_state["note"] = st.session_state.get(flow.NOTE) or _earlier_note(svc, like)
    for_it = _("A note for {title} (optional)", title=maker.title)
    given = st.text_area(
        for_it if maker.provider else _("A note for the engine (optional)"),
        max_chars=500,
        key="note",
        placeholder=_("What to wear, where you stand. No names, nobody else, no documents."),
    )
    st.session_state[flow.NOTE] = given
    note = (given or "").strip()
    refused = maker.provider.refuses(note) if maker.provider is not None and note else None
    if refused:
        widgets.show(widgets.note(refused, "due"))
    return note, refused or ""


def _earlier_note(svc: Services, like: RunView | None) -> str:
    if like is None:
        return ""
    with svc.reading() as reading:
        return generations.choices_of(svc, reading, like.run).note


def _by_looking(label: str, key: str, entries: tuple[Choice, ...], value: str, *, own: bool = True) -> str:
    options = [
        widgets.PictureOption(
            id=entry.id, title=_(entry.title), description=_(entry.line), picture_url=f"/pictures/{entry.picture.name}"
        )
        for entry in entries
        if own or entry.id != OWN_BACKDROP or value == OWN_BACKDROP
    ]
    return widgets.picture_choice(label, options, value=value, key=key)


def _reference(svc: Services, me: str, kind: DraftKind) -> Draft | None:
    """A picture that goes along with the photo: the person's own backdrop, or clothes to wear."""
    draft, (asked, shown, another) = svc.drafts.get(me, kind), REFERENCES[kind]
    if draft is None:
        if said := st.session_state.pop("intake_problem", None):
            widgets.show(widgets.problem(said, _("It was not stored anywhere."), _("Add another picture.")))
        _uploader(svc, me, _(asked), kind)
        return None
    widgets.show(widgets.photo(f"/draft/{draft.id}", _(shown), ratio="4:3", max_width=200))
    if st.button(_(another)):
        svc.drafts.drop(me, kind)
        st.rerun()
    return draft


def _contract(svc: Services, now: datetime) -> Contract:
    terms = svc.settings.terms
    default = terms.offers(session.preferred().contract or svc.settings.default_contract)
    labels = {contract.value: terms.label(contract) for contract in terms.offered}
    chosen = st.pills(_("How long may it stay?"), list(labels), format_func=labels.__getitem__, key="contract",
                      default=default.value, required=True)  # fmt: skip
    contract = Contract(chosen or default)
    if contract is Contract.PROCESS:
        st.caption(_("Your photo is erased the moment the run ends; the results one hour later."))
    else:
        ends_at = now + terms.clock(contract)
        widgets.show(widgets.quiet(_("Photo and headshots:"), " ", widgets.clock(ends_at, now=now)))
    return contract


def _agreement() -> Agreement:
    agreement = Agreement(
        may_use_photo=st.checkbox(_(MINE), key="mine"),
        is_adult=st.checkbox(_(ADULT), key="adult"),
    )
    st.markdown(_(AGREE_TO))  # its link opens beside this page, so that nothing chosen here is lost
    return agreement


# ----------------------------------------------------------------------------------------------------- the button
def _button(
    svc: Services,
    me: str,
    chosen: _Chosen,
    agreement: Agreement | None,
    draft: Draft | None,
    like: RunView | None,
    now: datetime,
) -> None:
    with svc.reading() as reading:
        allowance = access.allowance(reading, me, limit=svc.settings.runs_per_day, now=now)
    if allowance.left == 0:
        used_up = n_("Today's {n} run is used up.", "Today's {n} runs are used up.", allowance.limit)
        widgets.show(widgets.note(used_up, "due"))
        counting.shown(svc, me, "day")
    if chosen.maker.closed:
        counting.shown(svc, me, "provider")
        _offer_another(chosen)
    elif chosen.maker.provider is not None:
        widgets.show(makers.before_sending(chosen.maker.provider))
        makers.more_about(chosen.maker.provider)
    cannot = allowance.left == 0 or bool(chosen.maker.closed)
    pressed = st.button(_verb(chosen.maker), type="primary", width="stretch", disabled=cannot, key="generate")
    widgets.show(widgets.quiet(_left(allowance, now)))
    if not pressed:
        return
    if agreement is not None and not (agreement.may_use_photo and agreement.is_adult):
        widgets.show(widgets.note(_("Please tick both boxes first: they are your consent."), "due"))
    elif chosen.missing:
        widgets.show(widgets.note(chosen.missing, "due"))
    else:
        _start(svc, me, chosen, agreement, draft, like)


def _verb(maker: Maker) -> str:
    """The button says so where it sends the photo to somebody."""
    if maker.provider is None:
        return _("Generate headshots")
    return _("Send to {title} and generate", title=maker.title)


def _offer_another(chosen: _Chosen) -> None:
    """Never a silent switch: whoever makes it instead is chosen by the person."""
    widgets.show(widgets.note(f"{chosen.maker.closed} {_('Nothing has been sent.')}", "due"))
    if chosen.instead is None:
        return
    there = _("Make it at {title} instead", title=chosen.instead.title)
    if st.button(_("Make it on this server instead") if chosen.instead.provider is None else there):
        makers.choose(chosen.instead.name)
        st.rerun()


def _left(allowance: access.Allowance, now: datetime) -> str:
    again = widgets.length(allowance.resets_at - now)
    return _(
        "{left} of {limit} left today · all of them again in {again} (00:00 UTC)",
        left=allowance.left,
        limit=allowance.limit,
        again=again,
    )


def _start(
    svc: Services, me: str, chosen: _Chosen, agreement: Agreement | None, draft: Draft | None, like: RunView | None
) -> None:
    network, counted = svc.networks.of(me), session.counted().is_so
    try:
        svc.networks.spend(network, limit=svc.settings.runs_per_network_per_day)
        if like is not None:
            request_id = st.session_state.setdefault("request_id", new_id())
            run_id = generations.again(
                svc, me, request_id=request_id, like=like.run.id, choices=chosen.choices, counted=counted
            )
        else:
            assert draft is not None and agreement is not None
            run_id = generations.request(
                svc,
                me,
                request_id=f"{draft.id}-{st.session_state.get('attempt', 0)}",
                uploads=[upload_of(each) for each in (draft, *chosen.references)],
                choices=chosen.choices,
                agreement=agreement,
                counted=counted,
            )
    except WorkShotError as exc:
        svc.networks.give_back(network)
        counting.met(svc, me, exc)
        st.session_state["attempt"] = st.session_state.get("attempt", 0) + 1
        means = _("Your photo is still only in memory here.")
        widgets.show(widgets.problem(str(exc), means, _("Try again in a moment.")))
        return
    counting.reached(svc, me, "generate")
    svc.drafts.drop(me)
    flow.forget("composing", "turns", "zoom", "findings", "request_id", "attempt", "mine", "adult", flow.NOTE)
    flow.show_run(run_id)


def upload_of(draft: Draft) -> Upload:
    return Upload(
        kind=CopyKind(draft.kind.value),
        data=draft.photo.data,
        width=draft.photo.width,
        height=draft.photo.height,
        received_at=draft.received_at,
        original_hash=draft.original_hash,
    )
