"""
The text, in every language: whole, true of this installation, short enough, and no promise in it that is not one.

What holds of a document is held to in each language, under settings that leave all open, that set all, and that allow
a look at what was reported.
"""

import difflib
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest

from core import abuse, audit, cookies, mailbox, operators, policy
from core.abuse import terms
from core.contracts import Contract
from core.correspondence import sending
from core.drafts import Drafts
from core.language import NAMES, _, current, speaking
from core.policy import numbers
from core.policy.document import Document, lines_of
from core.ports import HandOver
from core.promises import PROMISES
from core.provider import residue
from core.requests import pruning
from core.settings import Settings
from core.third_parties import third_parties
from core.usage import upkeep
from tests.fakes import FrozenClock

DATA = Path(__file__).parents[1] / "data"
GOLDEN = {"en": DATA / "policy.txt", "de": DATA / "policy.de.txt"}
APIMART = (policy.Other("apimart", HandOver.INLINE),)
THREE_MINUTES = 180
BINDS = {
    "en": re.compile(
        r"\b(we|us|our) (will|never|always|only|do not|don’t|cannot|promise)\b|\bnever\b|\balways\b|\bat most\b"
        r"|\bwithin\b|\bat the latest\b|\bguarantee|\bensure|\bno longer than\b|\bmust\b|\bare erased\b|\bis erased\b",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"\bwir (werden|versprechen|garantieren|verpflichten|können nicht)\b|\bnie(mals)?\b|\bimmer\b|\bhöchstens\b"
        r"|\binnerhalb\b|\bspätestens\b|\bgarantier|\bsicher(ge)?stell|\bstellen sicher\b|\bnicht länger als\b|\bmuss\b"
        r"|\bmüssen\b|\b(wird|werden) gelöscht\b|\bversprechen wir\b",
        re.IGNORECASE,
    ),
}
"""How a sentence sounds that promises something."""
NAMES_ALONE = re.compile(
    r"Illinois, |Texas, |Cloudflare R2 |Google Analytics 4|APIMart \(|zhihong@|(__Host-)?workshot_?|_streamlit_xsrf"
    r"|Ann's Studio"
)
"""Of laws of other countries, of those who get something, of cookies."""
SORTS = "usual", "full", "looking"


def given(tmp_path: Path, **changed: object) -> Settings:
    return Settings(data_dir=tmp_path, **changed)  # type: ignore[arg-type]


def full(tmp_path: Path) -> Settings:
    """All that a text can name is set."""
    return given(
        tmp_path,
        run_by="Ann's Studio",
        privacy_contact="privacy@studio.example",
        jurisdiction="Germany",
        authority="the data protection authority of Hesse",
        backup_days=7,
        public_url="https://headshots.example",
        s3_endpoint_url="https://0a1b2c.r2.cloudflarestorage.com",
        s3_bucket="photos",
        s3_access_key_id="id",
        s3_secret_access_key="secret",
        smtp_host="mail.studio.example",
        ga4_measurement_id="G-ABCD123456",
        ga4_api_secret="secret",
    )


def drawn(sort: str, tmp_path: Path) -> policy.Policy:
    if sort == "usual":
        return policy.drawn(given(tmp_path))
    settings = full(tmp_path)
    return policy.drawn(settings.model_copy(update={"look_at_reported": sort == "looking"}), APIMART)


@pytest.fixture(params=product(SORTS, NAMES), ids="-".join)
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Document]:
    """In the language that is spoken meanwhile."""
    sort, language = request.param
    with speaking(language):
        yield drawn(sort, tmp_path).document(language)


@pytest.mark.parametrize("language", NAMES)
def test_it_is_the_text_that_was_agreed_on(language: str, tmp_path: Path) -> None:
    """Change it on purpose: `python -m tests.policy.test_text` writes what it is now."""
    now, agreed = _both(tmp_path, language), GOLDEN[language].read_text("utf-8")
    difference = difflib.unified_diff(agreed.splitlines(), now.splitlines(), "agreed", "now", lineterm="")
    assert now == agreed, "\n".join(difference)


@pytest.mark.parametrize("sort", SORTS)
def test_every_language_has_the_same_rows_by_the_same_promises(sort: str, tmp_path: Path) -> None:
    english, *others = (_shape(document) for document in drawn(sort, tmp_path).documents.values())
    assert others and all(other == english for other in others)


def _shape(document: Document) -> list[object]:
    return [
        (
            section.id,
            [line.promise for line in section.lines],
            [
                (
                    table.id,
                    len(table.columns),
                    bool(table.says),
                    [(len(r.cells), r.promise, r.rule) for r in table.rows],
                )
                for table in section.folded
            ],
        )
        for section in document.sections
    ]


