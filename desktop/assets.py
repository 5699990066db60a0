"""Gradio's script and style files, a hundred a page, with less work for each than Gradio makes."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import Request, Response

# A changed file has another name.
FOR_GOOD = {"cache-control": "private, max-age=31536000, immutable"}


def asset_route() -> Callable[[Request], Awaitable[Response]]:
    """What answers "/assets/<name>"; imports Gradio."""
    import gradio
    from fastapi import Response

    folder = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
    files = {path.name: path for path in folder.iterdir()}

    # In the server's own thread and uncompressed: the files are small and the way is short.
    async def asset(request: Request) -> Response:
        path = files.get(request.path_params["name"])
        if path is None:
            return Response(status_code=404)
        kind, _ = mimetypes.guess_type(path.name)
        return Response(path.read_bytes(), media_type=kind, headers=FOR_GOOD)

    return asset
