"""Object retention: deletes objects that nobody needs: abandoned uploads, and files of loads that were undone or cancelled.

Any number of processes may do this at once, for each step is idempotent.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from loader.pipeline.batch_objects import remove_parts
from loader.pipeline.context import Context
from loader.storage.rejects import remove_rejects
from shared.platform.errors import NotFoundError
from shared.services.database import execute, transaction

LOG = logging.getLogger(__name__)

_PAGE: Final = 100


def drop_stale_uploads(context: Context) -> int:
    """Delete uploads without a new part for upload_max_age_s, a page of them; returns how many.

    The object of an upload whose parts were joined, but that did not become a load, is deleted, too. Raises: TransientError.
    """
    with transaction(context.engine) as connection:
        max_age_s = context.settings.upload_max_age_s
        stale = execute(connection, "list_stale_uploads", max_age_s=max_age_s, limit=_PAGE).all()
    return sum(_drop_upload(context, upload) for upload in stale)


def _drop_upload(context: Context, upload: Any) -> bool:  # noqa: ANN401 - SQLAlchemy's Row
    with transaction(context.engine) as connection:
        if execute(connection, "claim_upload", upload_id=upload.upload_id).first() is None:
            return False  # it is just becoming a load
    last_at = _find_last_part(context, upload)
    if last_at and last_at > datetime.now(UTC) - timedelta(seconds=context.settings.upload_max_age_s):
        with transaction(context.engine) as connection:
            execute(connection, "note_last_part", upload_id=upload.upload_id, active_at=last_at)
        return False
    context.store.abort_upload(upload.object_key, upload.s3_upload_id)
    context.store.remove(upload.object_key)
    with transaction(context.engine) as connection:
        execute(connection, "delete_upload", upload_id=upload.upload_id)
    LOG.info("upload was dropped", extra={"upload_id": str(upload.upload_id)})
    return True


def _find_last_part(context: Context, upload: Any) -> datetime | None:  # noqa: ANN401 - SQLAlchemy's Row
    try:
        parts = context.store.list_parts(upload.object_key, upload.s3_upload_id)
    except NotFoundError:  # joined, or never begun
        return None
    return max((part.stored_at for part in parts if part.stored_at), default=None)


def drop_expired_objects(context: Context) -> int:
    """Delete files of loads that were undone, cancelled or duplicates long ago, a page of them; returns how many.

    Raises: TransientError.
    """
    with transaction(context.engine) as connection:
        retention_s = context.settings.object_retention_s
        expired = execute(connection, "claim_expired_objects", retention_s=retention_s, limit=_PAGE).all()
    for load in expired:
        context.store.remove(load.object_key)
        remove_parts(context.store, load.object_key)
        remove_rejects(context.store, load.object_key)
        with transaction(context.engine) as connection:
            execute(connection, "finish_object", load_id=load.load_id)
    if expired:
        LOG.info("files of former loads were deleted", extra={"loads": len(expired)})
    return len(expired)
