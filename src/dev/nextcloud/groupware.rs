//! Calendars and address books: collections of small texts, with a log of their changes for those who synchronise.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::super::clock;

/// Which tree a collection stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Calendar,
    AddressBook,
}

/// Owner, tree and name of a collection.
pub(super) type Key = (String, Kind, String);

/// A calendar or an address book.
#[derive(Clone, Debug, Default)]
pub(super) struct Collection {
    pub display_name: Option<String>,
    /// What a calendar may hold: `VEVENT`, `VTODO`, …
    pub components: Vec<String>,
    /// Nextcloud's own: nobody writes there.
    pub read_only: bool,
    /// Other properties by namespace and name, with their XML.
    pub properties: BTreeMap<(String, String), String>,
    pub objects: BTreeMap<String, Object>,
    /// Counts changes.
    pub token: u64,
    pub changes: Vec<Change>,
}

/// An event, a task or a contact.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub data: String,
    /// `VEVENT`, `VTODO`, `VCARD` …
    pub component: String,
    pub uid: String,
    pub etag: String,
    pub modified: u64,
}

/// One line of the log: the object that was written or deleted when the token became this.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub token: u64,
    pub name: String,
}

/// A collection in another person's tree.
#[derive(Clone, Debug)]
struct Lent {
    key: Key,
    read_only: bool,
}

#[derive(Default)]
pub(super) struct Groupware(Mutex<Store>);

#[derive(Default)]
struct Store {
    own: BTreeMap<Key, Collection>,
    /// By where it is seen.
    lent: BTreeMap<Key, Lent>,
}

// === impl Object ===

impl Object {
    pub(super) fn new(data: String, component: &str, uid: &str) -> Self {
        let (component, uid) = (component.to_owned(), uid.to_owned());
        Self { data, component, uid, etag: clock::hex(16), modified: clock::now() }
    }
}

// === impl Collection ===

impl Collection {
    fn named(display_name: &str, components: &[&str], read_only: bool) -> Self {
        let components = components.iter().map(|component| (*component).to_owned()).collect();
        Self { display_name: Some(display_name.to_owned()), components, read_only, token: 1, ..Self::default() }
    }

    pub(super) fn put(&mut self, name: &str, object: Object) {
        self.note(name);
        self.objects.insert(name.to_owned(), object);
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Object> {
        let object = self.objects.remove(name)?;
        self.note(name);
        Some(object)
    }

    /// A change that the token shows.
    pub(super) fn note(&mut self, name: &str) {
        self.token += 1;
        self.changes.push(Change { token: self.token, name: name.to_owned() });
    }

    /// `http://sabre.io/ns/sync/2`, which is also the ctag.
    pub(super) fn sync_token(&self) -> String {
        format!("http://sabre.io/ns/sync/{}", self.token)
    }
}

// === impl Groupware ===

impl Groupware {
    /// Reads a collection.
    pub(super) fn read<T>(&self, key: &Key, read: impl FnOnce(&Collection) -> T) -> Option<T> {
        let store = self.0.lock();
        let Some(lent) = store.lent.get(key) else {
            return store.own.get(key).map(read);
        };
        let mut collection = store.own.get(&lent.key)?.clone();
        collection.read_only |= lent.read_only;
        collection.display_name = collection.display_name.map(|name| format!("{name} ({})", lent.key.0));
        Some(read(&collection))
    }

    /// Changes a collection.
    pub(super) fn change<T>(&self, key: &Key, change: impl FnOnce(&mut Collection) -> T) -> Option<T> {
        let mut store = self.0.lock();
        let key = store.lent.get(key).map_or_else(|| key.clone(), |lent| lent.key.clone());
        store.own.get_mut(&key).map(change)
    }

    /// Adds a collection; whether its name was free.
    pub(super) fn add(&self, key: Key, collection: Collection) -> bool {
        let mut store = self.0.lock();
        let free = !store.own.contains_key(&key) && !store.lent.contains_key(&key);
        if free {
            store.own.insert(key, collection);
        }
        free
    }

    /// Removes a collection; of one that is lent, only the sight of it.
    pub(super) fn remove(&self, key: &Key) {
        let mut store = self.0.lock();
        if store.lent.remove(key).is_none() {
            store.own.remove(key);
            store.lent.retain(|_, lent| lent.key != *key);
        }
    }

    /// Shows a collection to another person, under a name that says whose it is; or no longer.
    pub(super) fn lend(&self, key: &Key, to: &str, how: Option<bool>) {
        let (owner, kind, name) = key.clone();
        let seen = (to.to_owned(), kind, format!("{name}_shared_by_{owner}"));
        let mut store = self.0.lock();
        match how {
            Some(read_only) => store.lent.insert(seen, Lent { key: key.clone(), read_only }),
            None => store.lent.remove(&seen),
        };
    }

    /// The names of a person's collections.
    pub(super) fn names(&self, owner: &str, kind: Kind) -> Vec<String> {
        let store = self.0.lock();
        let all = store.own.keys().chain(store.lent.keys());
        all.filter(|(uid, tree, _)| uid == owner && *tree == kind).map(|(_, _, name)| name.clone()).collect()
    }

    pub(super) fn object(&self, key: &Key, name: &str) -> Option<Object> {
        self.read(key, |collection| collection.objects.get(name).cloned()).flatten()
    }

    /// A new person's calendars and address books, with an event and a contact that say whose they are.
    pub(super) fn seed(&self, uid: &str) {
        let calendar = |name: &str| (uid.to_owned(), Kind::Calendar, name.to_owned());
        let book = |name: &str| (uid.to_owned(), Kind::AddressBook, name.to_owned());
        let mut personal = Collection::named("Personal", &["VEVENT"], false);
        let event = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//obo-proxy//dev//EN\r\nBEGIN:VEVENT\r\nUID:{uid}-event\r\n\
             DTSTAMP:20261101T080000Z\r\nDTSTART:20261123T090000Z\r\nDTEND:20261123T100000Z\r\n\
             SUMMARY:An event of {uid}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        personal.put(&format!("{uid}-event.ics"), Object::new(event, "VEVENT", &format!("{uid}-event")));
        let mut contacts = Collection::named("Contacts", &[], false);
        let contact = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//obo-proxy//dev//EN\r\nUID:{uid}-contact\r\n\
             FN:A friend of {uid}\r\nN:Friend;A;;;\r\nTEL;TYPE=cell:+49 151 7654321\r\nEND:VCARD\r\n"
        );
        contacts.put(&format!("{uid}-contact.vcf"), Object::new(contact, "VCARD", &format!("{uid}-contact")));
        let mut recent = Collection::named("Recently contacted", &[], true);
        recent.token = clock::now();
        for (key, collection) in [
            (calendar("personal"), personal),
            (calendar("contact_birthdays"), Collection::named("Contact birthdays", &["VEVENT"], true)),
            (book("contacts"), contacts),
            (book("z-server-generated--system"), Collection::named("Accounts", &[], true)),
            (book("z-app-generated--contactsinteraction--recent"), recent),
        ] {
            self.add(key, collection);
        }
    }
}
