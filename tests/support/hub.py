"""A server on this machine that speaks the protocol of the Hugging Face hub: redirects, hashes, ranges and errors."""

import hashlib
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """The files of the server, and what it was asked for.

    `files` maps "OWNER/NAME/FILE" to content. `drops` are the bytes after which the server closes the connection of a
    large file, one number for each request. `requests` are (method, path, range); `served` counts bytes of large files.
    """

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    drops: list[int] = field(default_factory=list)
    damages: bool = False  # changes one bit of each large file
    fails: bool = False  # answers everything with status 503
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    served: int = 0

    @property
    def repositories(self) -> set[str]:
        return {name.rpartition("/")[0] for name in self.files}

    @property
    def store(self) -> str:
        """The address of large files, which the hub keeps on another host."""
        return self.address.replace("127.0.0.1", "localhost")

    def reset(self) -> None:
        """Forget all files, faults and requests."""
        self.__dict__ |= Hub(self.address).__dict__

    def add(self, repository: str, **files: bytes) -> None:
        """Add files by name; `__` in a name stands for its dot."""
        self.files |= {f"{repository}/{name.replace('__', '.')}": content for name, content in files.items()}


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD of /OWNER/NAME/resolve/REVISION/FILE, and of /large/SHA256, to which large files are redirected."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self):  # noqa: N802 - the name that the library calls
        self.do_GET()

    def do_GET(self):  # noqa: N802
        self.hub.requests.append((self.command, self.path, self.headers.get("Range", "")))
        if self.hub.fails:
            self._answer(503, {}, b"")
        elif self.path.startswith("/large/"):
            self._large(self.path.removeprefix("/large/"))
        elif self.path.count("/resolve/") == 1:
            self._resolve(*self.path.strip("/").replace("/resolve", "").split("/"))
        else:
            self._answer(404, {}, b"")

    def _resolve(self, owner, name, revision, file):
        repository = f"{owner}/{name}"
        if repository not in self.hub.repositories:
            return self._answer(401, {"X-Error-Code": "RepoNotFound"}, b"Invalid username or password.")
        if revision not in ("main", COMMIT):
            return self._answer(404, {"X-Error-Code": "RevisionNotFound"}, b"Invalid rev id")
        content = self.hub.files.get(f"{repository}/{file}")
        commit = {"X-Repo-Commit": COMMIT}
        if content is None:
            return self._answer(404, {"X-Error-Code": "EntryNotFound"} | commit, b"Entry not found")
        if file.endswith(".json"):
            return self._answer(200, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'} | commit, content)
        digest = hashlib.sha256(content).hexdigest()
        large = {
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(len(content)),
            "Location": f"{self.hub.store}/large/{digest}",
        }
        return self._answer(302, large | commit, b"")

    def _large(self, digest):
        content = next(data for data in self.hub.files.values() if hashlib.sha256(data).hexdigest() == digest)
        if self.hub.damages:
            content = bytes([content[0] ^ 1]) + content[1:]
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers = {"ETag": f'"{digest}"', "Accept-Ranges": "bytes"}
        if "Range" in self.headers:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        limit = self.hub.drops.pop(0) if self.hub.drops else None
        self._answer(206 if "Range" in self.headers else 200, headers, content[first:], limit)

    def _answer(self, status, headers, content, limit=None):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            sent = content[:limit]
            self.hub.served += len(sent) * self.path.startswith("/large/")  # before the client can have the last byte
            self.wfile.write(sent)
        if limit is not None:
            self.close_connection = True

    def log_message(self, *_):
        """Keep the output of the tests clean."""


@contextmanager
def start_hub():
    """Give a `Hub` that answers as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {}))
    server.daemon_threads = True
    server.RequestHandlerClass.hub = hub = Hub(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def use_hub(monkeypatch, endpoint, home, **environment):
    """Let the next import of huggingface_hub, which reads its environment then, find an endpoint and a cache."""
    for name in ("HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), **environment}.items():
        monkeypatch.setenv(name, value)
    for module in [name for name in sys.modules if name.partition(".")[0] == "huggingface_hub"]:
        monkeypatch.delitem(sys.modules, module)
