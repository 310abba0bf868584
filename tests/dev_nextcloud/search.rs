//! What is found: by the providers of the unified search, and by SEARCH over WebDAV.

use obo_proxy::dev::nextcloud::Generation;
use serde_json::{Value, json};

use super::wire::House;

const FILES: &str = "/remote.php/dav/files/alice";
const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn found(house: &House, provider: &str, query: &str) -> Value {
    let target = format!("/ocs/v2.php/search/providers/{provider}/search?format=json&{query}");
    let answered = house.as_user("alice", "GET", &target, &[], "").await;
    assert_eq!(answered.status, 200, "{provider}");
    answered.json()["ocs"]["data"].clone()
}

#[tokio::test]
async fn what_is_found_says_where_it_is() {
    let house = House::of(Generation::V8_10).await;
    let base = "http://nextcloud.test";
    let task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20261101T080000Z\r\n\
                SUMMARY:Paint\r\nDESCRIPTION:the fence\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    let calendar = "/remote.php/dav/calendars/alice/todo";
    assert_eq!(house.as_user("alice", "MKCALENDAR", calendar, &[], "").await.status, 201);
    assert_eq!(house.as_user("alice", "PUT", &format!("{calendar}/t.ics"), &[], task).await.status, 201);
    let deck = "/index.php/apps/deck/api/v1.0/boards";
    assert_eq!(house.as_user("alice", "POST", deck, &JSON, r#"{"title":"House","color":"00ff00"}"#).await.status, 200);
    for (provider, term, title, url) in [
        ("tasks", "fence", "Paint", "/apps/tasks/#/calendars/todo/tasks/t.ics"),
        ("contacts", "7654321", "A friend of alice", "/apps/contacts/direct/contact/alice-contact~contacts"),
        // `/remote.php/dav/calendars/alice/personal/alice-event.ics`.
        (
            "calendar",
            "event",
            "An event of alice",
            "/apps/calendar/edit/L3JlbW90ZS5waHAvZGF2L2NhbGVuZGFycy9hbGljZS9wZXJzb25hbC9hbGljZS1ldmVudC5pY3M=",
        ),
        ("deck", "house", "House", "/apps/deck/#/board/1"),
        ("talk-conversations", "team", "Team", "/call/team0001"),
        ("talk-conversations", "bob", "Bob T", "/call/direct01"),
    ] {
        let data = found(&house, provider, &format!("term={term}")).await;
        let entry = &data["entries"][0];
        assert_eq!(entry["title"], title, "{provider}: {data}");
        assert_eq!(entry["resourceUrl"], format!("{base}{url}"), "{provider}");
    }
    let notes = found(&house, "notes", "term=note+of").await;
    assert_eq!((&notes["entries"][0]["title"], &notes["cursor"]), (&"Welcome".into(), &Value::Null));
    let said = found(&house, "talk-message", "term=%40alice").await;
    let entry = &said["entries"][0];
    assert_eq!(
        (&entry["title"], &entry["subline"]),
        (&"Bob T in Team".into(), &"@Alice T please read the plan".into())
    );
    assert_eq!(
        (&entry["attributes"]["conversation"], &entry["attributes"]["actorId"]),
        (&"team0001".into(), &"bob".into())
    );
    let id = entry["attributes"]["messageId"].as_str().unwrap();
    assert_eq!(entry["resourceUrl"], format!("{base}/call/team0001#message_{id}"));
    assert_eq!(found(&house, "talk-message", "term=created").await["entries"], json!([]), "what happened was not said");
}

#[tokio::test]
async fn more_is_found_by_the_cursor() {
    let house = House::of(Generation::V8_10).await;
    for number in 1..=3 {
        house.nextcloud.put_file("alice", &format!("page{number}.txt"), "x").await.unwrap();
    }
    let titles = |data: &Value| -> Vec<String> {
        data["entries"].as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
    };
    let first = found(&house, "files", "term=page&limit=2").await;
    assert_eq!((titles(&first), &first["cursor"]), (vec!["page1.txt".to_owned(), "page2.txt".to_owned()], &2.into()));
    let second = found(&house, "files", "term=page&limit=2&cursor=2").await;
    assert_eq!((titles(&second), &second["cursor"]), (vec!["page3.txt".to_owned()], &4.into()));
    let events = found(&house, "calendar", "term=event&limit=2").await;
    assert_eq!((titles(&events).len(), &events["cursor"]), (1, &1.into()), "its cursor counts what was given");
}

async fn searched(house: &House, condition: &str, rest: &str) -> Vec<String> {
    let body = format!(
        "<d:searchrequest xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\" xmlns:s=\"https://github.com/icewind1991/SearchDAV/ns\">\
         <d:basicsearch><d:select><d:prop><d:displayname/></d:prop></d:select><d:from><d:scope><d:href>/files/alice</d:href>\
         <d:depth>infinity</d:depth></d:scope></d:from><d:where>{condition}</d:where>{rest}</d:basicsearch></d:searchrequest>"
    );
    let answered = house.as_user("alice", "SEARCH", "/remote.php/dav/", &[("content-type", "text/xml")], body).await;
    assert_eq!(answered.status, 207, "{}", answered.text());
    let text = answered.text();
    let names = text.split("<d:displayname>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    names.collect()
}

fn compares(operator: &str, property: &str, literal: &str) -> String {
    format!("<d:{operator}><d:prop><{property}/></d:prop><d:literal>{literal}</d:literal></d:{operator}>")
}

#[tokio::test]
async fn files_are_found_by_name_kind_time_and_mark() {
    let house = House::of(Generation::V8_10).await;
    for (name, time) in [("old.txt", "1700000000"), ("new.txt", "1700000100"), ("new.png", "1700000200")] {
        let put = house.as_user("alice", "PUT", &format!("{FILES}/{name}"), &[("x-oc-mtime", time)], "x").await;
        assert_eq!(put.status, 201);
    }
    let favorite = "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:set><d:prop>\
                    <oc:favorite>1</oc:favorite></d:prop></d:set></d:propertyupdate>";
    assert_eq!(house.as_user("alice", "PROPPATCH", &format!("{FILES}/old.txt"), &[], favorite).await.status, 207);
    let by_time = "<d:orderby><d:order><d:prop><d:getlastmodified/></d:prop><d:ascending/></d:order></d:orderby>";
    let until = compares("lte", "d:getlastmodified", "1700000200");
    let new = compares("like", "d:displayname", "new%");
    for (condition, names) in [
        (until.clone(), vec!["old.txt", "new.txt", "new.png"]),
        (compares("eq", "oc:favorite", "yes"), vec!["old.txt"]),
        (format!("<d:and>{new}{}</d:and>", compares("like", "d:getcontenttype", "image/%")), vec!["new.png"]),
        (format!("<d:and>{until}<d:not>{new}</d:not></d:and>"), vec!["old.txt"]),
        (format!("<d:or>{}{new}</d:or>", compares("eq", "oc:favorite", "yes")), vec!["old.txt", "new.txt", "new.png"]),
        (
            format!("<d:and>{until}{}</d:and>", compares("gt", "d:getlastmodified", "1700000000")),
            vec!["new.txt", "new.png"],
        ),
        // 1700000100 with and without an offset.
        (
            format!("<d:and>{until}{}</d:and>", compares("gte", "d:getlastmodified", "2023-11-14T22:15:00Z")),
            vec!["new.txt", "new.png"],
        ),
        (
            format!("<d:and>{until}{}</d:and>", compares("gt", "d:getlastmodified", "2023-11-14T23:15:00+01:00")),
            vec!["new.png"],
        ),
        (
            format!("<d:and>{until}{}</d:and>", compares("gt", "d:getlastmodified", "2023-11-14T20:15:00-02:00")),
            vec!["new.png"],
        ),
    ] {
        assert_eq!(searched(&house, &condition, by_time).await, names, "{condition}");
    }
    let marked = searched(&house, &compares("eq", "oc:favorite", "1"), "").await;
    assert!(!marked.contains(&"old.txt".to_owned()), "only `yes` is yes");
}

#[tokio::test]
async fn what_is_found_is_ordered_and_comes_page_by_page() {
    let house = House::of(Generation::V8_10).await;
    for (name, content) in [("b.csv", "x"), ("a.csv", "xx"), ("c.csv", "x")] {
        house.nextcloud.put_file("alice", name, content).await.unwrap();
    }
    let like = compares("like", "d:displayname", "%.csv");
    let order = |property: &str, how: &str| format!("<d:order><d:prop><{property}/></d:prop><d:{how}/></d:order>");
    let by_size =
        format!("<d:orderby>{}{}</d:orderby>", order("oc:size", "ascending"), order("d:displayname", "descending"));
    assert_eq!(searched(&house, &like, &by_size).await, ["c.csv", "b.csv", "a.csv"]);
    let by_name = format!("<d:orderby>{}</d:orderby>", order("d:displayname", "ascending"));
    for (limit, names) in [
        ("<d:nresults>2</d:nresults>", vec!["a.csv", "b.csv"]),
        ("<d:nresults>2</d:nresults><s:firstresult>2</s:firstresult>", vec!["c.csv"]),
        ("<d:nresults>2</d:nresults><d:firstresult>2</d:firstresult>", vec!["a.csv", "b.csv"]),
        ("<s:firstresult>1</s:firstresult>", vec!["b.csv", "c.csv"]),
    ] {
        let found = searched(&house, &like, &format!("{by_name}<d:limit>{limit}</d:limit>")).await;
        assert_eq!(found, names, "{limit}");
    }
    for number in 0..110 {
        house.nextcloud.put_file("alice", &format!("{number}.json"), "x").await.unwrap();
    }
    assert_eq!(searched(&house, &compares("like", "d:displayname", "%.json"), "").await.len(), 100, "the usual limit");
}
