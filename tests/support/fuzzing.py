"""Bytes and values that users never meant, for tests that whatever a file holds, a program answers in one line."""

import contextlib
import io

from hypothesis import settings
from hypothesis import strategies as st

from src.errors import UserError
from src.runtime.streams import LONGEST_ERROR, report

TOKENS = (  # what breaks readers more often than random bytes
    b"\0", b"\xff", b"\n", b"\r", b"\t", b"\xef\xbb\xbf", b"\xed\xb3\xa9", b"\xe2\x80\xa8", b": ", b"- ", b"[", b"]",
    b"{", b"}", b'"', b"'", b",", b"#", b"&a ", b"*a", b"<<: ", b"!!int ", b"? ", b"|", b"---\n", b"null", b"true",
    b"nan", b".inf", b"1e999", b"-1", b"0", b"1" * 30, b"1" * 5000, b"1e-3", b"0x1f", b"2024-01-01", b"base: ",
    b"stages", b"[" * 200,
)  # fmt: skip


few = settings(max_examples=settings.default.max_examples // 5)  # of the profile's examples: a property takes 0.3 s


@st.composite
def damaged(draw, *contents: bytes) -> bytes:
    """Draw one of `contents` with up to five edits: bytes that are removed, inserted or replaced."""
    content = draw(st.sampled_from(contents))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 20)))
        inserted = draw(st.sampled_from(TOKENS) | st.binary(max_size=8))
        content = content[:start] + inserted + content[end:]
    return content


def any_bytes(*contents: bytes):
    """Return a strategy of damaged `contents`, and sometimes of bytes that have nothing in common with them."""
    return damaged(*contents) | st.binary(max_size=200)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([0, -1, 1, 2**31, 2**63, 10**30, 1e300, 1e-300, "", "1", "x" * 3000])
    | st.text(max_size=5),
    lambda items: st.lists(items, max_size=4) | st.dictionaries(st.text(max_size=5), items, max_size=3),
    max_leaves=8,
)


@st.composite
def changed(draw, content):
    """Draw a copy of nested lists and mappings in which one to three values or keys differ or are missing."""
    for _ in range(draw(st.integers(1, 3))):
        content = _change(draw, content)
    return content


def _change(draw, content):
    inside = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else []
    keys = [key for key, _ in inside]
    if not keys or draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    key = draw(st.sampled_from(keys))
    copy = dict(content) if isinstance(content, dict) else list(content)
    action = draw(st.sampled_from(["value", "value", "value", "missing", "another"]))
    if action == "missing":
        del copy[key]
    elif action == "another" and isinstance(copy, dict):
        copy[draw(st.text(max_size=6))] = copy.pop(key)
    else:
        copy[key] = _change(draw, content[key])
    return copy


def in_one_line(call):
    """Return what `call` returns; None if it ends in a mistake of the user, which is reported in one short line."""
    try:
        return call()
    except UserError as error:
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            assert report(error) == 2
        (line,) = printed.getvalue().splitlines()
        assert line.startswith("error: ") and len(line) <= len("error: ") + LONGEST_ERROR
        return None
