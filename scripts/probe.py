"""Looking at an engine from outside: its port, its answers, its last words."""

from __future__ import annotations

import http.client
import json
import socket
from pathlib import Path
from typing import Any

__all__ = ["ask", "is_free", "is_serving", "last_words"]


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed ones do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ask(port: int, path: str) -> dict[str, Any]:
    """The JSON object that the engine on this port answers, empty when it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        body = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return body if isinstance(body, dict) else {}


def is_serving(port: int, pid: int) -> bool:
    """Whether this very process serves the port, with every shard it can have recovered."""
    nodes = ask(port, "/_nodes/_local/process").get("nodes", {}).values()
    if pid not in [node["process"]["id"] for node in nodes]:
        return False
    health = ask(port, "/_cluster/health?wait_for_status=yellow&timeout=5s")
    return health.get("timed_out") is False


def last_words(log: Path, lines: int = 15) -> str:
    """The end of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
