"""Clients that nobody wants: malformed, slow, half-closed."""

import json
import random
import socket
import time


def malformed(draw: random.Random) -> tuple[str, bytes]:
    """A request that must be refused, and what is wrong with it."""

    def post(body: bytes, target="/v1/jobs", length=None, more="") -> bytes:
        length = len(body) if length is None else length
        return f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode() + body

    def job(**changes) -> bytes:
        whole = {"name": "malformed", "resources": {"cpus": 1, "memory_bytes": 1 << 24}, "command": {"argv": ["true"]}}
        return post(json.dumps(whole | changes).encode())

    return draw.choice([
        ("not HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + draw.randbytes(200) + b"\r\n\r\n"),
        ("no JSON", post(b"{name: x}")),
        ("cut JSON", post(b'{"name": "malformed", "command": {"argv": ["tr')),
        ("JSON of 100,000 brackets", post(b"[" * 100_000)),
        ("an empty body", post(b"")),
        ("not UTF-8", post(b'{"name": "\xff\xfe", "command": {"argv": ["true"]}}')),
        ("a body of 2 MiB", post(b" " * (2 << 20))),
        ("a negative length", post(b"{}", length=-1)),
        ("a length of no number", post(b"{}", length="1e9")),
        ("two lengths", post(b"{}", more="Content-Length: 7\r\n")),
        ("an unknown key", job(nmae="x")),
        ("no command", job(command=None)),
        ("an empty command", job(command={"argv": []})),
        ("NUL in an argument", job(command={"argv": ["true", "a\0b"]})),
        ("no CPUs", job(resources={"cpus": 0, "memory_bytes": 1 << 24})),
        ("negative CPUs", job(resources={"cpus": -1, "memory_bytes": 1 << 24})),
        ("too many CPUs", job(resources={"cpus": 99_999, "memory_bytes": 1 << 24})),
        ("a number beyond 64 bits", job(resources={"cpus": 10**30, "memory_bytes": 1 << 24})),
        ("a time limit of no time", job(resources={"cpus": 1, "memory_bytes": 1 << 24, "time_limit_s": 1e300})),
        ("a path that leads up", job(sandbox={"workdir": "../../etc"})),
        ("a path that is not there", job(sandbox={"workdir": "/nowhere/at/all"})),
        ("a name of 64 KiB", job(name="n" * 65536)),
        ("a date that is none", job(schedule={"not_before": "2026-13-45T99:99:99Z"})),
        ("a queue that is not there", job(queue="nowhere")),
        ("a job that is none", b"GET /v1/jobs/99999999999999999999/why HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a negative job", b"GET /v1/jobs/-1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a target with dots", b"GET /v1/jobs/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a target of 100,000 bytes", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a header of 200,000 bytes", b"GET /v1/health HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"),
        ("a method that is none", b"BREW /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
        ("a wrong state", b"GET /v1/jobs?state=%00%ff HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a wrong limit", b"GET /v1/jobs?limit=-9223372036854775808 HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("a wrong period", b"GET /v1/report?since=never HTTP/1.1\r\nHost: x\r\n\r\n"),
    ])


def connect(path: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(30)
    client.connect(path)
    return client


def answer(client: socket.socket) -> int | None:
    """The status, or None when the connection was closed without one."""
    got = b""
    while b"\r\n" not in got:
        part = client.recv(65536)
        if not part:
            return None
        got += part
    return int(got.split()[1])


def send_malformed(path: str, request: bytes) -> int | None:
    with connect(path) as client:
        try:
            client.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It has heard enough; what it answered may still be read.
        try:
            return answer(client)
        except ConnectionResetError:
            return None


def half_closed(path: str) -> int | None:
    """Says that it will send no more, and waits for the answer."""
    with connect(path) as client:
        client.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        return answer(client)


def slow(path: str, draw: random.Random, seconds: float):
    """Some connections at once that say a word now and then, and nothing whole, and are dropped."""
    clients = []
    try:
        for _ in range(draw.randint(1, 30)):
            client = connect(path)
            clients.append(client)
            client.sendall(draw.choice([
                b"", b"P", b"POST /v1/jobs HTTP/1.1\r\n",
                b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
                b"GET /v1/jobs/1/events HTTP/1.1\r\nHost: x\r\n\r\n"]))
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            time.sleep(0.1)
            draw.choice(clients).sendall(b" ")
    except OSError:
        pass  # mld went meanwhile.
    finally:
        for client in clients:
            client.close()
