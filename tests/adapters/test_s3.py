"""S3 where it is not kind: what R2 refuses, what a delete leaves, what a 200 hides, networks that fail, and liars."""

from datetime import timedelta

import boto3.session
import pytest
from botocore.exceptions import ClientError

from core import copies, retention
from core.adapters.s3 import BATCH, Patience, S3Store, s3_client
from core.errors import ObjectLocked, ObjectMissing, StorageUnavailable
from core.models import Copy, CopyKind, Subject, new_id
from core.ports import Presence
from core.retention import WRITE_SETTLES, Outcome
from core.vault import Vault, new_object_key
from tests.peers.faultproxy import Fault, FaultProxy
from tests.peers.s3_servers import ACCESS, BUCKET, IMPATIENT
from tests.peers.strict_s3 import NEVER, StrictS3, Version

ONCE = Patience(connect=5, read=10, attempts=1)
HASTY = Patience(connect=0.3, read=0.3, attempts=1)
PRESENT, ABSENT, UNKNOWN = ((each, each) for each in (Presence.PRESENT, Presence.ABSENT, Presence.UNKNOWN))


@pytest.fixture
def server():
    with StrictS3(BUCKET, access_key_id=ACCESS[0]) as running:
        yield running


@pytest.fixture
def bucket(server):
    """What the server keeps, and the switches by which it misbehaves."""
    return server.bucket


def connected(port, *, bucket=BUCKET, access=ACCESS, patience=IMPATIENT):
    return S3Store(s3_client(f"http://127.0.0.1:{port}", *access, patience=patience), bucket)


@pytest.fixture
def s3(server):
    return connected(server.port)


@pytest.fixture
def key(s3):
    """Of an object that is there."""
    key = new_object_key()
    s3.put(key, b"a face")
    return key


def presence(store, key):
    return store.head(key), store.listed(key)


# ------------------------------------------------------------------------------------------ what R2 does not take
@pytest.mark.parametrize("kind", ["strict stand-in", "R2 simulator over TLS"])
def test_a_default_client_is_refused_where_ours_is_not(s3_servers, kind, tmp_path):
    ours = s3_servers.store(kind)
    ours.put(new_object_key(), b"x")
    theirs = boto3.session.Session().client(
        "s3",
        endpoint_url=s3_servers.endpoint(kind),
        region_name="auto",
        aws_access_key_id=ACCESS[0],
        aws_secret_access_key=ACCESS[1],
        verify=s3_servers.ca_bundle(kind),
    )
    theirs.meta.events.register("needs-retry.s3", lambda **_: None)

    with pytest.raises(ClientError):
        theirs.put_object(Bucket=BUCKET, Key=new_object_key(), Body=b"x")


def test_no_put_waits_for_a_100_that_never_comes(server, s3):
    s3.put(new_object_key(), b"x" * 100_000)

    assert server.headers[-1].get("expect") is None
    assert not [name for name in server.headers[-1] if "checksum" in name or "trailer" in name]


def test_a_second_write_to_a_key_within_a_second_is_repeated_until_it_is_taken(server, bucket):
    bucket.one_write_per_second = True
    s3, key = connected(server.port, patience=Patience(connect=2, read=10)), new_object_key()
    s3.put(key, b"first")
    s3.put(key, b"second")

    assert s3.get(key) == b"second"


def test_a_key_that_is_written_too_often_for_too_long_is_no_lock(server, bucket):
    bucket.one_write_per_second = True
    s3, key = connected(server.port, patience=ONCE), new_object_key()
    s3.put(key, b"one")

    with pytest.raises(StorageUnavailable) as caught:
        s3.put(key, b"two")
    assert not isinstance(caught.value, ObjectLocked)


# -------------------------------------------------------------------------------------------------- a 404 that proves
def test_a_bucket_that_is_not_there_proves_nothing(server, key):
    elsewhere = connected(server.port, bucket="elsewhere")

    assert presence(elsewhere, key) == UNKNOWN
    with pytest.raises(StorageUnavailable, match="S3_BUCKET"):
        elsewhere.get(key)
    with pytest.raises(StorageUnavailable, match="S3_BUCKET"):
        elsewhere.erase(key)
    assert set(elsewhere.erase_many([key])) == {key}


