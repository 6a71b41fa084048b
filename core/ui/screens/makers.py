"""
Who makes the headshots: what is said of each before anything is stored, whether it can be chosen just now, and where
copies lie afterwards that are not ours to erase. Every number comes from the engine itself; none is typed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from core.language import N_, _, listed, n_, p_
from core.models import ProviderCopy, ProviderCopyKind
from core.ports import HandOver, Offered, Provider
from core.provider import gate, residue
from core.services import Services
from core.ui import guide_text, widgets
from core.ui.linked import linked

LABEL: Final = N_("Who makes it?")
FREE: Final = N_("Either is free for you.")
_CHOSEN, _TURN = "engine", "engine-turn"  # in the session: whom this tab has chosen, and how often the cards began anew


@dataclass(frozen=True)
class Maker:
    """Something that makes headshots, as it stands now."""

    offered: Offered
    provider: Provider | None = None
    closed: str = ""  # why it cannot be chosen just now

    @property
    def name(self) -> str:
        return self.offered.name

    @property
    def title(self) -> str:
        return _(self.offered.title)


def makers(svc: Services, now: datetime) -> list[Maker]:
    """All that are offered here, what works on this server first."""
    if not svc.providers:
        return [Maker(engine) for engine in svc.engines.values()]
    with svc.reading() as reading:
        codes = {name: gate.is_closed(reading, each, now, svc.settings) for name, each in svc.providers.items()}
    ours = [Maker(engine) for engine in svc.engines.values()]
    return [*ours, *(Maker(each, each, _closed(each, codes[name])) for name, each in svc.providers.items())]


def _closed(provider: Provider, code: str | None) -> str:
    return gate.says(code, provider.title) if code else ""


def chosen(offered: Sequence[Maker]) -> Maker:
    """Whom this tab has chosen, also before the cards are drawn; else the first, which is ours where we have one."""
    held = st.session_state.get(_key())
    wanted = held.get("value") if isinstance(held, dict) else None
    wanted = wanted or st.session_state.get(_CHOSEN)
    return next((maker for maker in offered if maker.name == wanted), offered[0])


def choose(name: str) -> None:
    """From the next drawing on this one is chosen; the cards begin anew."""
    st.session_state[_CHOSEN] = name
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def ask(offered: Sequence[Maker]) -> Maker:
    """The cards, and what is chosen. With one alone there is nothing to choose, and it is said all the same."""
    if len(offered) == 1 and offered[0].provider is None:
        widgets.show(widgets.facts([(_("Made"), offered[0].title), *_here(offered[0].offered)]))
        return offered[0]
    options = [
        widgets.CardOption(id=maker.name, title=maker.title, facts=facts(maker), closed=maker.closed)
        for maker in offered
    ]
    name = widgets.card_choice(_(LABEL), options, value=chosen(offered).name, key=_key())
    st.caption(_(FREE) if len(offered) > 1 else _("It is free for you."))
    st.session_state[_CHOSEN] = name
    return next(maker for maker in offered if maker.name == name)


def _key() -> str:
    return f"ws-makers-{st.session_state.get(_TURN, 0)}"


def instead_of(maker: Maker, offered: Sequence[Maker]) -> Maker | None:
    """Another that can be chosen now, the first of them."""
    return next((each for each in offered if each.name != maker.name and not each.closed), None)


# ------------------------------------------------------------------------------------------------- what is said of it
def facts(maker: Maker) -> list[tuple[str, str]]:
    """What matters before one chooses."""
    if maker.provider is None:
        return _here(maker.offered, leaves=_("Nothing."))
    provider = maker.provider
    return [
        (_("Run by"), _(provider.run_by)),
        (_("Leaves here"), gets(provider)),
        (_("Keeps"), keeps(provider)),
        (_("Changes"), _("Draws the picture anew: also clothes and setting. Look whether it is still you.")),
    ]


def _here(engine: Offered, *, leaves: str = "") -> list[tuple[str, str]]:
    changes = "" if engine.takes_clothing else _("Light, background and framing. Never your clothes or your face.")
    said = [(_("Run by"), _run_by(engine)), (_("Leaves here"), leaves), (_("Changes"), changes)]
    return [(term, what) for term, what in said if what]


def _run_by(engine: Offered) -> str:
    if engine.run_by == guide_text.SOMEBODY:
        return p_("who runs it", "whoever runs this server")
    return engine.run_by


def gets(provider: Provider) -> str:
    """What leaves this server."""
    sent = [_("Your photo without its metadata"), _("your choices")]
    sent += [_("your note")] if provider.takes_note else []
    sent += [_("a picture of clothes if you add one")] if provider.takes_clothing else []
    return f"{', '.join(sent)}."


def keeps(provider: Provider) -> str:
    """What lies there afterwards, and for how long."""
    kept_for = hours(provider.result_kept_for)
    results = _("Results for up to {hours}, open to whoever has their address.", hours=kept_for)
    match provider.hand_over:
        case HandOver.UPLOAD:
            of_photo = _("A public copy of your photo for {hours}.", hours=hours(provider.upload_kept_for))
            return f"{of_photo} {results}"
        case HandOver.LINK:
            of_photo = _("It fetches your photo from here, once; how long it keeps that, it does not say.")
            return f"{results} {of_photo}"
        case HandOver.INLINE:
            return f"{results} {_('How long it keeps your photo, it does not say.')}"


def before_sending(provider: Provider) -> widgets.Html:
    """What pressing the button does, where that cannot be undone."""
    if provider.hand_over is HandOver.UPLOAD:
        says = _(
            "This puts a public copy of your photo at {title} for {hours}. Nobody can erase it sooner: "
            "not you, not we. Whoever has its address can open it.",
            title=provider.title,
            hours=hours(provider.upload_kept_for),
        )
    else:
        says = _(
            "This sends your photo to {title}. What lies there is not ours to erase: “Erase now” erases all "
            "that is here, and we watch until the results there are gone.",
            title=provider.title,
        )
    return widgets.note(says, "due")


def more_about(provider: Provider) -> None:
    """All that a run leaves there, folded away before the button."""
    party = guide_text.known(provider)
    if party is None:
        return
    guide = widgets.el("a", _("the guide"), href="/guide#third-parties", target="_blank")
    with st.expander(_(guide_text.LEFT_TITLE, title=party.title), type="compact"):
        widgets.show(
            widgets.facts(guide_text.left(party, provider)),
            widgets.quiet(*linked(_("What it says of itself, and what is not known, is in {guide}."), guide=guide)),
        )


def hours(span: timedelta) -> str:
    return n_("{n} hour", "{n} hours", round(span.total_seconds() / 3600))


def title_of(svc: Services, engine: str) -> str:
    """Also of one that has been taken out of the settings since."""
    known = svc.offered.get(engine)
    return _(known.title) if known else residue.title_of(svc, engine)


def is_elsewhere(svc: Services, engine: str) -> bool:
    """Whether it is somebody else's. What is not known here any more was."""
    return engine not in svc.engines


