//! The rewriter of hrefs against a second reading: documents are made from parts, so what should come out is known without parsing them.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use obo_proxy::nextcloud::hrefs::{Hrefs, Swap};
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

/// `/own` becomes `/n`, on the border of a segment.
fn swap(text: &[u8]) -> Option<Swap> {
    let rest = text.strip_prefix(b"/own")?;
    matches!(rest.first(), None | Some(b'/')).then(|| (4, "/n".to_owned()))
}

/// What `swap` has to see: the root and its border.
const HORIZON: usize = 5;

fn rewritten(document: &[u8], cuts: &[usize], swap: impl Fn(&[u8]) -> Option<Swap>) -> Vec<u8> {
    let mut hrefs = Hrefs::new(HORIZON, swap);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (document.len() + 1)).collect();
    cuts.sort_unstable();
    let (mut out, mut begin) = (Vec::new(), 0);
    for cut in cuts {
        out.extend(hrefs.push(&document[begin..cut]));
        begin = cut;
    }
    out.extend(hrefs.push(&document[begin..]));
    out.extend(hrefs.finish());
    out
}

/// Text without markup.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "/own",
            "/",
            "o",
            "n",
            "a",
            "&amp;",
            "&#47;",
            " ",
            "\n",
            "ü",
            "]]",
            "/ownx",
            "https://x/own/",
            "-",
        ]),
        0..6,
    )
    .prop_map(|parts| parts.concat())
}

/// A piece of a document, and what becomes of it.
fn piece() -> impl Strategy<Value = (String, String)> {
    let same = |piece: String| (piece.clone(), piece);
    let name = prop::sample::select(vec!["d:href", "href", "D:href"]);
    let other = prop::sample::select(vec!["d:prop", "hrefs", "x:hre", "href:x", "d:xhref", "h"]);
    let attributes = prop::sample::select(vec!["", " a='>/own/'", " b=\"<d:href>/own/\"", "\n", " c = \"'\"  "]);
    let in_section = || text().prop_map(|text| text.replace([']', '&'], ""));
    let expected = |text: &str| {
        let begin = text.len() - text.trim_ascii_start().len();
        let cut = swap(&text.as_bytes()[begin..]);
        cut.map_or_else(|| text.to_owned(), |(cut, root)| format!("{}{root}{}", &text[..begin], &text[begin + cut..]))
    };
    prop_oneof![
        (name.clone(), attributes.clone(), text()).prop_map(move |(name, attributes, text)| {
            let around = |text: &str| format!("<{name}{attributes}>{text}</{name} >");
            (around(&text), around(&expected(&text)))
        }),
        (name.clone(), in_section()).prop_map(move |(name, text)| {
            let around = |text: &str| format!("<{name}> <!-- /own/ --><![CDATA[{text}]]></{name}>");
            (around(&text), around(&expected(&text)))
        }),
        (name, attributes.clone(), text())
            .prop_map(move |(name, attributes, text)| same(format!("<{name}{attributes}/>{text}"))),
        (other, attributes, text())
            .prop_map(move |(name, attributes, text)| same(format!("<{name}{attributes}>{text}</{name}>"))),
        text().prop_map(move |text| same(format!("<!-- <d:href>{} -->", text.replace('-', "")))),
        in_section().prop_map(move |text| same(format!("<d:x><![CDATA[<d:href>{text}]]></d:x>"))),
        text().prop_map(move |text| same(format!("<?p <d:href>{text}?>"))),
        text().prop_map(same),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_should_come_out_does_however_the_document_is_cut(
        pieces in prop::collection::vec(piece(), 0..8),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let (document, wanted): (Vec<String>, Vec<String>) = pieces.into_iter().unzip();
        let out = rewritten(document.concat().as_bytes(), &cuts, swap);
        prop_assert_eq!(String::from_utf8(out).unwrap(), wanted.concat());
    }

    #[test]
    fn any_bytes_come_out_the_same_however_they_are_cut(
        parts in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "</", "/>", "<!", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "d:href", "href", "\"", "'", "/own", "/own/", " ", "]", "-", "!",
        ]), 0..30),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let document = parts.concat();
        prop_assert_eq!(rewritten(document.as_bytes(), &cuts, swap), rewritten(document.as_bytes(), &[], swap));
    }

    #[test]
    fn nothing_changes_where_there_is_nothing_to_map(
        document in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        prop_assert_eq!(rewritten(&document, &cuts, |_| None), document);
    }
}

/// The recorded answers, with a real parser as the second reading: hrefs differ by the root, and nothing else does.
#[test]
fn a_parser_sees_other_hrefs_and_nothing_else() {
    let documents = include_str!("recordings/files.http").split("<d:multistatus").skip(1);
    let rewritten: usize = documents
        .filter_map(|rest| rest.split_once("</d:multistatus>"))
        .map(|(inside, _)| differences(&format!("<d:multistatus{inside}</d:multistatus>")))
        .sum();
    assert!(rewritten > 20, "{rewritten}");
}

/// How many hrefs were rewritten.
fn differences(document: &str) -> usize {
    let out = rewritten(document.as_bytes(), &[], |text| text.starts_with(b"/").then(|| (0, "/nc".to_owned())));
    let out = String::from_utf8(out).unwrap();
    let (mut before, mut after) = (Reader::from_str(document), Reader::from_str(&out));
    let (mut in_href, mut rewritten) = (false, 0);
    loop {
        let (one, other) = (before.read_event().unwrap(), after.read_event().unwrap());
        match (&one, &other) {
            (Event::Eof, Event::Eof) => return rewritten,
            (Event::Text(was), Event::Text(is)) if in_href && was.starts_with('/') => {
                assert_eq!(**is, format!("/nc{}", &**was));
                rewritten += 1;
            }
            _ => assert_eq!(one, other),
        }
        in_href = matches!(&one, Event::Start(tag) if tag.local_name().as_ref() == "href");
    }
}
