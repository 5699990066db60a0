"""Switches that keep every library on this computer; to be set before any of them is imported."""

from __future__ import annotations

import os
from pathlib import Path

OFFLINE = {
    # ONNX Runtime looks a telemetry host up at import unless this is set.
    "ORT_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}

# Gradio reads these: they would open the server to the network, move it or start helpers.
FOREIGN = (
    "GRADIO_ALLOWED_PATHS",
    "GRADIO_MCP_SERVER",
    "GRADIO_ROOT_PATH",
    "GRADIO_SHARE",
    "GRADIO_SSR_MODE",
)


def stay_offline() -> None:
    """Set the switches in this process and for the processes it starts."""
    os.environ.update(OFFLINE)
    for name in FOREIGN:
        os.environ.pop(name, None)
    # httpx, which Gradio imports, crashes at import over a certificate file that isn't there.
    certificates = os.environ.get("SSL_CERT_FILE")
    if certificates and not Path(certificates).exists():
        del os.environ["SSL_CERT_FILE"]
