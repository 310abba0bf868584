//! What is found in bodies, and what is refused.

use super::*;

fn hrefs(body: &str) -> Result<Vec<String>, AmbiguousBody> {
    read(body.as_bytes()).map(|read| read.hrefs)
}

fn multiget(href: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<c:calendar-multiget xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">\
         <d:prop><c:calendar-data/></d:prop>{href}</c:calendar-multiget>\n"
    )
}

#[test]
fn every_href_is_found_as_nextcloud_reads_it() {
    let body =
        multiget("<d:href>/a/b%20c.ics</d:href><d:href><![CDATA[/d&e]]></d:href><d:href>/&#x66;&amp;&#103;</d:href>");
    let found = read(body.as_bytes()).unwrap();
    assert_eq!(found.root, "calendar-multiget");
    let texts: Vec<_> = found.hrefs.iter().map(|href| href.as_str()).collect();
    assert_eq!(texts, ["/a/b%20c.ics", "/d&e", "/f&g"]);
}

#[test]
fn an_href_is_one_in_whatever_namespace_case_and_place() {
    for (href, text) in [
        ("<href xmlns=\"DAV:\">/x</href>", "/x"),
        ("<HREF xmlns=\"DAV:\">/x</HREF>", "/x"),
        ("<z:Href xmlns:z=\"urn:x\">/x</z:Href>", "/x"),
        ("<a:b:href>/x</a:b:href>", "/x"),
        ("<c:filter><c:comp-filter><d:href>/x</d:href></c:comp-filter></c:filter>", "/x"),
        ("<d:href a=\"&gt;\" b='>'>/x</d:href>", "/x"),
        ("<d:href/>", ""),
        ("<d:href></d:href>", ""),
    ] {
        assert_eq!(hrefs(&multiget(href)), Ok(vec![text.to_owned()]), "{href}");
    }
    for none in ["<!-- <d:href>/x</d:href> -->", "<d:x><![CDATA[<d:href>/x</d:href>]]></d:x>", "<d:x a=\"<d:href>\"/>"]
    {
        assert!(!matches!(hrefs(&multiget(none)), Ok(found) if !found.is_empty()), "{none}");
    }
}

#[test]
fn markup_inside_an_href_is_ambiguous() {
    for href in [
        "<d:href>/a<!-- x -->/b</d:href>",
        "<d:href>/a<?x y?>/b</d:href>",
        "<d:href>/a<d:x/>/b</d:href>",
        "<d:href>/a<d:href>/b</d:href></d:href>",
        "<d:href><d:x>/b</d:x></d:href>",
    ] {
        assert_eq!(hrefs(&multiget(href)), Err(AmbiguousBody::Href), "{href}");
    }
}

#[test]
fn entities_and_document_types_are_ambiguous() {
    for (body, why) in [
        (
            "<!DOCTYPE x [<!ENTITY e \"/y\">]><d:r xmlns:d=\"DAV:\"><d:href>&e;</d:href></d:r>",
            AmbiguousBody::DocumentType,
        ),
        ("<!DOCTYPE x><d:r xmlns:d=\"DAV:\"/>", AmbiguousBody::DocumentType),
        ("<d:r xmlns:d=\"DAV:\"><d:href>/&e;</d:href></d:r>", AmbiguousBody::Entity),
        ("<d:r xmlns:d=\"DAV:\">&nbsp;<d:href>/x</d:href></d:r>", AmbiguousBody::Entity),
        ("<d:r xmlns:d=\"DAV:\"><d:href>/&#x0;</d:href></d:r>", AmbiguousBody::Malformed),
        ("<d:r xmlns:d=\"DAV:\"><d:href>/&#xD800;</d:href></d:r>", AmbiguousBody::Malformed),
    ] {
        assert_eq!(hrefs(body), Err(why), "{body}");
    }
}

