//! Contacts by a tool.

use serde_json::{Value, json};

use crate::house::House;

async fn add(house: &House, name: &str, lines: &str) {
    let card = format!("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:{name}\r\n{lines}\r\nEND:VCARD\r\n");
    let path = format!("/remote.php/dav/addressbooks/users/alice/contacts/{name}.vcf");
    let put = house.request("PUT", &path, &house.token("alice")).header("content-type", "text/vcard").body(card);
    assert_eq!(put.send().await.unwrap().status(), 201);
}

fn names(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_are_found_by_what_is_known_of_them() {
    let house = House::open().await;
    add(
        &house,
        "ct-1",
        "FN:Erika Muster\r\nEMAIL;TYPE=work:erika@example.org\r\nTEL;TYPE=cell:+49 151 1234567\r\nORG:Example AG",
    )
    .await;
    add(&house, "ct-2", "FN:Max Muster\r\nORG:Müller <&> Söhne").await;
    let token = house.token_with("alice", "openid contacts.read");
    let search = |query: &'static str| house.does(&token, "contacts_search", json!({ "query": query }));
    let one = search("muster erika").await;
    assert_eq!(
        one["items"],
        json!([{ "id": "contacts/ct-1.vcf", "name": "Erika Muster", "emails": ["erika@example.org"], "phones": ["+49 151 1234567"], "org": "Example AG" }])
    );
    for (query, found) in [
        ("MUSTER", vec!["Erika Muster", "Max Muster"]),
        ("erika@example.org", vec!["Erika Muster"]),
        ("1234567", vec!["Erika Muster"]),
        ("müller", vec!["Max Muster"]),
        ("<&>", vec!["Max Muster"]),
        ("friend", vec!["A friend of alice"]),
        ("muster nobody", vec![]),
        ("</c:text-match>", vec![]),
    ] {
        assert_eq!(names(&search(query).await), found, "{query}");
    }
    house.close().await;
}

#[tokio::test]
async fn pages_of_contacts_are_in_the_order_of_their_names() {
    let house = House::open().await;
    for (id, name) in [("c", "alma Muster"), ("a", "Berta Muster"), ("b", "Alma Muster")] {
        add(&house, id, &format!("FN:{name}")).await;
    }
    let token = house.token_with("alice", "openid contacts.read");
    let first = house.does(&token, "contacts_search", json!({ "query": "muster", "limit": 2 })).await;
    assert_eq!(names(&first), ["Alma Muster", "alma Muster"]);
    let rest = json!({ "query": "muster", "limit": 2, "cursor": first["next_cursor"] });
    let second = house.does(&token, "contacts_search", rest).await;
    assert_eq!((names(&second), second.get("next_cursor")), (vec!["Berta Muster"], None));
    house.close().await;
}

#[tokio::test]
async fn contacts_are_their_owners_and_need_their_scope() {
    let house = House::open().await;
    add(&house, "ct-1", "FN:Erika Muster").await;
    let bob = house.token_with("bob", "openid contacts.read");
    assert!(names(&house.does(&bob, "contacts_search", json!({ "query": "erika" })).await).is_empty());
    let other = house.token_with("alice", "openid calendar.read files.read");
    assert_eq!(house.try_call(&other, "contacts_search", json!({ "query": "erika" })).await.status, 403);
    let token = house.token_with("alice", "openid contacts.read");
    for query in [" ".to_owned(), "x".repeat(500)] {
        let nothing = house.call(&token, "contacts_search", json!({ "query": query })).await;
        assert!(nothing.failure().contains("words"), "{nothing:?}");
    }
    house.close().await;
}
