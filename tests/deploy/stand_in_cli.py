#!/usr/bin/env python3
"""Takes what `temporal server start-dev` takes (version 1.9.1) and runs `server` beside it."""

import argparse
import os
import pathlib
import random

CONFIG = """
log: {{stdout: true, level: error}}
persistence:
  numHistoryShards: 1
  defaultStore: store
  visibilityStore: store
  datastores:
    store:
      sql:
        pluginName: sqlite
        databaseName: "{database}"
        connectAddr: unused
        connectProtocol: tcp
        connectAttributes: {{mode: rwc, setup: "true", {pragmas}}}
        maxConns: 1
        maxIdleConns: 1
global: {{membership: {{maxJoinDuration: 30s, broadcastAddress: 127.0.0.1}}}}
services:
  frontend: {{rpc: {{grpcPort: {port}, httpPort: {http}, membershipPort: {p[0]}, bindOnIP: {ip}}}}}
  history: {{rpc: {{grpcPort: {p[1]}, membershipPort: {p[2]}, bindOnIP: {ip}}}}}
  matching: {{rpc: {{grpcPort: {p[3]}, membershipPort: {p[4]}, bindOnIP: {ip}}}}}
  worker: {{rpc: {{grpcPort: {p[5]}, membershipPort: {p[6]}, bindOnIP: {ip}}}}}
clusterMetadata:
  failoverVersionIncrement: 10
  masterClusterName: active
  currentClusterName: active
  clusterInformation:
    active: {{enabled: true, initialFailoverVersion: 1, rpcAddress: "127.0.0.1:{port}"}}
dynamicConfigClient: {{filepath: stand-in-dynamic.yaml, pollInterval: 10s}}
"""

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("words", nargs=2, choices=["server", "start-dev"])
for name in ("--db-filename", "--namespace", "--ip", "--log-level", "--log-format"):
    parser.add_argument(name, required=True)
for name in ("--port", "--http-port"):
    parser.add_argument(name, type=int, required=True)
parser.add_argument("--headless", action="store_true")
parser.add_argument("--ui-port", type=int)
parser.add_argument("--ui-disable-news-fetch", action="store_true")
parser.add_argument("--sqlite-pragma", action="append", default=[])
parser.add_argument("--dynamic-config-value", action="append", default=[])
options = parser.parse_args()

pragmas = dict(pair.split("=", 1) for pair in options.sqlite_pragma)
dynamic = dict(pair.split("=", 1) for pair in options.dynamic_config_value)
pathlib.Path("stand-in-dynamic.yaml").write_text(
    "".join(f"{name}: [{{value: {value}}}]\n" for name, value in dynamic.items())
)
pathlib.Path("stand-in.yaml").write_text(
    CONFIG.format(
        database=options.db_filename,
        pragmas=", ".join(f'{name}: "{value}"' for name, value in pragmas.items()),
        port=options.port,
        http=options.http_port,
        ip=options.ip,
        p=random.sample(range(12000, 20000), 7),
    )
)
server = str(pathlib.Path(__file__).with_name("server"))
os.execv(server, [server, "--config-file", "stand-in.yaml", "--allow-no-auth", "start"])  # noqa: S606  # no shell