# ------------------------------------------------------------------------------------------- copies that lie elsewhere
def lines(svc: Services, elsewhere: Sequence[ProviderCopy]) -> list[widgets.CopyLine]:
    """A line for what shares a provider, a kind and a state, with the last instant of its kind."""
    groups: dict[tuple[str, ProviderCopyKind, str], list[ProviderCopy]] = {}
    for copy in elsewhere:
        groups.setdefault((copy.provider, copy.kind, _state(copy)), []).append(copy)
    return [_line(svc, provider, kind, found) for (provider, kind, _as), found in groups.items()]


def _state(copy: ProviderCopy) -> str:
    return "gone" if copy.gone_at is not None else "open" if copy.open_at is not None else "counting"


def _line(svc: Services, provider: str, kind: ProviderCopyKind, found: Sequence[ProviderCopy]) -> widgets.CopyLine:
    title = title_of(svc, provider)
    photo_there = _("at {title} (your photo)", title=title)
    return widgets.CopyLine(
        number=len(found),
        place=photo_there if kind is ProviderCopyKind.UPLOAD else _("at {title}", title=title),
        until=max(copy.expires_at for copy in found),
        gone=found[0].gone_at is not None,
        gone_at=max((copy.gone_at for copy in found if copy.gone_at), default=None),
        open_at=max((copy.answered_at or copy.open_at for copy in found if copy.open_at), default=None),
        elsewhere=True,
    )


def not_ours(svc: Services, elsewhere: Sequence[ProviderCopy], now: datetime) -> str:
    """For whoever erases: what stays elsewhere, and until when. Nothing if nothing does."""
    still = [copy for copy in elsewhere if copy.gone_at is None]
    if not still:
        return ""
    titles = listed(list(dict.fromkeys(title_of(svc, copy.provider) for copy in still)))
    last = max(copy.expires_at for copy in still)
    if last <= now:
        return n_(
            "{n} copy at {titles} is past the time and not proved gone. It is not ours to erase; we go on looking.",
            "{n} copies at {titles} are past the time and not proved gone. It is not ours to erase; we go on looking.",
            len(still),
            titles=titles,
        )
    return n_(
        "{n} copy at {titles} is not ours to erase: there until {until}. Then we look whether that is so, and say "
        "it on My photos.",
        "{n} copies at {titles} are not ours to erase: there until {until}. Then we look whether that is so, and say "
        "it on My photos.",
        len(still),
        titles=titles,
        until=widgets.near(last, now=now),
    )
