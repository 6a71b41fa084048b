"""What third parties charge is counted with the headshots that it was charged for; of who said no, nothing is."""

import sqlalchemy as sa

from core.models import Subject
from tests.usage.told import told, told_of


def test_what_is_charged_goes_with_what_was_made(there):
    there.ask(variants=3)
    there.wait()
    assert told_of(there.svc, "run") == {("apimart", "ready"): 1}
    assert told_of(there.svc, "headshot", "cost") == {("headshot", "apimart"): 3, ("cost", "apimart"): 3 * 12_500}
    assert told_of(there.svc, "run_cost") == {("apimart", "4"): 1}  # 3.75 cents
    assert {a for metric, a, _ in told(there.svc) if metric == "stage_took"} == {
        "apimart.sending", "apimart.waiting", "apimart.fetching",
    }  # fmt: skip


def test_where_nobody_says_what_it_cost_nothing_is_made_up(there):
    there.provider.cost = None
    there.ask()
    there.wait()
    assert told_of(there.svc, "headshot") == {("apimart",): 1}
    assert told_of(there.svc, "cost", "run_cost") == {}


def test_of_who_said_no_not_even_the_money_is_counted(there):
    there.ask()
    with there.svc.transaction() as session:
        session.execute(sa.update(Subject).values(is_counted=False))
    before = told(there.svc)
    there.wait()
    assert told(there.svc) == before
    assert there.spent.charged == 12_500
