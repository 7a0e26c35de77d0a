"""A stand-in for the network, to see what a program asks of it."""

from http.server import ThreadingHTTPServer
from socketserver import StreamRequestHandler


class Network(ThreadingHTTPServer):
    """All of the network, on one port: it hangs up on whoever asks, and remembers what for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _HangUp)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _HangUp(StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Network)
        self.server.asked.append(self.rfile.readline().decode().rstrip())