@pytest.mark.parametrize("kind", ["moto", "R2 simulator", "SeaweedFS"])
def test_a_bucket_that_is_not_there_proves_nothing_anywhere(s3_servers, kind):
    elsewhere = S3Store(s3_servers.client(kind), "elsewhere")

    assert presence(elsewhere, new_object_key()) == UNKNOWN
    with pytest.raises(StorageUnavailable):
        elsewhere.get(new_object_key())


@pytest.mark.parametrize("kind", ["R2 simulator", "SeaweedFS", "strict stand-in"])
@pytest.mark.parametrize("access", [("wrong", ACCESS[1]), (ACCESS[0], "wrong")], ids=["key", "secret"])
def test_a_wrong_key_proves_nothing(s3_servers, kind, access):
    if kind == "strict stand-in" and access[0] == ACCESS[0]:
        access = ("", "wrong")  # it verifies no signatures
    stranger = S3Store(s3_client(s3_servers.endpoint(kind), access[0] or "none", access[1], patience=IMPATIENT), BUCKET)

    assert presence(stranger, new_object_key()) == UNKNOWN
    with pytest.raises(StorageUnavailable, match="S3 keys"):
        stranger.get(new_object_key())


def test_refused_reads_prove_nothing(s3, bucket, key):
    bucket.objects_refused = bucket.listings_refused = True

    assert presence(s3, key) == presence(s3, new_object_key()) == UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>Sign in to this network</html>", b"<ListBucketResult><Name>another</Name></ListBucketResult>"],
)
def test_a_200_that_is_no_listing_proves_nothing(s3, bucket, key, answer):
    bucket.answer_to_lists = answer

    assert s3.listed(key) is Presence.UNKNOWN
    with pytest.raises(StorageUnavailable):
        list(s3.inventory())


def test_a_listing_that_has_more_and_does_not_say_where_proves_nothing(s3, bucket, key):
    bucket.listings_never_end = True

    assert s3.listed(new_object_key()) is Presence.UNKNOWN
    with pytest.raises(StorageUnavailable):
        list(s3.inventory())


def test_a_listing_of_many_pages_is_read_to_its_end(s3, bucket):
    bucket.page = 2
    keys = {new_object_key() for _ in range(5)}
    for each in keys:
        s3.put(each, b"x")

    assert {each.key for each in s3.inventory()} == keys


def test_a_key_that_only_begins_like_it_is_another(s3, key):
    s3.erase(key)
    s3.put(f"{key}.part", b"x")

    assert presence(s3, key) == ABSENT
    s3.erase(key)
    assert presence(s3, f"{key}.part") == PRESENT


# ---------------------------------------------------------------------------------------- what a delete leaves behind
@pytest.mark.parametrize("hides", [False, True], ids=["said", "not said"])
def test_under_a_delete_marker_an_object_is_not_absent(s3, bucket, key, hides):
    bucket.keeps_versions, bucket.hides_versions = True, hides
    s3.put(key, b"again")
    s3._client.delete_object(Bucket=BUCKET, Key=key)

    assert s3.listed(key) is Presence.PRESENT
    assert s3.head(key) is (Presence.ABSENT if hides else Presence.UNKNOWN)


@pytest.mark.parametrize("hides", [False, True], ids=["said", "not said"])
def test_the_inventory_shows_what_lies_under_a_delete_marker(s3, bucket, key, hides):
    bucket.keeps_versions, bucket.hides_versions = True, hides
    s3._client.delete_object(Bucket=BUCKET, Key=key)

    assert {(each.key, each.whole) for each in s3.inventory()} == {(key, False)}


@pytest.mark.parametrize("how", ["erase", "erase_many"])
@pytest.mark.parametrize("hides", [False, True], ids=["said", "not said"])
def test_every_version_and_marker_goes(s3, bucket, key, how, hides):
    bucket.keeps_versions, bucket.hides_versions = True, hides
    other = new_object_key()
    for each in (key, key, other):
        s3.put(each, b"x")
    erase = s3.erase if how == "erase" else lambda key: s3.erase_many([key])
    erase(key)
    if hides:  # the bucket did not say so until it was asked for proof; then it is erased again
        assert s3.listed(key) is Presence.PRESENT
        erase(key)

    assert presence(s3, key) == ABSENT
    assert set(bucket.versions) == {other}


def test_versions_of_a_key_that_only_begins_like_it_stay(s3, bucket, key):
    bucket.keeps_versions = True
    for each in (key, f"{key}.part"):
        s3.put(each, b"x")
    s3.erase(key)

    assert set(bucket.versions) == {f"{key}.part"}


