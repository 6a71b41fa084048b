"""An engine that is loaded when it is first needed: once, by whoever comes first, and not by building the services."""

import subprocess
import sys

from core.engines.late import Late
from core.ports import Framing
from core.settings import ROOT
from tests.conftest import on_all_threads
from tests.fakes import DrawingEngine, jpeg

FOR_LATER = ("numpy", "cv2", "core.intake", "prometheus_client", "alembic", "pandas", "boto3")


def test_it_is_the_engine_that_it_loads():
    drawing = DrawingEngine()
    late = Late(lambda: drawing)

    assert (late.name, late.title, late.stages) == (drawing.name, drawing.title, drawing.stages)
    assert late.examine(jpeg()) == []
    assert late.preview(jpeg(), ratio="4:5", framing=Framing()) == drawing.preview(
        jpeg(), ratio="4:5", framing=Framing()
    )


def test_it_is_loaded_once_however_many_come_at_the_same_time():
    loaded = []

    def load() -> DrawingEngine:
        loaded.append(DrawingEngine())
        return loaded[-1]

    late = Late(load)
    assert loaded == []
    assert len(set(on_all_threads(lambda: late.engine, times=8))) == len(loaded) == 1


def test_a_server_that_starts_loads_nothing_for_later(tmp_path):
    """Each of these once made a start slower than it has to be."""
    program = (
        "import sys; import streamlit_app; from core import bootstrap;"
        "bootstrap.with_runner(bootstrap.build());"
        f"print(*[name for name in {FOR_LATER!r} if name in sys.modules])"
    )
    environment = {"PATH": "", "DATA_DIR": str(tmp_path), "HOME": str(tmp_path)}
    for expected_alembic in ({"alembic"}, set()):  # the very first start makes the tables
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert set(done.stdout.split()) == expected_alembic
