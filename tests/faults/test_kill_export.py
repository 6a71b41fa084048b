"""Whoever packs a copy of somebody's data is killed at each step: it is packed once, answered once, and all can go."""

import pytest
from sqlmodel import select

from core import audit, exports, requests
from core.models import AuditEntry, Copy, CopyKind, Request, RequestKind, RequestOutcome, new_id
from tests.conftest import ANN
from tests.faults.conftest import MUCH_LATER, Scene

pytestmark = pytest.mark.by_turns("what both databases do to a claim whose worker dies is in test_kill")

WHILE_PACKING = [
    ("claim committed", 1),
    ("upload row", 1),
    ("upload row committed", 1),
    ("before put", 1),
    ("half put", 1),
    ("after put", 1),
    ("written_at", 1),
    ("written_at committed", 1),
    ("request closed", 1),
    ("job settled", 1),
    ("job settled committed", 1),
]


@pytest.mark.parametrize(("moment", "nth"), WHILE_PACKING)
def test_a_copy_of_the_data_outlives_its_worker(scene: Scene, moment: str, nth: int) -> None:
    scene.made()
    asked = requests.open_in_product(scene.svc, ANN, kind=RequestKind.COPY, press_id=new_id())
    scene.killed(dies_at=moment, nth=nth)
    scene.every_object_has_a_row()
    scene.recovers()
    scene.recovers(after=MUCH_LATER)  # what a killed attempt has left behind is shown to be gone
    (request,) = scene.rows(Request)
    assert (request.id, request.outcome) == (asked.id, RequestOutcome.DONE)
    with scene.svc.reading() as session:
        packed = AuditEntry.action == audit.Action.DATA_EXPORTED.value
        assert len(session.exec(select(AuditEntry).where(packed)).all()) == 1
        (file,) = exports.files_of(session, request.export_id, scene.svc.clock())
    kept = [copy.id for copy in scene.rows(Copy) if copy.kind is CopyKind.EXPORT and copy.gone_at is None]
    assert kept == [file.copy_id] and file.is_here
    scene.everything_goes()
