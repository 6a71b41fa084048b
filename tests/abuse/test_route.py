"""The address of a look: for the operator who asked, by their cookie, by GET alone, and cached by nobody."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from core.abuse import glass
from core.cookies import STAFF
from core.guard import new_session, staff_hash_of
from core.models import GlassView, Role
from core.operators import Operator, make_link, open_link
from core.services import Services
from tests.abuse.conftest import deeds
from tests.conftest import ANN
from tests.web.test_staff import served

Signed = tuple[Operator, str]


def signed_in(svc: Services, role: Role) -> Signed:
    """Somebody on duty, and the cookie they have."""
    cookie = new_session()
    return open_link(svc, make_link(svc, role).url.rpartition("/")[2], staff_hash_of(cookie)), cookie


@pytest.fixture
def who_asked(open_house: Services) -> Signed:
    return signed_in(open_house, Role.SUPPORT)


@pytest.fixture
def who_allowed(open_house: Services) -> Signed:
    return signed_in(open_house, Role.FOUNDER)


@pytest.fixture
def view(open_house: Services, reported: str, who_asked: Signed, who_allowed: Signed) -> GlassView:
    asked = glass.ask_to_look(open_house, who_asked[0], reported)
    return glass.decide(open_house, who_allowed[0], asked.id, allow=True)


@pytest.fixture
def client(open_house: Services) -> Iterator[TestClient]:
    with served(open_house) as client:
        yield client


def test_who_asked_sees_it_and_nobody_caches_it(
    client: TestClient, open_house: Services, view: GlassView, who_asked: Signed
) -> None:
    client.cookies.set(STAFF.name, who_asked[1])
    seen = client.get(f"/ops/glass/{view.id}")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert seen.content.startswith(b"\xff\xd8")
    assert "private" in seen.headers["cache-control"] and "no-store" in seen.headers["cache-control"]
    assert "content-disposition" not in seen.headers
    assert ("glass:seen", who_asked[0].actor) in deeds(open_house, "glass")


@pytest.mark.parametrize("who", ["nobody", "who allowed", "asks whether", "posts", "from elsewhere", "forbidden"])
def test_to_everybody_else_there_is_nothing(
    client: TestClient, open_house: Services, view: GlassView, who_asked: Signed, who_allowed: Signed, who: str
) -> None:
    cookie = {"nobody": "", "who allowed": who_allowed[1]}.get(who, who_asked[1])
    if cookie:
        client.cookies.set(STAFF.name, cookie)
    if who == "forbidden":
        glass.forbid(open_house, ANN)
    method = {"asks whether": "HEAD", "posts": "POST"}.get(who, "GET")
    headers = {"sec-fetch-site": "cross-site"} if who == "from elsewhere" else {}
    answer = client.request(method, f"/ops/glass/{view.id}", headers=headers)
    assert answer.status_code in ((404,) if who != "posts" else (403, 404, 405))
    assert not answer.content.startswith(b"\xff\xd8")
    if method == "GET":
        assert answer.content == client.get("/ops/glass/none").content
    assert not [deed for deed, _who in deeds(open_house, "glass") if deed == "glass:seen"]
