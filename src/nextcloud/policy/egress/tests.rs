//! What is switched off is off, and the rest is not.

use http::HeaderMap;

use super::*;
use crate::nextcloud::target::Target;

const NO_LINKS: Egress = Egress { public_links: false, invitations: true, messages: true };
const NO_INVITATIONS: Egress = Egress { public_links: true, invitations: false, messages: true };
const NO_MESSAGES: Egress = Egress { public_links: true, invitations: true, messages: false };
const NOTHING: Egress = Egress { public_links: false, invitations: false, messages: false };

const SHARES: &str = "/ocs/v2.php/apps/files_sharing/api/v1/shares";
const TALK: &str = "/ocs/v2.php/apps/spreed/api";

fn by_path(egress: Egress, method: &str, path: &str) -> Result<(), Refusal> {
    let (method, target) = (Method::from_bytes(method.as_bytes()).unwrap(), Target::parse(path).unwrap());
    egress.by_path(&Route::fold(&method, &target), &method, None)
}

#[track_caller]
fn closed(egress: Egress, method: &str, path: &str, refusal: Refusal) {
    assert_eq!(by_path(egress, method, path), Err(refusal), "{method} {path}");
    assert_eq!(by_path(Egress::default(), method, path), Ok(()), "{method} {path}");
}

fn by_parameters(egress: Egress, path: &str, query: &str) -> Result<Result<(), Refusal>, AmbiguousBody> {
    let target = Target::parse(path).unwrap();
    let parameters = Parameters::read(Some(query), &HeaderMap::new(), b"").unwrap();
    egress.by_parameters(&Route::fold(&Method::POST, &target), &parameters)
}

#[test]
fn a_way_out_that_its_path_tells_is_closed_by_its_path() {
    closed(NO_LINKS, "POST", &format!("{SHARES}/5/send-email"), Refusal::PublicLinks);
    closed(NO_LINKS, "POST", "/apps/tables/api/1/shares", Refusal::PublicLinks);
    closed(NO_LINKS, "POST", "/apps/tables/api/1/tables/5/shares", Refusal::PublicLinks);
    closed(NO_LINKS, "POST", &format!("{TALK}/v4/room/abcd/public"), Refusal::PublicLinks);
    for way in ["room/abcd/import-emails", "room/abcd/participants/resend-invitations", "room/abcd/meeting"] {
        closed(NO_INVITATIONS, "POST", &format!("{TALK}/v4/{way}"), Refusal::Invitations);
    }
    closed(NO_INVITATIONS, "POST", "/remote.php/dav/calendars/alice/outbox/", Refusal::Invitations);
    for way in [
        "chat/read",
        "chat/reminder",
        "chat/abcd",
        "chat/abcd/share",
        "chat/abcd/5",
        "poll/abcd",
        "call/abcd",
        "reaction/abcd/5",
    ] {
        closed(NO_MESSAGES, "POST", &format!("{TALK}/v1/{way}"), Refusal::Messages);
    }
    for way in [
        "outbox",
        "outbox/5",
        "drafts",
        "drafts/move/5",
        "accounts/5/draft",
        "messages/5/mdn",
        "sieve/active/5",
        "filter/5",
    ] {
        closed(NO_MESSAGES, "POST", &format!("/apps/mail/api/{way}"), Refusal::Messages);
    }
    closed(NO_MESSAGES, "POST", "/ocs/v2.php/apps/mail/message/send", Refusal::Messages);
    closed(NO_MESSAGES, "POST", &format!("{SHARES}/5/send-email"), Refusal::PublicLinks);
}

#[test]
fn what_stays_inside_stays_open() {
    for (method, path) in [
        ("GET", SHARES),
        ("DELETE", SHARES),
        ("GET", "/ocs/v2.php/apps/spreed/api/v1/chat/abcd"),
        ("DELETE", "/ocs/v2.php/apps/spreed/api/v1/chat/abcd/5"),
        ("POST", "/ocs/v2.php/apps/spreed/api/v1/chat/abcd/read"),
        ("POST", "/ocs/v2.php/apps/spreed/api/v1/chat/abcd/5/reminder"),
        ("DELETE", "/ocs/v2.php/apps/spreed/api/v4/room/abcd/public"),
        ("PUT", "/apps/mail/api/messages/5/flags"),
        ("GET", "/apps/mail/api/outbox"),
        ("PUT", "/remote.php/dav/calendars/alice/personal/1.ics"),
        ("MOVE", "/remote.php/dav/calendars/alice/personal/1.ics"),
        ("PUT", "/remote.php/dav/files/alice/outbox/chat/send"),
        ("POST", "/apps/notes/api/v1/notes"),
    ] {
        assert_eq!(by_path(NOTHING, method, path), Ok(()), "{method} {path}");
    }
}

