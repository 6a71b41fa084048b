"""Shares in words, as the page and the mail say them."""

import pytest

from core.usage.words import percent


@pytest.mark.parametrize(
    ("part", "whole", "says"),
    [(0, 7, "0 %"), (7, 7, "100 %"), (9999, 10_000, "99.9 %"), (1997, 2000, "99.8 %"), (583, 1000, "58.3 %"),
     (2, 3, "66.6 %"), (1, 3000, "0.0 %")],
)  # fmt: skip
def test_a_share_is_cut_so_that_nearly_everything_is_not_everything(part, whole, says):
    assert percent(100 * part / whole) == says
