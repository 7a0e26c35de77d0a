"""A proxy that writes down what it is asked for, and does none of it."""

from collections.abc import Generator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

VARIABLES = [name for small in ("http_proxy", "https_proxy", "all_proxy") for name in (small, small.upper())]


@contextmanager
def recording_proxy() -> Generator[tuple[dict[str, str], list[str]], None, None]:
    """Yield the environment variables that name the proxy, and the requests that reach it."""
    asked: list[str] = []

    class Recorder(StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode())

    with ThreadingTCPServer(("127.0.0.1", 0), Recorder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield dict.fromkeys(VARIABLES, f"http://127.0.0.1:{server.server_address[1]}"), asked
        server.shutdown()
