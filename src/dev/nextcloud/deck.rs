//! Deck's API, version 1: boards with stacks of cards, each seen by its owner alone.

use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::answer::Answer;
use super::super::clock;
use super::call::{Call, json};

/// Everybody's boards.
#[derive(Default)]
pub(super) struct Deck(Mutex<Store>);

#[derive(Default)]
struct Store {
    boards: Vec<Board>,
    last_id: u64,
}

#[derive(Clone)]
struct Board {
    id: u64,
    owner: String,
    title: String,
    color: String,
    archived: bool,
    first_label: u64,
    modified: u64,
    deleted: u64,
    stacks: Vec<Stack>,
}

#[derive(Clone)]
struct Stack {
    id: u64,
    title: String,
    order: u64,
    cards: Vec<Value>,
}

const LABELS: [(&str, &str); 4] =
    [("Finished", "31CC7C"), ("To review", "317CCC"), ("Action needed", "FF7A66"), ("Later", "F1DB50")];

/// A board or a card, for whoever searches.
pub(super) struct Titled {
    pub title: String,
    /// Of a card: its board and stack.
    pub within: String,
    /// Behind `#/board/`.
    pub path: String,
}

/// A person's boards, and the cards on them.
pub(super) fn titles(call: &Call, uid: &str) -> Vec<Titled> {
    let mut found = Vec::new();
    for board in call.instance.deck().all(uid) {
        found.push(Titled { title: board.title.clone(), within: String::new(), path: board.id.to_string() });
        for stack in &board.stacks {
            found.extend(stack.cards.iter().map(|card| Titled {
                title: card["title"].as_str().unwrap_or_default().to_owned(),
                within: format!("{} » {}", board.title, stack.title),
                path: format!("{}/card/{}", board.id, card["id"]),
            }));
        }
    }
    found
}

pub(super) async fn answer(call: &mut Call, uid: &str, path: &str) -> Answer {
    let verb = call.verb().to_owned();
    let path = path.split_once('/').map_or("", |(_, rest)| rest);
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let number = |at: usize| segments.get(at).and_then(|id| id.parse::<u64>().ok()).unwrap_or_default();
    let fields = if matches!(verb.as_str(), "POST" | "PUT") { call.fields().await } else { Value::Null };
    let deck = call.instance.deck();
    match (verb.as_str(), segments.as_slice()) {
        ("GET", ["boards"]) => tagged(&Value::Array(deck.all(uid).iter().map(|board| listed(call, board)).collect())),
        ("POST", ["boards"]) => match fields["title"].as_str() {
            Some(title) => json(200, &made(call, &deck.add(uid, title, fields["color"].as_str().unwrap_or("0087C5")))),
            None => json(400, &json!({ "status": 400, "message": "title must be provided" })),
        },
        (verb, ["boards", _, rest @ ..]) => {
            let Some(board) = deck.get(uid, number(1)) else {
                return refused();
            };
            match (verb, rest) {
                ("GET", []) => tagged(&whole(call, &board)),
                ("PUT", []) => deck
                    .change(board.id, |board| settle(board, &fields))
                    .map_or_else(refused, |board| json(200, &whole(call, &board))),
                ("DELETE", []) => deck
                    .change(board.id, |board| board.deleted = clock::now())
                    .map_or_else(refused, |board| json(200, &whole(call, &board))),
                ("GET", ["stacks"]) => {
                    tagged(&Value::Array(board.stacks.iter().map(|stack| of(&board, stack)).collect()))
                }
                ("POST", ["stacks"]) => {
                    let id = deck.next();
                    let title = fields["title"].as_str().unwrap_or_default().to_owned();
                    let stack = Stack { id, title, order: fields["order"].as_u64().unwrap_or(999), cards: Vec::new() };
                    deck.change(board.id, |board| board.stacks.push(stack.clone()));
                    json(200, &of(&board, &stack))
                }
                ("GET", ["stacks", _]) => {
                    let stack = board.stacks.iter().find(|stack| stack.id == number(3));
                    stack.map_or_else(refused, |stack| tagged(&of(&board, stack)))
                }
                ("POST", ["stacks", _, "cards"]) => {
                    let card = card(uid, deck.next(), number(3), &fields);
                    let kept = deck.change(board.id, |board| {
                        let mut stacks = board.stacks.iter_mut();
                        stacks.find(|stack| stack.id == number(3)).map(|stack| stack.cards.push(card.clone()))
                    });
                    if kept.is_some() { json(200, &card) } else { refused() }
                }
                ("GET", ["stacks", _, "cards", _]) => {
                    let cards = board.stacks.iter().flat_map(|stack| &stack.cards);
                    let card = cards.into_iter().find(|card| card["id"].as_u64() == Some(number(5)));
                    card.map_or_else(refused, tagged)
                }
                _ => refused(),
            }
        }
        _ => refused(),
    }
}

/// What Deck says of what is not there, and of what is somebody else's.
fn refused() -> Answer {
    json(403, &json!({ "status": 403, "message": "Permission denied" }))
}

