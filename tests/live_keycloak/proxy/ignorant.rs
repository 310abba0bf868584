//! A token endpoint that is deaf to `audience`, as an older or simpler provider is: between obo-proxy and Keycloak it takes
//! that parameter out, and what Keycloak then issues is real.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

use crate::realm::Realm;

/// Serves on loopback as long as the test runs; returns the address of its token endpoint.
pub async fn token_endpoint(realm: &Realm) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (http, behind) = (realm.kc.http.clone(), realm.endpoint("token"));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (http, behind) = (http.clone(), behind.clone());
            let service = service_fn(move |request| pass_on(http.clone(), behind.clone(), request));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    format!("http://{address}/token")
}

async fn pass_on(
    http: reqwest::Client,
    behind: Url,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let authorization = request.headers()[hyper::header::AUTHORIZATION].clone();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let form: Vec<_> = form_urlencoded::parse(&body).into_owned().filter(|(name, _)| name != "audience").collect();
    let request = http.post(behind).header(hyper::header::AUTHORIZATION, authorization).form(&form);
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let mut response = Response::new(Full::new(answer.bytes().await.unwrap()));
    *response.status_mut() = status;
    Ok(response)
}
