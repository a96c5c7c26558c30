"""`drumbeat gateway`: one more gateway for servers that run already."""

from deploy.local.joining import become


def run() -> None:
    """Serve the HTTP API and the pages on DRUMBEAT_HOST and DRUMBEAT_PORT.

    Example: DRUMBEAT_PORT=8001 drumbeat gateway
    """
    become("api.main")
