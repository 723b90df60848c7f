import hashlib

import pytest
from hypothesis import given, strategies as st

from making.annex_repositories import git, new_repository, require_git_annex
from spikeloom.errors import DataError
from spikeloom.extractors.annex_keys import (
    is_content_of,
    key_of_link,
    key_of_pointer,
    parse_annex_key,
)

KEY = "MD5E-s5--5d41402abc4b2a76b9719d911017c592.tar.gz"  # of b"hello"
BACKENDS = [
    "MD5E",
    "MD5",
    "SHA1E",
    "SHA224",
    "SHA256E",
    "SHA256",
    "SHA384E",
    "SHA512E",
    "SHA3_256E",
]
BACKENDS += ["BLAKE2B256E", "BLAKE2B512", "BLAKE2S160E", "BLAKE2S256"]


def test_a_key_is_read():
    key = parse_annex_key(KEY)
    assert (key.text, key.n_bytes, key.algorithm) == (KEY, 5, "md5")
    assert key.digest == hashlib.md5(b"hello").hexdigest()


@pytest.mark.parametrize("text", ["SHA256E-s5-m1700000000--aa", "SHA256E-m17-s5--aa"])
def test_fields_come_in_any_order(text):
    assert parse_annex_key(text).n_bytes == 5


@pytest.mark.parametrize("text", ["WORM-s5-m17--a.txt", "URL--http&c%%a", "SKEIN256E-s5--aa.txt"])
def test_kinds_without_a_known_checksum_have_none(text):
    key = parse_annex_key(text)
    assert key.algorithm is None
    assert key.digest is None


@pytest.mark.parametrize("text", ["", "md5", "MD5E", "MD5E-s5-aa", "MD5E-s5--../a", "MD5E-s5--a\n"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(DataError, match="not a git-annex key"):
        parse_annex_key(text)


def test_links_of_git_annex_are_told_from_others():
    target = f".git/annex/objects/Wk/m5/{KEY}/{KEY}"
    assert key_of_link(target) == key_of_link(f"../../{target}") == parse_annex_key(KEY)
    assert key_of_link(target.replace("/", "\\")) == parse_annex_key(KEY)
    assert key_of_link("../other.bin") is None
    assert key_of_link(f"../../etc/{target}") is None
    assert key_of_link(f".git/annex/objects/../m5/{KEY}/{KEY}") is None
    assert key_of_link(f".git/annex/objects/Wk/m5/{KEY}/{KEY}x") is None


def test_pointers_are_told_from_other_files():
    pointer = f"/annex/objects/{KEY}\n".encode()
    assert key_of_pointer(pointer) == parse_annex_key(KEY)
    assert key_of_pointer(pointer + b"more\n") == parse_annex_key(KEY)
    assert key_of_pointer(b"text") is None
    assert key_of_pointer(b"/annex/objects/no key\n") is None
    assert key_of_pointer(pointer + bytes(40_000)) is None


@given(content=st.binary(min_size=1, max_size=200), data=st.data())
def test_a_changed_byte_is_found(tmp_path, content, data):
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    key = parse_annex_key(f"SHA256E-s{len(content)}--{hashlib.sha256(content).hexdigest()}.bin")
    assert is_content_of(key, path)
    i = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
    assert not is_content_of(key, path)
    path.write_bytes(content + b"\0")
    assert not is_content_of(key, path)


@pytest.fixture(scope="module")
def annexed_folder(tmp_path_factory):
    require_git_annex()
    folder = new_repository(tmp_path_factory.mktemp("annex") / "repository")
    git(folder, "annex", "init", "--quiet", "here")
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_keys_of_git_annex_are_understood(annexed_folder, backend):
    path = annexed_folder / "file.bin"
    path.write_bytes(b"content " * 1000)
    text = git(annexed_folder, "annex", "calckey", f"--backend={backend}", str(path))
    key = parse_annex_key(text.strip())
    assert key.algorithm is not None
    assert is_content_of(key, path)
    path.write_bytes(b"Content " * 1000)
    assert not is_content_of(key, path)
