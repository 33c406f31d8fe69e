"""The codec server as a process."""

import uvicorn

from runtime.codec_server import codec_app
from runtime.keys import load_keys
from runtime.load import load_settings
from runtime.logs import set_up_logs
from runtime.server import ui_origins


async def serve_codec() -> int:
    """Decrypt payloads for the Temporal UI until SIGTERM or SIGINT. Raises WrongSettings or KeyProblem."""
    settings = load_settings()
    set_up_logs("codec", settings.log_format, settings.log_level)
    app = codec_app(load_keys(settings.data), ui_origins(settings))
    config = uvicorn.Config(
        app,
        host=settings.codec.host,
        port=settings.codec.port,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    await uvicorn.Server(config).serve()
    return 0
