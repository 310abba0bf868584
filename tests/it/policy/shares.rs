//! Shares: whoever lets others write has to be able to write, and a body that could mean two things means nothing.

use std::sync::LazyLock;

use super::{asks_for, ends, passes, with};
use crate::house::House;

const CREATE: &str = "POST /ocs/v2.php/apps/files_sharing/api/v1/shares?format=json";
const JSON: &str = "\nContent-Type: application/json";
const FORM: &str = "\nContent-Type: application/x-www-form-urlencoded";
/// What PHP reads of it is a share with all permissions: it drops what stands behind the thousandth parameter.
static DROPPED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "path=%2Fx&shareType=0&shareWith=bob{}&permissions=1",
        (0..1_000).map(|n| format!("&p{n}=")).collect::<String>()
    )
});
const READER: &str = "shares.write files.read";

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_lets_others_write_needs_files_write() {
    let house = House::open().await;
    for body in [
        r#"{"path":"/x","shareType":0,"shareWith":"bob","permissions":1}"#,
        r#"{"path":"/x","shareType":0,"shareWith":"bob","permissions":"17"}"#,
        r#"{"path":"/x","shareType":3}"#,
        r#"{"path":"/x","shareType":3,"publicUpload":"false"}"#,
    ] {
        passes(&house, READER, &format!("{CREATE}{JSON}"), body).await;
        ends(&house, "shares.write", &format!("{CREATE}{JSON}"), body, 403, "insufficient_scope").await;
    }
    for body in [
        r#"{"path":"/x","shareType":0,"shareWith":"bob"}"#,
        r#"{"path":"/x","shareType":3,"permissions":3}"#,
        r#"{"path":"/x","shareType":3,"permissions":5}"#,
        r#"{"path":"/x","shareType":3,"permissions":9}"#,
        r#"{"path":"/x","shareType":3,"permissions":"15"}"#,
        r#"{"path":"/x","shareType":3,"publicUpload":true}"#,
        r#"{"path":"/x","shareType":3,"publicUpload":"true"}"#,
    ] {
        let answer = ends(&house, READER, &format!("{CREATE}{JSON}"), body, 403, "insufficient_scope").await;
        asks_for(&answer, "files.read files.write shares.write", body);
        passes(&house, "shares.write files.write", &format!("{CREATE}{JSON}"), body).await;
    }
    let form = format!("{CREATE}{FORM}");
    passes(&house, READER, &form, "path=%2Fx&shareType=3").await;
    ends(&house, READER, &form, "path=%2Fx&shareType=3&permissions=15", 403, "insufficient_scope").await;
    ends(&house, READER, &format!("{CREATE}&shareType=3&permissions=15"), "", 403, "insufficient_scope").await;
    let update = "PUT /ocs/v2.php/apps/files_sharing/api/v1/shares/5";
    passes(&house, READER, &format!("{update}{JSON}"), r#"{"note":"x"}"#).await;
    ends(&house, READER, &format!("{update}{JSON}"), r#"{"permissions":31}"#, 403, "insufficient_scope").await;
    passes(&house, "shares.write", "DELETE /ocs/v2.php/apps/files_sharing/api/v1/shares/5", "").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_whose_parameters_have_two_readings_is_400() {
    let house = House::open().await;
    let all = "shares.write files.write";
    for (head, body) in [
        (format!("{CREATE}&shareType=0{JSON}"), r#"{"path":"/x","shareType":3}"#),
        (format!("{CREATE}&shareType=0{FORM}"), "shareType=3"),
        (format!("{CREATE}&permissions=1&permissions=15"), ""),
        (format!("{CREATE}{FORM}"), DROPPED.as_str()),
        (format!("{CREATE}&shareType[]=3"), ""),
        (format!("{CREATE}&share.Type=3"), ""),
        (format!("{CREATE}&shareType=3x"), ""),
        (format!("{CREATE}{JSON}"), r#"{"permissions":1,"permissions":15}"#),
        (format!("{CREATE}{JSON}"), r#"{"permissions":1,"p\u0065rmissions":15}"#),
        (format!("{CREATE}{JSON}"), r#"{"permissions":1.5}"#),
        (format!("{CREATE}{JSON}"), r#"{"shareType":[3]}"#),
        (format!("{CREATE}{JSON}"), r#"{"shareType":" 3"}"#),
        (format!("{CREATE}{JSON}"), r#"[{"shareType":3}]"#),
        (format!("{CREATE}{JSON}"), r#"{"shareType":3"#),
        (format!("{CREATE}\nContent-Type: multipart/form-data; boundary=x"), "--x--"),
        (format!("{CREATE}\nContent-Type: text/plain"), "shareType=3"),
        (CREATE.to_owned(), "shareType=3"),
        (format!("{CREATE}{JSON}{FORM}"), r#"{"shareType":3}"#),
        (format!("{CREATE}{JSON}\nContent-Encoding: gzip"), "x"),
        (format!("{CREATE}\nContent-Type: application/vnd.a+json"), r#"{"shareType":3}"#),
    ] {
        ends(&house, all, &head, body, 400, "invalid_request").await;
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reading_of_shares_does_not_depend_on_the_mode() {
    let house = with("[policy]\nenforcement = \"off\"\n").await;
    ends(&house, "", &format!("{CREATE}&shareType=0&shareType=3"), "", 400, "invalid_request").await;
    passes(&house, "", &format!("{CREATE}&shareType=3&permissions=15"), "").await;
    house.close().await;
}
