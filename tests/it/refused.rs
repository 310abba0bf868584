//! What becomes of the connection of a caller that was refused before its body was read: it goes on, or the answer says that it ends.

use std::time::Duration;

use crate::house::House;
use crate::wire::Wire;

fn head(path: &str, fields: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\n{fields}\r\n")
}

async fn refused(house: &House, path: &str, fields: &str) -> Wire {
    let mut wire = Wire::to(house).await;
    wire.write(head(path, fields).replace("HOST", &house.running.address.to_string())).await;
    wire
}

const NEXT: &str = "GET /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_short_body_that_comes_late_is_read_and_the_connection_goes_on() {
    let house = House::open().await;
    for path in ["/mcp", "/remote.php/dav/files/alice/"] {
        for fields in ["content-length: 60\r\n", "transfer-encoding: chunked\r\n"] {
            let mut wire = refused(&house, path, fields).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            let body = "x".repeat(60);
            wire.write(if fields.starts_with('c') { body } else { format!("3c\r\n{body}\r\n0\r\n\r\n") }).await;
            let answer = wire.answer().await.unwrap();
            assert_eq!((answer.status, answer.header("connection")), (401, None), "{path} {fields}");
            assert_eq!(wire.ask(NEXT).await.status, 200, "{path} {fields}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_long_body_or_one_that_does_not_come_ends_the_connection_and_the_answer_says_so() {
    let house = House::open().await;
    for fields in [
        "content-length: 1000000\r\n",
        "content-length: 60\r\n",
        "content-length: 60\r\nexpect: 100-continue\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        let mut wire = refused(&house, "/mcp", fields).await;
        let answer = wire.answer().await.unwrap();
        assert_eq!((answer.status, answer.header("connection").as_deref()), (401, Some("close")), "{fields}");
        assert!(wire.rest().await.is_empty(), "{fields}");
    }
    house.close().await;
}
