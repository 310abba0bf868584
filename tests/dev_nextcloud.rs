//! The Nextcloud stand-in answers as the recorded one does, and its hazards are real.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and have the real time"
)]
#![cfg(feature = "dev")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "dev_nextcloud/address.rs"]
mod address;
#[path = "dev_nextcloud/apps.rs"]
mod apps;
#[path = "dev_nextcloud/groupware.rs"]
mod groupware;
#[path = "dev_nextcloud/hazards.rs"]
mod hazards;
#[path = "dev_nextcloud/installed.rs"]
mod installed;
#[path = "dev_nextcloud/misbehaviour.rs"]
mod misbehaviour;
#[path = "dev_nextcloud/recording.rs"]
mod recording;
#[path = "dev_nextcloud/replay.rs"]
mod replay;
#[path = "dev_nextcloud/scheduling.rs"]
mod scheduling;
#[path = "dev_nextcloud/search.rs"]
mod search;
#[path = "dev_nextcloud/sessions.rs"]
mod sessions;
#[path = "dev_nextcloud/sharing.rs"]
mod sharing;
#[path = "dev_nextcloud/talk.rs"]
mod talk;
#[path = "dev_nextcloud/webdav.rs"]
mod webdav;
#[path = "dev_nextcloud/wire.rs"]
mod wire;
