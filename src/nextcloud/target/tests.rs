use super::*;

#[track_caller]
fn refused(target: &str, reason: Ambiguous) {
    assert_eq!(Target::parse(target), Err(reason), "{target:?}");
}

#[track_caller]
fn reads(target: &str, decoded: &str) {
    let parsed = Target::parse(target).unwrap_or_else(|reason| panic!("{target:?}: {reason}"));
    assert_eq!(parsed.decoded(), decoded);
}

#[test]
fn a_path_begins_with_a_slash() {
    for target in ["", "*", "a", "?a", "http://cloud.example/a", "%2fa", "nextcloud/x"] {
        refused(target, Ambiguous::NotAbsolute);
    }
}

#[test]
fn dot_segments_are_refused_wherever_they_stand() {
    for target in ["/.", "/..", "/a/../b", "/a/./b", "/a/..", "/../a", "/remote.php/dav/files/../calendars/alice/"] {
        refused(target, Ambiguous::DotSegment);
    }
    for target in ["/%2e", "/a/%2e%2e/b", "/a/.%2e/b", "/a/%2E./b", "/a/x%2etxt"] {
        refused(target, Ambiguous::EncodedDot);
    }
    for target in ["/a/..%3Bx/b", "/a/.%3b", "/..%3B"] {
        refused(target, Ambiguous::DotSegment);
    }
}

#[test]
fn dots_within_a_name_are_a_name() {
    for target in ["/.well-known/caldav", "/a/...", "/a/..b", "/a/b..", "/api../x", "/a/.b%3Bc", "/up-1/.file"] {
        assert!(Target::parse(target).is_ok(), "{target}");
    }
}

#[test]
fn slashes_do_not_double() {
    for target in ["//", "//a", "/a//b", "/a//", "/ocs/v2.php//core/getapppassword", "/remote.php//dav/"] {
        refused(target, Ambiguous::EmptySegment);
    }
    for target in ["/", "/a/", "/a/b/"] {
        assert!(Target::parse(target).is_ok(), "{target}");
    }
}

#[test]
fn an_escape_hides_no_separator() {
    refused("/core/..%2fcore", Ambiguous::EncodedSlash);
    refused("/a%2Fb", Ambiguous::EncodedSlash);
    refused("/a%5cb", Ambiguous::Backslash);
    refused("/a%5Cb", Ambiguous::Backslash);
    refused("/a\\b", Ambiguous::Backslash);
    refused("/a;b", Ambiguous::PathParameter);
    refused("/..;/b", Ambiguous::PathParameter);
    refused("/a#b", Ambiguous::Fragment);
    refused("/a?b#c", Ambiguous::Fragment);
}

#[test]
fn control_characters_are_refused_raw_and_encoded() {
    for target in ["/a%00", "/a%0a", "/a%0D%0Ab", "/a%1f", "/a%7F", "/a\u{1}", "/a\u{7f}", "/a b", "/a\t", "/a?b\nc"] {
        refused(target, Ambiguous::Control);
    }
    for target in ["/a%C2%80", "/a%c2%9f", "/a\u{85}"] {
        refused(target, Ambiguous::Control);
    }
}

#[test]
fn an_escape_is_two_hex_digits() {
    for target in ["/%", "/a%", "/a%2", "/a%zz", "/a%2g", "/100%.txt", "/a%u002f", "/%%36%35"] {
        refused(target, Ambiguous::MalformedEscape);
    }
}

#[test]
fn nothing_is_left_to_decode_twice() {
    for target in ["/%252e", "/a%252fb", "/%2541", "/%25%36%35", "/%2565tapppassword", "/50%25de.txt"] {
        refused(target, Ambiguous::DoubleEncoding);
    }
}

#[test]
fn a_percent_sign_in_a_name_passes() {
    reads("/100%25.txt", "/100%.txt");
    reads("/100%25", "/100%");
    reads("/5%25%20off", "/5% off");
    reads("/%25%25", "/%%");
    reads("/a%252", "/a%2");
}

#[test]
fn a_semicolon_in_a_name_passes_when_encoded() {
    reads("/files/a%3Bb.txt", "/files/a;b.txt");
    reads("/files/a%3bb.txt", "/files/a;b.txt");
}

#[test]
fn only_utf8_has_one_reading() {
    for target in ["/%ff", "/%c0%af", "/%e0%80%af", "/%c0%ae", "/%ed%a0%80", "/%c3", "/ä%a9", "/%f5%80%80%80"] {
        refused(target, Ambiguous::NotUtf8);
    }
    reads("/%C3%A4/ö", "/ä/ö");
    reads("/seq/%C3%BCml%C3%A4ut%20%26%20%2B%20%23.txt", "/seq/ümläut & + #.txt");
}

#[test]
fn a_plain_path_is_borrowed() {
    let target = Target::parse("/remote.php/dav/files/alice/ä.txt?a=b").unwrap();
    assert!(matches!(target.decoded, Cow::Borrowed(_)));
}

#[test]
fn the_bytes_are_forwarded_as_they_came() {
    let target = Target::parse("/a/%67/%C3%a4/?q=%2e%2E&x").unwrap();
    assert_eq!((target.path(), target.query()), ("/a/%67/%C3%a4/", Some("q=%2e%2E&x")));
    assert_eq!(target.segments().collect::<Vec<_>>(), ["a", "g", "ä"]);
    assert_eq!(Target::parse("/a?").unwrap().query(), Some(""));
    assert_eq!(Target::parse("/?a?b").unwrap().query(), Some("a?b"));
    assert_eq!(Target::parse("/").unwrap().segments().count(), 0);
}
