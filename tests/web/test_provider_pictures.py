"""A provider's headshots over HTTP: as they were made, and cut to the purpose's shape; each saying what it is."""

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image
from sqlmodel import col, select

from core import jobs
from core.cookies import SESSION
from core.guard import hash_of, new_session
from core.marks import SourceType, carries_c2pa, read_marks
from core.models import Copy, HeadshotRow, JobKind
from core.ports import Fetched
from tests.fakes import DrawingProvider
from tests.test_picture_files import file_of, painted, signed
from tests.web.test_staff import served

MADE = (900, 1200)  # 3:4; what is asked for is 35:45


class Painter(DrawingProvider):
    """Gives out PNGs of 3:4, signed by their maker or not."""

    signs = False
    takes = 0.0

    def fetch(self, url):
        data = signed("PNG", painted(*MADE)) if self.signs else file_of("PNG", painted(*MADE))
        return Fetched(data=data, media_type="image/png", width=MADE[0], height=MADE[1])


@pytest.fixture(params=[False, True], ids=["unsigned", "signed"])
def shown(request, svc, clock, ask):
    """A browser whose person has such a headshot, the headshot, whether it is signed, and the run."""
    painter = Painter(clock)
    painter.signs = request.param
    svc = replace(svc, providers={painter.name: painter})
    with served(svc) as client:
        client.cookies.set(SESSION.name, new_session())
        choices = {"engine": painter.name, "purpose": "resume", "ratio": "35:45", "variants": 1}
        run_id = ask(svc=svc, who=hash_of(client.cookies[SESSION.name]), **choices)
        worker = jobs.Worker(svc)
        for _ in range(8):
            while worker.look((JobKind.PROVIDER,)):
                pass
            clock.advance(seconds=10)
        with svc.reading() as session:
            (copy,) = session.exec(select(Copy).join(HeadshotRow, col(HeadshotRow.copy_id) == Copy.id)).all()
        yield client, copy, request.param, run_id


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_as_it_was_made_it_is_downloaded_under_its_own_kind(shown):
    client, copy, is_signed, _ = shown
    answer = client.get(f"/img/{copy.id}?dl=1")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'attachment; filename="headshot-resume-1-900x1200.png"'
    assert opened(answer.content).size == MADE
    if is_signed:
        assert answer.content == signed("PNG", painted(*MADE)), "to the byte"
    else:
        assert read_marks(answer.content).source_type is SourceType.GENERATED


def test_the_purpose_s_sizes_are_cut_to_its_shape_and_say_that_it_was_drawn(shown):
    client, copy, _, _ = shown
    answer = client.get(f"/img/{copy.id}?w=827&dl=1")
    assert answer.headers["content-disposition"] == 'attachment; filename="headshot-resume-1-827x1063.jpg"'
    assert (opened(answer.content).format, opened(answer.content).size) == ("JPEG", (827, 1063))
    says = read_marks(answer.content)
    assert (says.source_type, says.system, says.version) == (SourceType.GENERATED, "APIMart", DrawingProvider.model)
    assert not carries_c2pa(answer.content)


def test_on_pages_it_has_the_purpose_s_shape_too(shown):
    """Beside the photo as it was, which is framed in that shape."""
    client, copy, _, _ = shown
    width, height = opened(client.get(f"/img/{copy.id}?w=240").content).size
    assert width == 240 and abs(width / height - 35 / 45) < 0.005


def test_the_zip_has_all_of_them(shown):
    client, _, _, run_id = shown
    with zipfile.ZipFile(io.BytesIO(client.get(f"/zip/{run_id}").content)) as archive:
        names = archive.namelist()
        assert names == ["headshot-1-827x1063.jpg", "headshot-1-413x531.jpg", "headshot-1-900x1200.png"]
        for name in names[:2]:
            assert read_marks(archive.read(name)).source_type is SourceType.GENERATED
