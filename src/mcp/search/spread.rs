//! One list out of several providers: a page takes one hit of each in turn, and its cursor says for each how far it got.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::super::fault::Fault;
use super::super::nextcloud::Nextcloud;
use super::super::unified::{self, Entry, Page};
use super::ends_all;
use super::provider::Provider;

/// So many providers are asked at once: a search is one call of one person.
const AT_ONCE: usize = 4;

/// How far a provider got: where its page began, and how many of that page were given. A page that was given in part is asked for again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(Option<unified::Place>, usize);

/// The providers of one search.
pub struct Spread(Vec<Strand>);

struct Strand {
    provider: &'static Provider,
    place: Place,
    found: VecDeque<Entry>,
    next: Option<unified::Place>,
}

impl Strand {
    fn new(provider: &'static Provider, place: Place) -> Self {
        Self { provider, place, found: VecDeque::new(), next: None }
    }

    fn give(&mut self, page: Page) {
        self.next = page.next().cloned();
        self.found = page.entries.into_iter().skip(self.place.1).collect();
    }

    fn take(&mut self) -> Option<(&'static Provider, Entry)> {
        let entry = self.found.pop_front()?;
        self.place.1 += 1;
        Some((self.provider, entry))
    }

    /// Where it goes on. One that failed is left out from then on, for otherwise the list might never end.
    fn place(&self) -> Option<Place> {
        if self.found.is_empty() {
            self.next.clone().map(|next| Place(Some(next), 0))
        } else {
            Some(self.place.clone())
        }
    }
}

impl Spread {
    /// From the beginning, or from these places: a provider that has none has given all.
    #[must_use]
    pub fn new(providers: Vec<&'static Provider>, places: Option<&[(String, Place)]>) -> Self {
        let place = |provider: &Provider| match places {
            None => Some(Place::default()),
            Some(places) => places.iter().find(|(id, _)| id == provider.id).map(|(_, place)| place.clone()),
        };
        Self(providers.into_iter().filter_map(|provider| Some(Strand::new(provider, place(provider)?))).collect())
    }

    /// Asks all of them.
    ///
    /// # Errors
    /// If all failed, the first failure; and what ends the whole call.
    pub async fn ask(&mut self, nextcloud: &Nextcloud, query: &str) -> Result<(), Fault> {
        let (at_once, query): (_, Arc<str>) = (Arc::new(Semaphore::new(AT_ONCE)), query.into());
        let mut asked = JoinSet::new();
        for (number, strand) in self.0.iter().enumerate() {
            let (nextcloud, at_once, query) = (nextcloud.clone(), at_once.clone(), query.clone());
            let (provider, place) = (strand.provider, strand.place.0.clone());
            let ask = async move {
                let _room = at_once.acquire().await;
                (number, unified::page(&nextcloud, provider.id, &query, place.as_ref()).await)
            };
            asked.spawn(ask.in_current_span());
        }
        let (mut answered, mut failure) = (self.0.is_empty(), None);
        while let Some(joined) = asked.join_next().await {
            let Ok((number, page)) = joined else { continue };
            match page {
                Ok(page) => {
                    answered = true;
                    if let Some(strand) = self.0.get_mut(number) {
                        strand.give(page);
                    }
                }
                Err(fault) if ends_all(&fault) => return Err(fault),
                Err(fault) => failure = failure.or(Some(fault)),
            }
        }
        match failure {
            Some(fault) if !answered => Err(fault),
            _ => Ok(()),
        }
    }

    /// Takes so many hits, one of each provider in turn.
    pub fn take(&mut self, limit: usize) -> Vec<(&'static Provider, Entry)> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            let before = taken.len();
            for strand in &mut self.0 {
                if taken.len() < limit {
                    taken.extend(strand.take());
                }
            }
            if taken.len() == before {
                break;
            }
        }
        taken
    }

    /// Where the next page begins; nowhere if all has been given.
    #[must_use]
    pub fn places(&self) -> Option<Vec<(&'static str, Place)>> {
        let places: Vec<_> = self.0.iter().filter_map(|strand| Some((strand.provider.id, strand.place()?))).collect();
        (!places.is_empty()).then_some(places)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::provider;
    use super::*;

    fn page(titles: std::ops::Range<usize>, cursor: Option<u64>) -> Page {
        let entries: Vec<_> = titles.map(|number| json!({ "title": number.to_string() })).collect();
        serde_json::from_value(json!({ "entries": entries, "isPaginated": cursor.is_some(), "cursor": cursor }))
            .unwrap()
    }

    fn titles(found: &[(&'static Provider, Entry)]) -> Vec<String> {
        found.iter().map(|(provider, entry)| format!("{} {}", provider.id, entry.title)).collect()
    }

    #[test]
    fn a_page_takes_from_each_in_turn_and_the_next_begins_where_it_ended() {
        let providers: Vec<_> = provider::ALL.iter().take(2).collect();
        let mut first = Spread::new(providers.clone(), None);
        first.0[0].give(page(0..25, Some(25)));
        first.0[1].give(page(0..2, None));
        assert_eq!(titles(&first.take(3)), ["files 0", "notes 0", "files 1"]);
        let places: Vec<(String, Place)> =
            serde_json::from_value(serde_json::to_value(first.places().unwrap()).unwrap()).unwrap();

        let mut second = Spread::new(providers.clone(), Some(&places));
        second.0[0].give(page(0..25, Some(25)));
        second.0[1].give(page(0..2, None));
        assert_eq!(titles(&second.take(3)), ["files 2", "notes 1", "files 3"]);
        assert_eq!(second.take(100).len(), 21, "one page of each provider is all that one call has");
        let places = second.places().unwrap();
        assert_eq!(places, [("files", Place(Some(unified::Place::Offset(25)), 0))]);

        let places: Vec<(String, Place)> = serde_json::from_value(serde_json::to_value(places).unwrap()).unwrap();
        let mut third = Spread::new(providers, Some(&places));
        assert_eq!(third.0.len(), 1, "what has given all is asked no more");
        third.0[0].give(page(25..27, Some(50)));
        assert_eq!(titles(&third.take(3)), ["files 25", "files 26"]);
        assert_eq!(third.places(), None);
    }
}
