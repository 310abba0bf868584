//! What a path means to Nextcloud: which script gets it, and what is left of it. Byte for byte as lenient as the real one.

use percent_encoding::percent_decode_str;

/// A path, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/status.php`.
    Status,
    /// `/ocs/v1.php/…` or `/ocs/v2.php/…`: the rest decoded, doubled slashes folded.
    Ocs { version: u8, path: String },
    /// `/remote.php/dav/…` and its older names.
    Dav(DavTarget),
    /// Everything that `index.php` answers, with or without that in the path; decoded.
    Page(String),
    /// What a public link opens: `/s/…` and `/public.php/…`.
    Public(String),
    /// `/.well-known/…`, which redirects.
    WellKnown(String),
}

/// A path below `remote.php`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DavTarget {
    /// What stands before the files in `href`s: `/remote.php/dav` or `/remote.php/webdav`.
    pub base: &'static str,
    /// The old endpoint, whose root is the user's files.
    pub legacy_files: bool,
    /// The segments in the tree of `/remote.php/dav`, decoded; nothing where a segment cannot be read.
    pub segments: Option<Vec<String>>,
    /// The path ended with a slash.
    pub trailing_slash: bool,
    /// It began with a doubled slash.
    pub doubled: bool,
}

// === impl Target ===

impl Target {
    /// Folds a path as it was received.
    pub(super) fn fold(raw: &str) -> Self {
        if raw == "/status.php" {
            return Self::Status;
        }
        if let Some(name) = raw.strip_prefix("/.well-known/") {
            return Self::WellKnown(name.to_owned());
        }
        for (version, prefix) in [(1, "/ocs/v1.php"), (2, "/ocs/v2.php")] {
            if let Some(rest) = raw.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
                // Encoded letters are decoded, doubled slashes vanish, an encoded slash stays what it is.
                let path: Vec<String> = rest.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
                let slash = if rest.ends_with('/') { "/" } else { "" };
                return Self::Ocs { version, path: format!("{}{slash}", path.join("/")) };
            }
        }
        if let Some(rest) = raw.strip_prefix("/remote.php/") {
            return DavTarget::fold(rest).map_or_else(|| Self::Page("/404".into()), Self::Dav);
        }
        let rest = match raw.strip_prefix("/index.php") {
            Some("") => "/",
            Some(rest) if rest.starts_with('/') => rest,
            _ => raw,
        };
        let public = rest.starts_with("/s/") || raw.starts_with("/public.php/");
        if public { Self::Public(rest.to_owned()) } else { Self::Page(decoded(rest)) }
    }
}

// === impl DavTarget ===

impl DavTarget {
    fn fold(rest: &str) -> Option<Self> {
        let doubled = rest.starts_with('/');
        let rest = rest.trim_start_matches('/');
        let (service, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (base, root): (_, &[&str]) = match service {
            "dav" => ("/remote.php/dav", &[]),
            "webdav" => ("/remote.php/webdav", &["files", ""]),
            "files" => ("/remote.php/files", &["files", ""]),
            "caldav" | "calendar" => ("/remote.php/dav", &["calendars"]),
            "carddav" | "contacts" => ("/remote.php/dav", &["addressbooks"]),
            _ => return None,
        };
        let mut segments: Vec<String> = root.iter().map(|segment| (*segment).to_owned()).collect();
        let floor = segments.len();
        let mut readable = true;
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                // A plain `..` is resolved. Encoded ones are not: they name a file that does not exist.
                ".." => segments.truncate(segments.len().saturating_sub(1).max(floor)),
                segment => match percent_decode_str(segment).decode_utf8() {
                    Ok(segment) if segment != ".." && !segment.contains(['/', '\0']) => {
                        segments.push(segment.into_owned())
                    }
                    _ => readable = false,
                },
            }
        }
        let legacy_files = floor == 2;
        let segments = readable.then_some(segments);
        Some(Self { base, legacy_files, segments, trailing_slash: path.is_empty() || path.ends_with('/'), doubled })
    }

    /// Puts the user into an old path.
    pub(super) fn of_user(mut self, uid: &str) -> Self {
        if let Some(user) =
            self.segments.as_mut().filter(|_| self.legacy_files).and_then(|segments| segments.get_mut(1))
        {
            uid.clone_into(user);
        }
        self
    }
}

pub(super) fn decoded(raw: &str) -> String {
    // An encoded slash stays encoded, so that it never becomes a separator.
    percent_decode_str(&raw.replace("%2f", "%252f").replace("%2F", "%252F")).decode_utf8_lossy().into_owned()
}
