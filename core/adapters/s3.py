"""
Objects in a bucket: Cloudflare R2 first, any S3 server.

What it guards against:
* A 404 that proves nothing. HEAD has no body, so it cannot tell a missing object from a missing bucket or a gateway
  that knows neither. Presence is asked with a GET of one byte, whose 404 names its reason.
* Bytes that a DELETE leaves behind: older versions under a delete marker, unfinished multipart uploads.
* A refusal inside a 200: a batch delete answers for each key, and so do we.
* Requests that R2 does not take: checksum trailers, tags, ACLs, encryption headers, `Expect: 100-continue`.
* A lock. A bucket lock over faces breaks every clock, so it is told apart from a vault that is only away.

What a server cannot do (R2 keeps no versions) it says with "not implemented"; that is remembered until an answer
shows otherwise. Whatever else goes wrong proves nothing. No message holds a key, a bucket or an address.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import islice
from typing import Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import add_expect_header
from botocore.parsers import ResponseParserError

from core.errors import ObjectLocked, ObjectMissing, StorageUnavailable
from core.language import _
from core.ports import LifecycleRule, Presence, StoredObject

BATCH = 1000
"""The most keys that one batch delete may name."""

_LOCKED = frozenset({"ObjectLockedByBucketPolicy", "ObjectLocked"})
_CANNOT = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
_ALREADY_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchUpload"})
_NEXT_PAGE = {
    "list_objects_v2": {"ContinuationToken": "NextContinuationToken"},
    "list_object_versions": {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"},
    "list_multipart_uploads": {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"},
}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a server, and how often to ask. All of it ends well before a write is called settled."""

    connect: float = 3.0
    read: float = 15.0
    attempts: int = 5  # R2 takes one write per second and key: the waits between five attempts outlast that


def s3_client(
    endpoint: str,
    access_key_id: str,
    secret_access_key: str,
    region: str = "auto",
    *,
    connections: int = 16,
    patience: Patience | None = None,
    ca_bundle: str | None = None,
) -> Any:
    """A client that asks nothing of a server which R2 would refuse."""
    patience = patience or Patience()
    client = _session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        region_name=region,
        verify=ca_bundle,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",  # otherwise puts over https carry a trailer that R2 refuses
            response_checksum_validation="when_required",
            connect_timeout=patience.connect,
            read_timeout=patience.read,
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
            max_pool_connections=connections,
            tcp_keepalive=True,
            user_agent="WorkShot",  # says nothing of this machine; boto3's own is worked out anew for each request
        ),
    )
    # Where nobody answers 100-continue, botocore waits a second before it sends the body of every put.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client


@cache
def _session() -> boto3.session.Session:
    """One, because each reads from disk all that there is to know about S3."""
    return boto3.session.Session()