def test_a_real_versioned_bucket_is_emptied_of_a_key(s3_servers):
    client = s3_servers.client("moto")
    client.create_bucket(Bucket="versioned", CreateBucketConfiguration={"LocationConstraint": "auto"})
    client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3, keys = S3Store(client, "versioned"), [new_object_key() for _ in range(3)]
    for each in keys * 2:
        s3.put(each, b"x")
    client.delete_object(Bucket="versioned", Key=keys[0])
    assert s3.listed(keys[0]) is Presence.PRESENT
    left_overs = [each for each in s3.inventory() if not each.whole]
    assert len(left_overs) == 5, "a marker, two versions under it, and one older version of each other key"

    s3.erase(keys[0])
    assert s3.erase_many(keys[1:]) == {}
    assert [presence(s3, each) for each in keys] == [ABSENT] * 3
    assert list(s3.inventory()) == []


@pytest.mark.parametrize("kind", ["moto", "SeaweedFS", "strict stand-in"])
@pytest.mark.parametrize("how", ["erase", "erase_many"])
def test_unfinished_uploads_of_exactly_that_key_go(s3_servers, kind, how):
    s3, client, key = s3_servers.store(kind), s3_servers.client(kind), new_object_key()
    for each in (key, key, f"{key}0"):
        client.create_multipart_upload(Bucket=BUCKET, Key=each)
    assert [each.whole for each in s3.inventory() if each.key == key] == [False, False]
    getattr(s3, how)(key if how == "erase" else [key])

    assert [each["Key"] for each in s3._uploads() if each["Key"].startswith(key)] == [f"{key}0"]


# --------------------------------------------------------------------------------------------------------- locks
def test_a_lock_is_told_apart_from_a_vault_that_is_away(s3, bucket, key):
    bucket.locked.add(key)

    for call in (s3.erase, lambda key: s3.put(key, b"y")):
        with pytest.raises(ObjectLocked, match="lock"):
            call(key)
    assert isinstance(s3.erase_many([key])[key], ObjectLocked)
    assert presence(s3, key) == PRESENT


# -------------------------------------------------------------------------------------------------------- batches
def test_many_are_erased_in_few_requests(server, s3, bucket):
    keys = [new_object_key() for _ in range(BATCH + 1)]
    for each in keys:
        bucket.versions[each] = [Version("1", b"x", NEVER)]

    assert s3.erase_many(keys) == {}
    assert not bucket.versions
    assert (server.seen.count("batch"), len(server.seen)) == (2, 5), server.seen


def test_refusals_inside_a_200_are_told_key_by_key(s3, bucket):
    keys = [new_object_key() for _ in range(5)]
    for each in keys:
        s3.put(each, b"x")
    fine, locked, denied, silent, missing = keys
    bucket.locked.add(locked)
    bucket.refused_in_batches = {denied: "AccessDenied", missing: "NoSuchKey"}
    bucket.silent_in_batches = {silent}
    failed = s3.erase_many(keys)

    assert set(failed) == {locked, denied, silent}
    assert isinstance(failed[locked], ObjectLocked) and not isinstance(failed[denied], ObjectLocked)
    assert presence(s3, fine) == ABSENT


@pytest.mark.parametrize(
    "refusal",
    [
        (501, "NotImplemented"),
        (400, "MissingContentMD5"),
        (400, "InvalidRequest"),
        (400, "InvalidDigest"),
        (401, "Unauthorized"),
        (403, "AccessDenied"),
        (405, "MethodNotAllowed"),
        (411, "MissingContentLength"),
    ],
)
def test_where_batches_are_refused_keys_go_one_by_one(server, s3, bucket, refusal):
    bucket.batches_refused = refusal
    keys = [new_object_key() for _ in range(3)]
    for each in keys:
        s3.put(each, b"x")

    assert s3.erase_many(keys) == {}
    assert not bucket.versions
    s3.erase_many(keys)
    assert server.seen.count("batch") == 1, "a refused batch is not tried again and again"


@pytest.mark.parametrize("refusal", [(500, "InternalError"), (503, "ServiceUnavailable"), (429, "TooManyRequests")])
def test_a_server_in_trouble_is_not_asked_key_by_key(server, bucket, refusal):
    bucket.batches_refused = refusal
    s3, keys = connected(server.port, patience=ONCE), [new_object_key() for _ in range(3)]

    assert set(s3.erase_many(keys)) == set(keys)
    assert server.seen == ["batch"]
    bucket.batches_refused = None
    assert s3.erase_many(keys) == {}


