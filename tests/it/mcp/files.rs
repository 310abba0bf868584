//! Files by tools, as their owner, as somebody else, and with too little.

use serde_json::{Value, json};

use crate::house::{House, Plan};

const ALL: &str = "openid nc.read files.write";

/// A file at Nextcloud, put there past the tools.
async fn put(house: &House, path: &str, body: impl Into<Vec<u8>>) {
    let target = format!("/remote.php/dav/files/alice{path}");
    let answer = house.request("PUT", &target, &house.token("alice")).body(body.into()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
}

fn paths(output: &Value) -> Vec<&str> {
    output["items"].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_file_is_written_found_read_moved_and_deleted_in_its_owners_name() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    house.does(&alice, "files_mkdir", json!({ "path": "/Plans/2026/Q4" })).await;
    let path = "/Plans/2026/Q4/ümläut & + #1 100%.md";
    let written = house.does(&alice, "files_write", json!({ "path": path, "text": "# Größe\n" })).await;
    assert!(written["url"].as_str().unwrap().starts_with(&format!("{}/index.php/f/", house.url)), "{written}");

    let listed = house.does(&alice, "files_list", json!({ "path": "/Plans/2026/Q4/" })).await;
    let item = &listed["items"][0];
    assert_eq!((paths(&listed), &item["kind"], &item["mime"]), (vec![path], &json!("file"), &json!("text/markdown")));
    assert_eq!((&item["etag"], &item["size"], &item["url"]), (&written["etag"], &json!(10), &written["url"]));
    assert!(chrono::DateTime::parse_from_rfc3339(item["modified"].as_str().unwrap()).is_ok());
    let found = house.does(&alice, "files_search", json!({ "name": "ümläut*", "path": "/Plans" })).await;
    assert_eq!(paths(&found), [path]);

    let read = house.does(&alice, "files_read", json!({ "path": path })).await;
    assert_eq!((&read["text"], &read["etag"]), (&json!("# Größe\n"), &written["etag"]));
    let etag = read["etag"].clone();
    let replaced = house.does(&alice, "files_write", json!({ "path": path, "text": "new", "etag": etag })).await;
    assert_ne!(replaced["etag"], etag);

    house.does(&alice, "files_copy", json!({ "from": path, "to": "/Plans/copy.md" })).await;
    let moved = house.does(&alice, "files_move", json!({ "from": path, "to": "/Plans/moved.md" })).await;
    assert_eq!(moved["url"], written["url"], "it is the same file");
    assert_eq!(
        paths(&house.does(&alice, "files_list", json!({ "path": "Plans" })).await),
        ["/Plans/2026", "/Plans/copy.md", "/Plans/moved.md"]
    );

    house.does(&alice, "files_delete", json!({ "path": "/Plans/moved.md", "etag": replaced["etag"] })).await;
    let trash = house.does(&alice, "files_list", json!({ "trash": true })).await;
    let trashed = &trash["items"][0];
    assert!(trashed["path"].as_str().unwrap().starts_with("moved.md.d") && trashed["modified"].is_string(), "{trash}");
    house.does(&alice, "files_restore", json!({ "path": trashed["path"] })).await;
    let back = house.does(&alice, "files_read", json!({ "path": "/Plans/moved.md" })).await;
    assert_eq!(back["text"], "new");
    house.close().await;
}

#[tokio::test]
async fn nothing_is_overwritten_by_mistake() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    let first = house.does(&alice, "files_write", json!({ "path": "/a.txt", "text": "one" })).await;
    let etag = first["etag"].as_str().unwrap();
    let fails = async |tool: &str, arguments: Value, words: &str| {
        let called = house.call(&alice, tool, arguments.clone()).await;
        assert!(called.failure().contains(words), "{tool} {arguments}: {called:?}");
    };
    fails("files_write", json!({ "path": "/a.txt", "text": "two" }), etag).await;
    fails(
        "files_write",
        json!({ "path": "/a.txt", "text": "two", "etag": "0000" }),
        &format!("its etag is {etag} now"),
    )
    .await;
    fails("files_write", json!({ "path": "/a.txt", "text": "two", "etag": "*" }), "etag is none").await;
    fails("files_write", json!({ "path": "/none.txt", "text": "two", "etag": etag }), "leave etag out").await;
    fails("files_write", json!({ "path": "/no/such/a.txt", "text": "two" }), "There is no folder /no/such").await;
    fails("files_write", json!({ "path": "/", "text": "two" }), "root").await;
    house.does(&alice, "files_mkdir", json!({ "path": "/folder" })).await;
    fails("files_write", json!({ "path": "/folder", "text": "two" }), "is a folder").await;
    fails("files_mkdir", json!({ "path": "/a.txt" }), "is a file").await;
    fails("files_mkdir", json!({ "path": "/a.txt/b/c" }), "").await;
    for tool in ["files_move", "files_copy"] {
        house.call(&alice, "files_write", json!({ "path": "/b.txt", "text": "two" })).await;
        fails(tool, json!({ "from": "/a.txt", "to": "/b.txt" }), "There is already something at /b.txt").await;
        fails(tool, json!({ "from": "/a.txt", "to": "/folder" }), "such as /folder/a.txt").await;
        fails(tool, json!({ "from": "/a.txt", "to": "/no/a.txt" }), "There is no folder /no").await;
        fails(tool, json!({ "from": "/none.txt", "to": "/c.txt" }), "There is no /none.txt").await;
        fails(tool, json!({ "from": "/folder", "to": "/folder/in/it" }), "inside").await;
        fails(tool, json!({ "from": "/a.txt", "to": "/a.txt" }), "the same").await;
        fails(tool, json!({ "from": "/", "to": "/c" }), "root").await;
    }
    fails("files_delete", json!({ "path": "/a.txt", "etag": "0000" }), &format!("its etag is {etag} now")).await;
    fails("files_delete", json!({ "path": "/folder", "etag": "0000" }), "changed meanwhile").await;
    fails("files_delete", json!({ "path": "/" }), "root").await;
    fails("files_delete", json!({ "path": "" }), "root").await;
    fails("files_restore", json!({ "path": "a.txt.d1" }), "in the trash bin").await;
    fails("files_restore", json!({ "path": "a/b" }), "in the trash bin").await;
    assert_eq!(house.does(&alice, "files_read", json!({ "path": "/a.txt" })).await["text"], "one");
    assert_eq!(house.does(&alice, "files_read", json!({ "path": "/b.txt" })).await["text"], "two");
    house.close().await;
}

