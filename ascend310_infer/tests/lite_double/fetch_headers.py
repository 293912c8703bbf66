"""Fetch MindSpore Lite's public C++ headers for the tests from an older MindSpore wheel, which contains them.

python fetch_headers.py [FOLDER]    (default ascend310_infer/build/lite_headers; sources then include "include/api/...")

Reads about 3 MB of the wheel's 749 MB by byte ranges. Ends with status 2 and one line if that fails.
"""

import base64
import csv
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

WHEEL = "mindspore-2.7.0-cp311-cp311-manylinux1_x86_64.whl"  # later wheels lack the headers
SHA256_OF_RECORD = "2546cd5918a04a0fd7c3780e426bb8305dcc3fcf772eea08c9450d85a1fd7eda"
FOLDERS = ("mindspore/include/api/", "mindspore/include/mindapi/base/")
DEFAULT = Path(__file__).resolve().parents[2] / "build" / "lite_headers"
TIMEOUT = 20  # seconds without an answer


class RemoteFile(io.RawIOBase):
    """A file behind a URL, read in blocks by HTTP ranges."""

    BLOCK = 1 << 19

    def __init__(self, url: str, size: int):
        self.url, self.size, self.position = url, size, 0
        self.blocks: dict[int, bytes] = {}

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        self.position = offset + (0, self.position, self.size)[whence]
        return self.position

    def readinto(self, buffer):
        number, start = divmod(self.position, self.BLOCK)
        data = self.block(number)[start : start + len(buffer)] if self.position < self.size else b""
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)

    def block(self, number: int) -> bytes:
        if number not in self.blocks:
            first, last = number * self.BLOCK, min((number + 1) * self.BLOCK, self.size) - 1
            request = urllib.request.Request(self.url, headers={"Range": f"bytes={first}-{last}"})
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                if answer.status != 206:
                    raise OSError(f"{self.url} cannot be read in parts (status {answer.status})")
                self.blocks[number] = answer.read()
        return self.blocks[number]


def index_url() -> str:
    """Return the address of the package index that pip uses."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return os.environ.get("PIP_INDEX_URL") or configured or "https://pypi.org/simple"


def locate(index: str) -> tuple[str, int]:
    """Return address and size of the wheel."""
    page = f"{index.rstrip('/')}/mindspore/"
    accepted = {"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.1"}
    with urllib.request.urlopen(urllib.request.Request(page, headers=accepted), timeout=TIMEOUT) as answer:
        text = answer.read().decode()
        if "json" in answer.headers.get("Content-Type", ""):
            links = [file["url"] for file in json.loads(text)["files"]]
        else:
            links = re.findall(r'href="([^"#]+)', text)
    found = [urllib.parse.urljoin(page, link) for link in links if link.endswith(WHEEL)]
    if not found:
        raise OSError(f"{page} does not offer {WHEEL}")
    with urllib.request.urlopen(urllib.request.Request(found[0], method="HEAD"), timeout=TIMEOUT) as answer:
        return found[0], int(answer.headers["Content-Length"])


def extract(wheel: zipfile.ZipFile, target: Path) -> None:
    """Write the headers below `target`. Checks each against the wheel's RECORD, and that against SHA256_OF_RECORD."""
    record = wheel.read("mindspore-2.7.0.dist-info/RECORD")
    if hashlib.sha256(record).hexdigest() != SHA256_OF_RECORD:
        raise OSError(f"{WHEEL} has an unexpected RECORD")
    for name, digest, _ in csv.reader(record.decode().splitlines()):
        if name.startswith(FOLDERS) and name.endswith(".h"):
            content = wheel.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            if digest != f"sha256={found}":
                raise OSError(f"{name} in {WHEEL} is damaged")
            path = target / name.removeprefix("mindspore/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def fetch(folder: Path) -> None:
    """Make `folder` unless it exists. An interrupted run leaves nothing."""
    if (folder / "include/api/model.h").is_file():
        return
    url, size = locate(index_url())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        with zipfile.ZipFile(io.BufferedReader(RemoteFile(url, size), 1 << 16)) as wheel:
            extract(wheel, Path(temporary) / "headers")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(Path(temporary) / "headers", folder)


if __name__ == "__main__":
    try:
        fetch(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
    except (OSError, ValueError, KeyError, http.client.HTTPException, zipfile.BadZipFile) as error:
        print(f"error: MindSpore Lite's headers cannot be fetched: {error}", file=sys.stderr)
        sys.exit(2)
