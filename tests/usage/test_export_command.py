"""`python -m core usage export`, as an operator's script sees it."""

import json
from datetime import UTC, date, datetime

import pytest

from core import bootstrap
from core.__main__ import main
from core.usage import reading
from tests.usage import given

pytestmark = pytest.mark.sqlite_only("what is read is the same on both; the tests of reports see to that")


@pytest.fixture
def core(tmp_path, migrated_file, monkeypatch, capsys):
    """The command inside this process, on an installation of its own."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    svc = bootstrap.build()
    given.visits(svc, date(2025, 6, 2), visit=30, photo=10)
    given.visits(svc, date(2025, 7, 1), visit=3)
    reading.forget(svc)

    def run(*arguments):
        capsys.readouterr()
        return main(["usage", "export", *arguments]), capsys.readouterr().out

    return run


def test_json_holds_what_the_page_shows(core):
    status, out = core("--from", "2025-06", "--to", "2025-07", "--json")
    told = json.loads(out)
    assert status == 0
    assert told["period"] == {"from": "2025-06", "to": "2025-07"}
    assert not told["demo"]
    visits = next(figure for figure in told["key_figures"] if figure["id"] == "visits")
    assert visits["value"] == {"n": 40, "text": "≥ 40", "why": "at_least"}
    by_day = dict(map(tuple, told["tables"]["visits_by_day"]["rows"][:2]))
    assert by_day == {"2025-06-01": 0, "2025-06-02": 40}
    assert told["tables"]["visits_by_day"]["rows"][-1][1] == {"n": None, "text": "–", "why": "beneath"}
    assert all(table["says"] for table in told["tables"].values())
    assert datetime.fromisoformat(told["as_of"]).tzinfo == UTC


def test_csv_of_all_and_of_one_table(core):
    status, out = core("--from", "2025-06", "--csv")
    assert status == 0
    assert out.splitlines()[0] == "table,row,column,value"
    assert "key_figures,visits,number,40" in out.splitlines()
    status, out = core("--from", "2025-06", "--table", "funnel")
    assert out.splitlines()[:3] == ['step,visits,"of visits, %",lost here', "visit,40,100,30", "photo,10,25,10"]


@pytest.mark.parametrize("words", [("--from", "2025-06-01", "--to", "2025-06-30"), ("--from", "last week")])
def test_other_ranges_are_refused_with_a_sentence_that_says_why(core, words):
    status, out = core(*words)
    assert status == 2
    assert "whole months" in out
    assert "would give away" in out


def test_a_table_that_is_not_there(core):
    status, out = core("--from", "2025-06", "--table", "subjects")
    assert status == 2
    assert "visits_by_day" in out
