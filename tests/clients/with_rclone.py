"""rclone: its WebDAV backend with a bearer token, told that the server is a Nextcloud (checksums and times by headers of its own)."""

import hashlib
import os
import shutil
import subprocess

import pytest

TREE = {
    "empty.txt": b"",
    "all bytes.bin": bytes(range(256)) * 1000,
    "Träger/größe 100%.txt": "ü".encode() * 10,
    "Träger/a&b=c?d.txt": b"question",
    "deep/er/and/deeper/file": b"deep",
    **{f"many/{number}.txt": f"number {number}".encode() for number in range(5, 10)},
}


@pytest.fixture
def rclone(proxy, token, environment):
    def run(*arguments, **more):
        settings = {
            "RCLONE_CONFIG_NC_TYPE": "webdav",
            "RCLONE_CONFIG_NC_URL": f"{proxy}/remote.php/dav/files/alice",
            "RCLONE_CONFIG_NC_VENDOR": "nextcloud",
            "RCLONE_CONFIG_NC_BEARER_TOKEN": token,
            "TZ": "UTC",
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "1",
        }
        command = [shutil.which("rclone"), "--config", "", *arguments]
        done = subprocess.run(
            command, env={**environment, **settings}, capture_output=True, timeout=300, check=False, **more
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


@pytest.fixture
def remote(rclone, name):
    rclone("mkdir", f"nc:{name}")
    yield f"nc:{name}"
    rclone("purge", f"nc:{name}")
    assert f"{name}/" not in rclone("lsf", "nc:").splitlines()


@pytest.fixture
def tree(tmp_path):
    for path, content in TREE.items():
        file = tmp_path / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "tree"


def a_tree_goes_up_whole_and_comes_back_whole(rclone, remote, tree, tmp_path):
    rclone("copy", str(tree), remote)
    assert sorted(rclone("lsf", "-R", "--files-only", remote).splitlines()) == sorted(TREE)
    rclone("check", "--download", str(tree), remote)
    rclone("copy", remote, str(tmp_path / "back"))
    files = [file for file in (tmp_path / "back").rglob("*") if file.is_file()]
    back = {str(file.relative_to(tmp_path / "back")): file.read_bytes() for file in files}
    assert back == TREE


def checksums_and_times_are_kept(rclone, remote, tree):
    for path in TREE:
        os.utime(tree / path, (1_000_000_000, 1_000_000_000))
    rclone("copy", str(tree), remote)
    sums = dict(reversed(line.split("  ", 1)) for line in rclone("hashsum", "SHA1", remote).splitlines())
    assert sums == {path: hashlib.sha1(content).hexdigest() for path, content in TREE.items()}
    times = rclone("lsf", "-R", "--files-only", "--format", "t", remote).splitlines()
    assert set(times) == {"2001-09-09 01:46:40"}


def a_sync_transfers_what_changed_and_deletes_what_went(rclone, remote, tree):
    rclone("sync", str(tree), remote)
    (tree / "many/8.txt").write_bytes(b"eight, longer than it was")
    (tree / "many/9.txt").unlink()
    rclone("sync", str(tree), remote)
    assert rclone("cat", f"{remote}/many/8.txt") == "eight, longer than it was"
    assert "9.txt" not in rclone("lsf", f"{remote}/many").splitlines()
    rclone("check", "--download", str(tree), remote)


def the_server_moves_and_copies(rclone, remote, tree):
    rclone("copy", str(tree), remote)
    rclone("moveto", f"{remote}/Träger/größe 100%.txt", f"{remote}/Träger/kleiner.txt")
    rclone("copyto", f"{remote}/all bytes.bin", f"{remote}/again.bin")
    rclone("move", f"{remote}/deep", f"{remote}/high")
    names = set(rclone("lsf", "-R", "--files-only", remote).splitlines())
    assert {"Träger/kleiner.txt", "again.bin", "high/er/and/deeper/file"} <= names
    assert not {"Träger/größe 100%.txt", "deep/er/and/deeper/file"} & names


def a_part_of_a_file_is_read(rclone, remote, tree):
    rclone("copy", str(tree), remote)
    assert rclone("cat", "--offset", "5", "--count", "3", f"{remote}/many/7.txt") == "r 7"


def how_much_room_there_is_can_be_asked(rclone):
    assert "Used:" in rclone("about", "nc:")
