"""Limits that live in memory: guesses at codes, and runs per network without knowing networks."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import LimitReached
from core.fair_use import GUESS_WINDOW, Guesses, Networks


@pytest.fixture
def guesses(clock):
    return Guesses(clock, allowed=3, everyone=8)


@pytest.fixture
def networks(clock):
    return Networks(clock)


def test_a_browser_guesses_so_often_and_then_waits(guesses, clock):
    for n in range(3):
        guesses.spend("ann", f"net-{n}")
    with pytest.raises(LimitReached, match="ten minutes"):
        guesses.spend("ann", "net-9")
    clock.now += GUESS_WINDOW - timedelta(seconds=1)
    with pytest.raises(LimitReached):
        guesses.spend("ann", "net-9")
    clock.advance(seconds=1)
    guesses.spend("ann", "net-9")


def test_a_network_guesses_so_often_whatever_browsers_it_makes_up(guesses):
    for n in range(3):
        guesses.spend(f"browser-{n}", "net")
    with pytest.raises(LimitReached):
        guesses.spend("browser-9", "net")
    guesses.spend("browser-9", "elsewhere")


def test_all_together_guess_so_often(guesses):
    for n in range(8):
        guesses.spend(f"browser-{n}", f"net-{n}")
    with pytest.raises(LimitReached):
        guesses.spend("browser-9", "net-9")


def test_a_refused_guess_does_not_prolong_the_wait(guesses, clock):
    for _ in range(3):
        guesses.spend("ann", "net")
    clock.advance(minutes=9)
    with pytest.raises(LimitReached):
        guesses.spend("ann", "net")
    clock.advance(minutes=1)
    guesses.spend("ann", "net")


def test_a_right_code_forgives_its_owner_and_nobody_else(guesses):
    guesses.spend("ann", "net")
    guesses.spend("bob", "net")
    guesses.spend("ann", "net")
    guesses.forgive("ann")

    guesses.spend("ann", "net")
    guesses.spend("ann", "net")
    with pytest.raises(LimitReached):
        guesses.spend("ann", "net")


def test_a_network_makes_so_many_runs_a_day_and_may_give_one_back(networks):
    home = networks.name("192.0.2.1")
    for _ in range(2):
        networks.spend(home, limit=2)
    with pytest.raises(LimitReached, match="tomorrow"):
        networks.spend(home, limit=2)
    networks.spend(networks.name("198.51.100.1"), limit=2)
    networks.give_back(home)
    networks.spend(home, limit=2)


def test_giving_back_what_was_never_spent_wins_nothing(networks):
    home = networks.name("192.0.2.1")
    networks.give_back(home)
    networks.spend(home, limit=1)
    with pytest.raises(LimitReached):
        networks.spend(home, limit=1)


def test_at_midnight_utc_networks_are_forgotten(networks, clock):
    clock.now = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    today = networks.name("192.0.2.1")
    networks.spend(today, limit=1)
    clock.advance(seconds=1)
    tomorrow = networks.name("192.0.2.1")

    assert tomorrow != today
    networks.spend(tomorrow, limit=1)


def test_two_servers_name_a_network_differently(clock):
    assert Networks(clock).name("192.0.2.1") != Networks(clock).name("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8:0:1200::1", "2001:db8:0:12ff:1::", True),
        ("2001:db8:0:1200::1", "2001:db8:0:1300::1", False),
        ("::ffff:192.0.2.7", "192.0.2.1", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.3.7", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("testclient", "", True),
        ("testclient", "192.0.2.1", False),
    ],
)
def test_a_network_is_a_24_or_a_56(networks, one, other, is_same):
    assert (networks.name(one) == networks.name(other)) is is_same


def test_a_name_says_nothing_of_the_address(networks):
    name = networks.name("192.0.2.1")

    assert len(name) == 32 and set(name) <= set("0123456789abcdef")
