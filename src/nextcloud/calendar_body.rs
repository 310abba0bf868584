//! A calendar object, read for one question: does it invite somebody (RFC 5545 §3.8.4, RFC 6638)?
//!
//! sabre's reader (`Sabre\VObject\Parser\MimeDir`) unfolds lines, ignores case and takes a group before a name. This is read at least
//! as generously: each kind of line end ends a line, with and without unfolding, and whatever is before the name is looked past.

use super::dav_body::AmbiguousBody;

/// Whose presence makes an object an invitation.
const INVITING: &[&str] = &["ATTENDEE", "ORGANIZER"];

/// Whether an attendee or an organizer is named.
///
/// # Errors
/// [`AmbiguousBody::Encoding`] if it is not UTF-8; [`AmbiguousBody::Kind`] for jCal (RFC 7265), which is JSON.
pub fn invites(body: &[u8]) -> Result<bool, AmbiguousBody> {
    let text = std::str::from_utf8(body).map_err(|_| AmbiguousBody::Encoding)?;
    if text.contains('\0') {
        return Err(AmbiguousBody::Encoding);
    }
    if text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with(['[', '{']) {
        return Err(AmbiguousBody::Kind);
    }
    let unfolded = unfold(text);
    Ok(unfolded.split(['\n', '\r']).chain(text.split(['\n', '\r'])).any(is_inviting))
}

/// Line ends of every kind, and the blank or tab behind them, taken out (RFC 5545 §3.1). Several CR before an LF are one line end, for
/// sabre trims them all.
fn unfold(text: &str) -> String {
    let mut unfolded = String::with_capacity(text.len());
    let mut lines = text.split(['\n', '\r']).peekable();
    while let Some(line) = lines.next() {
        unfolded.push_str(line);
        // Looking past lines that are empty is wider than sabre, which ends a fold there.
        while lines.next_if(|next| next.is_empty()).is_some() {}
        match lines.peek_mut() {
            Some(next) => match next.strip_prefix([' ', '\t']) {
                Some(rest) => *next = rest,
                None => unfolded.push('\n'),
            },
            None => break,
        }
    }
    unfolded
}

fn is_inviting(line: &str) -> bool {
    let name = line.split([':', ';']).next().unwrap_or(line);
    let name = name.rsplit('.').next().unwrap_or(name).trim();
    INVITING.iter().any(|inviting| name.eq_ignore_ascii_case(inviting))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(line: &str) -> Vec<u8> {
        format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n").into_bytes()
    }

    #[test]
    fn an_attendee_is_found_in_every_spelling_that_sabre_reads() {
        for line in [
            "ATTENDEE:mailto:x@y",
            "attendee;CN=x:mailto:x@y",
            "ATT\r\n ENDEE:mailto:x@y",
            "ATT\r\n\tENDEE:mailto:x@y",
            "ATT\n END\n EE:mailto:x@y",
            "A\r\n T\r\n T\r\n E\r\n N\r\n D\r\n E\r\n E\r\n :mailto:x@y",
            "ATT\r\r\n ENDEE:mailto:x@y",
            "ATT\r\r\r\n\tENDEE:mailto:x@y",
            "ATT\n\t\n ENDEE:mailto:x@y",
            "ATT\r\n \r\r\n ENDEE:mailto:x@y",
            "SUMMARY:x\r\n  y\r\nATTENDEE:mailto:x@y",
            "X:y\r\n ATTENDEE:mailto:x@y",
            "group1.ATTENDEE:mailto:x@y",
            "ORGANIZER:mailto:x@y",
            "g.Org\n\tanizer;X=\"a:b\":mailto:x@y",
            "SUMMARY:a\rATTENDEE:mailto:x@y",
            "SUMMARY:a\nATTENDEE:mailto:x@y",
            "ATTENDEE",
        ] {
            assert_eq!(invites(&event(line)), Ok(true), "{line:?}");
        }
    }

    #[test]
    fn an_event_of_ones_own_invites_nobody() {
        for line in ["SUMMARY:ATTENDEE: x", "DESCRIPTION:a\\nATTENDEE:b", "X-ATTENDEES:x", "SUMMARY:long\r\n  line", ""]
        {
            assert_eq!(invites(&event(line)), Ok(false), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_judged_is_refused() {
        assert_eq!(invites(b"[\"vcalendar\",[],[]]"), Err(AmbiguousBody::Kind));
        assert_eq!(invites(b"\xef\xbb\xbf {}"), Err(AmbiguousBody::Kind));
        assert_eq!(invites(b"BEGIN:VCALENDAR\xff"), Err(AmbiguousBody::Encoding));
        assert_eq!(invites(b"\0B\0E\0G\0I\0N"), Err(AmbiguousBody::Encoding));
    }
}
