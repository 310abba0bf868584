//! Talk as its documentation has it, in small: rooms, what was said in them and how far each has read, and waiting for more.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::super::clock;

/// Long polling waits at most so long, whatever is asked.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A longer message is refused with 413 (`spreed => config => chat => max-length`).
pub(super) const LONGEST_MESSAGE: usize = 32_000;

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
    /// Nobody says anything in it any more.
    pub read_only: bool,
    pub members: Vec<Member>,
    pub messages: Vec<Value>,
}

/// Somebody in a room.
#[derive(Clone)]
pub(super) struct Member {
    pub uid: String,
    pub display_name: String,
    /// The last message that was read.
    pub read: u64,
}

/// What somebody says.
#[derive(Default)]
pub(super) struct Said<'s> {
    pub text: &'s str,
    pub reply_to: Option<u64>,
    pub reference: &'s str,
    /// What stands for the placeholders in the text, beside those that mentions become.
    pub parameters: Map<String, Value>,
    /// Of a system message, what happened.
    pub system: &'s str,
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
        store.rooms.iter().filter(|room| room.member(uid).is_some()).cloned().collect()
    }

    /// A room that this person is in.
    pub(super) fn room(&self, uid: &str, token: &str) -> Option<Room> {
        self.rooms(uid).into_iter().find(|room| room.token == token)
    }

    pub(super) fn open(&self, kind: u64, name: &str, members: Vec<Member>) -> Room {
        self.add(&clock::alphanumeric(8).to_lowercase(), kind, name, members)
    }

    fn add(&self, token: &str, kind: u64, name: &str, members: Vec<Member>) -> Room {
        let mut store = self.store.lock();
        store.last_id += 1;
        let room = Room {
            id: store.last_id,
            token: token.to_owned(),
            name: name.to_owned(),
            kind,
            read_only: false,
            members,
            messages: Vec::new(),
        };
        store.rooms.push(room.clone());
        room
    }

    /// Says something in a room; nothing, if this person is not in it or nothing can be replied to there.
    pub(super) fn say(&self, token: &str, uid: &str, said: &Said<'_>) -> Option<Value> {
        let mut store = self.store.lock();
        let id = store.last_id + 1;
        let room = store.rooms.iter_mut().find(|room| room.token == token)?;
        let message = room.message(id, uid, said)?;
        room.messages.push(message.clone());
        if said.system.is_empty() {
            room.has_read(uid, id);
        }
        store.last_id = id;
        drop(store);
        self.said.send_modify(|count| *count += 1);
        Some(message)
    }

    /// Notes how far somebody has read; never back.
    pub(super) fn has_read(&self, token: &str, uid: &str, id: u64) {
        let mut store = self.store.lock();
        if let Some(room) = store.rooms.iter_mut().find(|room| room.token == token) {
            room.has_read(uid, id);
        }
    }

    /// Waits until something is said anywhere, or for so long.
    pub(super) async fn wait(&self, longest: Duration) {
        let mut said = self.said.subscribe();
        let _ = tokio::time::timeout(longest.min(LONGEST_WAIT), said.changed()).await;
    }

    /// What the first two people have said from the start: `team0001` with a system message, a mention and a file, `direct01`
    /// between them, `notice01` in which nobody says anything any more; and `solo0001` of the first alone.
    pub(super) fn seed(&self, first: &Member, second: &Member) {
        let created = |member: &Member| {
            let actor = json!({ "type": "user", "id": member.uid, "name": member.display_name });
            Map::from_iter([("actor".to_owned(), actor)])
        };
        let both = || vec![first.clone(), second.clone()];
        let rooms = [
            ("team0001", 2, "Team", both()),
            ("direct01", 1, "", both()),
            ("notice01", 2, "Notices", both()),
            ("solo0001", 2, "Thoughts", vec![first.clone()]),
        ];
        for (token, kind, name, members) in rooms {
            self.add(token, kind, name, members);
            let parameters = created(first);
            let text = "{actor} created the conversation";
            self.say(token, &first.uid, &Said { text, parameters, system: "conversation_created", ..Said::default() });
        }
        let file = json!({
            "type": "file", "id": "1", "name": "Plan.md", "path": "Documents/Plan.md", "size": "100", "mimetype": "text/markdown",
            "link": "https://cloud.example/f/1", "preview-available": "no", "permissions": "27",
        });
        let file = Map::from_iter([("file".to_owned(), file)]);
        let mention = format!("@{} please read the plan", first.uid);
        self.say("team0001", &first.uid, &Said { text: "Welcome to the **team**", ..Said::default() });
        self.say("team0001", &second.uid, &Said { text: "{file}", parameters: file, ..Said::default() });
        self.say("team0001", &second.uid, &Said { text: &mention, ..Said::default() });
        self.say("direct01", &second.uid, &Said { text: "Lunch at noon?", ..Said::default() });
        if let Some(room) = self.store.lock().rooms.iter_mut().find(|room| room.token == "notice01") {
            room.read_only = true;
        }
    }
}