class S3Store:
    """An ObjectStore in one bucket, through a ready client."""

    place = "vault"
    takes_many = True

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._keeps_versions: bool | None = None  # None: not asked yet
        self._lists_versions = True
        self._lists_uploads = True
        self._erases_batches = True

    def put(self, key: str, data: bytes) -> None:
        with _our_errors():
            self._notice(
                self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType="application/octet-stream")
            )

    def get(self, key: str) -> bytes:
        with _our_errors(missing=ObjectMissing("This image is not in the vault.")):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with closing(answer["Body"]) as body:
                data: bytes = body.read()
            if answer.get("ContentLength") != len(data) and "transfer-encoding" not in _headers(answer):
                raise StorageUnavailable("The vault's answer was cut short.")  # within its headers, which looks empty
            return data

    def erase(self, key: str) -> None:
        with _our_errors():
            self._delete(key)
            self._erase_older(key)
            self._abort_uploads({key}, Prefix=key)

    def erase_many(self, keys: Iterable[str]) -> dict[str, StorageUnavailable]:
        failed: dict[str, StorageUnavailable] = {}
        left = iter(keys)
        while batch := list(islice(left, BATCH)):
            failed |= self._erase_batch(batch) if self._erases_batches else self._erase_each(batch)
        return failed

    def head(self, key: str) -> Presence:
        """A GET, see above. One request: its 404 and a listing are what a copy's end rests on."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, Range="bytes=0-0")
            with closing(answer["Body"]) as body:
                body.read(2)
        except ClientError as exc:
            return _told_by(exc)
        except Exception:  # whatever it was, it proves nothing
            return Presence.UNKNOWN
        return Presence.PRESENT

    def listed(self, key: str) -> Presence:
        try:
            current = [each["Key"] for each in self._listing("list_objects_v2", "Contents", Prefix=key)]
            found = key in current or bool(self._versions_of(key))
        except Exception:  # whatever it was, it proves nothing
            return Presence.UNKNOWN
        return Presence.PRESENT if found else Presence.ABSENT

    def inventory(self) -> Iterator[StoredObject]:
        with _our_errors():
            for each in self._listing("list_objects_v2", "Contents"):
                yield _stored(each["Key"], each["Size"], each["LastModified"])
            for each in self._versions():  # also where nobody said that there are any
                self._notice(each)
                if not each.get("IsLatest") or "Size" not in each:
                    yield _stored(each["Key"], each.get("Size", 0), each["LastModified"], whole=False)
            for each in self._uploads():
                yield _stored(each["Key"], 0, each["Initiated"], whole=False)

    def lifecycle_rules(self) -> list[LifecycleRule] | None:
        with _our_errors():
            try:
                answer = self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket)
            except ClientError as exc:
                if _code(exc) == "NoSuchLifecycleConfiguration":
                    return []
                raise
        return [_rule(each) for each in answer.get("Rules", ())]

    # ------------------------------------------------------------------------------------------------ erasing
    def _delete(self, key: str, **version: str) -> None:
        try:
            self._notice(self._client.delete_object(Bucket=self._bucket, Key=key, **version))
        except ClientError as exc:
            if _code(exc) not in _ALREADY_GONE:
                raise

    def _erase_older(self, key: str) -> None:
        """In a bucket that keeps versions, a delete has only laid a marker over them."""
        if not self._has_versions():
            return
        versions = self._versions_of(key)
        if not self._lists_versions:
            raise StorageUnavailable("The vault keeps old versions and does not list them. Switch versioning off.")
        for version in versions:
            self._delete(key, VersionId=version)

    def _abort_uploads(self, keys: set[str], **where: str) -> None:
        for upload in list(self._uploads(**where)):
            if upload["Key"] in keys:
                self._abort(upload["Key"], upload["UploadId"])

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as exc:
            if _code(exc) not in _ALREADY_GONE:
                raise

    def _erase_batch(self, keys: Sequence[str]) -> dict[str, StorageUnavailable]:
        try:
            with _our_errors():
                answer = self._delete_at_once(keys)
                if answer is None:
                    return self._erase_each(keys)
                self._abort_uploads(set(keys))
        except StorageUnavailable as exc:
            return dict.fromkeys(keys, exc)
        failed = _failures(answer, keys)
        if self._has_versions():
            failed |= self._erase_each([key for key in keys if key not in failed])
        return failed

    def _delete_at_once(self, keys: Sequence[str]) -> Any | None:
        """None: this server takes no batches, or not from us. R2 says 401 to a checksum that it does not know."""
        try:
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": False}
            )
        except ClientError as exc:
            if _status(exc) in (404, 429) or (_status(exc) >= 500 and _code(exc) not in _CANNOT):
                raise
            self._delete(keys[0])  # refused like the batch: then it is not the batch that is refused
            self._erases_batches = False
            return None
        for each in answer.get("Deleted", ()):
            self._notice(each)
        return answer

    def _erase_each(self, keys: Iterable[str]) -> dict[str, StorageUnavailable]:
        failed = {}
        for key in keys:
            try:
                self.erase(key)
            except StorageUnavailable as exc:
                failed[key] = exc
        return failed

    # ------------------------------------------------------------------------------------------------ listing
    def _listing(self, operation: str, *kinds: str, **where: str) -> Iterator[Any]:
        """Everything that a listing shows, page by page. A listing that breaks off raises: it must not look short."""
        ask, page_after = getattr(self._client, operation), _NEXT_PAGE[operation]
        marker: dict[str, str] = {}
        while True:
            page = ask(Bucket=self._bucket, **where, **marker)
            named = page.get("Name") or page.get("Bucket")
            if named != self._bucket and (named or "IsTruncated" not in page):
                raise StorageUnavailable("The vault's answer is no listing.")
            for kind in kinds:
                yield from page.get(kind, ())
            if not page.get("IsTruncated"):
                return
            after = {name: page[told] for name, told in page_after.items() if page.get(told)}
            if not after or after == marker:
                raise StorageUnavailable("The vault's listing breaks off.")
            marker = after

    def _versions(self, **where: str) -> Iterator[Any]:
        """Versions and delete markers; nothing where the server knows of none."""
        if not self._lists_versions:
            return
        try:
            yield from self._listing("list_object_versions", "Versions", "DeleteMarkers", **where)
        except ClientError as exc:
            if _code(exc) not in _CANNOT:
                raise
            self._lists_versions = False

    def _versions_of(self, key: str) -> list[str]:
        found = [each for each in self._versions(Prefix=key) if each["Key"] == key]
        for each in found:
            self._notice(each)
        return [each["VersionId"] for each in found]

    def _uploads(self, **where: str) -> Iterator[Any]:
        if not self._lists_uploads:
            return
        try:
            yield from self._listing("list_multipart_uploads", "Uploads", **where)
        except ClientError as exc:
            if _code(exc) not in _CANNOT:
                raise
            self._lists_uploads = False

    # ----------------------------------------------------------------------------------------------- versions
    def _has_versions(self) -> bool:
        """Asked once. "None" is believed only until an answer shows a version: some servers have canned replies."""
        if self._keeps_versions is None:
            try:
                answer = self._client.get_bucket_versioning(Bucket=self._bucket)
                self._keeps_versions = bool(answer.get("Status"))
            except ClientError as exc:
                if _status(exc) >= 500 and _code(exc) not in _CANNOT:
                    raise
                self._keeps_versions = False  # no answer for us: puts, deletes and listings will tell
        return self._keeps_versions

    def _notice(self, answer: Any) -> None:
        if answer.get("DeleteMarker") or answer.get("VersionId", "null") != "null":
            self._keeps_versions = self._lists_versions = True


def _stored(key: str, size: int, modified_at: Any, *, whole: bool = True) -> StoredObject:
    return StoredObject(key=key, size=size, modified_at=modified_at.astimezone(UTC), whole=whole)


def _rule(told: Any) -> LifecycleRule:
    """Old servers put the prefix beside the filter, and `And` holds what narrows it further."""
    only = told.get("Filter") or {}
    both = only.get("And") or {}
    narrowing = {"Tag", "Tags", "ObjectSizeGreaterThan", "ObjectSizeLessThan"} & (set(only) | set(both))
    return LifecycleRule(
        name=told.get("ID", ""),
        enabled=told.get("Status") == "Enabled",
        prefix=both.get("Prefix") or only.get("Prefix") or told.get("Prefix") or "",
        days=(told.get("Expiration") or {}).get("Days"),
        narrowed=bool(narrowing),
    )


def _failures(answer: Any, keys: Sequence[str]) -> dict[str, StorageUnavailable]:
    """Refusals inside a 200, and keys about which it says nothing."""
    failed = {
        each.get("Key", ""): _refusal(each.get("Code", ""), each.get("Message", ""))
        for each in answer.get("Errors", ())
        if each.get("Code") not in _ALREADY_GONE
    }
    told = {each.get("Key") for kind in ("Deleted", "Errors") for each in answer.get(kind, ())}
    silent = StorageUnavailable("The vault did not say whether this image was erased.")
    return {key: failed.get(key, silent) for key in keys if key in failed or key not in told}


def _told_by(exc: ClientError) -> Presence:
    if _status(exc) == 416:
        return Presence.PRESENT  # there, and empty: it has no first byte
    hidden = _headers(exc.response).get("x-amz-delete-marker") == "true"  # versions may lie under the marker
    missing = _status(exc) == 404 and _code(exc) == "NoSuchKey" and not hidden
    return Presence.ABSENT if missing else Presence.UNKNOWN


@contextmanager
def _our_errors(*, missing: ObjectMissing | None = None) -> Iterator[None]:
    """Without the cause: a client's errors name the address, and with it the key."""
    try:
        yield
    except ClientError as exc:
        if missing and _status(exc) == 404 and _code(exc) == "NoSuchKey":
            raise missing from None
        raise _refusal(_code(exc), str(exc.response.get("Error", {}).get("Message", "")), _status(exc)) from None
    except (BotoCoreError, ResponseParserError, OSError):
        raise StorageUnavailable(_("The vault cannot be reached just now.")) from None


def _refusal(code: str, message: str, status: int = 0) -> StorageUnavailable:
    if code in _LOCKED or "object lock" in message.lower():
        return ObjectLocked(_("A lock on the vault keeps this image. Take the lock off, then it is erased."))
    if code == "NoSuchBucket":
        return StorageUnavailable(_("The vault's bucket is not there. Check S3_BUCKET and S3_ENDPOINT_URL."))
    if status in (401, 403) or code in ("Unauthorized", "AccessDenied"):
        says = _("The vault refuses us. Check the S3 keys, and that they may read, write and list.")
        return StorageUnavailable(says)
    return StorageUnavailable(_("The vault cannot be reached just now."))


def _code(exc: ClientError) -> str:
    return str(exc.response.get("Error", {}).get("Code", ""))


def _headers(answer: Any) -> dict[str, str]:
    return dict(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def _status(exc: ClientError) -> int:
    return int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
