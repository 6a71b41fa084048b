"""What the README lists is what there is."""

import re
from pathlib import Path

from core.__main__ import VERBS
from core.audit import DEEDS
from core.settings import ROOT, Settings

README = (Path(ROOT) / "README.md").read_text()


def test_every_setting_is_listed_and_nothing_else():
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", README, re.MULTILINE))
    assert listed == {name.upper() for name in Settings.model_fields}


def test_every_verb_is_listed():
    assert set(re.findall(r"^python -m core ([\w-]+)", README, re.MULTILINE)) >= set(VERBS)


def test_every_deed_of_the_audit_log_is_listed_with_its_facts():
    rows = re.findall(r"^\| `(\w+:\w+)` \| (.+?) \| (.+?) \| (.*?) ?\|$", README, re.MULTILINE)
    listed = {action: (says, ref, set(re.findall(r"`(\w+)`", facts))) for action, says, ref, facts in rows}
    assert listed == {
        action.value: (deed.says[0].lower() + deed.says[1:], deed.ref, set(deed.facts))
        for action, deed in DEEDS.items()
    }


def test_every_picture_is_there_and_has_a_text():
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", README)
    assert pictures
    for text, path in pictures:
        assert text, path
        assert (Path(ROOT) / path).is_file(), path