// === impl Room ===

impl Room {
    pub(super) fn member(&self, uid: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.uid == uid)
    }

    /// As this person sees it: of two, the other.
    pub(super) fn display_name(&self, uid: &str) -> String {
        let other = self.members.iter().find(|member| member.uid != uid);
        match other.filter(|_| self.kind == 1) {
            Some(other) => other.display_name.clone(),
            None => self.name.clone(),
        }
    }

    /// What this person has not read: how many messages, and whether one names them. What happened is not counted.
    pub(super) fn unread(&self, uid: &str) -> (usize, bool) {
        let read = self.member(uid).map_or(0, |member| member.read);
        let unread =
            self.messages.iter().filter(|message| number(message) > read && message["messageType"] == "comment");
        let names = |message: &Value| {
            let parameters = message["messageParameters"].as_object();
            parameters.is_some_and(|all| all.iter().any(|(name, one)| name.starts_with("mention-") && one["id"] == uid))
        };
        let (mut count, mut named) = (0, false);
        for message in unread {
            count += 1;
            named |= names(message);
        }
        (count, named)
    }

    fn has_read(&mut self, uid: &str, id: u64) {
        if let Some(member) = self.members.iter_mut().find(|member| member.uid == uid) {
            member.read = member.read.max(id);
        }
    }

    fn message(&self, id: u64, uid: &str, said: &Said<'_>) -> Option<Value> {
        let author = self.member(uid)?;
        let parent = match said.reply_to {
            None => None,
            Some(wanted) => {
                let known = self.messages.iter().find(|message| number(message) == wanted)?;
                Some(known).filter(|known| known["isReplyable"] == true).map(Some)?.cloned()
            }
        };
        let system = !said.system.is_empty();
        let (text, mentions) = if system { (said.text.to_owned(), BTreeMap::new()) } else { self.mentions(said.text) };
        let mut parameters = said.parameters.clone();
        parameters.extend(mentions);
        // An empty map is an empty list to PHP.
        let parameters = if parameters.is_empty() { json!([]) } else { Value::Object(parameters) };
        let mut message = json!({
            "id": id,
            "token": self.token,
            "actorType": "users",
            "actorId": uid,
            "actorDisplayName": author.display_name,
            "timestamp": clock::now(),
            "message": text,
            "messageParameters": parameters,
            "systemMessage": said.system,
            "messageType": if system { "system" } else { "comment" },
            "isReplyable": !system,
            "referenceId": said.reference,
            "reactions": {},
            "markdown": !system,
            "expirationTimestamp": 0,
        });
        if let Some(mut parent) = parent {
            if let Value::Object(members) = &mut parent {
                members.remove("parent");
            }
            message["parent"] = parent;
        }
        Some(message)
    }

    /// `@uid` of a member becomes a placeholder.
    fn mentions(&self, text: &str) -> (String, BTreeMap<String, Value>) {
        let (mut text, mut mentions) = (text.to_owned(), BTreeMap::new());
        for member in &self.members {
            let mention = format!("@{}", member.uid);
            if text.split_whitespace().any(|word| word == mention) {
                let name = format!("mention-user{}", mentions.len() + 1);
                text = text.replace(&mention, &format!("{{{name}}}"));
                let who = json!({
                    "type": "user", "id": member.uid, "name": member.display_name, "mention-id": member.uid,
                });
                mentions.insert(name, who);
            }
        }
        (text, mentions)
    }
}

/// The number of a message.
pub(super) fn number(message: &Value) -> u64 {
    message["id"].as_u64().unwrap_or(0)
}
