"""webdav4: WebDAV as fsspec and DVC use it, over httpx."""

import io

import pytest
import webdav4.client
import webdav4.fsspec


class _Bearer:
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


@pytest.fixture
def client(files, token):
    return webdav4.client.Client(files, auth=_Bearer(token), timeout=60)


@pytest.fixture
def folder(client, name):
    client.mkdir(name)
    yield name
    client.remove(name)
    assert not client.exists(name)


def a_file_goes_up_and_comes_back(client, folder):
    content = bytes(range(256)) * 4096
    client.upload_fileobj(io.BytesIO(content), f"{folder}/all bytes.bin")
    back = io.BytesIO()
    client.download_fileobj(f"{folder}/all bytes.bin", back)
    assert back.getvalue() == content
    assert client.content_length(f"{folder}/all bytes.bin") == len(content)


def an_upload_that_must_not_overwrite_does_not(client, folder):
    client.upload_fileobj(io.BytesIO(b"first"), f"{folder}/once.txt", overwrite=False)
    with pytest.raises(webdav4.client.ResourceAlreadyExists):
        client.upload_fileobj(io.BytesIO(b"second"), f"{folder}/once.txt", overwrite=False)
    with client.open(f"{folder}/once.txt", mode="rb") as file:
        assert file.read() == b"first"


def a_listing_names_what_is_there_and_its_properties(client, folder):
    client.mkdir(f"{folder}/below")
    client.upload_fileobj(io.BytesIO(b"12345"), f"{folder}/five.txt")
    listed = {entry["name"]: entry for entry in client.ls(folder)}
    assert set(listed) == {f"{folder}/below", f"{folder}/five.txt"}
    assert listed[f"{folder}/below"]["type"] == "directory"
    assert listed[f"{folder}/five.txt"]["type"] == "file"
    assert listed[f"{folder}/five.txt"]["content_length"] == 5
    assert listed[f"{folder}/five.txt"]["etag"]
    assert client.modified(f"{folder}/five.txt") is not None
    assert client.etag(f"{folder}/five.txt") == listed[f"{folder}/five.txt"]["etag"]


def a_part_of_a_file_is_read_by_range(client, folder):
    client.upload_fileobj(io.BytesIO(b"0123456789" * 100_000), f"{folder}/digits.txt")
    with client.open(f"{folder}/digits.txt", mode="rb", chunk_size=1000) as file:
        file.seek(500_003)
        assert file.read(7) == b"3456789"
        file.seek(-4, io.SEEK_END)
        assert file.read() == b"6789"


def a_copy_and_a_move_find_their_destination(client, folder):
    client.upload_fileobj(io.BytesIO(b"here"), f"{folder}/here.txt")
    client.copy(f"{folder}/here.txt", f"{folder}/there ü.txt")
    client.move(f"{folder}/here.txt", f"{folder}/elsewhere.txt")
    names = {entry["name"] for entry in client.ls(folder)}
    assert names == {f"{folder}/there ü.txt", f"{folder}/elsewhere.txt"}
    with pytest.raises(webdav4.client.ResourceAlreadyExists):
        client.move(f"{folder}/elsewhere.txt", f"{folder}/there ü.txt")
    client.move(f"{folder}/elsewhere.txt", f"{folder}/there ü.txt", overwrite=True)
    assert [entry["name"] for entry in client.ls(folder)] == [f"{folder}/there ü.txt"]


def what_is_not_there_is_said_to_be_missing(client, folder):
    assert not client.exists(f"{folder}/nothing")
    with pytest.raises(webdav4.client.ResourceNotFound):
        client.info(f"{folder}/nothing")
    with pytest.raises(webdav4.client.ResourceConflict):
        client.mkdir(f"{folder}/nothing/below")


def a_tree_is_walked_and_removed_through_fsspec(files, token, folder):
    fs = webdav4.fsspec.WebdavFileSystem(files, auth=_Bearer(token), timeout=60)
    fs.makedirs(f"{folder}/a/b", exist_ok=True)
    fs.pipe({f"{folder}/a/1.txt": b"one", f"{folder}/a/b/2.txt": b"two"})
    assert sorted(fs.find(folder)) == [f"{folder}/a/1.txt", f"{folder}/a/b/2.txt"]
    assert fs.cat(f"{folder}/a/b/2.txt") == b"two"
    fs.rm(f"{folder}/a", recursive=True)
    assert not fs.exists(f"{folder}/a")