def test_a_wrong_key_fails_every_key_of_a_batch_and_is_not_asked_for_each(server):
    stranger = connected(server.port, access=("wrong", "wrong"))

    assert len(stranger.erase_many([new_object_key() for _ in range(50)])) == 50
    assert len(server.headers) <= 2


# --------------------------------------------------------------------------------------------- a network that fails
@pytest.fixture
def proxy(server):
    with FaultProxy(server.port) as running:
        yield running


@pytest.fixture
def far(proxy):
    return connected(proxy.port, patience=ONCE)


@pytest.fixture
def under(proxy):
    """The bucket behind this fault, through a client that does not wait where nothing will come."""

    def strike(fault, **how):
        proxy.fault(fault, **how)
        return connected(proxy.port, patience=HASTY if fault is Fault.SWALLOWS else ONCE)

    return strike


FAULTS = [
    {"fault": Fault.REFUSES},
    {"fault": Fault.SWALLOWS},
    {"fault": Fault.LOSES_ANSWERS},
    {"fault": Fault.CUTS_ANSWERS, "cut_after": 10},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["fault"].value)
def test_a_network_that_fails_proves_nothing_and_is_called_unavailable(proxy, far, under, key, fault):
    never_there = new_object_key()
    assert (presence(far, key), presence(far, never_there)) == (PRESENT, ABSENT)
    cut_off = under(**fault)

    assert presence(cut_off, key) == presence(cut_off, never_there) == UNKNOWN
    calls = cut_off.get, cut_off.erase, lambda key: cut_off.put(key, b"y"), lambda key: list(cut_off.inventory())
    for call in calls:
        with pytest.raises(StorageUnavailable):
            call(new_object_key())
    assert set(cut_off.erase_many([never_there])) == {never_there}

    proxy.heal()
    assert (presence(far, key), presence(far, never_there)) == (PRESENT, ABSENT)


@pytest.mark.parametrize("cut_after", [*range(0, 100, 9), *range(100, 400, 30)])
def test_an_answer_cut_anywhere_is_never_absent_and_never_an_image(proxy, far, key, cut_after):
    """Cut within its headers, an answer looks complete and empty to an HTTP client."""
    proxy.fault(Fault.CUTS_ANSWERS, cut_after=cut_after)

    assert Presence.ABSENT not in presence(far, key)
    try:
        assert far.get(key) == b"a face"  # where the cut came after the end
    except StorageUnavailable:
        assert cut_after < 200


def test_a_body_that_is_cut_is_not_an_image(s3, proxy, far):
    key = new_object_key()
    s3.put(key, b"x" * 300_000)
    proxy.fault(Fault.CUTS_ANSWERS, cut_after=100_000)

    with pytest.raises(StorageUnavailable):
        far.get(key)


def test_a_put_whose_answer_was_lost_is_there_and_may_be_repeated(s3, proxy, far):
    key = new_object_key()
    proxy.fault(Fault.LOSES_ANSWERS)
    with pytest.raises(StorageUnavailable):
        far.put(key, b"a face")
    assert s3.get(key) == b"a face"

    proxy.heal()
    far.put(key, b"a face, sealed anew")
    assert s3.get(key) == b"a face, sealed anew"
    assert len([each for each in s3.inventory() if each.key == key]) == 1


def test_one_lost_answer_is_made_good_by_the_client_itself(server, proxy):
    s3, key = connected(proxy.port, patience=Patience(connect=2, read=5, attempts=3)), new_object_key()
    proxy.fault(Fault.LOSES_ANSWERS, times=1)
    s3.put(key, b"a face")

    assert s3.get(key) == b"a face"
    assert server.seen.count("put") == 2


@pytest.mark.parametrize("fault", [Fault.REFUSES, Fault.LOSES_ANSWERS])
def test_an_erase_whose_answer_was_lost_may_be_repeated(s3, proxy, far, key, fault):
    proxy.fault(fault)
    with pytest.raises(StorageUnavailable):
        far.erase(key)
    proxy.heal()
    far.erase(key)

    assert presence(s3, key) == ABSENT


