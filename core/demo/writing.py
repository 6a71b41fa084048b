"""
Writing many rows: collected by table, and written together, parents before children, a transaction for each batch.

SQLite takes them by its driver's own `executemany`, PostgreSQL by COPY. No model and no type of ours is in between, so
values come as the database keeps them: words, numbers, and instants as text.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

BATCH: Final = 60_000
"""Rows in one transaction: some seconds of work that a kill can cost, and few enough commits to be fast."""
DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()

COLUMNS: Final[Mapping[str, str]] = {
    "subject": "id created_at sealed_key key_destroyed_at is_canary is_counted",
    "consent": "id subject_id given_at policy_version may_use_photo is_adult",
    "evidence": "id copy_id probed_at head listing",
    "copy": "id subject_id kind place object_key media_type width height size created_at written_at erase_by "
    "erase_reason erased_at probes probe_answer probe_again_at gone_at evidence_id",
    "generation": "id number request_id subject_id portrait_id clothing_id backdrop_id engine purpose ratio long_side "
    "style backdrop variants zoom contract uploaded_at erase_by created_at started_at ended_at state failure counts",
    "headshot": "generation_id variant copy_id",
    "provider_task": "id generation_id variant provider model template hand_over state planned_at sent_at taken_at "
    "made_at ended_at looks tries uploads_in_doubt cost failure",
    "provider_copy": "id subject_id generation_id task_id provider kind mark noted_at expires_at dated_by probe_at "
    "probes answer answered_at open_at refused_at gone_at",
    "request": "id number kind channel state clock received_at entered_at due_at extended_at subject_id matched_by "
    "matched_at waiting_at start_at started_at erased_at proved_at answered_at done_at closed_at outcome "
    "refused_ground duplicate_of assignee trouble sealed_key sealed_address",
    "request_message": "id request_id at way author template same_address sealed_body",
    "receipt": "id number request_id revision made_at statement key_id signature",
    "usage_count": "demo day metric a b n",
    "usage_hour": "demo day hour metric n",
    "usage_level": "demo day metric a value",
}
"""What is written of each table, parents first. What is left out is empty."""


class Stamps:
    """Instants as the database keeps them, from whole seconds since 1970. A million of them are put together from few
    pieces."""

    def __init__(self, dialect: str) -> None:
        end = "+00" if dialect == "postgresql" else ".000000"
        self._days: dict[int, str] = {}
        self._times = [f" {s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}{end}" for s in range(DAY)]

    def __call__(self, second: int) -> str:
        day, rest = divmod(second, DAY)
        return (self._days.get(day) or self._new(day)) + self._times[rest]

    def day(self, day: int) -> str:
        return self._days.get(day) or self._new(day)

    def _new(self, day: int) -> str:
        return self._days.setdefault(day, date.fromordinal(_EPOCH + day).isoformat())


class Writer:
    """Rows on their way. `add` what belongs together, then `rest`: a batch never ends in between. `breath` is called
    after each."""

    def __init__(
        self, database: sa.Engine, *, batch: int = BATCH, breath: Callable[[int], None] = lambda rows: None
    ) -> None:
        self._database = database
        self._batch, self._breath = batch, breath
        self._rows: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
        self._waiting = 0
        self.written: defaultdict[str, int] = defaultdict(int)

    def add(self, table: str, *values: Any) -> None:
        self._rows[table].append(values)
        self._waiting += 1

    def rest(self) -> None:
        """A good moment to write, if enough has come together."""
        if self._waiting >= self._batch:
            self.flush()

    def flush(self, *before: sa.Executable) -> None:
        """Everything that waits, in one transaction, after these statements."""
        with self._database.begin() as connection:
            for statement in before:
                connection.execute(statement)
            for table in COLUMNS:
                if rows := self._rows[table]:
                    insert(connection, table, rows)
                    self.written[table] += len(rows)
        self._rows.clear()
        self._waiting = 0
        self._breath(sum(self.written.values()))


def insert(connection: sa.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    names = COLUMNS[table].split()
    listed = ", ".join(names)
    if connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(names))
        into = f"INSERT INTO {table} ({listed}) VALUES ({marks})"  # noqa: S608 - names of ours
        connection.exec_driver_sql(into, [*map(tuple, rows)])
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
