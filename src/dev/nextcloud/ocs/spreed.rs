//! OCS routes of Talk (`spreed`): rooms, and chat that is read, waited for and written.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::super::clock;
use super::super::call::Call;
use super::super::talk::Room;
use super::envelope::Outcome;

pub(super) async fn route(call: &mut Call, uid: &str, path: &str) -> Option<Outcome> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    // `api/v4/room`, `api/v1/chat/<token>`.
    let (_api, _version) = (segments.next()?, segments.next()?);
    let rest: Vec<&str> = segments.collect();
    Some(match (call.verb(), rest.as_slice()) {
        ("GET", ["room"]) => Outcome::ok(call.instance.talk().rooms(uid).iter().map(told).collect())
            .with("x-nextcloud-talk-modified-before", clock::now().to_string())
            .with("x-nextcloud-talk-hash", "0f6ac1ae"),
        ("POST", ["room"]) => open(call, uid).await,
        ("GET", ["room", token]) => match call.instance.talk().room(uid, token) {
            Some(room) => Outcome::ok(told(&room)),
            None => nothing(),
        },
        ("GET", ["chat", token]) => read(call, uid, token).await,
        ("POST", ["chat", token]) => {
            let token = (*token).to_owned();
            say(call, uid, &token).await
        }
        _ => return None,
    })
}

fn nothing() -> Outcome {
    Outcome::failure(404, 404, "")
}

async fn open(call: &mut Call, uid: &str) -> Outcome {
    let fields = call.fields().await;
    let kind = fields["roomType"].as_u64().or_else(|| fields["roomType"].as_str()?.parse().ok()).unwrap_or(2);
    let mut members = vec![uid.to_owned()];
    if let Some(other) = fields["invite"].as_str().filter(|other| call.instance.accounts().get(other).is_some()) {
        members.push(other.to_owned());
    }
    let name = fields["roomName"].as_str().or(fields["invite"].as_str()).unwrap_or("Room");
    Outcome::created(told(&call.instance.talk().open(kind, name, members)))
}

/// `lookIntoFuture=1` waits for what comes after the last known message; 304 where nothing did.
async fn read(call: &Call, uid: &str, token: &str) -> Outcome {
    let number = |name: &str| call.query.get(name).and_then(|value| value.parse::<u64>().ok());
    let future = number("lookIntoFuture") == Some(1);
    let known = number("lastKnownMessageId").unwrap_or(0);
    let limit = usize::try_from(number("limit").unwrap_or(100)).unwrap_or(100);
    let Some(room) = call.instance.talk().room(uid, token) else {
        return nothing();
    };
    let after = |room: &Room| -> Vec<Value> {
        let newer = room.messages.iter().filter(|message| message["id"].as_u64().is_some_and(|id| id > known));
        newer.cloned().collect()
    };
    let mut found = after(&room);
    if future && found.is_empty() {
        call.instance.talk().wait(Duration::from_secs(number("timeout").unwrap_or(30))).await;
        found = call.instance.talk().room(uid, token).as_ref().map(after).unwrap_or_default();
    }
    if found.is_empty() && future {
        return Outcome::failure(304, 304, "");
    }
    if !future {
        found.reverse();
    }
    found.truncate(limit);
    let last = found.last().map(|message| message["id"].to_string()).unwrap_or_default();
    Outcome::ok(found.into()).with("x-chat-last-given", last)
}

async fn say(call: &mut Call, uid: &str, token: &str) -> Outcome {
    let fields = call.fields().await;
    if call.instance.talk().room(uid, token).is_none() {
        return nothing();
    }
    let text = fields["message"].as_str().unwrap_or_default();
    if text.is_empty() {
        return Outcome::failure(400, 400, "");
    }
    let name = call.instance.accounts().get(uid).map(|account| account.display_name).unwrap_or_default();
    call.instance.talk().say(token, uid, &name, text).map_or_else(nothing, Outcome::created)
}

fn told(room: &Room) -> Value {
    json!({
        "id": room.id,
        "token": room.token,
        "type": room.kind,
        "name": room.name,
        "displayName": room.name,
        "description": "",
        "participantType": 1,
        "readOnly": 0,
        "hasPassword": false,
        "unreadMessages": 0,
        "lastActivity": room.messages.last().map_or(0, |message| message["timestamp"].as_u64().unwrap_or(0)),
        "lastMessage": room.messages.last(),
        "canLeaveConversation": true,
        "canStartCall": true,
    })
}