#[tokio::test]
async fn folders_are_made_once_with_what_is_above_them_and_deleted_by_their_etag() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    let path = json!({ "path": "/deep/a b/ü/%/d" });
    let made = house.does(&alice, "files_mkdir", path.clone()).await;
    let again = house.does(&alice, "files_mkdir", path.clone()).await;
    assert_eq!((&made["ok"], &again["url"]), (&json!(true), &made["url"]));
    let etag = &again["etag"];
    house.does(&alice, "files_delete", json!({ "path": "/deep/a b/ü/%/d", "etag": etag })).await;
    let gone = house.call(&alice, "files_delete", path).await;
    assert!(gone.failure().contains("There is no"), "{gone:?}");
    let endless = "/x".repeat(40);
    let called = house.call(&alice, "files_mkdir", json!({ "path": endless })).await;
    assert!(called.failure().contains("More than 20"), "{called:?}");
    house.close().await;
}

#[tokio::test]
async fn a_list_comes_in_pages_that_lose_nothing_when_something_goes() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    house.does(&alice, "files_mkdir", json!({ "path": "/many/Zoo" })).await;
    house.does(&alice, "files_mkdir", json!({ "path": "/many/attic" })).await;
    for name in ["b.txt", "A.txt", "a.txt", "c.txt", "ä.txt"] {
        put(&house, &format!("/many/{name}"), "x").await;
    }
    let page = async |cursor: Option<&Value>| {
        let mut arguments = json!({ "path": "/many", "limit": 3 });
        if let Some(cursor) = cursor {
            arguments["cursor"] = cursor.clone();
        }
        house.does(&alice, "files_list", arguments).await
    };
    let first = page(None).await;
    assert_eq!(paths(&first), ["/many/attic", "/many/Zoo", "/many/A.txt"]);
    house.does(&alice, "files_delete", json!({ "path": "/many/A.txt" })).await;
    let second = page(Some(&first["next_cursor"])).await;
    assert_eq!(paths(&second), ["/many/a.txt", "/many/b.txt", "/many/c.txt"]);
    let last = page(Some(&second["next_cursor"])).await;
    assert_eq!((paths(&last), &last["next_cursor"]), (vec!["/many/ä.txt"], &Value::Null));

    for (tool, arguments) in [
        ("files_list", json!({ "path": "/many", "cursor": "nonsense" })),
        ("files_list", json!({ "path": "/", "cursor": first["next_cursor"] })),
        ("files_list", json!({ "trash": true, "cursor": first["next_cursor"] })),
        ("files_search", json!({ "path": "/many", "cursor": first["next_cursor"] })),
        ("shares_list", json!({ "cursor": first["next_cursor"] })),
    ] {
        let called = house.call(&house.token("alice"), tool, arguments.clone()).await;
        assert!(called.failure().contains("Start again without a cursor"), "{tool} {arguments}: {called:?}");
    }
    for (arguments, words) in [
        (json!({ "path": "/many/b.txt" }), "is a file"),
        (json!({ "path": "/none" }), "There is no folder /none"),
        (json!({ "path": "/many", "trash": true }), "leave path out"),
        (json!({ "limit": 101 }), "1 to 100"),
        (json!({ "path": "/../bob" }), "'..'"),
        (json!({ "path": "/a%41b" }), "cannot be asked"),
        (json!({ "path": 7 }), "expected a string"),
    ] {
        let called = house.call(&alice, "files_list", arguments.clone()).await;
        assert!(called.failure().contains(words), "{arguments}: {called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn files_are_found_by_name_type_time_and_favour() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    house.does(&alice, "files_mkdir", json!({ "path": "/Übung 1/sub" })).await;
    for (path, body) in
        [("/a_b.md", "1"), ("/axb.md", "2"), ("/sub/pic.png", "3"), ("/sub/100%.txt", "4"), ("/sub/1000.txt", "5")]
    {
        put(&house, &format!("/%C3%9Cbung%201{}", path.replace('%', "%25")), body).await;
    }
    let finds = async |mut arguments: Value, wanted: &[&str]| {
        arguments["path"] = json!("/Übung 1");
        let output = house.does(&alice, "files_search", arguments.clone()).await;
        let mut found: Vec<&str> =
            paths(&output).into_iter().map(|path| path.strip_prefix("/Übung 1/").unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "{arguments}");
    };
    finds(json!({ "name": "a_b*" }), &["a_b.md"]).await;
    finds(json!({ "name": "*.MD" }), &["a_b.md", "axb.md"]).await;
    finds(json!({ "name": "100%" }), &["sub/100%.txt"]).await;
    finds(json!({ "name": "b.m" }), &["a_b.md", "axb.md"]).await;
    finds(json!({ "name": "\\_\"<&" }), &[]).await;
    finds(json!({ "mime": "image/*" }), &["sub/pic.png"]).await;
    finds(json!({ "mime": "text/plain", "name": "*0*" }), &["sub/100%.txt", "sub/1000.txt"]).await;
    finds(json!({ "favorite": true }), &[]).await;
    let favour = "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:set><d:prop><oc:favorite>1</oc:favorite></d:prop></d:set></d:propertyupdate>";
    let target = "/remote.php/dav/files/alice/%C3%9Cbung%201/axb.md";
    house
        .request("PROPPATCH", target, &house.token("alice"))
        .header("content-type", "application/xml")
        .body(favour)
        .send()
        .await
        .unwrap();
    finds(json!({ "favorite": true }), &["axb.md"]).await;
    finds(json!({ "modified_after": "2020-01-01T00:00:00+02:00", "mime": "image/png" }), &["sub/pic.png"]).await;
    finds(json!({ "modified_after": "2100-01-01T00:00:00Z" }), &[]).await;

    for (arguments, words) in [
        (json!({ "path": "/none" }), "There is no folder /none"),
        (json!({ "path": "/C#" }), "cannot be searched"),
        (json!({ "mime": "*/*" }), "image/*"),
        (json!({ "modified_after": "yesterday" }), "2026-11-21T09:00:00Z"),
        (json!({ "name": "x".repeat(300) }), "too long"),
    ] {
        let called = house.call(&alice, "files_search", arguments.clone()).await;
        assert!(called.failure().contains(words), "{arguments}: {called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_search_goes_on_where_it_ended() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    house.does(&alice, "files_mkdir", json!({ "path": "/s" })).await;
    for number in 0..7 {
        put(&house, &format!("/s/{number}.log"), "x").await;
    }
    for limit in [1, 2, 3, 7, 8] {
        let mut found: Vec<String> = Vec::new();
        let mut arguments = json!({ "name": "*.log", "path": "/s", "limit": limit });
        loop {
            let page = house.does(&alice, "files_search", arguments.clone()).await;
            assert!(paths(&page).len() <= limit);
            found.extend(paths(&page).into_iter().map(str::to_owned));
            match &page["next_cursor"] {
                Value::Null => break,
                cursor => arguments["cursor"] = cursor.clone(),
            }
        }
        found.sort_unstable();
        assert_eq!(found, (0..7).map(|number| format!("/s/{number}.log")).collect::<Vec<_>>(), "{limit}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_text_comes_in_parts_and_what_is_none_as_image_or_link() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    let text: String = "ß計😀a\n".repeat(9_000);
    put(&house, "/long.txt", text.clone()).await;
    let (mut offset, mut read, mut parts) = (json!(0), String::new(), 0);
    while !offset.is_null() {
        let part = house.does(&alice, "files_read", json!({ "path": "/long.txt", "offset": offset })).await;
        read.push_str(part["text"].as_str().unwrap());
        (offset, parts) = (part["next_offset"].clone(), parts + 1);
    }
    assert_eq!((read == text, parts), (true, 3));
    let part = house.does(&alice, "files_read", json!({ "path": "/long.txt", "offset": 1, "max_chars": 2 })).await;
    assert_eq!((&part["text"], &part["next_offset"]), (&json!("計😀"), &json!(3)));
    put(&house, "/empty.txt", "").await;
    let empty = house.does(&alice, "files_read", json!({ "path": "/empty.txt" })).await;
    assert_eq!((&empty["text"], &empty["next_offset"]), (&json!(""), &Value::Null));

    put(&house, "/latin.txt", &b"Gr\xf6\xdfe"[..]).await;
    put(&house, "/data.bin", vec![0, 159, 146, 150]).await;
    put(&house, "/pic.png", &b"\x89PNG\r\n"[..]).await;
    put(&house, "/huge.png", vec![7; 1024 * 1024 + 1]).await;
    for (path, mime) in [("/latin.txt", "text/plain"), ("/data.bin", "application/x-bin"), ("/huge.png", "image/png")] {
        let called = house.call(&alice, "files_read", json!({ "path": path })).await;
        let link = &called.content[1];
        assert_eq!((&link["type"], &link["mimeType"]), (&json!("resource_link"), &json!(mime)), "{called:?}");
        assert_eq!(link["uri"], format!("nextcloud://files{path}"));
        assert!(called.output["text"].is_null() && called.output["url"].is_string(), "{called:?}");
    }
    let called = house.call(&alice, "files_read", json!({ "path": "/pic.png" })).await;
    assert_eq!((&called.content[1]["type"], &called.content[1]["data"]), (&json!("image"), &json!("iVBORw0K")));

    for (arguments, words) in [
        (json!({ "path": "/none.txt" }), "There is no file /none.txt"),
        (json!({ "path": "/" }), "is a folder"),
        (json!({ "path": "/long.txt", "offset": 50_000 }), "has 45000 characters"),
        (json!({ "path": "/long.txt", "offset": -1 }), "invalid value"),
        (json!({ "path": "/long.txt", "max_chars": 0 }), "1 to 100000"),
    ] {
        let called = house.call(&alice, "files_read", arguments.clone()).await;
        assert!(called.failure().contains(words), "{arguments}: {called:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn a_part_far_into_a_large_file_is_refused_and_one_near_its_beginning_is_not() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    put(&house, "/large.txt", vec![b'a'; 17 * 1024 * 1024]).await;
    let near =
        house.does(&alice, "files_read", json!({ "path": "/large.txt", "offset": 3_000_000, "max_chars": 5 })).await;
    assert_eq!((&near["text"], &near["next_offset"]), (&json!("aaaaa"), &json!(3_000_005)));
    let far = house.call(&alice, "files_read", json!({ "path": "/large.txt", "offset": 17_000_000 })).await;
    assert!(far.failure().contains("first 16 MiB") && far.failure().contains("/index.php/f/"), "{far:?}");
    house.close().await;
}

#[tokio::test]
async fn a_name_that_pretends_to_be_another_is_shown_as_what_it_is() {
    let house = House::open().await;
    let alice = house.token_with("alice", ALL);
    put(&house, "/a%E2%80%AEfdp.exe", "x").await;
    let listed = house.does(&alice, "files_list", json!({})).await;
    assert!(paths(&listed).contains(&"/a\u{fffd}fdp.exe"), "{listed}");
    house.close().await;
}

#[tokio::test]
async fn somebody_elses_files_are_not_there() {
    let house = House::open().await;
    let (alice, bob) = (house.token_with("alice", ALL), house.token_with("bob", ALL));
    house.does(&alice, "files_write", json!({ "path": "/secret.md", "text": "for alice" })).await;
    let called = house.call(&bob, "files_read", json!({ "path": "/secret.md" })).await;
    assert!(called.failure().contains("There is no file"), "{called:?}");
    for (tool, arguments) in [("files_list", json!({})), ("files_search", json!({ "name": "secret" }))] {
        let output = house.does(&bob, tool, arguments).await;
        assert!(!output.to_string().contains("secret"), "{tool}: {output}");
    }
    for tool in ["files_delete", "files_read"] {
        let called = house.call(&bob, tool, json!({ "path": "/../alice/secret.md" })).await;
        assert!(called.failure().contains("'..'"), "{called:?}");
    }
    assert_eq!(house.does(&alice, "files_read", json!({ "path": "/secret.md" })).await["text"], "for alice");
    house.close().await;
}

#[tokio::test]
async fn a_token_without_the_scope_is_told_all_that_it_would_take() {
    let house = House::open().await;
    let reader = house.token_with("alice", "openid files.read notes.read");
    for tool in ["files_write", "files_mkdir", "files_move", "files_copy", "files_delete", "files_restore"] {
        let said = house.try_call(&reader, tool, json!({})).await;
        assert_eq!(said.status, 403, "{tool}: {said:?}");
        let challenge = said.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        for scope in ["files.read", "files.write", "notes.read"] {
            assert!(challenge.contains(scope), "{tool}: {challenge}");
        }
    }
    let stranger = house.token_with("alice", "openid notes.read");
    for tool in ["files_list", "files_search", "files_read"] {
        let said = house.try_call(&stranger, tool, json!({ "path": "/Readme.md" })).await;
        assert_eq!(said.status, 403, "{tool}: {said:?}");
    }
    house.close().await;
}

#[tokio::test]
async fn the_tools_work_wherever_nextcloud_is_mounted() {
    for (prefix, webroot, own) in [("/nc", "", ""), ("/nc", "/nextcloud", "/nextcloud"), ("", "/nextcloud", "/nc")] {
        let house = Plan {
            prefix,
            upstream_root: webroot,
            nextcloud: Some(Box::new(move |options| {
                options.webroot = webroot.into();
                options.overwrite_webroot = Some(own.into());
            })),
            nextcloud_lines: format!("webroot = {own:?}"),
            ..Plan::default()
        };
        let house = house.build().await;
        let alice = house.token_with("alice", "openid nc.read files.write shares.write");
        house.does(&alice, "files_mkdir", json!({ "path": "/m/n" })).await;
        let written = house.does(&alice, "files_write", json!({ "path": "/m/a.txt", "text": "x" })).await;
        assert!(written["url"].as_str().unwrap().starts_with(&house.url), "{prefix}: {written}");
        house.does(&alice, "files_move", json!({ "from": "/m/a.txt", "to": "/m/n/b.txt" })).await;
        assert_eq!(paths(&house.does(&alice, "files_list", json!({ "path": "/m/n" })).await), ["/m/n/b.txt"]);
        let found = house.does(&alice, "files_search", json!({ "path": "/m", "name": "*.txt" })).await;
        assert_eq!(paths(&found), ["/m/n/b.txt"], "{prefix} {webroot} {own}");
        house.does(&alice, "share_create", json!({ "path": "/m", "kind": "user", "with": "bob" })).await;
        house.does(&alice, "files_delete", json!({ "path": "/m/n/b.txt" })).await;
        let trash = house.does(&alice, "files_list", json!({ "trash": true })).await;
        house.does(&alice, "files_restore", json!({ "path": trash["items"][0]["path"] })).await;
        assert_eq!(house.does(&alice, "files_read", json!({ "path": "/m/n/b.txt" })).await["text"], "x");
        house.close().await;
    }
}