@pytest.mark.parametrize("sort", SORTS)
def test_nothing_is_left_in_english(sort: str, tmp_path: Path) -> None:
    documents = drawn(sort, tmp_path).documents
    english, german = (set(_said(documents[language])) for language in ("en", "de"))
    same = {text for text in english & german if len(re.findall(r"[A-Za-z]{2,}", text)) > 1}
    assert {text for text in same if not NAMES_ALONE.match(text)} == set()


def _said(document: Document) -> Iterator[str]:
    for section in document.sections:
        yield section.title
        yield from (line.text for line in section.lines)
        for table in section.folded:
            yield from (table.title, table.says, *table.columns, *(cell for row in table.rows for cell in row.cells))


def test_each_promise_stands_in_it_exactly_once(document: Document) -> None:
    assert sorted(document.promises) == sorted(promise.id for promise in PROMISES)


@pytest.mark.parametrize("language", NAMES)
def test_a_promise_is_printed_to_the_letter(language: str, tmp_path: Path) -> None:
    settings = full(tmp_path)
    sections = policy.drawn(settings).document(language).sections
    said = {line.promise: line.text for section in sections for line in section.lines}
    with speaking(language):
        assert all(said[promise.id] == promise.filled(settings) for promise in PROMISES)


def test_no_other_sentence_binds_us(document: Document) -> None:
    lines = [line.text for section in document.sections for line in section.lines if not line.promise]
    tables_ = [table for section in document.sections for table in section.folded]
    free = [cell for table in tables_ for row in table.rows if not (row.promise or row.rule) for cell in row.cells]
    quoted = {_(said.text) for party in third_parties().values() for said in party.says}
    quoted |= {_(copy.says) for party in third_parties().values() for copy in party.copies}
    binds = BINDS[current()]
    ours = [text for text in (*lines, *free, *(table.says for table in tables_)) if not any(q in text for q in quoted)]
    assert [text for text in ours if binds.search(text)] == []


def test_what_a_table_binds_us_to_is_measured_or_has_its_rule(document: Document) -> None:
    known = {promise.id for promise in PROMISES}
    rows = [row for section in document.sections for table in section.folded for row in table.rows]
    assert {row.promise for row in rows if row.promise} <= known
    for row in rows:
        module, _, name = row.rule.rpartition(".")
        assert not row.rule or callable(getattr(import_module(module), name))


def test_each_kind_of_data_has_a_purpose_a_time_and_an_end(document: Document) -> None:
    (schedule,) = [table for section in document.sections for table in section.folded if table.id == "schedule"]
    assert all(len(row.cells) == len(schedule.columns) == 4 and all(row.cells) for row in schedule.rows)
    assert all(row.promise or row.rule for row in schedule.rows)


def test_it_is_read_in_three_minutes(document: Document) -> None:
    assert document.seconds <= THREE_MINUTES, f"{document.words} words"


def test_nothing_is_left_open(document: Document) -> None:
    assert not re.search(r"[{}]|None\b(?! are made|\.)|\bSecretStr\b", document.plain)


def test_names_and_addresses_of_sections_are_their_own(document: Document) -> None:
    ids = [section.id for section in document.sections]
    ids += [table.id for section in document.sections for table in section.folded]
    assert len(set(ids)) == len(ids)


def test_numbers_follow_the_settings(tmp_path: Path) -> None:
    usual = policy.drawn(given(tmp_path))
    two_weeks = policy.drawn(given(tmp_path, longest_days=14))
    assert "at most 30 days" in usual.texts["en"] and usual.numbers["keep_hours"] == 720
    assert "30 days after" not in two_weeks.texts["en"] and "at most 14 days" in two_weeks.texts["en"]
    assert "14 days from the upload" in two_weeks.texts["en"] and two_weeks.numbers["keep_hours"] == 336
    assert usual.version != two_weeks.version


def test_the_same_settings_are_the_same_version(tmp_path: Path) -> None:
    policy.drawn.cache_clear()
    first = policy.drawn(given(tmp_path)).version
    policy.drawn.cache_clear()
    assert policy.drawn(given(tmp_path, engine_slots=2)).version == first
    assert policy.drawn(given(tmp_path, run_by="Ann")).version != first


def test_what_is_not_set_is_said_to_be(tmp_path: Path) -> None:
    said = policy.drawn(given(tmp_path)).texts["en"]
    assert "no name is set" in said and "Law | Not set." in said and "no address is set" in said
    assert "none is set here" in said
    said = policy.drawn(full(tmp_path)).texts["en"]
    assert "Ann's Studio" in said and "Law | Germany" in said and "privacy@studio.example" in said
    assert "of Hesse" in said and "7 days" in said and "__Host-workshot" in said


