//! Whatever happens in whatever order, nobody is ever served as somebody else, no caller's cookie arrives, and none of Nextcloud's leaves
//! (law 5, checklist rows 11, 24, 50, 51).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{WHO, plan};
use crate::house::House;

const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
const CLIENTS: [&str; 2] = ["mcp-client", "other-client"];
const PATHS: [&str; 4] = [WHO, "/remote.php/dav/", "/index.php/apps/notes/api/v1/notes", "/ocs/v1.php/cloud/user"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// A person logs in through a client.
    Login {
        person: usize,
        client: usize,
    },
    /// The client gets another token of the same login.
    Refresh {
        token: usize,
    },
    /// A caller asks for something, with a cookie that it found somewhere or without.
    Call {
        token: usize,
        path: usize,
        cookie: bool,
    },
    /// Everybody calls at once.
    Everybody,
    /// Time passes: proofs and exchanged tokens get old.
    Pass(u64),
    /// Two people swap their user names at the provider.
    Swap {
        one: usize,
        other: usize,
    },
    /// Somebody gets a name that nobody had.
    Rename {
        person: usize,
    },
    /// From now on, or no longer, an agent acts for this person.
    Act {
        person: usize,
    },
    /// A logout reaches us.
    Logout {
        token: usize,
    },
    /// A logout that only the provider knows of.
    QuietLogout {
        token: usize,
    },
    /// Nextcloud loses its sessions.
    Restart,
    /// Nextcloud refuses the next request, whosever it is.
    Refusal,
    /// Nextcloud switches an account off, or on again.
    Disable {
        person: usize,
    },
    Enable {
        person: usize,
    },
    /// The sweep comes by.
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let (person, token) = (0..PEOPLE.len(), 0..8_usize);
    prop_oneof![
        3 => (person.clone(), 0..CLIENTS.len()).prop_map(|(person, client)| Step::Login { person, client }),
        1 => token.clone().prop_map(|token| Step::Refresh { token }),
        8 => (token.clone(), 0..PATHS.len(), any::<bool>())
            .prop_map(|(token, path, cookie)| Step::Call { token, path, cookie }),
        4 => Just(Step::Everybody),
        3 => prop_oneof![Just(1), Just(46), Just(61), Just(280), Just(301), Just(601)].prop_map(Step::Pass),
        2 => (person.clone(), person.clone()).prop_map(|(one, other)| Step::Swap { one, other }),
        1 => person.clone().prop_map(|person| Step::Rename { person }),
        1 => person.clone().prop_map(|person| Step::Act { person }),
        1 => token.clone().prop_map(|token| Step::Logout { token }),
        1 => token.prop_map(|token| Step::QuietLogout { token }),
        1 => Just(Step::Restart),
        1 => Just(Step::Refusal),
        1 => person.clone().prop_map(|person| Step::Disable { person }),
        1 => person.prop_map(|person| Step::Enable { person }),
        1 => Just(Step::Sweep),
    ]
}

/// What the provider writes into exchanged tokens, by `sub`.
#[derive(Default)]
struct Directory {
    names: HashMap<String, String>,
    acted_for: HashSet<String>,
    renames: usize,
}

struct World {
    house: House,
    directory: Arc<Mutex<Directory>>,
    /// Person, client, session at the provider, token.
    tokens: Vec<(usize, usize, String, String)>,
}

impl World {
    async fn new() -> Self {
        let house = plan().build().await;
        let directory: Arc<Mutex<Directory>> = Arc::default();
        for person in PEOPLE {
            directory.lock().names.insert(house.provider.subject(person), person.to_owned());
        }
        let known = directory.clone();
        house.provider.tamper_exchange(move |answer| {
            let known = known.lock();
            let subject = answer.claims["sub"].as_str().unwrap().to_owned();
            answer.claims.insert("preferred_username".into(), known.names[&subject].clone().into());
            if known.acted_for.contains(&subject) {
                answer.claims.insert("act".into(), serde_json::json!({ "sub": "agent" }));
            }
        });
        Self { house, directory, tokens: Vec::new() }
    }

    fn token(&self, index: usize) -> Option<&(usize, usize, String, String)> {
        self.tokens.get(index % self.tokens.len().max(1))
    }

    /// As the provider knows its people: what a test remembers of them is their `sub`.
    fn subject(&self, person: usize) -> String {
        self.house.provider.subject(PEOPLE[person])
    }

    fn name(&self, person: usize) -> String {
        self.directory.lock().names[&self.subject(person)].clone()
    }

