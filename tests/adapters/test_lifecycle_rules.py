"""What a bucket says of its own rules, as a server writes it down; and the mend we print is one that we find right."""

import json
import shlex

import pytest

from core import lifecycle
from core.adapters.s3 import S3Store
from core.errors import StorageUnavailable
from core.ports import LifecycleRule
from core.settings import Settings
from tests.peers.s3_servers import BUCKET

SETTINGS = Settings()


@pytest.fixture
def store(s3_servers):
    yield s3_servers.store("moto")
    s3_servers.client("moto").delete_bucket_lifecycle(Bucket=BUCKET)


def put(s3_servers, *rules):
    configuration = {"Rules": list(rules)}
    s3_servers.client("moto").put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=configuration)


def test_a_bucket_without_rules_has_none(store):
    assert store.lifecycle_rules() == []


def test_the_mend_is_read_back_as_the_rule_that_is_wanted(s3_servers, store):
    days = lifecycle.rule_days(SETTINGS)
    words = shlex.split(lifecycle.mend_rule(SETTINGS, days))
    put(s3_servers, *json.loads(words[words.index("--lifecycle-configuration") + 1])["Rules"])

    rules = store.lifecycle_rules()
    assert rules == [LifecycleRule(name="workshot", enabled=True, prefix="", days=days)]
    assert lifecycle.judge(rules, days, SETTINGS) is None


def test_what_narrows_a_rule_is_seen(s3_servers, store):
    tag = {"Key": "kind", "Value": "face"}
    put(
        s3_servers,
        {"ID": "a", "Status": "Disabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}},
        {"ID": "b", "Status": "Enabled", "Filter": {"And": {"Prefix": "x", "Tags": [tag]}}, "Expiration": {"Days": 4}},
        {"ID": "c", "Status": "Enabled", "Filter": {"Tag": tag}, "Expiration": {"Days": 5}},
        {"ID": "d", "Status": "Enabled", "Prefix": "old/", "Expiration": {"Days": 6}},
    )
    assert sorted(store.lifecycle_rules(), key=lambda rule: rule.name) == [
        LifecycleRule(name="a", enabled=False, prefix="tmp/", days=3),
        LifecycleRule(name="b", enabled=True, prefix="x", days=4, narrowed=True),
        LifecycleRule(name="c", enabled=True, days=5, narrowed=True),
        LifecycleRule(name="d", enabled=True, prefix="old/", days=6),
    ]


def test_a_bucket_that_is_not_there_says_nothing_of_rules(s3_servers):
    with pytest.raises(StorageUnavailable):
        S3Store(s3_servers.client("moto"), "nowhere").lifecycle_rules()