#[test]
fn a_file_does_not_become_a_calendar_object_unread() {
    let target = Target::parse("/remote.php/dav/calendars/alice/personal/1.ics").unwrap();
    let route = Route::fold(&Method::PUT, &target);
    for (from, expected) in [
        (Family::Files, Err(Refusal::Invitations)),
        (Family::Uploads, Err(Refusal::Invitations)),
        (Family::Calendars, Ok(())),
    ] {
        assert_eq!(NO_INVITATIONS.by_path(&route, &Method::PUT, Some(from)), expected, "{from:?}");
    }
}

#[test]
fn shares_that_leave_are_closed_and_shares_inside_are_not() {
    for kind in [3, 4, 6, 7, 8, 9, 10, 13, 15, 99] {
        let query = format!("shareType={kind}&path=/x");
        assert_eq!(by_parameters(NO_LINKS, SHARES, &query), Ok(Err(Refusal::PublicLinks)), "{kind}");
        assert_eq!(by_parameters(Egress::default(), SHARES, &query), Ok(Ok(())), "{kind}");
    }
    for kind in [0, 1, 12] {
        assert_eq!(by_parameters(NOTHING, SHARES, &format!("shareType={kind}")), Ok(Ok(())), "{kind}");
    }
    for kind in [4, 10] {
        assert_eq!(by_parameters(NO_MESSAGES, SHARES, &format!("shareType={kind}")), Ok(Err(Refusal::Messages)));
    }
    assert_eq!(by_parameters(NO_LINKS, SHARES, "shareType=3x"), Err(AmbiguousBody::Value));
    let one = format!("{SHARES}/5");
    for query in [
        "publicUpload=true",
        "password=",
        "token=x",
        "hideDownload=false",
        "label=x",
        "expireDate=",
        "permissions=1&x=1",
    ] {
        assert_eq!(by_parameters(NO_LINKS, &one, query), Ok(Err(Refusal::PublicLinks)), "{query}");
    }
    for query in ["permissions=1", "note=x&format=json", "attributes=x"] {
        assert_eq!(by_parameters(NO_LINKS, &one, query), Ok(Ok(())), "{query}");
    }
}

#[test]
fn strangers_do_not_come_into_conversations() {
    let room = format!("{TALK}/v4/room");
    assert_eq!(by_parameters(NO_LINKS, &room, "roomType=3"), Ok(Err(Refusal::PublicLinks)));
    assert_eq!(by_parameters(NO_LINKS, &room, "roomType=2"), Ok(Ok(())));
    for query in ["source=emails", "source=federated_users", "source=circles", "emails=x", "participants=x"] {
        assert_eq!(by_parameters(NO_INVITATIONS, &room, query), Ok(Err(Refusal::Invitations)), "{query}");
    }
    for query in ["", "source=users", "source=groups&invite=g"] {
        assert_eq!(by_parameters(NO_INVITATIONS, &room, query), Ok(Ok(())), "{query}");
    }
}

#[test]
fn a_body_is_read_only_where_something_is_switched_off() {
    let reading = |egress: Egress, method: &str, path: &str| {
        let (method, target) = (Method::from_bytes(method.as_bytes()).unwrap(), Target::parse(path).unwrap());
        egress.reading(&Route::fold(&method, &target), &method)
    };
    let calendar = "/remote.php/dav/calendars/alice/personal/1.ics";
    assert_eq!(reading(NO_INVITATIONS, "PUT", calendar), Some(Reading::Calendar));
    assert_eq!(reading(NO_LINKS, "POST", calendar), Some(Reading::Calendar));
    assert_eq!(reading(Egress::default(), "PUT", calendar), None);
    assert_eq!(reading(NO_MESSAGES, "PUT", calendar), None);
    assert_eq!(reading(NO_LINKS, "PUT", calendar), None);
    assert_eq!(reading(NO_INVITATIONS, "POST", calendar), Some(Reading::Calendar));
    let contacts = "/remote.php/dav/addressbooks/users/alice/contacts";
    assert_eq!(reading(NO_LINKS, "POST", contacts), Some(Reading::Calendar));
    assert_eq!(reading(NO_INVITATIONS, "POST", contacts), None);
    assert_eq!(reading(NO_LINKS, "PUT", contacts), None);
    let acl = "/apps/deck/api/v1.0/boards/5/acl";
    assert_eq!(reading(NO_LINKS, "POST", acl), Some(Reading::Parameters));
    assert_eq!(reading(NO_INVITATIONS, "POST", acl), None);
    assert_eq!(reading(NO_LINKS, "POST", "/apps/deck/api/v1.0/boards/5/stacks"), None);
    assert_eq!(reading(NO_LINKS, "POST", &format!("{TALK}/v4/room")), Some(Reading::Parameters));
    assert_eq!(
        reading(NO_INVITATIONS, "POST", &format!("{TALK}/v4/room/abcd/participants")),
        Some(Reading::Parameters)
    );
    assert_eq!(reading(NOTHING, "PUT", "/remote.php/dav/files/alice/1.ics"), None);
}