fn tagged(body: &Value) -> Answer {
    json(200, body).header("etag", &format!("\"{}\"", digest(&body.to_string())))
}

fn settle(board: &mut Board, fields: &Value) {
    for (name, field) in [("title", &mut board.title), ("color", &mut board.color)] {
        if let Some(text) = fields[name].as_str() {
            text.clone_into(field);
        }
    }
    board.archived = fields["archived"].as_bool().unwrap_or(board.archived);
    board.modified = clock::now();
}

fn person(call: &Call, uid: &str) -> Value {
    let name = call.instance.accounts().get(uid).map(|account| account.display_name).unwrap_or_default();
    json!({ "primaryKey": uid, "uid": uid, "displayname": name, "type": 0 })
}

fn base(call: &Call, board: &Board) -> Value {
    json!({
        "id": board.id,
        "title": board.title,
        "owner": person(call, &board.owner),
        "color": board.color,
        "archived": board.archived,
        "labels": [],
        "acl": [],
        "permissions": {
            "PERMISSION_READ": true,
            "PERMISSION_EDIT": true,
            "PERMISSION_MANAGE": true,
            "PERMISSION_SHARE": true,
        },
        "users": [],
        "stacks": [],
        "activeSessions": [],
        "deletedAt": board.deleted,
        "lastModified": board.modified,
        "settings": [],
        "ETag": digest(&board.modified.to_string()),
    })
}

fn labels(board: &Board, modified: &Value) -> Value {
    let labels = LABELS.iter().enumerate().map(|(at, (title, color))| {
        json!({
            "id": board.first_label + at as u64,
            "title": title,
            "color": color,
            "boardId": board.id,
            "cardId": null,
            "lastModified": modified,
            "ETag": digest(&modified.to_string()),
        })
    });
    labels.collect()
}

/// A board that has just been made.
fn made(call: &Call, board: &Board) -> Value {
    let mut body = base(call, board);
    body["labels"] = labels(board, &Value::Null);
    body["lastModified"] = 0.into();
    body
}

/// A board in the list.
fn listed(call: &Call, board: &Board) -> Value {
    let mut body = base(call, board);
    body["shared"] = 0.into();
    body
}

/// A board with all that belongs to it.
fn whole(call: &Call, board: &Board) -> Value {
    let mut body = base(call, board);
    body["labels"] = labels(board, &0.into());
    body["users"] = json!([person(call, &board.owner)]);
    body["stacks"] = board.stacks.iter().map(|stack| of(board, stack)).collect();
    body["settings"] = json!({ "notify-due": "assigned", "calendar": true });
    body
}

fn of(board: &Board, stack: &Stack) -> Value {
    json!({
        "id": stack.id,
        "title": stack.title,
        "boardId": board.id,
        "deletedAt": 0,
        "lastModified": board.modified,
        "order": stack.order,
        "cards": stack.cards,
        "ETag": digest(&board.modified.to_string()),
    })
}

fn card(uid: &str, id: u64, stack: u64, fields: &Value) -> Value {
    let now = clock::now();
    json!({
        "id": id,
        "title": fields["title"],
        "description": fields["description"].as_str().unwrap_or_default(),
        "stackId": stack,
        "type": "plain",
        "lastModified": now,
        "createdAt": now,
        "labels": [],
        "assignedUsers": [],
        "attachments": null,
        "attachmentCount": 0,
        "owner": uid,
        "order": fields["order"].as_u64().unwrap_or(999),
        "archived": false,
        "done": null,
        "duedate": fields["duedate"],
        "deletedAt": 0,
        "commentsUnread": 0,
        "ETag": digest(&now.to_string()),
    })
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

// === impl Deck ===

impl Deck {
    fn next(&self) -> u64 {
        let mut store = self.0.lock();
        store.last_id += 1;
        store.last_id
    }

    fn all(&self, uid: &str) -> Vec<Board> {
        let store = self.0.lock();
        store.boards.iter().filter(|board| board.owner == uid && board.deleted == 0).cloned().collect()
    }

    fn get(&self, uid: &str, id: u64) -> Option<Board> {
        self.all(uid).into_iter().find(|board| board.id == id)
    }

    fn add(&self, uid: &str, title: &str, color: &str) -> Board {
        let mut store = self.0.lock();
        store.last_id += 1;
        let board = Board {
            id: store.last_id,
            owner: uid.to_owned(),
            title: title.to_owned(),
            color: color.trim_start_matches('#').to_owned(),
            archived: false,
            first_label: (store.last_id - 1) * LABELS.len() as u64 + 1,
            modified: clock::now(),
            deleted: 0,
            stacks: Vec::new(),
        };
        store.boards.push(board.clone());
        board
    }

    fn change<T>(&self, id: u64, change: impl FnOnce(&mut Board) -> T) -> Option<Board> {
        let mut store = self.0.lock();
        let board = store.boards.iter_mut().find(|board| board.id == id)?;
        change(board);
        Some(board.clone())
    }
}
