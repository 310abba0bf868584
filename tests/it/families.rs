//! The table of nextcloud.md §1, row by row: with a bearer alone, every API family of an unpatched Nextcloud answers through us, on both
//! generations of `user_oidc`, whether or not the caller brings the OCS header itself, and whatever cookies it brings.

use obo_proxy::dev::nextcloud::Generation;

use crate::house::{House, Plan};

/// A step: method, path, header lines, body, the status that a real Nextcloud answers.
type Step = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, u16);

const XML: (&str, &str) = ("content-type", "application/xml; charset=utf-8");
const JSON: (&str, &str) = ("content-type", "application/json");
const ICS: (&str, &str) = ("content-type", "text/calendar");

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//obo//test//EN\r\nBEGIN:VEVENT\r\nUID:f-1\r\n\
    DTSTAMP:20261101T080000Z\r\nDTSTART:20261101T090000Z\r\nDTEND:20261101T100000Z\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:f-1\r\nFN:Erika Muster\r\nN:Muster;Erika;;;\r\nEND:VCARD\r\n";
const QUERY: &str = "<c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\"><d:prop><d:getetag/></d:prop>\
    <c:filter><c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VEVENT\"/></c:comp-filter></c:filter></c:calendar-query>";
const CARD_QUERY: &str = "<c:addressbook-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:carddav\"><d:prop><d:getetag/></d:prop>\
    <c:filter><c:prop-filter name=\"FN\"/></c:filter></c:addressbook-query>";
const FILTER: &str = "<oc:filter-files xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:prop><d:getetag/></d:prop>\
    <oc:filter-rules><oc:favorite>1</oc:favorite></oc:filter-rules></oc:filter-files>";
const FAVORITE: &str = "<d:propertyupdate xmlns:d=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\"><d:set><d:prop><oc:favorite>1</oc:favorite>\
    </d:prop></d:set></d:propertyupdate>";
const RENAMED: &str = "<d:propertyupdate xmlns:d=\"DAV:\"><d:set><d:prop><d:displayname>Other</d:displayname></d:prop></d:set></d:propertyupdate>";
const SEARCH: &str = "<d:searchrequest xmlns:d=\"DAV:\"><d:basicsearch><d:select><d:prop><d:displayname/></d:prop></d:select>\
    <d:from><d:scope><d:href>/files/alice</d:href><d:depth>infinity</d:depth></d:scope></d:from>\
    <d:where><d:like><d:prop><d:displayname/></d:prop><d:literal>%a%</d:literal></d:like></d:where></d:basicsearch></d:searchrequest>";

