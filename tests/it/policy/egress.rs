//! Ways out that are switched off, for every caller and whatever its scopes.

use super::{ends, passes, with};
use crate::house::House;

const ALL: &str =
    "files.write shares.write calendar.write talk.write mail.write tables.write contacts.write deck.write";
const SHARE: &str = "POST /ocs/v2.php/apps/files_sharing/api/v1/shares\nContent-Type: application/json";
const EVENT: &str = "PUT /remote.php/dav/calendars/alice/personal/1.ics\nContent-Type: text/calendar";
const TALK: &str = "/ocs/v2.php/apps/spreed/api";

async fn without(switch: &str) -> House {
    with(&format!("[policy.egress]\n{switch} = false\n")).await
}

fn event(line: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261121T100000Z\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_everything_may_leave() {
    let house = House::open().await;
    passes(&house, ALL, SHARE, r#"{"path":"/alice.txt","shareType":3}"#).await;
    passes(&house, ALL, EVENT, &event("ATTENDEE:mailto:x@example.org")).await;
    passes(&house, ALL, &format!("POST {TALK}/v1/chat/abcd"), "").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_public_links_nothing_is_shared_with_the_world() {
    let house = without("public_links").await;
    for kind in ["3", "4", "6", "7", "9", "10", "\"3\""] {
        ends(&house, ALL, SHARE, &format!("{{\"path\":\"/x\",\"shareType\":{kind}}}"), 403, "forbidden_route").await;
    }
    let one = "PUT /ocs/v2.php/apps/files_sharing/api/v1/shares/5\nContent-Type: application/x-www-form-urlencoded";
    ends(&house, ALL, one, "publicUpload=true", 403, "forbidden_route").await;
    ends(&house, ALL, "POST /ocs/v2.php/apps/files_sharing/api/v1/shares/5/send-email", "", 403, "forbidden_route")
        .await;
    let calendar = "POST /remote.php/dav/calendars/alice/personal/\nContent-Type: application/xml";
    let publish = "<cs:publish-calendar xmlns:cs=\"http://calendarserver.org/ns/\"/>";
    ends(&house, ALL, calendar, publish, 403, "forbidden_route").await;
    ends(&house, ALL, calendar, &format!("\u{feff}{publish}"), 400, "invalid_request").await;
    let hidden = format!("<r>{}{publish}</r>", (0..20_000).map(|n| format!("<e{n}/>")).collect::<String>());
    ends(&house, ALL, calendar, &hidden, 400, "invalid_request").await;
    let team = "<o:share xmlns:o=\"http://owncloud.org/ns\"><o:set><href xmlns=\"DAV:\">principal:principals/circles/c</href></o:set></o:share>";
    ends(&house, ALL, calendar, team, 403, "forbidden_route").await;
    let contacts = "POST /remote.php/dav/addressbooks/users/alice/contacts/\nContent-Type: application/xml";
    ends(&house, ALL, contacts, team, 403, "forbidden_route").await;
    passes(&house, ALL, contacts, &team.replace("circles", "users")).await;
    ends(&house, ALL, "POST /apps/deck/api/v1.0/boards/5/acl?type=7", "", 403, "forbidden_route").await;
    passes(&house, ALL, "POST /apps/deck/api/v1.0/boards/5/acl?type=0", "").await;
    ends(&house, ALL, &format!("POST {TALK}/v4/room/abcd/public"), "", 403, "forbidden_route").await;
    ends(&house, ALL, &format!("POST {TALK}/v4/room?roomType=3"), "", 403, "forbidden_route").await;
    ends(&house, ALL, "POST /apps/tables/api/1/shares", "", 403, "forbidden_route").await;
    passes(&house, ALL, SHARE, r#"{"path":"/alice.txt","shareType":0,"shareWith":"bob","permissions":1}"#).await;
    passes(&house, ALL, &format!("POST {TALK}/v4/room?roomType=2"), "").await;
    passes(&house, ALL, EVENT, &event("ATTENDEE:mailto:x@example.org")).await;
    let answer = ends(&house, ALL, SHARE, r#"{"shareType":3}"#, 403, "forbidden_route").await;
    assert!(String::from_utf8_lossy(&answer.body).contains("switched off"), "{answer:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_invitations_no_event_has_guests() {
    let house = without("invitations").await;
    for line in [
        "ATTENDEE:mailto:x@y",
        "attendee;CN=x:mailto:x@y",
        "ATT\r\n ENDEE:mailto:x@y",
        "g.Organizer:mailto:x@y",
        "ATT\r\r\n ENDEE:mailto:x@y",
    ] {
        ends(&house, ALL, EVENT, &event(line), 403, "forbidden_route").await;
    }
    passes(&house, ALL, EVENT, &event("SUMMARY:ATTENDEE")).await;
    for (head, body) in [
        (format!("{EVENT}\nContent-Encoding: gzip"), "x"),
        (EVENT.replace("text/calendar", "application/calendar+json"), "[\"vcalendar\",[],[]]"),
    ] {
        ends(&house, ALL, &head, body, 400, "invalid_request").await;
    }
    let outbox = "POST /remote.php/dav/calendars/alice/outbox/\nContent-Type: text/calendar";
    ends(&house, ALL, outbox, &event("SUMMARY:x"), 403, "forbidden_route").await;
    let copied = "COPY /remote.php/dav/files/alice/x.ics\nDestination: /remote.php/dav/calendars/alice/personal/x.ics";
    ends(&house, ALL, copied, "", 403, "forbidden_route").await;
    ends(&house, ALL, &format!("POST {TALK}/v4/room/abcd/import-emails"), "", 403, "forbidden_route").await;
    ends(&house, ALL, &format!("POST {TALK}/v4/room/abcd/meeting"), "", 403, "forbidden_route").await;
    ends(&house, ALL, &format!("POST {TALK}/v4/room/abcd/participants?source=emails"), "", 403, "forbidden_route")
        .await;
    passes(&house, ALL, &format!("POST {TALK}/v4/room/abcd/participants?newParticipant=bob"), "").await;
    passes(&house, ALL, SHARE, r#"{"path":"/alice.txt","shareType":3}"#).await;
    let large = event(&format!("DESCRIPTION:{}", "x".repeat(1024 * 1024)));
    ends(&house, ALL, EVENT, &large, 413, "invalid_request").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_messages_nobody_speaks() {
    let house = without("messages").await;
    for way in ["v1/chat/abcd", "v1/chat/abcd/share", "v1/poll/abcd", "v4/call/abcd", "v1/reaction/abcd/5"] {
        ends(&house, ALL, &format!("POST {TALK}/{way}"), "", 403, "forbidden_route").await;
    }
    for way in
        ["outbox", "outbox/5", "drafts", "accounts/5/draft", "messages/5/mdn", "list/unsubscribe/5", "out-of-office/1"]
    {
        ends(&house, ALL, &format!("POST /index.php/apps/mail/api/{way}"), "", 403, "forbidden_route").await;
    }
    ends(&house, ALL, SHARE, r#"{"path":"/x","shareType":10,"permissions":1}"#, 403, "forbidden_route").await;
    passes(&house, ALL, &format!("GET {TALK}/v1/chat/abcd"), "").await;
    passes(&house, ALL, &format!("POST {TALK}/v1/chat/abcd/read"), "").await;
    passes(&house, ALL, "PUT /apps/mail/api/messages/5/flags", "").await;
    passes(&house, ALL, SHARE, r#"{"path":"/alice.txt","shareType":3}"#).await;
    house.close().await;
}
