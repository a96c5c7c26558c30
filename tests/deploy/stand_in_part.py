"""Stands in for the worker or the gateway: shows its environment and answers that it is ready."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        is_known = self.path in {"/readyz", "/healthz"}
        self.send_response(200 if is_known else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass


def stop(*_: object) -> None:
    sys.exit(0)


def main(name: str) -> None:
    signal.signal(signal.SIGTERM, stop)
    port = os.environ["DRUMBEAT_METRICS_PORT" if name == "worker" else "DRUMBEAT_PORT"]
    server = HTTPServer(("127.0.0.1", int(port)), Answers)
    shown = Path(os.environ["DRUMBEAT_DATA_DIR"]) / f"{name}-environment.json"
    shown.write_text(json.dumps(dict(os.environ)))
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
