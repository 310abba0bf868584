//! Who is not the person, or not in their browser, or not on our page, answers nothing.

use std::time::Duration;

use reqwest::Url;

use super::browser::Browser;
use super::{PAGES, arguments, call, house, opening, shared, url, was_sent};
use crate::house::House;

/// A question to alice, and its page.
async fn asked(house: &House) -> String {
    let token = house.token("alice");
    let session = opening(house, &token).await;
    url(&call(house, &token, &session, arguments()).await)
}

/// The question is open still, and nothing was done.
async fn is_open(house: &House, page: &str) {
    let token = house.token("alice");
    let session = opening(house, &token).await;
    assert_eq!(url(&call(house, &token, &session, arguments()).await), page);
    assert_eq!(shared(house), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_who_is_sent_the_url_sees_and_answers_nothing() {
    let house = house(PAGES).await;
    let page = asked(&house).await;
    let mut bob = Browser::new(&house);
    let shown = bob.sign_in(&page, "bob").await;
    assert_eq!(shown.status, 403, "{shown:?}");
    assert!(!shown.text.contains("/alice.txt"), "{shown:?}");
    let again = bob.get(&page).await;
    assert!(again.location().starts_with(house.provider.issuer()), "signed in as nobody: {again:?}");
    is_open(&house, &page).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_comes_back_once_to_the_browser_that_began_it_in_time() {
    let house = house(PAGES).await;
    let page = asked(&house).await;
    let (mut alice, mut thief) = (Browser::new(&house), Browser::new(&house));
    let stolen = alice.sign_in_up_to_the_way_back(&page, "alice").await;
    assert_eq!(thief.get(&stolen).await.status, 400, "another browser");
    assert_eq!(alice.get(&stolen).await.status, 400, "a state is used once, by whomever");

    let back = alice.sign_in_up_to_the_way_back(&page, "alice").await;
    thief.cookies = alice.cookies.iter().map(|(name, _)| (name.clone(), "guessed".to_owned())).collect();
    assert_eq!(thief.get(&back).await.status, 400, "a cookie of the same name");

    let back = alice.sign_in_up_to_the_way_back(&page, "alice").await;
    assert_eq!(alice.get(&back).await.status, 303);
    assert!(thief.get(&page).await.location().starts_with(house.provider.issuer()), "not signed in there");
    is_open(&house, &page).await;
    house.clock.advance(Duration::from_mins(5));
    assert_eq!(alice.get(&page).await.status, 404, "the question is over");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_issuer_that_is_not_for_this_login_signs_nobody_in() {
    let house = house(PAGES).await;
    let page = asked(&house).await;
    let mut alice = Browser::new(&house);
    let change = |back: &str, name: &str, value: Option<&str>| {
        let mut url: Url = back.parse().unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(own, _)| own != name).collect();
        url.query_pairs_mut().clear().extend_pairs(pairs).extend_pairs(value.map(|value| (name, value)));
        url.to_string()
    };
    for (name, value, status) in [
        ("iss", Some("https://evil.example"), 502),
        ("iss", None, 502),
        ("code", Some("invented"), 403),
        ("code", None, 403),
        ("state", Some("invented"), 400),
        ("state", None, 400),
    ] {
        let back = alice.sign_in_up_to_the_way_back(&page, "alice").await;
        assert_eq!(alice.get(&change(&back, name, value)).await.status, status, "{name} {value:?}");
    }
    let back = alice.sign_in_up_to_the_way_back(&page, "alice").await;
    assert_eq!(alice.get(&format!("{back}&code=twice")).await.status, 400);
    is_open(&house, &page).await;
    house.close().await;
}

/// PKCE, nonce and audience: a code that the same issuer gave out for another login of ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_another_login_is_worth_nothing() {
    let house = house(PAGES).await;
    let page = asked(&house).await;
    let (mut alice, mut thief) = (Browser::new(&house), Browser::new(&house));
    let mine = thief.get(&page).await.location();
    let query: Url = mine.parse().unwrap();
    let sent = |name: &str| query.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
    assert_eq!(sent("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(sent("redirect_uri"), Some(format!("{}/oauth/callback", house.url)));
    assert_eq!(sent("scope").as_deref(), Some("openid"));
    let hers = alice.sign_in_up_to_the_way_back(&page, "alice").await;
    let code: Url = hers.parse().unwrap();
    let code = code.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let injected = Url::parse_with_params(
        &format!("{}/oauth/callback", house.url),
        [("state", sent("state").unwrap().as_str()), ("code", code.as_str()), ("iss", house.provider.issuer())],
    );
    assert_eq!(thief.get(injected.unwrap().as_str()).await.status, 403, "PKCE");

    // The same with PKCE out of the way: the nonce of another login.
    let login = alice.get(&page).await.location();
    let mut other: Url = login.parse().unwrap();
    let pairs: Vec<(String, String)> = other.query_pairs().into_owned().filter(|(name, _)| name != "nonce").collect();
    other.query_pairs_mut().clear().extend_pairs(pairs).append_pair("nonce", "another");
    let back = alice.log_in_at(other.as_str(), "alice").await;
    assert_eq!(alice.get(&back).await.status, 502, "nonce");
    is_open(&house, &page).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_from_our_page_in_that_browser_or_counts_for_nothing() {
    let house = house(PAGES).await;
    let page = asked(&house).await;
    let mut alice = Browser::new(&house);
    let question = alice.sign_in(&page, "alice").await;
    let proof = question.proof();
    let yes: &[(&str, &str)] = &[("proof", &proof), ("answer", "yes")];
    for origin in ["https://evil.example", "null", ""] {
        assert_eq!(alice.post(&page, origin, yes).await.status, 403, "{origin:?}");
    }
    let without = house.client.post(&page).form(yes).header("cookie", cookie(&alice)).send().await.unwrap();
    assert_eq!(without.status(), 403, "no Origin");
    for form in [
        &[("answer", "yes")][..],
        &[("proof", "guessed"), ("answer", "yes")],
        &[("proof", &proof), ("answer", "maybe")],
    ] {
        assert_eq!(alice.post(&page, &house.url, form).await.status, 403, "{form:?}");
    }
    let mut thief = Browser::new(&house);
    assert_eq!(thief.post(&page, &house.url, yes).await.status, 403, "no cookie");
    thief.cookies = alice.cookies.iter().map(|(name, _)| (name.clone(), "guessed".to_owned())).collect();
    assert_eq!(thief.post(&page, &house.url, yes).await.status, 403, "another cookie");
    let large = house.client.post(&page).header("origin", &house.url).body("a".repeat(5_000)).send().await.unwrap();
    assert_eq!(large.status(), 413);
    is_open(&house, &page).await;

    assert_eq!(alice.post(&page, &house.url, yes).await.status, 200);
    let token = house.token("alice");
    let session = opening(&house, &token).await;
    assert!(!was_sent(&call(&house, &token, &session, arguments()).await));
    house.close().await;
}

fn cookie(browser: &Browser) -> String {
    browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_cannot_make_us_begin_logins() {
    let house = house(PAGES).await;
    let page = asked(&house).await;
    let mut stranger = Browser::new(&house);
    let unknown = format!("{}/mcp/confirm/{:032x}", house.url, 1);
    assert_eq!(stranger.get(&unknown).await.status, 404);
    assert!(stranger.cookies.is_empty());
    let statuses: Vec<u16> = {
        let mut statuses = Vec::new();
        for _ in 0..9 {
            statuses.push(stranger.get(&page).await.status);
        }
        statuses
    };
    assert_eq!(statuses, [303, 303, 303, 303, 303, 303, 303, 303, 429]);
    for (method, path) in [("PUT", page.as_str()), ("HEAD", &page), ("POST", &format!("{}/oauth/callback", house.url))]
    {
        let answer = house.client.request(method.parse().unwrap(), path).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method} {path}");
    }
    assert_eq!(stranger.get(&format!("{}/oauth/callback", house.url)).await.status, 400);
    house.close().await;
}
