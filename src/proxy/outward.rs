//! What Nextcloud says about where things are, told in public words: its own addresses and its own root become ours (checklist row 47).

use http::HeaderValue;

use crate::nextcloud::hrefs::Swap;
use crate::upstream::NextcloudSettings;

/// The longest `https://` and the port that may stand behind a name.
const AROUND_A_NAME: usize = "https://".len() + ":65535".len();

/// A reference (RFC 3986 §4.1) on one of Nextcloud's own addresses, or an absolute path of its own: how many of its first bytes are to be
/// replaced, and by what. `None` for a reference that stays as it is.
///
/// Looks at no more than the first [`horizon`] bytes, and needs no more.
#[must_use]
pub fn swap(reference: &[u8], settings: &NextcloudSettings) -> Option<Swap> {
    let (origin, mut public) = match authority(reference) {
        Some((scheme, end)) => {
            let own = is_own(scheme, reference.get(scheme.len() + 2..end)?, settings);
            own.then(|| (end, settings.public_origin()))?
        }
        None if reference.starts_with(b"/") => (0, String::new()),
        None => return None,
    };
    let path = reference.get(origin..)?;
    let cut = match settings.mount.outward(path) {
        // Behind an empty root this would be another host's: `//evil.example/`, or `/\evil.example/` as browsers read it.
        Some((cut, "")) if origin == 0 && matches!(path.get(cut..), Some([b'/', b'/' | b'\\', ..])) => return None,
        Some((cut, root)) => {
            public.push_str(root);
            cut
        }
        None if origin == 0 => return None,
        None => 0,
    };
    Some((origin + cut, public))
}

/// How much of a reference [`swap`] has to see.
#[must_use]
pub fn horizon(settings: &NextcloudSettings) -> usize {
    let longest = settings.own_authorities.iter().map(String::len).max().unwrap_or_default();
    // One byte more, for the border of a segment.
    AROUND_A_NAME + longest + settings.mount.longest() + 1
}

/// A `Location` or `Content-Location` for callers.
#[must_use]
pub fn location(value: &HeaderValue, settings: &NextcloudSettings) -> Option<HeaderValue> {
    let reference = value.as_bytes();
    let (cut, public) = swap(reference, settings)?;
    HeaderValue::from_bytes(&[public.as_bytes(), reference.get(cut..)?].concat()).ok()
}

/// A `Link` (RFC 8288 §3) for callers.
#[must_use]
pub fn link(value: &HeaderValue, settings: &NextcloudSettings) -> Option<HeaderValue> {
    targets(value, |target| swap(target, settings))
}

/// Rewrites each target in angle brackets of a `Link` or an `If`; what stands in quotes or parentheses is none.
#[must_use]
pub fn targets(value: &HeaderValue, swap: impl Fn(&[u8]) -> Option<Swap>) -> Option<HeaderValue> {
    let mut rest = value.as_bytes();
    let mut rewritten = Vec::with_capacity(rest.len());
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    while let Some((&byte, behind)) = rest.split_first() {
        rewritten.push(byte);
        rest = behind;
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'<' => {
                let end = rest.iter().position(|&byte| byte == b'>').unwrap_or(rest.len());
                let (target, behind) = rest.split_at(end);
                let (cut, begin) = if depth == 0 { swap(target).unwrap_or_default() } else { Swap::default() };
                rewritten.extend_from_slice(begin.as_bytes());
                rewritten.extend_from_slice(target.get(cut..).unwrap_or_default());
                rest = behind;
            }
            _ => {}
        }
    }
    (rewritten != value.as_bytes()).then(|| HeaderValue::from_bytes(&rewritten).ok())?
}

/// The `Path` of a cookie for callers, or a browser would not send it back. `/` stays: it holds everything, and `__Host-` cookies have to
/// have it.
#[must_use]
pub fn cookie(value: &HeaderValue, settings: &NextcloudSettings) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let attributes: Vec<String> = text
        .split(';')
        .map(|attribute| {
            let path = attribute.trim().split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("path"));
            match path.and_then(|(_, path)| Some((path, settings.mount.outward(path.as_bytes())?))) {
                Some((path, (cut, root))) if cut > 0 => {
                    let public = format!("{root}{}", path.get(cut..).unwrap_or_default());
                    format!(" path={}", if public.is_empty() { "/" } else { &public })
                }
                _ => attribute.to_owned(),
            }
        })
        .collect();
    let public = attributes.join(";");
    (public != text).then(|| HeaderValue::from_str(&public).ok())?
}

/// The scheme with its colon, empty for `//authority`, and where the authority ends; `None` if the reference has none.
pub(super) fn authority(reference: &[u8]) -> Option<(&[u8], usize)> {
    let scheme = [&b""[..], b"http:", b"https:"].into_iter().find_map(|scheme| {
        let (begin, rest) = reference.split_at_checked(scheme.len())?;
        (begin.eq_ignore_ascii_case(scheme) && rest.starts_with(b"//")).then_some(begin)
    })?;
    let begin = scheme.len() + 2;
    let length = reference.get(begin..)?.iter().position(|byte| b"/?#".contains(byte));
    Some((scheme, length.map_or(reference.len(), |length| begin + length)))
}

/// Names compare without case, and without the port that the scheme has anyhow.
pub(super) fn is_own(scheme: &[u8], authority: &[u8], settings: &NextcloudSettings) -> bool {
    let default: &[u8] = if scheme.eq_ignore_ascii_case(b"https:") { b":443" } else { b":80" };
    let bare = authority.strip_suffix(default).unwrap_or(authority);
    settings
        .own_authorities
        .iter()
        .any(|own| own.as_bytes().eq_ignore_ascii_case(authority) || own.as_bytes().eq_ignore_ascii_case(bare))
}
