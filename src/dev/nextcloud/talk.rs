//! Talk as its documentation has it, in small: rooms, their messages, and waiting for new ones.

use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::super::clock;

/// Long polling waits at most so long, whatever is asked.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Rooms and what was said in them.
pub(super) struct Talk {
    store: Mutex<Store>,
    /// Counts messages, so that whoever waits wakes.
    said: watch::Sender<u64>,
}

#[derive(Default)]
struct Store {
    rooms: Vec<Room>,
    last_id: u64,
}

/// A conversation.
#[derive(Clone)]
pub(super) struct Room {
    pub id: u64,
    pub token: String,
    pub name: String,
    /// 1 for two people, 2 for a group, 3 for everybody with its link.
    pub kind: u64,
    pub members: Vec<String>,
    pub messages: Vec<Value>,
}

impl Default for Talk {
    fn default() -> Self {
        Self { store: Mutex::default(), said: watch::Sender::new(0) }
    }
}

// === impl Talk ===

impl Talk {
    pub(super) fn rooms(&self, uid: &str) -> Vec<Room> {
        let store = self.store.lock();
        store.rooms.iter().filter(|room| room.members.iter().any(|member| member == uid)).cloned().collect()
    }

    /// A room that this person is in.
    pub(super) fn room(&self, uid: &str, token: &str) -> Option<Room> {
        self.rooms(uid).into_iter().find(|room| room.token == token)
    }

    pub(super) fn open(&self, kind: u64, name: &str, members: Vec<String>) -> Room {
        let mut store = self.store.lock();
        store.last_id += 1;
        let token = clock::alphanumeric(8).to_lowercase();
        let room = Room { id: store.last_id, token, name: name.to_owned(), kind, members, messages: Vec::new() };
        store.rooms.push(room.clone());
        room
    }

    /// Says something in a room.
    pub(super) fn say(&self, token: &str, uid: &str, name: &str, text: &str) -> Option<Value> {
        let mut store = self.store.lock();
        store.last_id += 1;
        let id = store.last_id;
        let room = store.rooms.iter_mut().find(|room| room.token == token)?;
        let message = json!({
            "id": id,
            "token": token,
            "actorType": "users",
            "actorId": uid,
            "actorDisplayName": name,
            "timestamp": clock::now(),
            "message": text,
            "messageParameters": [],
            "systemMessage": "",
            "messageType": "comment",
            "isReplyable": true,
            "referenceId": "",
            "reactions": {},
            "markdown": true,
            "expirationTimestamp": 0,
        });
        room.messages.push(message.clone());
        drop(store);
        self.said.send_modify(|count| *count += 1);
        Some(message)
    }

    /// Waits until something is said anywhere, or for so long.
    pub(super) async fn wait(&self, longest: Duration) {
        let mut said = self.said.subscribe();
        let _ = tokio::time::timeout(longest.min(LONGEST_WAIT), said.changed()).await;
    }
}
