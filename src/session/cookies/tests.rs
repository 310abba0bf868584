use super::*;

const NOW: Timestamp = Timestamp(1_795_260_000);
const DELETED: &str = "nc_username=deleted; expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; path=/; HttpOnly";
const ALICE: &str = "nc_username=alice; Path=/; Max-Age=1296000; HttpOnly; SameSite=Lax";
const PASS: &str = "oc_sessionPassphrase=pass%2Bword; path=/; HttpOnly; SameSite=Lax";
const SESSION: &str = "ocht9c3fo3al=s4; path=/; HttpOnly; SameSite=Lax";

fn headers(lines: &[&str]) -> HeaderMap {
    lines.iter().map(|line| (SET_COOKIE, HeaderValue::from_str(line).unwrap())).collect()
}

fn login(lines: &[&str]) -> Login {
    Login::read(&headers(lines), NOW)
}

#[test]
fn the_recorded_login_is_read_line_by_line() {
    let login = login(&[
        PASS,
        "nc_sameSiteCookielax=true; path=/; httponly;expires=Fri, 31-Dec-2100 23:59:59 GMT; SameSite=lax",
        DELETED,
        ALICE,
        "nc_token=t; Path=/; Max-Age=1296000",
        SESSION,
    ]);
    assert_eq!(login.username.as_deref(), Some("alice"));
    let cookies = login.cookies.unwrap();
    assert_eq!(
        cookies.header().as_bytes(),
        b"oc_sessionPassphrase=pass%2Bword; ocht9c3fo3al=s4",
        "these two, no others"
    );
    assert!(cookies.header().is_sensitive());
    assert!(!format!("{cookies:?}").contains("s4"));
}

#[test]
fn a_login_that_was_thrown_out_again_is_none() {
    assert_eq!(login(&[PASS, ALICE, DELETED, SESSION]).username, None);
    assert_eq!(login(&[PASS, DELETED, SESSION]).username, None);
}

#[test]
fn what_takes_a_cookie_away_is_seen_in_every_form() {
    for gone in [
        "nc_username=x; Max-Age=0",
        "nc_username=x; max-age=-1; Expires=Fri, 31-Dec-2100 23:59:59 GMT",
        "nc_username=x; expires=Thu, 01 Jan 1970 00:00:01 GMT",
        "nc_username=x; expires=Thu, 01-Jan-1970 00:00:01 GMT",
        "nc_username=deleted; path=/",
        "nc_username=; path=/",
    ] {
        assert_eq!(login(&[ALICE, gone]).username, None, "{gone}");
    }
    assert_eq!(
        login(&["nc_username=deleted; Max-Age=9"]).username.as_deref(),
        Some("deleted"),
        "a person of that name"
    );
}

#[test]
fn names_are_compared_decoded() {
    assert_eq!(login(&["nc_username=a%20b%40ex.org; Max-Age=9"]).username.as_deref(), Some("a b@ex.org"));
    assert_eq!(
        login(&["nc_username=%FF; Max-Age=9"]).username.as_deref(),
        Some("\u{FFFD}"),
        "not nobody: somebody else"
    );
}

#[test]
fn half_a_session_or_two_of_them_are_none() {
    assert!(login(&[PASS, ALICE]).cookies.is_none());
    assert!(login(&[ALICE, SESSION]).cookies.is_none());
    assert!(login(&[PASS, SESSION, "ocht9c3fo3al=; path=/"]).cookies.is_none());
    assert!(login(&[PASS, SESSION, "ocaaaaaaaaaa=s5"]).cookies.is_none(), "which of the two?");
    assert!(login(&[PASS, "ocht9c3fo3al=a b"]).cookies.is_none(), "not a cookie value");
    for name in ["oc_session99", "OCht9c3fo3al", "ocht9c3fo3a", "ocht9c3fo3al1", "xcht9c3fo3al"] {
        assert!(login(&[PASS, &format!("{name}=s4")]).cookies.is_none(), "{name}");
    }
}

#[test]
fn another_session_or_none_is_a_change_and_the_same_one_is_not() {
    let cookies = login(&[PASS, SESSION]).cookies.unwrap();
    let changed = |lines: &[&str]| cookies.changed_by(&headers(lines), NOW);
    assert!(!changed(&[]));
    assert!(!changed(&[SESSION]));
    assert!(!changed(&[PASS, SESSION, "other=1", DELETED]));
    for line in [
        "ocht9c3fo3al=s5; path=/",
        "ocht9c3fo3al=s4; Max-Age=0",
        "ocht9c3fo3al=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0",
        "ocht9c3fo3al=; path=/",
        "oc_sessionPassphrase=other; path=/",
        "oczzzzzzzzzz=s4; path=/",
    ] {
        assert!(changed(&[line]), "{line}");
        assert!(changed(&[line, SESSION, PASS]), "{line}, whatever comes after it");
    }
}