def test_everybody_who_gets_something_is_named(tmp_path: Path) -> None:
    alone, many = (policy.drawn(given(tmp_path)).texts["en"], policy.drawn(full(tmp_path), APIMART).texts["en"])
    assert "Nobody else" in alone and "APIMart" not in alone and "Google" not in alone
    for name in ("APIMart, a third party", "Cloudflare R2", "mail.studio.example", "Google Analytics 4"):
        assert name in many
    assert "0a1b2c" not in many, "the account's number is nobody's business"
    apimart = third_parties()["apimart"]
    assert all(line in many for line in (*apimart.unknown, *(said.text for said in apimart.says), apimart.contact))


@pytest.mark.parametrize(
    "answer",
    [
        "Not kept, 1 hour, 24 hours, 72 hours, 7 days, 30 days",
        "“Deletion Request”",
        "48 hours",
        "cannot be undone|for good",
        "a ZIP",
        "Correct",
        "Withdraw consent",
        "Object",
        "Complain",
        "California",
        "Sale or sharing",
        "Sec-GPC",
        "announced at least 14 days",
        "sums by day",
        "Google Analytics 4",
        "there are no ads",
        "encrypted under a key",
        "everything travels encrypted",
        "pruned after 12 months",
        "Browser, system, time zone, address",
        "Contractors and helpers",
        "A new owner",
        "Authorities",
        "each deed is logged",
        "__Host-workshot",
        "_streamlit_xsrf",
        "Nothing while this is a beta",
        "no credits, payments or subscriptions",
        "Who pays",
        "18 and over",
        "within 72 hours of knowing",
        "740 ILCS 14",
        "503.001",
        "RCW 19.373",
        "Article 4\\(14\\)",
        "not photographs by a photographer",
        "Employers and regulated professions",
        "LinkedIn, Résumé, Business profile, Company bio",
        "privacy@studio.example",
        "No account|without accounts",
        "size, format and time of upload",
        "Backups are kept for at most 7 days",
        "training, data sets or improving algorithms",
        "Too many runs",
    ],
)
def test_each_question_that_people_ask_of_a_policy_is_answered(answer: str, tmp_path: Path) -> None:
    assert re.search(answer, policy.drawn(full(tmp_path), APIMART).texts["en"])


def test_numbers_of_the_house_are_those_that_are_used() -> None:
    assert audit.TWELVE_MONTHS.days == 365 and numbers.AUDIT_MONTHS == 12
    assert pruning.KEPT_FOR_MONTHS == numbers.REGISTER_MONTHS
    assert upkeep.MONTHS_KEPT == numbers.USAGE_MONTHS
    assert mailbox.UNSORTED_KEPT.days == numbers.UNSORTED_MAIL_DAYS
    assert mailbox.SENDER_KNOWN_FOR.days == numbers.SENDER_DAYS
    assert sending.OUTBOX_KEPT.days == numbers.OUTBOX_DAYS
    assert operators.FORGOTTEN_AFTER.days == numbers.OPERATOR_DAYS
    assert residue.LINKS_KEPT.days == numbers.HAND_OVER_LINK_DAYS
    assert Drafts(FrozenClock())._keep_for.total_seconds() == numbers.DRAFT_MINUTES * 60
    assert numbers.erase_hours() == 48 and Contract.MONTH.keep_for.days == 30
    assert terms.KEPT == terms.BLOCKED_FOR == audit.TWELVE_MONTHS
    assert numbers.REPORT_MONTHS == numbers.BLOCK_MONTHS == 12
    assert abuse.LOOK_FOR.total_seconds() == numbers.LOOK_MINUTES * 60
    assert cookies.STAFF.lives.total_seconds() == numbers.STAFF_HOURS * 3600


def test_cookies_are_called_and_end_as_it_is_said() -> None:
    assert (cookies.SESSION.lives, cookies.STAFF.lives) == (None, operators.SESSION_LIVES)
    assert cookies.COUNT.lives == cookies.PREFERENCES.lives == timedelta(days=365)
    from streamlit.web.server.starlette import starlette_server_config

    assert starlette_server_config.XSRF_COOKIE_NAME == cookies.XSRF


def test_a_text_that_was_kept_reads_like_one(document: Document) -> None:
    read = lines_of(document.plain)
    assert [line for mark, line in read if mark == "#"] == [section.title for section in document.sections]
    assert not [line for _, line in read if re.search(r"\[[a-z_]+\]$| \| ", line)]
    said = {line for _, line in read}
    assert all(line.text in said for section in document.sections for line in section.lines)


def _both(tmp_path: Path, language: str) -> str:
    """As it is with nothing set, and with everything."""
    usual, rich = (drawn(sort, tmp_path).texts[language] for sort in ("usual", "full"))
    return f"{usual}\n{'=' * 120}\n\n{rich}"


if __name__ == "__main__":
    for each, golden in GOLDEN.items():
        golden.write_text(_both(Path("data/local"), each), "utf-8")
