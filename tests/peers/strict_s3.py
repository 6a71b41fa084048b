"""
A stand-in that behaves as R2 does where no other server to be had does, and that lies on demand.

As R2: a wrong key is 401, checksums and aws-chunked bodies on a put are 401 too, tags, ACLs and encryption headers are
501, a bucket lock is 403, a second write to one key within a second is 429, nobody answers `Expect: 100-continue`.
On demand: versions, refusals inside a 200, a listing that lags, erases that erase nothing, batches refused.
Signatures are not verified: the simulator does that.
"""

import hashlib
import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

NOT_ON_A_PUT = ("x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-trailer")
NOT_THERE = (
    "x-amz-tagging",
    "x-amz-acl",
    "x-amz-grant-",
    "x-amz-server-side-encryption",
    "x-amz-object-lock-",
    "x-amz-expected-bucket-owner",
    "x-amz-request-payer",
)
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


@dataclass
class Version:
    id: str
    data: bytes | None  # None: a delete marker
    at: datetime


@dataclass
class Bucket:
    """What is kept, the newest version last, and how this server behaves."""

    versions: dict[str, list[Version]] = field(default_factory=lambda: defaultdict(list))
    uploads: dict[str, str] = field(default_factory=dict)  # id → key
    ever: set[str] = field(default_factory=set)
    put_at: dict[str, float] = field(default_factory=dict)

    keeps_versions: bool = False
    hides_versions: bool = False  # keeps them, says nothing about it in its answers
    locked: set[str] = field(default_factory=set)
    one_write_per_second: bool = False
    erases_nothing: bool = False
    listing_lags: bool = False
    objects_refused: bool = False  # 403 on every read of an object
    listings_refused: bool = False
    batches_refused: tuple[int, str] | None = None
    refused_in_batches: dict[str, str] = field(default_factory=dict)  # key → code
    silent_in_batches: set[str] = field(default_factory=set)
    page: int = 1000
    listings_never_end: bool = False
    answer_to_lists: bytes | None = None

    def current(self, key: str) -> Version | None:
        found = self.versions.get(key)
        return found[-1] if found and found[-1].data is not None else None