# ---------------------------------------------------------------------------------------------------- nothing said
def test_no_message_names_a_key_a_bucket_or_an_address(server, proxy, under, key):
    said = []
    for fault in FAULTS:
        cut_off = under(**fault)
        for call in (cut_off.get, cut_off.erase):
            with pytest.raises(StorageUnavailable) as caught:
                call(key)
            said.append(caught.value)
    with pytest.raises(ObjectMissing) as missing:
        connected(server.port).get(new_object_key())
    for error in [*said, missing.value]:
        assert error.__suppress_context__, "its cause would be printed with it"
        for word in (key, BUCKET + "/", "127.0.0.1", str(proxy.port), *ACCESS):
            assert word not in str(error)


# ------------------------------------------------------------------------------------------------------------ liars
@pytest.fixture
def erase(svc, s3):
    """Erase a copy that lies in this bucket and is due: what came of it, and what was asked of its key."""
    svc.vault.store = s3
    with svc.transaction() as session:
        subject = Subject(id=new_id(), created_at=svc.clock())
        subject.sealed_key = Vault(s3, b"k" * 32).make_key(subject.id)
        session.add(subject)
        session.flush()
        copy = copies.plan(
            session,
            subject_id=subject.id,
            kind=CopyKind.PORTRAIT,
            width=1,
            height=1,
            size=6,
            at=svc.clock(),
            erase_by=svc.clock() + timedelta(hours=1),
        )

    def erase():
        svc.clock.advance(hours=2)
        return retention.erase(svc, copy.id)

    def stored():
        with svc.reading() as session:
            return session.get_one(Copy, copy.id)

    erase.key, erase.now = copy.object_key, stored
    erase.write = lambda: copies.write(svc, copy.id, b"a face")
    return erase


def test_an_honest_bucket_is_believed(bucket, erase):
    erase.write()

    assert erase() is Outcome.GONE
    assert erase.now().gone_at and not bucket.versions


@pytest.mark.parametrize(
    "lie",
    [
        {"erases_nothing": True},
        {"objects_refused": True},
        {"listings_refused": True},
        {"listing_lags": True},
        {"answer_to_lists": b""},
        {"listings_never_end": True},
    ],
    ids=lambda lie: " ".join(lie),
)
def test_a_bucket_that_lies_is_never_believed_and_once_honest_it_is(bucket, erase, lie):
    erase.write()
    for switch, value in lie.items():
        setattr(bucket, switch, value)
    for _ in range(3):
        assert erase() is Outcome.NOT_PROVED
    assert erase.now().gone_at is None

    for switch in lie:
        setattr(bucket, switch, None if switch == "answer_to_lists" else False)
    assert erase() is Outcome.GONE


def test_a_versioned_bucket_that_erases_nothing_is_not_believed(bucket, erase):
    bucket.keeps_versions = bucket.erases_nothing = True
    erase.write()
    for _ in range(3):
        assert erase() is Outcome.NOT_PROVED

    bucket.erases_nothing = False
    assert erase() is Outcome.GONE


def test_a_version_that_cannot_be_erased_is_not_gone(bucket, erase):
    bucket.keeps_versions = True
    erase.write()
    bucket.locked.add(erase.key)
    assert erase() is Outcome.NOT_PROVED
    assert erase.now().gone_at is None

    bucket.locked.clear()
    assert erase() is Outcome.GONE
    assert not bucket.versions


def test_a_version_that_nobody_mentioned_is_found_by_the_proof(bucket, erase):
    bucket.keeps_versions = bucket.hides_versions = True
    erase.write()

    assert erase() is Outcome.NOT_PROVED
    assert erase() is Outcome.GONE
    assert not bucket.versions


def test_under_a_lock_nothing_is_gone(bucket, erase):
    erase.write()
    bucket.locked.add(erase.key)

    assert erase() is Outcome.NOT_PROVED
    assert erase.now().gone_at is None and erase.key in bucket.versions


def test_in_a_bucket_that_went_away_nothing_is_gone(svc, server, erase):
    erase.write()
    svc.vault.store = connected(server.port, bucket="elsewhere")

    assert erase() is Outcome.NOT_PROVED
    assert erase.now().gone_at is None


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["fault"].value)
def test_behind_a_network_that_fails_nothing_is_gone(svc, proxy, under, far, erase, fault):
    erase.write()
    svc.vault.store = under(**fault)
    assert erase() is Outcome.NOT_PROVED

    proxy.heal()
    svc.vault.store = far
    assert erase() is Outcome.GONE


def test_patience_ends_before_a_write_is_called_settled():
    patience = Patience()
    waits = sum(2**attempt for attempt in range(patience.attempts - 1))
    assert patience.attempts * (patience.connect + patience.read) + waits < WRITE_SETTLES.total_seconds() / 2
