use super::*;

/// As recorded (files.http, 29), shortened.
const FOLDER: &str = r#"<?xml version="1.0"?>
<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns"><d:response><d:href>/remote.php/dav/files/alice/seq/</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype><d:getetag>&quot;6b017f63175bb&quot;</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop><d:getcontenttype/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response><d:response><d:href>/remote.php/dav/files/alice/seq/%c3%bcml%c3%a4ut%20%26%20%2b%20%23.txt</d:href><d:propstat><d:prop><d:resourcetype/><d:getcontenttype>text/plain</d:getcontenttype><oc:size>5</oc:size></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>"#;

#[test]
fn a_recorded_folder_is_read() {
    let read = Multistatus::parse(FOLDER.as_bytes()).unwrap();
    let [folder, file] = read.responses.as_slice() else { panic!("{read:?}") };
    assert!(folder.is_a(DAV, "collection") && !file.is_a(DAV, "collection"));
    assert_eq!(folder.text(DAV, "getetag"), Some("\"6b017f63175bb\""));
    assert_eq!(folder.get(DAV, "getcontenttype").map(|found| &found.local), None, "404 is not had");
    assert_eq!(file.text(OC, "size"), Some("5"));
    assert_eq!(file.text(DAV, "size"), None, "a name is its namespace too");
    assert_eq!(file.segments().unwrap(), ["remote.php", "dav", "files", "alice", "seq", "ümläut & + #.txt"]);
}

fn of(inside: &str) -> Result<Multistatus, Unreadable> {
    Multistatus::parse(format!("<d:multistatus xmlns:d=\"DAV:\">{inside}</d:multistatus>").as_bytes())
}

#[test]
fn prefixes_are_only_prefixes_and_text_is_what_it_means() {
    let text = "<multistatus xmlns=\"DAV:\"><response><href>http://cloud.example/a%2520b</href><propstat><prop>\
                <displayname>a<![CDATA[<b>]]>&#x26;&amp;</displayname>\
                <c:comp xmlns:c=\"urn:x\" c:name=\"V&quot;\"/></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>";
    let read = Multistatus::parse(text.as_bytes()).unwrap();
    let response = &read.responses[0];
    assert_eq!(response.href, "/a%2520b");
    assert_eq!(response.segments().unwrap(), ["a%20b"], "decoded once");
    assert_eq!(response.text(DAV, "displayname"), Some("a<b>&&"));
    assert_eq!(response.get("urn:x", "comp").unwrap().attribute("name"), Some("V\""));
}

#[test]
fn a_resource_that_is_gone_says_so_as_a_whole() {
    let read = of("<d:response><d:href>/x</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>").unwrap();
    assert_eq!((read.responses[0].status, read.responses[0].properties.len()), (Some(404), 0));
}

#[test]
fn a_slash_in_disguise_or_another_encoding_is_no_name() {
    for href in ["/a%2Fb", "/%ff"] {
        let read = of(&format!("<d:response><d:href>{href}</d:href></d:response>")).unwrap();
        assert_eq!(read.responses[0].segments(), None, "{href}");
    }
}

#[test]
fn what_is_no_multistatus_is_not_read() {
    let deep = format!("{}{}", "<d:a>".repeat(100), "</d:a>".repeat(100));
    let wide = "<d:a/>".repeat(MOST_ELEMENTS);
    let attributes: String = (0..100).map(|number| format!(" a{number}=\"\"")).collect();
    for inside in [
        "<d:response/>",
        "<d:response><d:href>/a</d:href><d:href>/b</d:href></d:response>",
        "<d:response><d:href>/a</d:href><d:propstat><d:prop/></d:propstat></d:response>",
        "<d:response><d:href>/a</d:href><d:status>HTTP/1.1</d:status></d:response>",
        "<d:response>&file;</d:response>",
        "<x:response/>",
        &deep,
        &wide,
        &format!("<d:a{attributes}/>"),
    ] {
        assert!(of(inside).is_err(), "{:.80}", inside);
    }
    for body in [
        "",
        "<d:multistatus xmlns:d=\"DAV:\">",
        "<d:error xmlns:d=\"DAV:\"/>",
        "<multistatus/>",
        "<!DOCTYPE a [<!ENTITY file SYSTEM \"file:///etc/passwd\">]><d:multistatus xmlns:d=\"DAV:\"/>",
        "<d:multistatus xmlns:d=\"DAV:\"/><d:multistatus xmlns:d=\"DAV:\"/>",
        "<d:multistatus xmlns:d=\"DAV:\"/>text",
    ] {
        assert!(Multistatus::parse(body.as_bytes()).is_err(), "{body}");
    }
    assert!(Multistatus::parse(b"<d:multistatus xmlns:d=\"DAV:\">\xff</d:multistatus>").is_err());
}

#[test]
fn what_is_asked_is_well_formed_whatever_is_asked() {
    assert_eq!(escaped("a<b>&\"\u{1}\u{b}ü"), "a&lt;b&gt;&amp;&quot;ü");
    let asked = propfind(&[(DAV, "getetag"), (OC, "fileid")]);
    let read = Element::parse(asked.as_bytes()).unwrap();
    let prop = read.child(DAV, "prop").unwrap();
    assert!(prop.child(DAV, "getetag").is_some() && prop.child(OC, "fileid").is_some());
}
