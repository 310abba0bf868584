//! A browser with cookies, and a person in front of it.

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Url};

use crate::house::House;

/// Keeps the cookies of the proxy's host.
pub struct Browser {
    client: Client,
    issuer: String,
    proxy: String,
    pub cookies: Vec<(String, String)>,
}

/// What it shows.
#[derive(Debug)]
pub struct Page {
    pub url: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    /// Where it sends the browser.
    #[track_caller]
    pub fn location(&self) -> String {
        assert_eq!(self.status, 303, "{self:?}");
        self.headers["location"].to_str().unwrap().to_owned()
    }

    /// What its form hides.
    #[track_caller]
    pub fn proof(&self) -> String {
        value(&self.text, "proof")
    }
}

#[track_caller]
fn value(html: &str, name: &str) -> String {
    html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

impl Browser {
    pub fn new(house: &House) -> Self {
        let url: Url = house.url.parse().unwrap();
        Self {
            client: house.client.clone(),
            issuer: house.provider.issuer().to_owned(),
            proxy: url.origin().ascii_serialization(),
            cookies: Vec::new(),
        }
    }

    /// Goes there, and nowhere else.
    pub async fn get(&mut self, url: &str) -> Page {
        let url = if url.starts_with('/') { format!("{}{url}", self.proxy) } else { url.to_owned() };
        self.send(url.clone(), self.client.get(url)).await
    }

    /// Answers the question of a page, as its form does.
    pub async fn answer(&mut self, page: &Page, answer: &str) -> Page {
        let proof = page.proof();
        self.post(&page.url, &self.proxy.clone(), &[("proof", &proof), ("answer", answer)]).await
    }

    /// Posts a form from a page of this origin.
    pub async fn post(&mut self, url: &str, origin: &str, form: &[(&str, &str)]) -> Page {
        let request = self.client.post(url).header("origin", origin).form(form);
        self.send(url.to_owned(), request).await
    }

    async fn send(&mut self, url: String, request: RequestBuilder) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if url.starts_with(&self.proxy) { request.header("cookie", cookies.join("; ")) } else { request };
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(own, _)| own != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        Page { url, status, headers, text: answer.text().await.unwrap() }
    }

    /// Opens a page and signs in as this person, up to the way back to the proxy.
    pub async fn sign_in_up_to_the_way_back(&mut self, page: &str, person: &str) -> String {
        let login = self.get(page).await.location();
        assert!(login.starts_with(&self.issuer), "{login}");
        self.log_in_at(&login, person).await
    }

    /// Logs in at the provider's page, and gives where it sends the browser.
    pub async fn log_in_at(&mut self, login: &str, person: &str) -> String {
        let page = self.get(login).await;
        assert_eq!(page.status, 200, "{page:?}");
        let form = [("page", value(&page.text, "page")), ("username", person.to_owned())];
        let answer =
            self.client.post(format!("{}/login-actions/authenticate", self.issuer)).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 302);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Opens a page, signs in as this person, and comes back to it, or to what it says instead.
    pub async fn sign_in(&mut self, page: &str, person: &str) -> Page {
        let back = self.sign_in_up_to_the_way_back(page, person).await;
        let answer = self.get(&back).await;
        if answer.status == 303 { self.get(&answer.location()).await } else { answer }
    }
}
