//! `[sessions]`.

use std::time::Duration;

use super::reader::Section;
use crate::session::SessionSettings;

pub(super) fn resolve(section: &mut Section) -> SessionSettings {
    let settings = SessionSettings {
        enabled: section.flag("enabled", true),
        wait: section.duration("wait", Duration::from_secs(5)),
        idle: section.duration("idle", Duration::from_mins(10)),
        most: section.number("max", 10_000),
    };
    if settings.most == 0 {
        section.fault("max", "has to be at least 1 (enabled = false switches sessions off)");
    }
    if settings.idle.is_zero() {
        section.fault("idle", "has to be longer than nothing");
    }
    section.finish();
    settings
}
