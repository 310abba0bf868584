"""nc-py-api: the client of Nextcloud's own app developers. It knows user names and passwords; a bearer goes in as its session's `auth`."""

import asyncio
import io

import nc_py_api
import pytest


@pytest.fixture(scope="module")
def run():
    """Its sessions belong to one event loop."""
    loop = asyncio.new_event_loop()
    yield loop.run_until_complete
    loop.close()


@pytest.fixture(scope="module")
def nc(proxy, token, run):
    nc = nc_py_api.AsyncNextcloud(nextcloud_url=proxy)
    # niquests, below it, sends a string as bearer.
    nc._session.cfg.auth = token
    nc._session.init_adapter(restart=True)
    nc._session.init_adapter_dav(restart=True)
    yield nc
    run(nc._session.adapter.close())
    run(nc._session.adapter_dav.close())


@pytest.fixture
def folder(nc, run, name):
    run(nc.files.mkdir(name))
    yield name
    run(nc.files.delete(name))


def it_knows_whose_token_it_is_and_what_the_server_can(nc, run):
    assert run(_user(nc)) == "alice"
    assert run(nc.users.get_user()).email == "alice@ex.org"
    assert {"core", "files", "dav", "files_sharing"} <= set(run(_capabilities(nc)))


def a_file_goes_up_and_comes_back(nc, run, folder):
    content = bytes(range(256)) * 1000
    node = run(nc.files.upload(f"{folder}/all bytes.bin", content))
    assert run(nc.files.download(node)) == content
    found = run(nc.files.by_path(f"{folder}/all bytes.bin"))
    assert found.info.size == len(content)
    assert found.file_id == node.file_id


def an_upload_in_chunks_is_one_file(nc, run, folder):
    content = bytes(range(256)) * 48_000
    node = run(nc.files.upload_stream(f"{folder}/chunked.bin", io.BytesIO(content), chunk_size=5 * 1024 * 1024))
    back = io.BytesIO()
    run(nc.files.download2stream(node, back))
    assert back.getvalue() == content


def a_tree_is_listed_moved_and_copied(nc, run, folder):
    run(nc.files.makedirs(f"{folder}/a/b", exist_ok=True))
    run(nc.files.upload(f"{folder}/a/b/ü.txt", "two"))
    run(nc.files.move(f"{folder}/a/b/ü.txt", f"{folder}/a/moved & kept.txt"))
    run(nc.files.copy(f"{folder}/a/moved & kept.txt", f"{folder}/copied.txt"))
    assert {node.name for node in run(nc.files.listdir(folder))} == {"a", "copied.txt"}
    assert {node.name for node in run(nc.files.listdir(f"{folder}/a"))} == {"b", "moved & kept.txt"}
    found = run(nc.files.find(["like", "name", "%copied%"], path=folder))
    assert {node.user_path for node in found} == {f"{folder}/copied.txt"}


def a_favourite_is_remembered(nc, run, folder):
    node = run(nc.files.upload(f"{folder}/dear.txt", "dear"))
    run(nc.files.setfav(node, True))
    assert "dear.txt" in {node.name for node in run(nc.files.list_by_criteria(["favorite"]))}
    run(nc.files.setfav(node, False))
    assert "dear.txt" not in {node.name for node in run(nc.files.list_by_criteria(["favorite"]))}


def what_was_deleted_comes_back_from_the_bin(nc, run, folder):
    run(nc.files.upload(f"{folder}/lost.txt", "found"))
    run(nc.files.delete(f"{folder}/lost.txt"))
    [lost] = [
        node for node in run(nc.files.trashbin_list()) if node.info.trashbin_original_location == f"{folder}/lost.txt"
    ]
    run(nc.files.trashbin_restore(lost))
    assert run(nc.files.download(f"{folder}/lost.txt")) == b"found"


def a_share_with_bob_is_made_changed_and_taken_back(nc, run, folder):
    node = run(nc.files.upload(f"{folder}/shared.txt", "shared"))
    share = run(nc.files.sharing.create(node, nc_py_api.ShareType.TYPE_USER, share_with="bob"))
    assert [one.share_id for one in run(nc.files.sharing.get_list(path=node))] == [share.share_id]
    run(nc.files.sharing.update(share, note="für dich"))
    assert run(nc.files.sharing.get_by_id(share.share_id)).note == "für dich"
    run(nc.files.sharing.delete(share))
    assert run(nc.files.sharing.get_list(path=node)) == []


def a_note_is_written_edited_and_deleted(nc, run):
    note = run(nc.notes.create("Einkauf", content="Brot", category="Haus"))
    edited = run(nc.notes.update(note, content="Brot\nMilch"))
    assert run(nc.notes.by_id(edited)).content == "Brot\nMilch"
    with pytest.raises(nc_py_api.NextcloudException) as refused:
        run(nc.notes.update(note, content="stale"))
    assert refused.value.status_code == 412
    assert note.note_id in [one.note_id for one in run(nc.notes.get_list())]
    run(nc.notes.delete(note))
    assert note.note_id not in [one.note_id for one in run(nc.notes.get_list())]


def her_status_is_set_and_read(nc, run):
    run(nc.user_status.set_status_type("dnd"))
    run(nc.user_status.set_status("am Schreiben", status_icon="✍️"))
    status = run(nc.user_status.get_current())
    assert (status.status_type, status.status_message) == ("dnd", "am Schreiben")
    run(nc.user_status.set_status(None))
    assert not run(nc.user_status.get_current()).status_message


def what_no_bearer_may_reach_is_refused(nc, run):
    for call in (nc.users.get_list(), nc.apps.get_list(), nc.notes.get_settings()):
        with pytest.raises(nc_py_api.NextcloudException) as refused:
            run(call)
        assert refused.value.status_code == 403


async def _user(nc):
    return await nc.user


async def _capabilities(nc):
    return await nc.capabilities
