"""
Whatever touches a database is tested on SQLite and on PostgreSQL, or says why not.

What `svc`, `database_url` and `database_setting` give is both (tests/conftest.py), but for tests marked
`sqlite_only(reason)` or, each on one of the two, `by_turns(reason)`. Who makes a database by other means is found here,
by what is written in its file.
"""

import ast
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.services import Services
from core.settings import ROOT
from tests import conftest

MAKES_ONE = re.compile(r"""sqlite:///|\bbootstrap\.build\(|\bDATA_DIR=|"DATA_DIR":""")
KNOWS_POSTGRESQL = re.compile(r"\bsqlite_only\(|\bdatabase_setting\b|\bdatabase_url\b|\bDATABASE_URL\b|\bcluster\b")
LESS_THAN_BOTH = re.compile(r"\b(sqlite_only|by_turns)\b")
TESTED_OTHERWISE = {
    "browser": "what people see, on the app as it comes; test_on_postgresql.py has the whole journey there",
    "engines/apimart/test_setting_up.py": "about which settings stop a start; the database is not looked into",
    "engines/test_late.py": "about what a start does not load; the database is not looked into",
    "peers/apimart_app.py": "no test: the app beside a stand-in, to be tried by hand",
    "web/test_start.py": "about what a start loads; nothing is read or written",
}
"""Files, or all in a folder, that make a database of their own, on SQLite alone, and why that is enough."""

HERE = ROOT / "tests"
NO_TESTS = {"benchmarks", "tour"}
FILES = sorted(path for path in HERE.rglob("*.py") if not NO_TESTS & set(path.relative_to(HERE).parts))


def named(path: Path) -> str:
    return str(path.relative_to(HERE))


def on_sqlite_alone(path: Path) -> bool:
    source = path.read_text()
    return bool(MAKES_ONE.search(source)) and not KNOWS_POSTGRESQL.search(source)


def test_who_makes_a_database_knows_both_or_is_named_here_with_a_reason() -> None:
    found = {named(path) for path in FILES if path != Path(__file__) and on_sqlite_alone(path)}
    keys = {name: {name, name.partition("/")[0]} & set(TESTED_OTHERWISE) for name in found}
    assert [name for name, reasons in keys.items() if not reasons] == [], "these tests see SQLite alone"
    assert set().union(*keys.values()) == set(TESTED_OTHERWISE), "these reasons are no longer needed"


@pytest.mark.parametrize("path", [path for path in FILES if LESS_THAN_BOTH.search(path.read_text())], ids=named)
def test_who_wants_less_than_both_gives_the_reason(path: Path) -> None:
    tree = ast.parse(path.read_text())
    marks = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and LESS_THAN_BOTH.match(node.attr)]
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for mark in marks:
        call = calls.get(id(mark))
        assert call and call.args, f"line {mark.lineno}: a mark without a reason"
        (reason,) = call.args
        assert isinstance(reason, ast.Constant) and isinstance(reason.value, str) and " " in reason.value


class Asked:
    """As pytest asks for the parameters of a test, once for each."""

    def __init__(self, *fixtures: str, mark: str = "") -> None:
        self.fixturenames, self._mark = fixtures, mark
        self.definition = self
        self.parameters: dict[str, Sequence[str]] = {}

    def get_closest_marker(self, name: str) -> bool:
        return name == self._mark

    def parametrize(self, name: str, values: Sequence[str], *, indirect: bool) -> None:
        self.parameters[name] = values


@pytest.mark.parametrize("fixture", ["database_url", "database_setting"])
def test_a_test_gets_both_unless_it_is_marked(fixture: str) -> None:
    usual, marked, other = Asked(fixture), Asked(fixture, mark="sqlite_only"), Asked("clock")
    for asked in (usual, marked, other):
        conftest.pytest_generate_tests(asked)  # type: ignore[arg-type]
    assert usual.parameters == {fixture: ("sqlite", "postgres")}
    assert marked.parameters == {fixture: ["sqlite"]}
    assert other.parameters == {}


@dataclass(frozen=True)
class Collected:
    """As pytest knows a test with its parameters."""

    nodeid: str
    params: Mapping[str, str]
    mark: str = ""

    @property
    def callspec(self) -> "Collected":
        return self

    def get_closest_marker(self, name: str) -> str | None:
        return self.mark if name == self.mark else None


@pytest.mark.parametrize("fixture", ["database_url", "database_setting"])
def test_by_turns_each_has_one_and_both_have_some(fixture: str) -> None:
    names = [f"test_pages.py::test_{number}" for number in range(100)]
    had = Counter()
    for name in names:
        tests = [Collected(f"{name}[{db}-phone]", {fixture: db}) for db in ("sqlite", "postgres")]
        (taken,) = filter(conftest.has_its_turn, tests)
        had[taken.params[fixture]] += 1
    assert min(had["sqlite"], had["postgres"]) > 25
    assert all(conftest.has_its_turn(Collected(name, {fixture: "sqlite"}, "sqlite_only")) for name in names)
    assert all(conftest.has_its_turn(Collected(name, {"size": "phone"})) for name in names), "which has no database"


def test_each_gets_what_it_is_told(svc: Services, request: pytest.FixtureRequest) -> None:
    told = request.node.callspec.params["database_url"]
    assert svc.database.dialect.name.startswith(told)
