//! Deck: a board, or a card of it (its `docs/API.md`). A card is found among those of its board, for its id does not say in which stack it is.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;

use super::super::fault::Fault;
use super::super::nextcloud::{Ask, Nextcloud};
use super::super::shown::shown;
use super::super::text;
use super::{LONGEST_TITLE, Read};

const BOARDS: &str = "/index.php/apps/deck/api/v1.0/boards";
const REST: &str = "the rest is in Deck: the url opens it";

#[derive(Deserialize)]
struct Board {
    title: String,
}

#[derive(Deserialize)]
struct Stack {
    title: String,
    /// Left out where there are none.
    #[serde(default)]
    cards: Vec<Card>,
}

#[derive(Deserialize)]
struct Card {
    id: u64,
    title: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    duedate: Option<String>,
    #[serde(default)]
    archived: bool,
}

/// A board: its stacks with the titles of their cards.
///
/// # Errors
/// [`Fault::Said`] if it is not there; whatever [`Nextcloud::ask`] says.
pub async fn whole(nextcloud: &Nextcloud, board: u64) -> Result<Read, Fault> {
    let found: Board = ask(nextcloud, &format!("{BOARDS}/{board}")).await?;
    let mut text = String::new();
    for stack in stacks(nextcloud, board).await? {
        text += &format!("{}\n", shown(&stack.title, LONGEST_TITLE));
        for card in stack.cards.iter().filter(|card| !card.archived) {
            text += &format!("- {} (deck:{board}/{})\n", shown(&card.title, LONGEST_TITLE), card.id);
        }
    }
    let url = nextcloud.url(&format!("/index.php/apps/deck/board/{board}"));
    Ok(Read { title: found.title, text, url, rest: REST, ..Read::default() })
}

/// A card: its description.
///
/// # Errors
/// As [`whole`].
pub async fn card(nextcloud: &Nextcloud, board: u64, card: u64) -> Result<Read, Fault> {
    let stacks = stacks(nextcloud, board).await?;
    let mut cards =
        stacks.into_iter().flat_map(|stack| stack.cards.into_iter().map(move |card| (stack.title.clone(), card)));
    let (stack, card) =
        cards.find(|(_, found)| found.id == card).ok_or_else(|| Fault::said("There is no such card on this board."))?;
    let named = |text: &str| Some(Value::from(shown(text, LONGEST_TITLE)));
    Ok(Read {
        text: text::prose(&card.description.unwrap_or_default()),
        url: nextcloud.url(&format!("/index.php/apps/deck/board/{board}/card/{}", card.id)),
        metadata: vec![("stack", named(&stack)), ("due", card.duedate.as_deref().and_then(named))],
        title: card.title,
        rest: REST,
        is_cut: false,
    })
}

async fn stacks(nextcloud: &Nextcloud, board: u64) -> Result<Vec<Stack>, Fault> {
    ask(nextcloud, &format!("{BOARDS}/{board}/stacks")).await
}

/// Deck says 403 of a board that is not there as of one that is another's.
async fn ask<T: serde::de::DeserializeOwned>(nextcloud: &Nextcloud, target: &str) -> Result<T, Fault> {
    let answer = nextcloud.ask(Ask::get(target).accept_json()).await?;
    let is_json =
        answer.headers.get(CONTENT_TYPE).is_some_and(|media| media.as_bytes().starts_with(b"application/json"));
    match answer.status {
        StatusCode::NOT_FOUND if !is_json => {
            Err(Fault::said("This Nextcloud does not have the Deck app for this user."))
        }
        StatusCode::FORBIDDEN => Err(Fault::said("There is no such board, or it is not shared with the user.")),
        _ => answer.good("board")?.json(),
    }
}
