"""Who else has it: third parties, and what is done with photos at all."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from core import made_up
from core.models import Generation, ProviderCopy, ProviderTask
from core.promises import source
from core.promises.shapes import Check, Result, Says, Value, broken, kept, listed, says, unknown
from core.promises.source import NO_SOURCE, Source
from core.services import Services
from core.settings import ROOT
from core.third_parties import Left, ThirdParty, third_parties

LAST: Final = 1_000
"""Runs that were sent to somebody last."""
AT_MOST: Final = 1_000
NOT_YET: Final = timedelta(hours=7)
"""What was seen open there after its end is looked at again within less."""
LOOKED_LATE: Final = timedelta(hours=1)
"""An address there that was to be looked at so long ago, and was not."""
ON_DEVICE: Final = "core/engines/on_device"
SHOWN: Final = 3
"""Files that are named; their number says the rest."""


# ---------------------------------------------------------------------------------------------------------- here
def processed_here(root: Path = ROOT) -> Check:
    """The engine on this server cannot reach anybody, and nothing that it was to make was sent out."""

    def check(svc: Services, now: datetime) -> Result:
        reaching = Source(root).importing(source.NETWORK, ON_DEVICE)
        with svc.reading() as session:
            sent = _sent_otherwise(session, col(Generation.engine).in_(list(svc.engines) or [""]))
        figure = says("{sent} runs of this server were sent out", sent=sent)
        if reaching or sent:
            return broken(
                figure,
                says(
                    "{sent} runs that were to be made here were sent to a third party, and in the engine these files "
                    "can reach a network: {files}.",
                    sent=sent,
                    files=listed(reaching, SHOWN),
                ),
            )
        if not Source(root).is_there(ON_DEVICE):
            return unknown(figure, NO_SOURCE)
        return kept(
            figure,
            says(
                "Nothing in the source of the on-device engine can reach a network, and no run that was to be made "
                "here was sent to anybody."
            ),
        )

    return check


def _providers(session: Session) -> list[str]:
    """Whom anything was ever sent, one step in the index for each."""
    found: list[str] = []
    while True:
        query = select(func.min(ProviderTask.provider)).where(col(ProviderTask.sent_at).is_not(None))
        following = session.exec(query.where(col(ProviderTask.provider) > found[-1]) if found else query).one()
        if following is None:
            return found
        found.append(following)


def _sent_otherwise(session: Session, *where: sa.ColumnElement[bool]) -> int:
    """Of the last that were sent to each of them, and whose run says this."""
    return sum(_sent_to(session, provider, *where) for provider in _providers(session))


def _sent_to(session: Session, provider: str, *where: sa.ColumnElement[bool]) -> int:
    task = ProviderTask
    last = select(task.id, task.generation_id).where(task.provider == provider, col(task.sent_at).is_not(None))
    sent = last.order_by(col(task.sent_at).desc()).limit(LAST).subquery()
    query = select(func.count()).select_from(sent).join(Generation, col(Generation.id) == sent.c.generation_id)
    return session.exec(query.where(made_up.is_real(sent.c.id), *where)).one()


# ------------------------------------------------------------------------------------------------------ third parties
def third_parties_by_name(svc: Services, now: datetime) -> Result:
    """Whoever was sent something stands in the list, was chosen for that run, and is looked after until all is gone."""
    named = third_parties()
    with svc.reading() as session:
        sent_to = _providers(session)
        unnamed = {*svc.providers, *(name for name in sent_to if not made_up.is_one(name))} - set(named)
        not_chosen = sum(_sent_to(session, name, col(Generation.engine) != name) for name in sent_to)
        open_there, past, not_looked = _there(session, now, list(svc.providers))
        left = _left_at_others(session, list(svc.providers))
    figure = says("{open} copies lie there, {past} past their end", open=open_there, past=past)
    if unnamed or not_chosen or not_looked:
        return broken(
            figure,
            says(
                "Sent to somebody whom the list does not name: {unnamed}. Runs that were sent to somebody else than "
                "chosen: {not_chosen}. Copies there that nobody has looked at although their time is over: "
                "{not_looked}.",
                unnamed=listed(sorted(unnamed), SHOWN),
                not_chosen=not_chosen,
                not_looked=not_looked,
            ),
        )
    if left:
        first, *more = (_left(named[name].title if name in named else name, n) for name, n in left)
        return unknown(figure, first.followed_by(*more))
    known = [named[name] for name in svc.providers]
    seen = says(
        "Everyone who was sent a picture is named, and was chosen for that run. Copies there: {open}, of them seen "
        "open after their end: {past}; each is asked for until it is gone.",
        open=open_there,
        past=past,
    )
    return kept(figure, seen.followed_by(*[_party(svc, party) for party in known] or [NOBODY]))


NOBODY: Final = says("No third party can be chosen here.")


def _party(svc: Services, party: ThirdParty) -> Says:
    """Its purpose, and the clocks of the copies that it is left with."""
    copies = party.left_by(svc.providers[party.id].hand_over)
    clocks = listed(_clock(copy) for copy in copies)
    return says("{name}: {does} What it keeps: {clocks}.", name=party.title, does=Says(party.does), clocks=clocks)


def _clock(copy: Left) -> Says:
    if copy.hours is None:
        return says("{what} not known", what=KEEPS.get(copy.id, copy.id))
    shortest, longest = copy.hours
    what: Value = KEEPS.get(copy.id, copy.id)
    if shortest == longest:
        return says("{what} {longest} h", what=what, longest=longest)
    return says("{what} {shortest} to {longest} h", what=what, shortest=shortest, longest=longest)


KEEPS: Final = {
    "upload": says("upload"),
    "input": says("input"),
    "result": says("result"),
    "record": says("record"),
    "upstream": says("upstream"),
}
"""Copies of data/providers.json, by their ids."""


def _left(name: str, n: int) -> Says:
    return says("Nobody looks any more at {n} copies at {name}: its settings were taken away.", n=n, name=name)


def _left_at_others(session: Session, set_up: Sequence[str]) -> Sequence[tuple[str, int]]:
    """Copies at those whom nobody asks any more, and so nobody can say that they are gone."""
    lies_there = col(ProviderCopy.gone_at).is_(None), made_up.is_real(ProviderCopy.id)
    some = select(ProviderCopy.provider).where(*lies_there, col(ProviderCopy.provider).not_in(set_up))
    at = some.limit(AT_MOST).subquery().c.provider
    return [(name, n) for name, n in session.execute(sa.select(at, func.count()).group_by(at).order_by(at)).all()]


def _there(session: Session, now: datetime, set_up: Sequence[str]) -> tuple[int, int, int]:
    """What lies there; of that past its end and seen open; and what nobody has looked at in time who should."""
    copy = ProviderCopy
    seen_open = col(copy.probe_at) < now + NOT_YET, col(copy.open_at).is_not(None)
    return (
        _many(session),
        _many(session, *seen_open),
        _many(session, col(copy.probe_at) < now - LOOKED_LATE, col(copy.provider).in_(set_up)),
    )


def _many(session: Session, *where: sa.ColumnElement[bool]) -> int:
    """Counted no further than it takes to say that there are many."""
    still_there = col(ProviderCopy.gone_at).is_(None), made_up.is_real(ProviderCopy.id)
    some = select(ProviderCopy.id).where(*still_there, *where).limit(AT_MOST).subquery()
    return session.exec(select(func.count()).select_from(some)).one()


# ------------------------------------------------------------------------------------------------------- never trained
def never_trained_on(root: Path = ROOT) -> Check:
    """No code path: nothing of ours trains, and only the named ways out can reach anybody."""

    def check(svc: Services, now: datetime) -> Result:
        tree = Source(root)
        training = tree.importing(source.TRAINING)
        elsewhere = [name for name in tree.importing(source.NETWORK) if not name.startswith(source.WAYS_OUT)]
        figure = says(
            "{n} files looked at, {bad} that could", n=len(list(tree.files())), bad=len(training) + len(elsewhere)
        )
        if training or elsewhere:
            return broken(
                figure,
                says(
                    "These files of ours could train something: {training}. These can reach a network and are none "
                    "of the named ways out: {elsewhere}.",
                    training=listed(training, SHOWN),
                    elsewhere=listed(elsewhere, SHOWN),
                ),
            )
        if not tree.is_there():
            return unknown(figure, NO_SOURCE)
        seen = says(
            "Nothing in our source trains anything, and only {ways} can reach a network: storage, mail, and third "
            "parties that are named.",
            ways=", ".join(source.WAYS_OUT),
        )
        known = third_parties()
        quoted = (words for name in svc.providers if name in known for words in _of_training(known[name]))
        return kept(figure, seen.followed_by(*quoted))

    return check


def _of_training(party: ThirdParty) -> Iterable[Says]:
    """What they say of it, and what we could not find out."""
    for said in party.says:
        if "train" in said.text.lower():
            yield says("{name} says: {text}", name=party.title, text=Says(said.text))
    for text in party.unknown:
        if "train" in text.lower():
            yield says(
                "Of {name} could not be established, as of {read_on}: {text}",
                name=party.title,
                read_on=party.read_on,
                text=Says(text),
            )


# ------------------------------------------------------------------------------------------------------- no biometrics
def no_biometrics(root: Path = ROOT, installed: Callable[[], Iterable[str]] = source.installed) -> Check:
    """Nothing imports, names or brings along anything that recognises or measures faces; no column could hold it."""

    def check(svc: Services, now: datetime) -> Result:
        tree, there = Source(root), frozenset(installed())
        code = sorted({*tree.importing(source.BIOMETRY), *tree.naming(source.MEASURES_FACES)})
        packages = sorted(there & source.BIOMETRY)
        models = sorted(set(tree.models()) - source.KNOWN_MODELS)
        columns = _open_columns(svc)
        bad = len(code) + len(packages) + len(models) + len(columns)
        figure = says(
            "{packages} packages, {files} files, {bad} found",
            packages=len(there),
            files=len(list(tree.files())),
            bad=bad,
        )
        if bad:
            return broken(
                figure,
                says(
                    "Found what could recognise or measure faces. In code: {code}. Installed: {packages}. Models: "
                    "{models}. Columns: {columns}.",
                    code=listed(code, SHOWN),
                    packages=listed(packages, SHOWN),
                    models=listed(models, SHOWN),
                    columns=listed(columns, SHOWN),
                ),
            )
        if not tree.is_there():
            return unknown(figure, NO_SOURCE)
        return kept(
            figure,
            says(
                "None of {packages} installed packages is a known face recogniser, nothing in our source asks for one, "
                "the one model that is here tells a person from the background, and no column of any table could "
                "hold a template.",
                packages=len(there),
            ),
        )

    return check


def _open_columns(svc: Services) -> list[str]:
    """Columns of bytes or lists of numbers that are not sealed words, pictures or keys."""
    with svc.database.connect() as connection:
        known = sa.inspect(connection)
        tables = {name: known.get_columns(name) for name in known.get_table_names()}
    kinds = (sa.LargeBinary, sa.ARRAY, sa.JSON)
    return sorted(
        f"{table}.{column['name']}"
        for table, columns in tables.items()
        for column in columns
        if isinstance(column["type"], kinds) and not str(column["name"]).startswith("sealed_")
    )