class StrictS3:
    """`with StrictS3("app") as server: server.bucket.locked.add(key)`."""

    def __init__(self, bucket: str, *, access_key_id: str) -> None:
        self.name, self.access_key_id = bucket, access_key_id
        self.bucket = Bucket()
        self.seen: list[str] = []  # operations, in order
        self.headers: list[dict[str, str]] = []  # of every request
        self.turn = threading.Lock()

    def __enter__(self) -> Self:
        owner = self

        class Handler(_Handler):
            server_of = owner

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.endpoint = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Refused(Exception):
    def __init__(self, status: int, code: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.headers = status, code, headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: StrictS3

    def handle_expect_100(self) -> bool:
        return True  # and says nothing

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_PUT = do_DELETE = do_HEAD = do_POST = do_GET  # noqa: N815

    def _serve(self) -> None:
        url = urlsplit(self.path)
        self.asked = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server_of.headers.append({name.lower(): value for name, value in self.headers.items()})
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        try:
            self._check(bucket)
            with self.server_of.turn:
                status, headers, body = self._operation(key)(key)
        except _Refused as no:
            status, headers = no.status, {name.replace("_", "-"): value for name, value in no.headers.items()}
            message = "Nothing that a person should read."
            body = f"<?xml version='1.0'?><Error><Code>{no.code}</Code><Message>{message}</Message></Error>".encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)

    def _check(self, bucket: str) -> None:
        if "transfer-encoding" in self.headers:
            self.close_connection = True  # a chunked body, which was not read
            raise _Refused(401, "Unauthorized")
        signed_by = re.search(r"Credential=([^/]+)/\d{8}/auto/s3/aws4_request", self.headers.get("authorization", ""))
        if not signed_by or signed_by[1] != self.server_of.access_key_id:
            raise _Refused(401, "Unauthorized")
        names = [name.lower() for name in self.headers]
        if any(name.startswith(NOT_THERE) for name in names):
            raise _Refused(501, "NotImplemented")
        if self.command == "PUT" and any(name.startswith(NOT_ON_A_PUT) for name in names):
            raise _Refused(401, "Unauthorized")
        if self.headers.get("x-amz-content-sha256") != hashlib.sha256(self.body).hexdigest():
            raise _Refused(400, "XAmzContentSHA256Mismatch")
        if bucket != self.server_of.name:
            raise _Refused(404, "NoSuchBucket")

    def _operation(self, key: str):
        kept = self.server_of.bucket
        if key:
            options = {
                ("PUT", "uploadId"): "upload_part",
                ("POST", "uploads"): "create_upload",
                ("DELETE", "uploadId"): "abort_upload",
            }
            plain = {"PUT": "put", "GET": "get", "HEAD": "get", "DELETE": "delete"}
        else:
            options = {("GET", "list-type"): "list", ("GET", "uploads"): "list_uploads", ("POST", "delete"): "batch"}
            options |= {("GET", "versions"): "list_versions", ("GET", "versioning"): "versioning"}
            plain = {}
        name = next((told for (how, what), told in options.items() if how == self.command and what in self.asked), None)
        name = name or (plain.get(self.command) if not set(self.asked) & {"tagging", "acl", "retention"} else None)
        self.server_of.seen.append(name or f"{self.command} {sorted(self.asked)}")
        if not name or (name == "list_versions" and not kept.keeps_versions):
            raise _Refused(501, "NotImplemented")
        return getattr(self, f"_{name}")

    # ------------------------------------------------------------------------------------------------ objects
    def _put(self, key: str):
        kept, now = self.server_of.bucket, time.monotonic()
        if key in kept.locked:
            raise _Refused(403, "ObjectLockedByBucketPolicy")
        if kept.one_write_per_second and now - kept.put_at.get(key, -9.0) < 1:
            raise _Refused(429, "TooManyRequests")
        kept.put_at[key] = now
        kept.ever.add(key)
        self._add(key, self.body)
        return 200, {"ETag": f'"{hashlib.md5(self.body).hexdigest()}"'} | self._version_header(key), b""

    def _get(self, key: str):
        kept = self.server_of.bucket
        if kept.objects_refused:
            raise _Refused(403, "AccessDenied")
        found = kept.current(key)
        if found is None:
            hidden = {"x_amz_delete_marker": "true"} if kept.versions.get(key) and not kept.hides_versions else {}
            raise _Refused(404, "NoSuchKey", **hidden)
        data = found.data or b""
        first = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if first is None:
            return 200, {}, data
        if int(first[1]) >= len(data):
            raise _Refused(416, "InvalidRange")
        return 206, {}, data[int(first[1]) : int(first[2]) + 1]

    def _delete(self, key: str):
        if key in self.server_of.bucket.locked:
            raise _Refused(403, "ObjectLockedByBucketPolicy")
        self._remove(key, self.asked.get("versionId"))
        return 204, self._version_header(key), b""

    def _batch(self, _: str):
        kept = self.server_of.bucket
        if kept.batches_refused:
            raise _Refused(*kept.batches_refused)
        keys = [each.text or "" for each in ElementTree.fromstring(self.body).iter() if each.tag.endswith("Key")]
        if len(keys) > 1000:
            raise _Refused(400, "MalformedXML")
        answers = []
        for key in keys:
            if code := "ObjectLockedByBucketPolicy" if key in kept.locked else kept.refused_in_batches.get(key):
                answers.append(f"<Error><Key>{key}</Key><Code>{code}</Code><Message>no</Message></Error>")
            elif key not in kept.silent_in_batches:
                self._remove(key, None)
                marker = "<DeleteMarker>true</DeleteMarker>" if self._version_header(key) else ""
                answers.append(f"<Deleted><Key>{key}</Key>{marker}</Deleted>")
        return 200, {}, f"<DeleteResult {NS}>{''.join(answers)}</DeleteResult>".encode()

    def _add(self, key: str, data: bytes | None) -> None:
        kept = self.server_of.bucket
        if not kept.keeps_versions:
            kept.versions[key].clear()
        name = hashlib.sha256(f"{key}{len(kept.versions[key])}{time.monotonic_ns()}".encode()).hexdigest()[:32]
        kept.versions[key].append(Version(name, data, datetime.now(UTC)))

    def _remove(self, key: str, version: str | None) -> None:
        kept = self.server_of.bucket
        if kept.erases_nothing:
            return
        if version:
            kept.versions[key] = [each for each in kept.versions[key] if each.id != version]
        elif kept.keeps_versions:
            self._add(key, None)
        else:
            kept.versions.pop(key, None)
        if not kept.versions.get(key):
            kept.versions.pop(key, None)

    def _version_header(self, key: str) -> dict[str, str]:
        kept = self.server_of.bucket
        if not kept.keeps_versions or kept.hides_versions or not kept.versions.get(key):
            return {}
        newest = kept.versions[key][-1]
        return {"x-amz-version-id": newest.id} | ({"x-amz-delete-marker": "true"} if newest.data is None else {})

    # ------------------------------------------------------------------------------------------------ uploads
    def _create_upload(self, key: str):
        name = f"upload-{time.monotonic_ns()}"
        self.server_of.bucket.uploads[name] = key
        body = f"<InitiateMultipartUploadResult {NS}><Key>{key}</Key><UploadId>{name}</UploadId>"
        return 200, {}, f"{body}</InitiateMultipartUploadResult>".encode()

    def _upload_part(self, key: str):
        return 200, {"ETag": '"part"'}, b""

    def _abort_upload(self, key: str):
        if self.server_of.bucket.uploads.pop(self.asked["uploadId"], None) is None:
            raise _Refused(404, "NoSuchUpload")
        return 204, {}, b""

    # ----------------------------------------------------------------------------------------------- listings
    def _list(self, _: str):
        kept = self.server_of.bucket
        if kept.listings_refused:
            raise _Refused(403, "AccessDenied")
        if kept.answer_to_lists is not None:
            return 200, {}, kept.answer_to_lists
        shown = kept.ever if kept.listing_lags else [key for key in kept.versions if kept.current(key)]
        keys = sorted(key for key in shown if key.startswith(self.asked.get("prefix", "")))
        start = int(self.asked.get("continuation-token", "0"))
        page = keys[start : start + kept.page]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{_when(kept, key)}</LastModified>"
            f"<Size>{len((kept.current(key) or Version('', b'', NEVER)).data or b'')}</Size></Contents>"
            for key in page
        )
        more = start + kept.page < len(keys) or kept.listings_never_end
        token = "" if not more or kept.listings_never_end else str(start + kept.page)
        after = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
        return self._listing("ListBucketResult", f"<IsTruncated>{str(more).lower()}</IsTruncated>{after}{entries}")

    def _list_versions(self, _: str):
        entries = ""
        for key, versions in self.server_of.bucket.versions.items():
            for each in reversed(versions) if key.startswith(self.asked.get("prefix", "")) else ():
                kind = "DeleteMarker" if each.data is None else "Version"
                size = "" if each.data is None else f"<Size>{len(each.data)}</Size>"
                latest = str(each is versions[-1]).lower()
                entries += f"<{kind}><Key>{key}</Key><VersionId>{each.id}</VersionId><IsLatest>{latest}</IsLatest>"
                entries += f"<LastModified>{each.at:%Y-%m-%dT%H:%M:%SZ}</LastModified>{size}</{kind}>"
        return self._listing("ListVersionsResult", f"<IsTruncated>false</IsTruncated>{entries}")

    def _list_uploads(self, _: str):
        entries = "".join(
            f"<Upload><Key>{key}</Key><UploadId>{name}</UploadId><Initiated>2026-01-01T00:00:00Z</Initiated></Upload>"
            for name, key in self.server_of.bucket.uploads.items()
        )
        body = f"<Bucket>{self.server_of.name}</Bucket><IsTruncated>false</IsTruncated>{entries}"
        return 200, {}, f"<ListMultipartUploadsResult {NS}>{body}</ListMultipartUploadsResult>".encode()

    def _versioning(self, _: str):
        told = self.server_of.bucket.keeps_versions and not self.server_of.bucket.hides_versions
        status = "<Status>Enabled</Status>" if told else ""
        return 200, {}, f"<VersioningConfiguration {NS}>{status}</VersioningConfiguration>".encode()

    def _listing(self, kind: str, inside: str):
        return 200, {}, f"<{kind} {NS}><Name>{self.server_of.name}</Name>{inside}</{kind}>".encode()


NEVER = datetime(2026, 1, 1, tzinfo=UTC)


def _when(kept: Bucket, key: str) -> str:
    return f"{(kept.current(key) or Version('', b'', NEVER)).at:%Y-%m-%dT%H:%M:%SZ}"
