"""The object store (S3): uploaded files by random key, multipart uploads, ranged reads pinned to one version.

minio-py signs URLs publicly and keeps its multipart calls private; this module is the one place that uses those.
Source: Amazon S3 API, multipart upload and GetObject with Range and If-Match.
"""

import contextlib
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Final
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import Filter
from minio.credentials.providers import IamAwsProvider
from minio.datatypes import Part
from minio.error import InvalidResponseError, MinioException, S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, Rule

from shared.platform.errors import FileFormatError, NotFoundError, TransientError, TripdeckError
from shared.platform.settings import Settings

LOG = logging.getLogger(__name__)

# S3 allows 10,000 parts; 16 MiB parts keep a browser's retry short, and 9,000 leave room for a size misjudged by 10 %.
_MIN_PART_BYTES: Final = 16 * 2**20
_MAX_PARTS: Final = 9_000
_READ_BYTES: Final = 1 * 2**20
_SIGN_EXPIRY: Final = timedelta(hours=1)
# SeaweedFS packs whatever does not say that it is packed, and then takes five times the processor time to give it out
# again (0.8 s for 50 MB); other stores don't look at the type.
CONTENT_TYPE: Final = "application/zstd"
# Uploads whose row was lost, and objects that a worker had not finished when it died. A store counts from the upload's begin, so
# a file may be on its way for so many days.
_PARTS_RULE: Final = "tripdeck-loose-parts"
_PARTS_DAYS: Final = 7
# A stalled store must not hold a worker: connect in 5 s, and 30 s without a byte is a failure.
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=30)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it stands: its key, ETag and size."""

    key: str
    etag: str
    bytes: int


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part of a multipart upload that the store has. stored_at: where the store was asked for it."""

    part_number: int
    bytes: int
    etag: str
    stored_at: datetime | None = None


