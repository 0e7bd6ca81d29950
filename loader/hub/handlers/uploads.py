"""Uploads straight into the object store, in signed parts: how browsers bring large files."""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from loader.hub.api.base_handler import ApiHandler
from loader.hub.api.operations import Operation
from loader.hub.api.params import CompleteBody, NewUploadBody, NoParams, PartsBody, UploadParams
from loader.hub.api.responses import LoadResponse, PartsResponse, UploadResponse
from loader.hub.uploads.idempotency import KEY_HEADER, begin_keyed, make_key
from loader.hub.uploads.incoming import check_limit, make_uploads
from loader.hub.uploads.uploads import Uploads, check_size
from shared.loads import fetch_load
from shared.platform.errors import RequestError
from shared.services.objects import UploadedPart

_SAME_UPLOAD: Final = "A name of this request, drawn at random: sent again with the same name and size, it gives the same upload."

P = ParamSpec("P")
T = TypeVar("T")


class _UploadHandler(ApiHandler):
    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a blocking function where uploads belong."""
        return await self.services.executors.transfers.run(function, *args, **kwargs)

    @property
    def uploads(self) -> Uploads:
        """The upload functions."""
        return make_uploads(self.services)


class UploadsHandler(_UploadHandler):
    """New multipart uploads: POST /uploads."""

    @Operation(
        "Begin an upload",
        id="begin_upload",
        body=NewUploadBody,
        response=UploadResponse,
        status=201,
        headers={KEY_HEADER: _SAME_UPLOAD},
        scope="write",
    )
    async def post(self, params: NoParams, body: NewUploadBody) -> None:
        """Respond with the upload; its parts are to be signed."""
        check_size(body.bytes)
        check_limit(body.bytes, self.services.settings.upload_limit_bytes)
        key = make_key(self.request.headers.get(KEY_HEADER), (body.file_name, {"announced_bytes": body.bytes}))
        if key is None:
            upload, is_new = await self.run(self.uploads.begin, body.file_name, announced_bytes=body.bytes), True
        else:
            upload, is_new = await self.run(begin_keyed, self.uploads, key, body.file_name, announced_bytes=body.bytes)
        parts: list[UploadedPart] = []
        if not is_new:
            self.set_header("Idempotency-Replayed", "true")
            parts = await self.run(self.uploads.list_parts, upload)
        self.respond(upload.to_json(parts), status=201, location=f"/api/v1/uploads/{upload.upload_id}")


class UploadHandler(_UploadHandler):
    """One upload: GET and DELETE /uploads/{upload_id}."""

    @Operation("One upload, with the parts the store has", id="get_upload", params=UploadParams, response=UploadResponse)
    async def get(self, params: UploadParams) -> None:
        """Respond with the upload."""
        upload = await self.run(self.uploads.fetch, params.upload_id)
        self.respond(upload.to_json(await self.run(self.uploads.list_parts, upload)))

    @Operation("Drop an upload that isn't complete", id="drop_upload", params=UploadParams, status=204, scope="write")
    async def delete(self, params: UploadParams) -> None:
        """Abort the upload."""
        await self.run(self.uploads.drop, params.upload_id)
        self.set_status(204)


class UploadPartsHandler(_UploadHandler):
    """Presigned URLs of parts: POST /uploads/{upload_id}/parts."""

    @Operation(
        "Sign URLs to put parts to", id="sign_parts", params=UploadParams, body=PartsBody, response=PartsResponse, scope="write"
    )
    async def post(self, params: UploadParams, body: PartsBody) -> None:
        """Respond with one URL a part."""
        upload = await self.run(self.uploads.fetch, params.upload_id)
        if max(body.part_numbers) > upload.part_count:
            raise RequestError(f"The upload has parts 1 to {upload.part_count}.", parameter="part_numbers")
        self.respond({"parts": await self.run(self.uploads.sign, upload, body.part_numbers)})


class CompleteUploadHandler(_UploadHandler):
    """Completes an upload and requests its load: POST /uploads/{upload_id}/complete."""

    @Operation(
        "Join the parts and ask for a load (200 when that was done before)",
        id="complete_upload",
        also={200: "It was complete before: the same load."},
        params=UploadParams,
        body=CompleteBody,
        response=LoadResponse,
        status=201,
        scope="write",
    )
    async def post(self, params: UploadParams, body: CompleteBody) -> None:
        """Respond with the load."""
        options = body.options.make(body.options.roles)
        load_id, is_new = await self.run(self.uploads.complete, params.upload_id, options.to_json())
        self.services.publisher.notify()
        load = await self.services.executors.records.run(fetch_load, self.services.engine, load_id)
        self.respond(load, status=201 if is_new else 200, location=f"/api/v1/loads/{load_id}")
