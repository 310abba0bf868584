//! WebDAV beyond what was recorded: chunks, checksums, versions, bulk, dead properties, conditions.

use obo_proxy::dev::nextcloud::Generation;

use super::wire::House;

const FILES: &str = "/remote.php/dav/files/alice";

#[tokio::test]
async fn chunks_become_one_file_in_the_order_of_their_numbers() {
    let house = House::of(Generation::V8_10).await;
    let to = format!("http://nextcloud.test{FILES}/big.bin");
    let destination = [("destination", to.as_str())];
    let upload = "/remote.php/dav/uploads/alice/u1";
    assert_eq!(house.as_user("alice", "MKCOL", upload, &destination, "").await.status, 201);
    for (name, content) in [("10", "c"), ("2", "b"), ("1", "a")] {
        let chunk = content.repeat(100_000);
        assert_eq!(house.as_user("alice", "PUT", &format!("{upload}/{name}"), &destination, chunk).await.status, 201);
    }
    let file = format!("{upload}/.file");
    let short = [destination[0], ("oc-total-length", "299999")];
    assert_eq!(house.as_user("alice", "MOVE", &file, &short, "").await.status, 400);
    let all =
        [destination[0], ("oc-total-length", "300000"), ("x-oc-mtime", "1700000000"), ("oc-checksum", "SHA1:abc")];
    let moved = house.as_user("alice", "MOVE", &file, &all, "").await;
    assert_eq!((moved.status, moved.headers["x-oc-mtime"].to_str().unwrap()), (201, "accepted"));
    let content = house.as_user("alice", "GET", &format!("{FILES}/big.bin"), &[], "").await;
    assert_eq!(content.text(), ["a", "b", "c"].map(|letter| letter.repeat(100_000)).concat());
    for (name, value) in [("oc-checksum", "SHA1:abc"), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")] {
        assert_eq!(content.headers[name], value);
    }
    let asked = "<d:propfind xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop><oc:checksums/></d:prop></d:propfind>";
    let told = house.as_user("alice", "PROPFIND", &format!("{FILES}/big.bin"), &[("depth", "0")], asked).await;
    assert!(told.text().contains("<oc:checksum>SHA1:abc</oc:checksum>"), "{}", told.text());
    assert_eq!(house.as_user("alice", "PROPFIND", upload, &[], "").await.status, 404, "the folder has gone");
}

#[tokio::test]
async fn a_version_is_read_and_moved_back() {
    let house = House::of(Generation::V8_10).await;
    let file = format!("{FILES}/v.txt");
    let first = house.as_user("alice", "PUT", &file, &[("x-oc-mtime", "1700000000")], "first").await;
    let id = first.headers["oc-fileid"].to_str().unwrap()[..8].parse::<u64>().unwrap();
    assert_eq!(house.as_user("alice", "PUT", &file, &[], "second").await.status, 204);
    let version = format!("/remote.php/dav/versions/alice/versions/{id}/1700000000");
    assert_eq!(house.as_user("alice", "GET", &version, &[], "").await.text(), "first");
    let back = [("destination", "/remote.php/dav/versions/alice/restore/target")];
    assert_eq!(house.as_user("bob", "MOVE", &version, &back, "").await.status, 404);
    assert_eq!(house.as_user("alice", "MOVE", &version, &back, "").await.status, 201);
    assert_eq!(house.nextcloud.file("alice", "v.txt").await.unwrap(), "first");
}

#[tokio::test]
async fn many_files_come_in_one_body() {
    let house = House::of(Generation::V8_10).await;
    let part = |path: &str, content: &str| {
        format!(
            "--b\r\nX-File-Path: {path}\r\nX-File-MD5: x\r\nX-OC-Mtime: 1700000000\r\nContent-Length: {}\r\n\r\n{content}\r\n",
            content.len()
        )
    };
    let body = format!("{}{}--b--\r\n", part("/one.txt", "one\r\n--b"), part("/no/two.txt", "two"));
    let kind = [("content-type", "multipart/related; boundary=b")];
    let answered = house.as_user("alice", "POST", "/remote.php/dav/bulk", &kind, body).await;
    assert_eq!(answered.status, 200);
    let written = answered.json();
    assert_eq!((&written["/one.txt"]["error"], &written["/no/two.txt"]["error"]), (&false.into(), &true.into()));
    assert_eq!(house.nextcloud.file("alice", "one.txt").await.unwrap(), "one\r\n--b");
    assert_eq!(house.as_user("alice", "POST", "/remote.php/dav/bulk", &kind, "--b\r\nno").await.status, 400);
    assert_eq!(house.as_user("alice", "POST", "/remote.php/dav/bulk", &[], "").await.status, 400);
}