class ObjectStore:
    """One bucket: the product's, or another one of the same server."""

    def __init__(self, settings: Settings, *, bucket: str | None = None) -> None:
        self.bucket = bucket or settings.s3_bucket
        self._client = _make_client(settings, settings.s3_endpoint)
        self._signer = _make_client(settings, settings.browser_s3_endpoint)

    def ensure_bucket(self) -> None:
        """Make the bucket when it isn't there, and have the store drop parts that nobody joins."""
        with store_errors():
            if not self._client.bucket_exists(bucket_name=self.bucket):
                with contextlib.suppress(S3Error):  # somebody else made it meanwhile
                    self._client.make_bucket(bucket_name=self.bucket)
            self._drop_loose_parts()

    def _drop_loose_parts(self) -> None:
        found = self._client.get_bucket_lifecycle(bucket_name=self.bucket)
        others = [rule for rule in found.rules if rule.rule_id != _PARTS_RULE] if found else []
        abort = AbortIncompleteMultipartUpload(days_after_initiation=_PARTS_DAYS)
        rule = Rule(status="Enabled", rule_id=_PARTS_RULE, rule_filter=Filter(prefix=""), abort_incomplete_multipart_upload=abort)
        try:
            self._client.set_bucket_lifecycle(bucket_name=self.bucket, config=LifecycleConfig([*others, rule]))
        except S3Error as error:
            LOG.warning("the store takes no rule for loose parts", extra={"reason": error.code})

    def check(self) -> None:
        """Raise TransientError when the store or the bucket can't be reached."""
        with store_errors():
            if not self._client.bucket_exists(bucket_name=self.bucket):
                raise TransientError(f"The bucket {self.bucket} is missing.", code="store_unavailable")

    def stat(self, key: str) -> StoredObject:
        """Look an object up. Raises: NotFoundError."""
        with store_errors():
            found = self._client.stat_object(bucket_name=self.bucket, object_name=key)
        return StoredObject(key, (found.etag or "").strip('"'), found.size or 0)

    def put(self, key: str, stream: BinaryIO, *, length: int) -> StoredObject:
        """Store length bytes of a stream, more than 16 MiB in parts; length -1 reads to its end."""
        if 0 <= length <= _MIN_PART_BYTES:
            with store_errors():
                self._client.put_object(
                    bucket_name=self.bucket, object_name=key, data=stream, length=length, content_type=CONTENT_TYPE
                )
            return self.stat(key)
        upload_id = self.create_upload(key)
        parts: list[UploadedPart] = []
        try:
            while data := stream.read(choose_part_bytes(length)):
                parts.append(self.put_part(key, upload_id, part_number=len(parts) + 1, data=data))
            return self.complete_upload(key, upload_id, parts=parts or [self.put_part(key, upload_id, part_number=1, data=b"")])
        except BaseException:
            self.abort_upload(key, upload_id)
            raise

    def remove(self, key: str) -> None:
        """Delete an object; no error when it isn't there."""
        with store_errors():
            self._client.remove_object(bucket_name=self.bucket, object_name=key)

    def remove_under(self, prefix: str) -> None:
        """Delete every object whose key begins with prefix."""
        for key in self.list_keys(prefix):
            self.remove(key)

    def list_keys(self, prefix: str) -> list[str]:
        """Keys of the objects that begin with prefix."""
        with store_errors():
            found = self._client.list_objects(self.bucket, prefix=prefix, recursive=True)
            return [str(entry.object_name) for entry in found]

    def list_stored(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with prefix, in the order of their keys, a page of 1,000 at a time."""
        with store_errors():
            for entry in self._client.list_objects(self.bucket, prefix=prefix, recursive=True):
                yield StoredObject(str(entry.object_name), (entry.etag or "").strip('"'), entry.size or 0)

    def read(
        self, stored: StoredObject, *, offset: int = 0, length: int | None = None, chunk_bytes: int = _READ_BYTES
    ) -> Iterator[bytes]:
        """Stream length bytes from offset of exactly this version, in chunks of up to so many bytes.

        Raises: FileFormatError when the object was changed or deleted since, TransientError when the body comes short.
        """
        wanted = stored.bytes - offset if length is None else length
        if wanted <= 0:
            return
        with store_errors(), contextlib.closing(self._open(stored, offset, wanted)) as response:
            received = 0
            for chunk in response.stream(chunk_bytes):
                received += len(chunk)
                yield chunk
            response.release_conn()
            if received != wanted:
                raise TransientError(f"The object store sent {received} of {wanted} bytes.", code="store_unavailable")

    def read_range(self, stored: StoredObject, offset: int, length: int) -> bytes:
        """Read length bytes from offset of exactly this version. Raises: as read."""
        # In one chunk: joining several copies them, while nothing else can run.
        return b"".join(self.read(stored, offset=offset, length=length, chunk_bytes=max(1, length)))

    def create_upload(self, key: str) -> str:
        """Begin a multipart upload; returns the store's upload id."""
        with store_errors():
            return self._client._create_multipart_upload(self.bucket, key, {})

    def sign_part(self, key: str, upload_id: str, *, part_number: int) -> str:
        """URL that takes one part by PUT, for an hour, as browsers reach the store."""
        return self._signer.get_presigned_url(
            "PUT",
            bucket_name=self.bucket,
            object_name=key,
            expires=_SIGN_EXPIRY,
            extra_query_params={"partNumber": str(part_number), "uploadId": upload_id},
        )

    def put_part(self, key: str, upload_id: str, *, part_number: int, data: bytes) -> UploadedPart:
        """Store one part."""
        with store_errors():
            etag = self._client._upload_part(self.bucket, key, data, {"Content-Type": CONTENT_TYPE}, upload_id, part_number)
        return UploadedPart(part_number, len(data), etag.strip('"'))

    def list_parts(self, key: str, upload_id: str) -> list[UploadedPart]:
        """Parts the store has, by number. Raises: NotFoundError when the upload is gone."""
        parts: list[UploadedPart] = []
        marker: str | None = None
        with store_errors():
            while True:
                page = self._client._list_parts(self.bucket, key, upload_id, part_number_marker=marker)
                parts += [_make_part(part) for part in page.parts]
                if not page.is_truncated:
                    return parts
                marker = str(page.next_part_number_marker)

    def complete_upload(self, key: str, upload_id: str, *, parts: list[UploadedPart]) -> StoredObject:
        """Join the parts into the object."""
        with store_errors():
            self._client._complete_multipart_upload(
                self.bucket, key, upload_id, [Part(part_number=part.part_number, etag=part.etag) for part in parts]
            )
        return self.stat(key)

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Drop a multipart upload; no error when it is gone."""
        with contextlib.suppress(NotFoundError), store_errors():
            self._client._abort_multipart_upload(self.bucket, key, upload_id)

    def _open(self, stored: StoredObject, offset: int, length: int) -> "urllib3.BaseHTTPResponse":
        return self._client.get_object(
            bucket_name=self.bucket,
            object_name=stored.key,
            offset=offset,
            length=length,
            request_headers={"If-Match": f'"{stored.etag}"'},
        )


def _make_part(part: Part) -> UploadedPart:
    return UploadedPart(part.part_number, part.size or 0, part.etag.strip('"'), part.last_modified)


def make_object_key() -> str:
    """A fresh random key; names of users never become object names."""
    return f"files/{secrets.token_hex(16)}"


def choose_part_bytes(total_bytes: int) -> int:
    """Part size of a multipart upload: 16 MiB, or more for files past 9,000 parts, in whole MiB."""
    needed = -(-total_bytes // _MAX_PARTS)
    return max(_MIN_PART_BYTES, -(-needed // 2**20) * 2**20)


@contextlib.contextmanager
def store_errors() -> Iterator[None]:
    """Turn the client's errors into ours."""
    try:
        yield
    except S3Error as error:
        raise _translate(error) from error
    except (InvalidResponseError, urllib3.exceptions.HTTPError, OSError) as error:
        raise TransientError(f"The object store can't be reached: {type(error).__name__}.", code="store_unavailable") from error
    except MinioException as error:
        raise TransientError(f"The object store failed: {error}", code="store_unavailable") from error


def _translate(error: S3Error) -> TripdeckError:
    if error.code == "PreconditionFailed":
        return FileFormatError("The file was changed after the load began; upload it again.", code="file_changed")
    if error.code in ("NoSuchKey", "NoSuchUpload", "NoSuchObject"):
        return NotFoundError("The file is not in the object store any more; upload it again.", code="file_missing")
    return TransientError(f"The object store refuses for now: {error.code}.", code="store_unavailable")


def _make_client(settings: Settings, endpoint: str) -> Minio:
    parts = urlsplit(endpoint)
    access_key = settings.s3_access_key.get_secret_value()
    return Minio(
        endpoint=parts.netloc,
        access_key=access_key or None,
        secret_key=settings.s3_secret_key.get_secret_value() if access_key else None,
        credentials=None if access_key else IamAwsProvider(),
        secure=parts.scheme == "https",
        region=settings.s3_region,
        http_client=urllib3.PoolManager(timeout=_TIMEOUT, maxsize=16, retries=urllib3.Retry(total=2, backoff_factor=0.2)),
    )
