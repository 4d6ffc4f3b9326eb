"""A proxy in front of an S3 store: numbers the requests, keeps when each began and ended, delays them, and does what it is told at
the n-th. HTTP/1.1 with Content-Length or chunked bodies, which is what our client and MinIO speak. Loopback only."""

import socket
import threading
import time

REFUSAL = "<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>said by the proxy</Message></Error>"


class Ended(Exception):
    """The other side closed the connection."""


class Stream:
    """Reads messages from a socket."""

    def __init__(self, sock):
        self.sock, self.rest = sock, b""

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(mark)
        return head + mark

    def exactly(self, n):
        while len(self.rest) < n:
            self.more()
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Ended
        self.rest += data

    def message(self, bodiless=False):
        """First line, and everything byte for byte."""
        head = self.until(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = b""
        if bodiless or first.split(" ")[1] in ("204", "304"):
            pass
        elif "chunked" in headers.get("transfer-encoding", ""):
            while True:
                size = self.until(b"\r\n")
                chunk = self.exactly(int(size.split(b";")[0], 16) + 2)
                body += size + chunk
                if chunk == b"\r\n":
                    break
        else:
            body = self.exactly(int(headers.get("content-length", 0)))
        return first, head + body


class Proxy:
    """One listener. `plan`: number of a request, from 1, to `(when, what)`; when is "before" it is forwarded or "after" the store has
    answered; what is "drop", a status with a code like "503 SlowDown", "half" (half of the answer), or a function to call."""

    def __init__(self, upstream, delay=0.0):
        self.upstream, self.delay = upstream, delay
        self.plan, self.log, self.lock = {}, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def begin(self, plan=None):
        """Counts from 1 again."""
        with self.lock:
            self.plan, self.log = dict(plan or {}), []

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        store = None
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asks, answers = Stream(client), None
            while True:
                first, request = asks.message()
                began = time.monotonic()
                method, target = first.split(" ")[:2]
                with self.lock:
                    entry = {"method": method, "target": target, "began": began, "ended": None}
                    self.log.append(entry)
                    when, what = self.plan.get(len(self.log), (None, None))
                time.sleep(self.delay)
                if when == "before":
                    answer = self.instead(what, b"")
                else:
                    if store is None:
                        store = socket.create_connection(self.upstream)
                        store.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        answers = Stream(store)
                    store.sendall(request)
                    _, answer = answers.message(bodiless=method == "HEAD")
                    if when == "after":
                        answer = self.instead(what, answer)
                entry["ended"] = time.monotonic()
                if not answer:
                    return
                client.sendall(answer)
                if what == "half":
                    return
        except (Ended, OSError):
            pass
        finally:
            client.close()
            if store:
                store.close()

    @staticmethod
    def instead(what, answer):
        """What the client gets; nothing: the connection closes."""
        if callable(what):
            what()
            return b""
        if what == "drop":
            return b""
        if what == "half":
            return answer[: len(answer) // 2]
        body = REFUSAL.format(what.split(" ")[1]).encode()
        head = f"HTTP/1.1 {what}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def round_trips(self):
        """The longest chain of requests of which each began after the one before had ended. Reads of several slots or claims one
        after the other are one, and so are listings of different folders: the client sends them at once, and only a busy machine
        takes them apart."""
        spans, kind, targets = [], None, set()
        for entry in sorted((e for e in self.log if e["ended"]), key=lambda e: e["began"]):
            path, _, query = entry["target"].partition("?")
            many = entry["method"] == "GET" and "/ledger/" in path and "versionId" not in query
            batch = "list" if "list-type" in query else None
            batch = ("claims" if "/claims/" in path else "slots") if many else batch
            if batch and batch == kind and entry["target"] not in targets:
                spans[-1][1] = max(spans[-1][1], entry["ended"])
                targets.add(entry["target"])
            else:
                spans.append([entry["began"], entry["ended"]])
                targets = {entry["target"]}
            kind = batch
        chain, free = 0, float("-inf")
        for began, ended in sorted(spans, key=lambda span: span[1]):
            if began >= free:
                chain, free = chain + 1, ended
        return chain