const OCS: &[Step] = &[
    ("GET", "/ocs/v1.php/cloud/user", &[], "", 200),
    ("GET", "/ocs/v2.php/cloud/user?format=json", &[], "", 200),
    ("GET", "/ocs/v1.php/cloud/capabilities", &[], "", 200),
    ("GET", "/ocs/v2.php/cloud/capabilities?format=json", &[], "", 200),
    ("GET", "/ocs/v2.php/core/navigation/apps", &[], "", 200),
    ("GET", "/ocs/v2.php/apps/notifications/api/v2/notifications", &[], "", 200),
    ("GET", "/ocs/v2.php/apps/files_sharing/api/v1/shares", &[], "", 200),
    ("GET", "/ocs/v2.php/apps/activity/api/v2/activity", &[], "", 200),
    ("GET", "/ocs/v2.php/search/providers", &[], "", 200),
    ("GET", "/ocs/v2.php/search/providers/files/search?term=a", &[], "", 200),
    ("PUT", "/ocs/v2.php/apps/user_status/api/v1/user_status/status", &[JSON], r#"{"statusType":"away"}"#, 200),
    ("GET", "/status.php", &[], "", 200),
    ("GET", "/.well-known/caldav", &[], "", 301),
    ("GET", "/.well-known/carddav", &[], "", 301),
];

const FILES: &[Step] = &[
    ("MKCOL", "/remote.php/dav/files/alice/f", &[], "", 201),
    ("PUT", "/remote.php/dav/files/alice/f/a.txt", &[], "hello", 201),
    ("PROPFIND", "/remote.php/dav/files/alice/f", &[("depth", "1")], "", 207),
    ("GET", "/remote.php/dav/files/alice/f/a.txt", &[], "", 200),
    ("HEAD", "/remote.php/dav/files/alice/f/a.txt", &[], "", 200),
    ("COPY", "/remote.php/dav/files/alice/f/a.txt", &[("destination", "/remote.php/dav/files/alice/f/b.txt")], "", 201),
    ("MOVE", "/remote.php/dav/files/alice/f/b.txt", &[("destination", "/remote.php/dav/files/alice/f/c.txt")], "", 201),
    ("PROPPATCH", "/remote.php/dav/files/alice/f/a.txt", &[XML], FAVORITE, 207),
    ("REPORT", "/remote.php/dav/files/alice/", &[XML], FILTER, 207),
    ("SEARCH", "/remote.php/dav/", &[XML], SEARCH, 207),
    ("GET", "/remote.php/dav/files/alice/f/?accept=zip", &[("accept", "application/zip")], "", 200),
    ("LOCK", "/remote.php/dav/files/alice/f/a.txt", &[], "", 501),
    ("DELETE", "/remote.php/dav/files/alice/f/c.txt", &[], "", 204),
    ("PROPFIND", "/remote.php/dav/trashbin/alice/trash", &[("depth", "1")], "", 207),
    ("MKCOL", "/remote.php/dav/uploads/alice/u1", &[], "", 201),
    ("PUT", "/remote.php/dav/uploads/alice/u1/1", &[], "first ", 201),
    ("PUT", "/remote.php/dav/uploads/alice/u1/2", &[], "second", 201),
    (
        "MOVE",
        "/remote.php/dav/uploads/alice/u1/.file",
        &[("destination", "/remote.php/dav/files/alice/f/big")],
        "",
        201,
    ),
    ("PROPFIND", "/remote.php/webdav/f", &[("depth", "0")], "", 207),
    ("GET", "/remote.php/webdav/f/big", &[], "", 200),
    ("PROPFIND", "/remote.php/files/f", &[("depth", "0")], "", 207),
];

const GROUPWARE: &[Step] = &[
    ("PROPFIND", "/remote.php/dav/calendars/alice/", &[("depth", "1")], "", 207),
    ("MKCALENDAR", "/remote.php/dav/calendars/alice/f/", &[], "", 201),
    ("PUT", "/remote.php/dav/calendars/alice/f/e.ics", &[ICS], EVENT, 201),
    ("GET", "/remote.php/dav/calendars/alice/f/e.ics", &[], "", 200),
    ("REPORT", "/remote.php/dav/calendars/alice/f/", &[XML, ("depth", "1")], QUERY, 207),
    ("PROPPATCH", "/remote.php/dav/calendars/alice/f/", &[XML], RENAMED, 207),
    ("DELETE", "/remote.php/dav/calendars/alice/f/e.ics", &[], "", 204),
    ("PROPFIND", "/remote.php/caldav/calendars/alice/", &[("depth", "0")], "", 207),
    ("PROPFIND", "/remote.php/dav/addressbooks/users/alice/", &[("depth", "1")], "", 207),
    ("PUT", "/remote.php/dav/addressbooks/users/alice/contacts/f.vcf", &[("content-type", "text/vcard")], CARD, 201),
    ("GET", "/remote.php/dav/addressbooks/users/alice/contacts/f.vcf", &[], "", 200),
    ("REPORT", "/remote.php/dav/addressbooks/users/alice/contacts/", &[XML, ("depth", "1")], CARD_QUERY, 207),
    ("DELETE", "/remote.php/dav/addressbooks/users/alice/contacts/f.vcf", &[], "", 204),
    ("PROPFIND", "/remote.php/dav/principals/users/alice/", &[("depth", "0")], "", 207),
    ("PROPFIND", "/remote.php/dav/", &[("depth", "0")], "", 207),
];

/// Routes that are `#[CORS]`: with a bearer alone they say 401 "CORS requires basic auth".
const CORS_APPS: &[Step] = &[
    ("GET", "/index.php/apps/notes/api/v1/notes", &[], "", 200),
    ("GET", "/apps/notes/api/v1/notes", &[], "", 200),
    ("POST", "/index.php/apps/notes/api/v1/notes", &[JSON], r#"{"title":"t","content":"c"}"#, 200),
    ("GET", "/index.php/apps/deck/api/v1.0/boards", &[], "", 200),
];

/// What a caller may bring along, and what must make no difference.
const BROUGHT: [&[(&str, &str)]; 3] = [
    &[],
    &[("ocs-apirequest", "true")],
    &[("cookie", "oc_sessionPassphrase=mine; ocabcdefghij=mine; nc_username=bob; nc_token=x; nc_session_id=y")],
];

async fn walk(steps: &[Step]) {
    for generation in [Generation::V7_3, Generation::V8_10] {
        for brought in BROUGHT {
            let change = move |options: &mut obo_proxy::dev::nextcloud::Options| options.user_oidc = generation;
            let house = Plan { nextcloud: Some(Box::new(change)), ..Plan::default() }.build().await;
            let token = house.token("alice");
            for (method, path, headers, body, wanted) in steps {
                let mut request = house.request(method, path, &token);
                for (name, value) in headers.iter().chain(brought) {
                    request = request.header(*name, *value);
                }
                let answer = request.body(*body).send().await.unwrap();
                let status = answer.status().as_u16();
                let said = answer.text().await.unwrap();
                assert_eq!(status, *wanted, "{method} {path} at {generation:?} with {brought:?}: {said}");
            }
            house.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ocs_answers_a_bearer() {
    walk(OCS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_answer_a_bearer_by_every_method() {
    walk(FILES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_and_contacts_answer_a_bearer() {
    walk(GROUPWARE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apps_whose_routes_are_cors_answer_a_bearer() {
    walk(CORS_APPS).await;
}

/// The same requests sent to Nextcloud itself with nothing but the bearer: what others gave bearer tokens up for.
#[tokio::test(flavor = "multi_thread")]
async fn without_us_the_same_bearer_is_refused_by_those_apps() {
    let house = House::open().await;
    let bearer = house.provider.mint("alice").audiences(&["nextcloud"]).sign().unwrap();
    for (method, path, headers, body, _) in CORS_APPS {
        let url = format!("{}{path}", house.nextcloud.url().unwrap());
        let mut request = house.client.request(method.parse().unwrap(), url).bearer_auth(&bearer);
        for (name, value) in *headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(*body).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{method} {path}");
        assert!(answer.text().await.unwrap().contains("CORS requires basic auth"));
    }
    house.close().await;
}

/// The OCS header switches the CSRF check of web routes off, so those outside the API families are closed.
#[tokio::test(flavor = "multi_thread")]
async fn web_routes_outside_the_families_are_closed() {
    let house = House::open().await;
    let token = house.token("alice");
    for path in ["/index.php/apps/files/api/v1/stats", "/index.php/apps/files/", "/index.php/apps/dashboard/", "/f/1"] {
        let answer = house.get(path, &token).await;
        assert_eq!(answer.status(), 403, "{path}");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["error"], "forbidden_route", "{path}");
    }
    assert_eq!(house.nextcloud.seen().len(), 0);
    house.close().await;
}