#[test]
fn another_encoding_is_ambiguous() {
    for body in [
        "\u{feff}<d:r/>",
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><d:r/>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><d:r/>",
        "<?xml version=\"1.0\" encoding=\"UTF-7\"?><d:r/>",
        "<?xml version=\"1.0\" encoding=\"us-ascii\"?><d:r>ü</d:r>",
        "<d:r>\0</d:r>",
    ] {
        assert_eq!(hrefs(body), Err(AmbiguousBody::Encoding), "{body:?}");
    }
    assert_eq!(read(b"<d:r>\xff</d:r>"), Err(AmbiguousBody::Encoding));
    assert_eq!(read(b"\xff\xfe<\0r\0/\0>\0"), Err(AmbiguousBody::Encoding));
    for declared in ["UTF-8", "utf-8", "us-ascii"] {
        assert!(hrefs(&format!("<?xml version=\"1.0\" encoding=\"{declared}\"?><d:r/>")).is_ok());
    }
}

#[test]
fn what_is_not_well_formed_is_ambiguous() {
    for body in [
        "",
        " ",
        "text",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "text<a/>",
        "<a><!-- -- --></a>",
        "<a x=1/>",
        "<a x='1' x='2'/>",
        "<a>&</a>",
        "<a>& b</a>",
        "<a><![CDATA[</a>",
        "<a/><![CDATA[x]]>",
        "<?xml version=\"1.1\"?><a/>",
        "<a><?xml version=\"1.0\"?></a>",
        " <?xml version=\"1.0\"?><a/>",
        "<a",
    ] {
        assert_eq!(hrefs(body), Err(AmbiguousBody::Malformed), "{body}");
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let deep = format!("{}{}", "<a>".repeat(DEPTH + 1), "</a>".repeat(DEPTH + 1));
    assert_eq!(hrefs(&deep), Err(AmbiguousBody::Excessive));
    let many = format!("<a>{}</a>", "<href>/x</href>".repeat(MOST_HREFS + 1));
    assert_eq!(hrefs(&many), Err(AmbiguousBody::Excessive));
}

/// The cost of a body is linear in its size, because what would be quadratic is bounded.
#[test]
fn what_would_cost_more_than_its_size_is_excessive() {
    let attributes = |count: usize| (0..count).map(|n| format!(" a{n}=\"\"")).collect::<String>();
    assert_eq!(hrefs(&format!("<r{}/>", attributes(MOST_ATTRIBUTES))), Ok(vec![]));
    for body in [
        format!("<r{}/>", attributes(MOST_ATTRIBUTES + 1)),
        format!("<r><x{}></x></r>", attributes(MOST_ATTRIBUTES + 1)),
        format!("<r{}/>", attributes(80_000)),
    ] {
        assert_eq!(hrefs(&body), Err(AmbiguousBody::Excessive), "{} bytes", body.len());
    }
    let twice = "<r a=\"\" a=\"\"/>";
    assert_eq!(hrefs(twice), Err(AmbiguousBody::Malformed));
    let long = |length: usize| format!("<r><href>/{}</href></r>", "x/".repeat(length / 2));
    assert!(hrefs(&long(LONGEST_HREF - 2)).is_ok());
    assert_eq!(hrefs(&long(LONGEST_HREF)), Err(AmbiguousBody::Excessive));
}

/// What is switched off must not hide behind so many names that it is forgotten.
#[test]
fn no_name_is_forgotten() {
    let names = |count: usize| (0..count).map(|n| format!("<e{n}/>")).collect::<String>();
    let body = format!("<r>{}<cs:Publish-Calendar/></r>", names(MOST_NAMES - 2));
    assert!(read(body.as_bytes()).unwrap().elements.contains("publish-calendar"));
    for count in [MOST_NAMES, 20_000] {
        let body = format!("<r>{}<publish-calendar/></r>", names(count));
        assert_eq!(read(body.as_bytes()), Err(AmbiguousBody::Excessive), "{count}");
    }
    let many_of_one = format!("<r>{}</r>", "<e/>".repeat(50_000));
    assert_eq!(read(many_of_one.as_bytes()).unwrap().elements.len(), 2);
}
