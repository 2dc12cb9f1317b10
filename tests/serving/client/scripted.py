"""A server on a real socket that answers by a script: what an edge does only when it is in trouble."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Line:
    """One answer; status 0 hangs up without one."""

    status: int
    body: bytes = b'{"error":"store_unavailable","message":"away"}'
    retry_after: str | None = None


@dataclass
class Script:
    """What is answered, and what was asked: path with query, and request id."""

    url: str
    lines: list[Line]
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def scripted(*lines: Line) -> Iterator[Script]:
    """Answers in this order; the last one for ever."""
    script = Script("", list(lines))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.asked.append((self.path, self.headers.get("x-request-id")))
            line = script.lines.pop(0) if len(script.lines) > 1 else script.lines[0]
            self.rfile.read(int(self.headers.get("content-length", 0)))
            if line.status:
                self.send_response(line.status)
                self.send_header("content-length", str(len(line.body)))
                if line.retry_after is not None:
                    self.send_header("retry-after", line.retry_after)
                self.end_headers()
                self.wfile.write(line.body)
            self.close_connection = True

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            """Tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