    async fn call(&self, token: &str, path: &str, cookie: Option<&str>) {
        let mut request = self.house.request("GET", path, token);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        assert!(!answer.headers().contains_key("set-cookie"), "a cookie left with {path}");
        let _ = answer.bytes().await;
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Login { person, client } => {
                let token = self.house.provider.mint(PEOPLE[person]).client(CLIENTS[client]);
                let sid = token.sid().unwrap().to_owned();
                self.tokens.push((person, client, sid, token.sign().unwrap()));
                if self.tokens.len() > 8 {
                    self.tokens.remove(0);
                }
            }
            Step::Refresh { token } => {
                let Some((person, client, sid, _)) = self.token(token).cloned() else { return };
                let fresh = self.house.provider.mint_in_session(PEOPLE[person], &sid).client(CLIENTS[client]);
                let at = token % self.tokens.len();
                self.tokens[at].3 = fresh.sign().unwrap();
            }
            Step::Call { token, path, cookie } => {
                let Some((.., token)) = self.token(token).cloned() else { return };
                // Another one's session, as good as Nextcloud gave it to us, and marked.
                let stolen =
                    self.house.nextcloud.seen().iter().rev().find_map(|seen| seen.header("cookie").map(str::to_owned));
                let stolen = format!("{}; nc_username=alice; caller=1", stolen.unwrap_or_default());
                self.call(&token, PATHS[path], cookie.then_some(&*stolen)).await;
            }
            Step::Everybody => {
                join_all(self.tokens.iter().map(|(.., token)| self.call(token, WHO, None))).await;
            }
            Step::Pass(seconds) => self.house.pass(seconds),
            Step::Swap { one, other } => {
                let (one, other) = (self.subject(one), self.subject(other));
                let names = &mut self.directory.lock().names;
                let (first, second) = (names[&one].clone(), names[&other].clone());
                names.insert(one, second);
                names.insert(other, first);
            }
            Step::Rename { person } => {
                let subject = self.subject(person);
                let mut directory = self.directory.lock();
                directory.renames += 1;
                let name = format!("renamed{}", directory.renames);
                directory.names.insert(subject, name);
            }
            Step::Act { person } => {
                let subject = self.subject(person);
                let acted_for = &mut self.directory.lock().acted_for;
                if !acted_for.remove(&subject) {
                    acted_for.insert(subject);
                }
            }
            Step::Logout { token } => {
                let Some((_, _, sid, _)) = self.token(token).cloned() else { return };
                self.house.provider.logout(&sid);
                self.house.purge_session(&sid);
            }
            Step::QuietLogout { token } => {
                let Some((_, _, sid, _)) = self.token(token).cloned() else { return };
                self.house.provider.logout(&sid);
            }
            Step::Restart => self.house.nextcloud.restart(),
            Step::Refusal => self.house.nextcloud.reject_next(1),
            Step::Disable { person } => self.house.nextcloud.disable(&self.name(person)),
            Step::Enable { person } => self.house.nextcloud.enable(&self.name(person)),
            Step::Sweep => self.house.sweep(),
        }
    }

    /// The judgement: what Nextcloud saw.
    fn judge(&self) {
        let mut owners: BTreeMap<String, HashSet<String>> = BTreeMap::new();
        for seen in self.house.nextcloud.seen() {
            let bearer = seen.header("authorization").map(claims);
            if let (Some(claims), Some(user)) = (&bearer, &seen.user) {
                assert_eq!(claims["preferred_username"], user.as_str(), "served as somebody else: {seen:?}");
            }
            let cookies: Vec<&str> =
                seen.headers.iter().filter(|(name, _)| name == "cookie").map(|(_, value)| value.as_str()).collect();
            assert!(cookies.len() <= 1, "cookies were merged: {seen:?}");
            let Some(cookie) = cookies.first() else { continue };
            let names: Vec<&str> = cookie.split("; ").map(|pair| pair.split_once('=').unwrap().0).collect();
            assert_eq!(
                names,
                ["oc_sessionPassphrase", self.house.nextcloud.instance_id()],
                "a caller's cookie arrived"
            );
            if let Some(mut claims) = bearer {
                for moment in ["exp", "iat", "jti", "scope"] {
                    claims.as_object_mut().unwrap().remove(moment);
                }
                owners.entry((*cookie).to_owned()).or_default().insert(claims.to_string());
            }
        }
        for (session, owners) in owners {
            assert_eq!(owners.len(), 1, "{session} went with several people's tokens: {owners:?}");
        }
    }
}

fn claims(authorization: &str) -> serde_json::Value {
    let payload = authorization.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// How many orders are tried: `OBO_ORDERS`, a few by default.
fn cases() -> u32 {
    std::env::var("OBO_ORDERS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12)
}

#[test]
fn no_order_of_events_serves_anybody_as_somebody_else() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: cases(), failure_persistence: None, max_shrink_iters: 30, ..Config::default() };
    let reused = std::cell::Cell::new(0.0);
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 15..45), |steps| {
            runtime.block_on(async {
                let mut world = World::new().await;
                for (person, client) in [(0, 0), (1, 0), (0, 1)] {
                    world.take(Step::Login { person, client }).await;
                }
                world.take(Step::Everybody).await;
                for step in steps {
                    world.take(step).await;
                }
                world.take(Step::Everybody).await;
                world.judge();
                reused.set(reused.get() + world.house.events("reused").await);
                world.house.close().await;
            });
            Ok(())
        })
        .unwrap();
    assert!(reused.get() > 0.0, "sessions were used at all");
}