#[test]
fn a_calendar_is_not_published_and_invites_nobody() {
    let publish: &[u8] = b"<cs:publish-calendar xmlns:cs=\"http://calendarserver.org/ns/\"/>";
    let share: &[u8] = b"<oc:share xmlns:oc=\"http://owncloud.org/ns\"/>";
    let invites: &[u8] = b"BEGIN:VCALENDAR\r\nATTENDEE:mailto:x@y\r\nEND:VCALENDAR";
    assert_eq!(NO_LINKS.by_calendar(publish), Ok(Err(Refusal::PublicLinks)));
    assert_eq!(NO_INVITATIONS.by_calendar(publish), Ok(Ok(())));
    assert_eq!(NOTHING.by_calendar(share), Ok(Ok(())));
    assert_eq!(NO_INVITATIONS.by_calendar(invites), Ok(Err(Refusal::Invitations)));
    assert_eq!(NO_LINKS.by_calendar(invites), Ok(Ok(())));
    assert_eq!(NO_LINKS.by_calendar(b"<!DOCTYPE x><x/>"), Err(AmbiguousBody::DocumentType));
}

#[test]
fn a_publication_is_found_however_it_is_written() {
    for body in [
        "<x:PUBLISH-CALENDAR xmlns:x=\"http://calendarserver.org/ns/\"/>",
        "\r\n\t <publish-calendar xmlns=\"http://calendarserver.org/ns/\"></publish-calendar>",
        "<!-- x --><a><b><publish-calendar/></b></a>",
    ] {
        assert_eq!(NO_LINKS.by_calendar(body.as_bytes()), Ok(Err(Refusal::PublicLinks)), "{body}");
    }
    let publish = "<publish-calendar/>";
    let utf16: Vec<u8> = publish.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [&[0xfe, 0xff][..], &utf16].concat();
    let utf8 = format!("\u{feff}{publish}").into_bytes();
    let latin = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><publish-calendar a=\"\xe4\"/>".to_vec();
    let said = b"<?xml version=\"1.0\" encoding=\"utf-7\"?><x/>".to_vec();
    for body in [utf16, marked, utf8, latin, said] {
        assert_eq!(NO_LINKS.by_calendar(&body), Err(AmbiguousBody::Encoding), "{body:?}");
    }
}

#[test]
fn a_calendar_is_not_shared_with_teams_and_other_servers() {
    let share = |hrefs: &[&str]| {
        let set: String = hrefs.iter().map(|href| format!("<o:set><d:href>{href}</d:href></o:set>")).collect();
        format!("<o:share xmlns:o=\"http://owncloud.org/ns\" xmlns:d=\"DAV:\">{set}</o:share>").into_bytes()
    };
    for inside in
        [&["principal:principals/users/bob"][..], &["principal:principals/groups/g", "principal:principals/users/b"]]
    {
        assert_eq!(NO_LINKS.by_calendar(&share(inside)), Ok(Ok(())), "{inside:?}");
    }
    for outside in [
        &["principal:principals/circles/c"][..],
        &["principal:principals/remote-users/x"],
        &["principal:principals/users/bob", "principal:principals/remote-users/x"],
        &["mailto:x@y"],
        &[""],
    ] {
        assert_eq!(NO_LINKS.by_calendar(&share(outside)), Ok(Err(Refusal::PublicLinks)), "{outside:?}");
        assert_eq!(NO_INVITATIONS.by_calendar(&share(outside)), Ok(Ok(())), "{outside:?}");
    }
    let away = b"<o:share xmlns:o=\"x\"><o:remove><href>principal:principals/circles/c</href></o:remove></o:share>";
    assert_eq!(NO_LINKS.by_calendar(away), Ok(Ok(())));
}

#[test]
fn a_board_is_not_shared_with_teams_and_other_servers() {
    let acl = "/ocs/v2.php/apps/deck/api/v1.0/boards/5/acl";
    for kind in [6, 7, 3] {
        let query = format!("type={kind}&participant=x");
        assert_eq!(by_parameters(NO_LINKS, acl, &query), Ok(Err(Refusal::PublicLinks)), "{kind}");
        assert_eq!(by_parameters(NO_INVITATIONS, acl, &query), Ok(Ok(())), "{kind}");
    }
    for query in ["type=0&participant=bob", "type=1&participant=g", "permissionEdit=true"] {
        assert_eq!(by_parameters(NO_LINKS, acl, query), Ok(Ok(())), "{query}");
    }
    assert_eq!(by_parameters(NO_LINKS, acl, "type=6x"), Err(AmbiguousBody::Value));
}
