//! A calendar object, read strictly: is it tasks and nothing else (RFC 5545 §3.6.2)?
//!
//! Where sabre (`Sabre\VObject\Parser\MimeDir`) is generous this is not: one kind of fold, no line that is not `name:value`, nothing
//! before or behind the one VCALENDAR. Tools write such objects; what clients of other makes wrote is read by them and written anew.

use crate::nextcloud::calendar_body;
use crate::nextcloud::dav_body::AmbiguousBody;

/// Which component may stand in which; the empty name is the body itself.
const NESTING: &[(&str, &str)] = &[
    ("", "VCALENDAR"),
    ("VCALENDAR", "VTODO"),
    ("VCALENDAR", "VTIMEZONE"),
    ("VTIMEZONE", "STANDARD"),
    ("VTIMEZONE", "DAYLIGHT"),
    ("VTODO", "VALARM"),
];
/// What an alarm may do. `EMAIL` writes to whomever it names (RFC 5545 §3.8.6.1).
const ACTIONS: &[&str] = &["DISPLAY", "AUDIO"];

/// Whether the body is one VCALENDAR with at least one VTODO, no other component but time zones and alarms, nobody invited, and no alarm
/// that sends mail.
///
/// # Errors
/// [`AmbiguousBody`], as [`calendar_body::invites`].
pub(super) fn is_task(body: &[u8]) -> Result<bool, AmbiguousBody> {
    if calendar_body::invites(body)? {
        return Ok(false);
    }
    let text = std::str::from_utf8(body).map_err(|_| AmbiguousBody::Encoding)?;
    Ok(lines(text).is_some_and(|lines| is_tasks_alone(&lines)))
}

/// The content lines, unfolded (RFC 5545 §3.1); nothing if sabre could see others.
fn lines(text: &str) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.trim_end_matches(['\r', '\n']).split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() || line.contains('\r') {
            return None;
        }
        match line.strip_prefix([' ', '\t']) {
            Some(rest) => lines.last_mut()?.push_str(rest),
            None => lines.push(line.to_owned()),
        }
    }
    Some(lines)
}

fn is_tasks_alone(lines: &[String]) -> bool {
    let (mut open, mut calendars, mut tasks): (Vec<&'static str>, usize, usize) = (Vec::new(), 0, 0);
    for line in lines {
        let Some((name, rest)) = line.split_at_checked(line.find([':', ';']).unwrap_or(line.len())) else {
            return false;
        };
        // In some clients' objects a group stands before the name.
        let bare = name.rsplit('.').next().unwrap_or(name);
        let is_word = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_word || !rest.contains(':') {
            return false;
        }
        let value = rest.strip_prefix(':').filter(|_| bare == name);
        let is = |word: &str| bare.eq_ignore_ascii_case(word);
        if is("BEGIN") {
            let within = open.last().copied().unwrap_or_default();
            let begun = NESTING
                .iter()
                .find(|(outer, inner)| *outer == within && value.is_some_and(|own| own.eq_ignore_ascii_case(inner)));
            let Some((_, component)) = begun else { return false };
            calendars += usize::from(*component == "VCALENDAR");
            tasks += usize::from(*component == "VTODO");
            open.push(component);
        } else if is("END") {
            let ends = open.pop().zip(value).is_some_and(|(component, own)| own.eq_ignore_ascii_case(component));
            if !ends {
                return false;
            }
        } else {
            let is_allowed = |own: &str| ACTIONS.iter().any(|action| own.eq_ignore_ascii_case(action));
            let mails = is("ACTION") && !value.is_some_and(is_allowed);
            if open.is_empty() || mails {
                return false;
            }
        }
    }
    open.is_empty() && calendars == 1 && tasks > 0
}
