//! OCS routes of Talk (`spreed`): rooms, and chat that is read, waited for and written (its `docs/conversation.md` and `docs/chat.md`).

use std::time::Duration;

use serde_json::{Value, json};

use super::super::super::clock;
use super::super::call::Call;
use super::super::talk::{LONGEST_MESSAGE, Member, Room, Said, number};
use super::envelope::Outcome;

/// Without `limit`, and at most.
const LIMIT: (u64, u64) = (100, 200);

pub(super) async fn route(call: &mut Call, uid: &str, path: &str) -> Option<Outcome> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    // `api/v4/room`, `api/v1/chat/<token>`.
    let (_api, _version) = (segments.next()?, segments.next()?);
    let rest: Vec<&str> = segments.collect();
    Some(match (call.verb(), rest.as_slice()) {
        ("GET", ["room"]) => Outcome::ok(call.instance.talk().rooms(uid).iter().map(|room| told(room, uid)).collect())
            .with("x-nextcloud-talk-modified-before", clock::now().to_string())
            .with("x-nextcloud-talk-hash", "0f6ac1ae"),
        ("POST", ["room"]) => open(call, uid).await,
        ("GET", ["room", token]) => match call.instance.talk().room(uid, token) {
            Some(room) => Outcome::ok(told(&room, uid)),
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

fn member(call: &Call, uid: &str) -> Option<Member> {
    let account = call.instance.accounts().get(uid)?;
    Some(Member { uid: account.uid, display_name: account.display_name, read: 0 })
}

async fn open(call: &mut Call, uid: &str) -> Outcome {
    let fields = call.fields().await;
    let kind = fields["roomType"].as_u64().or_else(|| fields["roomType"].as_str()?.parse().ok()).unwrap_or(2);
    let other = fields["invite"].as_str().and_then(|other| member(call, other));
    if kind == 1 && other.is_none() {
        return nothing();
    }
    let members = member(call, uid).into_iter().chain(other).collect();
    let name = fields["roomName"].as_str().filter(|_| kind != 1).unwrap_or_default();
    Outcome::created(told(&call.instance.talk().open(kind, name, members), uid))
}

/// History from the newest down, or what is newer; `lookIntoFuture=1` waits for it. 304 where there is nothing.
async fn read(call: &Call, uid: &str, token: &str) -> Outcome {
    let asked = |name: &str| call.query.get(name).and_then(|value| value.parse::<u64>().ok());
    let known = asked("lastKnownMessageId").unwrap_or(0);
    let with_known = asked("includeLastKnown") == Some(1);
    let limit = usize::try_from(asked("limit").unwrap_or(LIMIT.0).min(LIMIT.1)).unwrap_or(usize::MAX);
    let talk = call.instance.talk();
    let Some(room) = talk.room(uid, token) else {
        return nothing();
    };
    let mut found: Vec<Value> = if asked("lookIntoFuture") == Some(1) {
        let newer = |room: &Room| -> Vec<Value> {
            let newer = room.messages.iter().filter(|one| number(one) > known || (with_known && number(one) == known));
            newer.cloned().collect()
        };
        if asked("setReadMarker") != Some(0) {
            talk.has_read(token, uid, known);
        }
        let found = newer(&room);
        if found.is_empty() {
            talk.wait(Duration::from_secs(asked("timeout").unwrap_or(30))).await;
            talk.room(uid, token).as_ref().map(newer).unwrap_or_default()
        } else {
            found
        }
    } else {
        let older = |one: &&Value| known == 0 || number(one) < known || (with_known && number(one) == known);
        room.messages.iter().rev().filter(older).cloned().collect()
    };
    found.truncate(limit);
    match found.last().map(number) {
        Some(last) => Outcome::ok(found.into()).with("x-chat-last-given", last.to_string()),
        None => Outcome::failure(304, 304, ""),
    }
}

async fn say(call: &mut Call, uid: &str, token: &str) -> Outcome {
    let fields = call.fields().await;
    let talk = call.instance.talk();
    let Some(room) = talk.room(uid, token) else {
        return nothing();
    };
    if room.read_only {
        return Outcome::failure(403, 403, "");
    }
    let text = fields["message"].as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Outcome::failure(400, 400, "");
    }
    if text.chars().count() > LONGEST_MESSAGE {
        return Outcome::failure(413, 413, "");
    }
    let reply_to = fields["replyTo"].as_u64().or_else(|| fields["replyTo"].as_str()?.parse().ok());
    let said = Said {
        text,
        reply_to: reply_to.filter(|id| *id != 0),
        reference: fields["referenceId"].as_str().unwrap_or_default(),
        ..Said::default()
    };
    talk.say(token, uid, &said).map_or_else(|| Outcome::failure(400, 400, ""), Outcome::created)
}

fn told(room: &Room, uid: &str) -> Value {
    let (unread, mentioned) = room.unread(uid);
    let other = room.members.iter().find(|member| member.uid != uid).filter(|_| room.kind == 1);
    // What is owned may be left only by handing it on; of two there is no owner.
    let owner = room.kind == 1 || room.members.first().is_some_and(|member| member.uid == uid);
    let activity = room.messages.last().map_or(0, |message| message["timestamp"].as_u64().unwrap_or(0));
    let mut told = json!({
        "id": room.id,
        "token": room.token,
        "type": room.kind,
        "name": other.map_or(room.name.as_str(), |other| other.uid.as_str()),
        "displayName": room.display_name(uid),
        "description": "",
        "participantType": if owner { 1 } else { 3 },
        "attendeeId": room.members.iter().position(|member| member.uid == uid).map(|place| place + 1),
        "actorType": "users",
        "actorId": uid,
        "permissions": 254,
        "readOnly": u8::from(room.read_only),
        "listable": 0,
        "hasPassword": false,
        "hasCall": false,
        "isFavorite": false,
        "notificationLevel": 2,
        "lobbyState": 0,
        "objectType": "",
        "objectId": "",
    });
    let rest = json!({
        "unreadMessages": unread,
        "unreadMention": mentioned,
        "unreadMentionDirect": mentioned,
        "lastReadMessage": room.member(uid).map_or(0, |member| member.read),
        "lastCommonReadMessage": room.members.iter().map(|member| member.read).min(),
        "lastActivity": activity,
        "lastMessage": room.messages.last().cloned().unwrap_or_else(|| json!([])),
        "canLeaveConversation": true,
        "canDeleteConversation": owner && room.kind != 1,
        "canStartCall": true,
    });
    if let (Value::Object(told), Value::Object(rest)) = (&mut told, rest) {
        told.extend(rest);
    }
    told
}