#[tokio::test]
async fn properties_of_ones_own_are_kept_and_move_along() {
    let house = House::of(Generation::V8_10).await;
    let patch = |inner: &str| {
        format!(
            "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:m=\"urn:mine\"><d:set><d:prop>{inner}</d:prop></d:set></d:propertyupdate>"
        )
    };
    let file = format!("{FILES}/alice.txt");
    let set = house.as_user("alice", "PROPPATCH", &file, &[], patch("<m:a><m:b/>text</m:a>")).await;
    assert!(set.text().contains("200 OK"));
    let refused = house.as_user("alice", "PROPPATCH", &file, &[], patch("<d:getetag>x</d:getetag><m:c>1</m:c>")).await;
    assert!(refused.text().contains("403 Forbidden") && refused.text().contains("424 Failed Dependency"));
    let to = [("destination", "/remote.php/dav/files/alice/moved.txt")];
    assert_eq!(house.as_user("alice", "MOVE", &file, &to, "").await.status, 201);
    let asked = "<d:propfind xmlns:d=\"DAV:\" xmlns:m=\"urn:mine\"><d:prop><m:a/><m:c/></d:prop></d:propfind>";
    let told = house.as_user("alice", "PROPFIND", &format!("{FILES}/moved.txt"), &[("depth", "0")], asked).await.text();
    assert!(
        told.contains(">text<x:b xmlns:x=\"urn:mine\"></x:b></x1:a>") && told.contains("<x1:c xmlns:x1=\"urn:mine\"/>"),
        "{told}"
    );
}

#[tokio::test]
async fn changes_come_under_conditions() {
    let house = House::of(Generation::V8_10).await;
    let file = format!("{FILES}/c.txt");
    let made = house.as_user("alice", "PUT", &file, &[("if-none-match", "*")], "1").await;
    let etag = made.headers["etag"].to_str().unwrap().to_owned();
    let good = format!("([{etag}])");
    for (name, value, status) in [
        ("if-none-match", "*", 412),
        ("if-match", "\"no\"", 412),
        ("if", "([\"no\"])", 412),
        ("if", "(<opaquelocktoken:x>)", 412),
        ("content-range", "bytes 0-0/1", 400),
        ("if", good.as_str(), 204),
    ] {
        assert_eq!(house.as_user("alice", "PUT", &file, &[(name, value)], "2").await.status, status, "{name}: {value}");
    }
    let copy =
        |overwrite: &'static str| [("destination", "/remote.php/dav/files/alice/alice.txt"), ("overwrite", overwrite)];
    assert_eq!(house.as_user("alice", "COPY", &file, &copy("F"), "").await.status, 412);
    assert_eq!(house.as_user("alice", "COPY", &file, &copy("T"), "").await.status, 204);
    let nowhere = [("destination", "/remote.php/dav/files/alice/no/where")];
    assert_eq!(house.as_user("alice", "COPY", &file, &nowhere, "").await.status, 409);
}

#[tokio::test]
async fn a_folder_is_copied_whole_or_bare() {
    let house = House::of(Generation::V8_10).await;
    for (depth, to, status) in [("infinity", "whole", 200), ("0", "bare", 404)] {
        let to_header = format!("{FILES}/{to}");
        let headers = [("destination", to_header.as_str()), ("depth", depth)];
        assert_eq!(house.as_user("alice", "COPY", &format!("{FILES}/Documents"), &headers, "").await.status, 201);
        assert_eq!(house.as_user("alice", "GET", &format!("{FILES}/{to}/Plan.md"), &[], "").await.status, status);
    }
}

#[tokio::test]
async fn comments_are_not_only_those_of_files() {
    let house = House::of(Generation::V8_10).await;
    let told = house.as_user("alice", "PROPFIND", "/remote.php/dav/comments/", &[("depth", "1")], "").await;
    assert!(told.text().contains("/comments/deckCard/") && told.text().contains("/comments/files/"));
}

/// Nextcloud switches `Depth: infinity` on, for files.
#[tokio::test]
async fn everything_below_a_folder_is_listed_if_it_is_asked_for() {
    let house = House::of(Generation::V8_10).await;
    for folder in ["/d", "/d/e"] {
        assert_eq!(house.as_user("alice", "MKCOL", &format!("{FILES}{folder}"), &[], "").await.status, 201);
    }
    assert_eq!(house.as_user("alice", "PUT", &format!("{FILES}/d/e/f.txt"), &[], "x").await.status, 201);
    for (depth, shown) in [("0", 1), ("1", 2), ("infinity", 3)] {
        let listed = house.as_user("alice", "PROPFIND", &format!("{FILES}/d/"), &[("depth", depth)], "").await;
        assert_eq!(listed.text().matches("<d:response>").count(), shown, "{depth}");
    }
}
