"""One kept connection to the daemon, with as little between the clock and the socket as Python allows."""

import json
import socket
import threading
import time


def request(method: str, target: str, body=None) -> bytes:
    """The whole of a request, to be sent as often as wanted."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


class FastClient:
    def __init__(self, path: str):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        self.socket.connect(path)

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self.socket.sendall(request)
        answer = b""
        while True:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("the daemon closed the connection")
            answer += part
            head, end, body = answer.partition(b"\r\n\r\n")
            if not end:
                continue
            lines = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            if len(body) >= length:
                return int(lines[0].split()[1]), body

    def timed(self, request: bytes, status: int) -> float:
        """Milliseconds from the first byte sent to the last received."""
        begin = time.perf_counter_ns()
        got, body = self.send(request)
        took = time.perf_counter_ns() - begin
        if got != status:
            raise RuntimeError(f"answered with {got}, not {status}: {body[:500].decode(errors='replace')}")
        return took / 1e6

    def until(self, request: bytes, word: bytes):
        """Reads the answer, which may be a stream, as far as a word in it."""
        self.socket.sendall(request)
        answer = b""
        while word not in answer:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError(f"the answer ended without {word.decode()}: {answer[-300:].decode()}")
            answer += part

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fill(path: str, requests: list[bytes], connections: int = 8) -> float:
    """Sends all of them over some connections at once. Seconds it took."""
    failures = []

    def run(part: list[bytes]):
        try:
            client = FastClient(path)
            for request in part:
                client.timed(request, 201)
            client.close()
        except (OSError, RuntimeError) as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(requests[i::connections],), daemon=True) for i in range(connections)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"could not fill the queue: {failures[0]}")
    return time.monotonic() - begin
