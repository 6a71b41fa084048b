"""Claim codes in free text: found however they were typed, nothing else is, and none is kept."""

from time import process_time

import pytest

from core.access import new_claim_code, read_claim_code
from core.requests import codes

CODE = "ASSB-T6A0-EKH2-PD3R-XXNW-XKVH-P1Q7"  # a zero and a one in it, to mistake
HASH = read_claim_code(CODE)
GROUPS = CODE.split("-")


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        CODE.replace("-", " - "),
        CODE.replace("-", "\n"),
        CODE.replace("-", "\r\n> "),
        CODE.replace("-", "–"),
        CODE.replace("-", "\u2011"),
        CODE.replace("-", "\u00a0"),
        CODE.replace("-", "\u200b-"),
        CODE.replace("0", "O").replace("1", "l"),
        "-".join(f"*{group}*" for group in GROUPS),
        f"{CODE[:17]}=\n{CODE[17:]}".replace("=", ""),
        "> > " + "-".join(GROUPS[:4]) + "-\n> > " + "-".join(GROUPS[4:]),
        " ".join(CODE.replace("-", "")),
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "My code is {}. Please delete all!",
        "code:{}",
        "({})",
        "<{}>",
        "Hello there\n\n{}\n\nAnn",
        '"{}"',
        "it={};",
    ],
)
def test_a_code_is_found_however_it_was_typed(typed, around):
    text = around.format(typed)

    assert codes.claim_hashes(text) == [HASH]
    left = codes.without_codes(text)
    assert codes.INSTEAD in left
    assert codes.claim_hashes(left) == []
    assert not any(group in left.upper() for group in GROUPS)


@pytest.mark.parametrize("around", ["please delete everything about me {} thank you and kind regards", "a {} b"])
def test_words_around_a_code_stay(around):
    assert codes.without_codes(around.format(CODE)) == around.format(codes.INSTEAD)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Please delete all of my photos. My run was G-7Q4K2M9 on Monday.",
        CODE[:-1],
        CODE + "X",
        "X" + CODE,
        CODE[:-1] + ("0" if CODE[-1] != "0" else "1"),
        "-".join(reversed(GROUPS)),
        CODE.replace("-", ","),
    ],
)
def test_what_is_no_code_is_none_and_stays(text):
    assert codes.claim_hashes(text) == []
    assert codes.without_codes(text) == text


def test_several_codes_are_found_in_their_order_each_once_and_not_without_end():
    made = [new_claim_code() for _ in range(codes.MOST_CODES + 2)]
    text = "\n\n, ".join([*made, made[0]])

    assert codes.claim_hashes(text) == [read_claim_code(code) for code in made[: codes.MOST_CODES]]
    assert codes.claim_hashes(codes.without_codes(text)) == []


@pytest.mark.parametrize("text", ["ab cd " * 60_000, "a" * 400_000, "- " * 200_000, "a " * 100_000, ">" * 400_000])
def test_no_text_keeps_a_worker_busy(text):
    start = process_time()
    codes.claim_hashes(text)
    codes.without_codes(text[:20_000])
    assert process_time() - start < 5
