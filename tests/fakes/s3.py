"""An S3-compatible server in a process of its own: moto, which speaks the protocol on a socket."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from deploy.local.ports import free_port

SECONDS = 20


@contextmanager
def running_s3() -> Iterator[str]:
    """Its address; what it holds goes with it."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(  # noqa: S603 - a program of our own environment
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(server, url)
        yield url
    finally:
        server.kill()
        server.wait()


def _until_it_answers(server: subprocess.Popen[bytes], url: str) -> None:
    ends_at = time.monotonic() + SECONDS
    while time.monotonic() < ends_at and server.poll() is None:
        try:
            httpx.get(f"{url}/moto-api/").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the S3 server does not start")
