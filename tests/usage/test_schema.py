"""
That usage belongs to nobody can be read off its tables: no column could join them to anybody, and whatever people and
operators do, nothing gets in but words of lists.
"""

import datetime as dt
import re

import sqlalchemy as sa
from sqlmodel import SQLModel

from core import audit, promises
from core.catalogue import catalogue
from core.contracts import Contract
from core.models import (
    CopyKind,
    EraseReason,
    RequestChannel,
    RequestKind,
    RequestOutcome,
    UsageBatch,
    UsageCount,
    UsageHour,
    UsageLevel,
    UsageSent,
)
from core.usage import upkeep, words
from core.usage.metrics import BUCKETS, DIMENSIONS, STEPS, Level, Metric
from tests.conftest import ANN
from tests.usage.told import rows, told

USAGE = (UsageCount, UsageHour, UsageLevel, UsageBatch, UsageSent)
CELL = {"demo": bool, "day": dt.date, "metric": str, "a": str, "b": str}
COLUMNS = {
    UsageCount: CELL | {"n": int},
    UsageHour: {"demo": bool, "day": dt.date, "hour": int, "metric": str, "n": int},
    UsageLevel: {"demo": bool, "day": dt.date, "metric": str, "a": str, "value": int},
    UsageBatch: {"id": str, "day": dt.date},  # drawn for the batch, of no use to anybody, gone in two days
    UsageSent: {"what": str, "day": dt.date, "at": dt.datetime},  # when we sent something, of nobody
}

ENGINES, STAGES = {"on_device"}, {"reading", "light", "finishing"}
WORDS = {
    "": {""},
    "step": set(STEPS),
    "device": set(words.DEVICES),
    "language": set(words.LANGUAGES),
    "limit": set(words.LIMITS),
    "engine": ENGINES,
    "engine.stage": {f"{engine}.{stage}" for engine in ENGINES for stage in STAGES},
    "outcome": set(words.OUTCOMES),
    "style": {style.id for style in catalogue().styles},
    "purpose": {purpose.id for purpose in catalogue().purposes},
    "contract": {contract.value for contract in Contract},
    "what": set(words.DOWNLOADS),
    "channel": {channel.value for channel in RequestChannel},
    "in time": {words.IN_TIME, words.LATE},
    "action": {action.value for action in audit.Action},
    "promise": {promise.id for promise in promises.PROMISES},
    "state": {"kept", "broken", "unknown"},
    "day": {""},
}
KINDS = {Metric.ERASED: CopyKind, Metric.TICKET: RequestKind, Metric.TICKET_TOOK: RequestKind}
REASONS = {
    Metric.ERASED: set(EraseReason),
    Metric.GONE_TOOK: set(EraseReason),
    Metric.PHOTO_REFUSED: set(words.REFUSALS),
}


def words_of(metric, side):
    """All that may ever stand in this column of this metric."""
    name = DIMENSIONS[metric][side]
    if name == "bucket":
        return set(BUCKETS[metric].names)
    if name == "kind":
        return {kind.value for kind in KINDS[metric]}
    if name == "reason":
        return REASONS[metric]
    return {outcome.value for outcome in RequestOutcome} if metric is Metric.TICKET_END and not side else WORDS[name]


def test_every_metric_is_made_of_words_that_are_listed():
    for metric in Metric:
        for side in (0, 1):
            assert all(len(word) <= 40 for word in words_of(metric, side))
    most = max(len(words_of(metric, 0)) * len(words_of(metric, 1)) for metric in Metric)
    assert most < 1000, "a table of so many cells a day could tell people apart"


def test_no_column_could_join_usage_to_anybody():
    for table in USAGE:
        columns = {column.name: table.model_fields[column.name].annotation for column in table.__table__.columns}
        assert columns == COLUMNS[table], table.__tablename__
        assert not table.__table__.foreign_keys
    pointed_at = {key.column.table.name for table in SQLModel.metadata.sorted_tables for key in table.foreign_keys}
    assert not pointed_at & {table.__tablename__ for table in USAGE}
    assert not {table.name for table in SQLModel.metadata.sorted_tables if table.name.startswith("usage")} - {
        table.__tablename__ for table in USAGE
    }


def test_whatever_happens_only_words_of_lists_get_in(svc, everything):
    everything()
    for step in STEPS:
        svc.tally.add(svc.visits.reach(ANN, step, at=svc.clock(), user_agent="Mozilla/5.0 (iPhone) Ann", accepts="xx"))
    upkeep.note_levels(svc)

    cells = told(svc)
    assert len({metric for metric, _, _ in cells}) >= 15
    for metric, a, b in cells:
        assert a in words_of(Metric(metric), 0), (metric, a)
        assert b in words_of(Metric(metric), 1), (metric, b)
    assert {(level.metric, level.a) for level in all_of(svc, UsageLevel)} == {
        (Level.STORED.value, kind.value) for kind in CopyKind if kind is not CopyKind.CANARY
    }


def test_nothing_that_names_anybody_elsewhere_is_in_usage(svc, everything):
    """Every text of every other table, looked for in usage: ids, hashes, numbers, keys."""
    everything()
    told(svc)
    theirs = {
        value
        for table in SQLModel.metadata.sorted_tables
        if not table.name.startswith("usage")
        for row in columns_of(svc, table)
        for value in row
        if isinstance(value, str) and re.search(r"\d|\w{16}", value) and value not in BUCKETS[Metric.TOOK].names
    }
    assert len(theirs) > 60 and ANN in theirs
    ours = {value for table in USAGE for row in columns_of(svc, table.__table__) for value in row}
    assert not (theirs & ours) - {contract.value for contract in Contract}


def test_a_row_counts_many_and_tells_no_order(svc, ask, work, everything):
    """As many rows as there are kinds of deeds, however many did them."""
    for person in range(4):
        ask(who=f"{person:064}", request_id=str(person))
    work()
    assert told(svc)["run", "on_device", "ready"] == 4
    before = len(rows(svc))
    for person in range(4, 8):
        ask(who=f"{person:064}", request_id=str(person))
    work()
    assert told(svc)["run", "on_device", "ready"] == 8
    assert len(rows(svc)) == before


def all_of(svc, table):
    with svc.reading() as session:
        return session.exec(sa.select(table)).scalars().all()


def columns_of(svc, table):
    with svc.reading() as session:
        return session.execute(sa.select(*table.columns)).all()
