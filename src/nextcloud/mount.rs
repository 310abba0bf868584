//! Where Nextcloud is mounted, by whom. Three roots, each empty for the root of a host or `/a/b` without a slash at its end:
//!
//! | root | whose | example |
//! |---|---|---|
//! | public | callers': the path of `public_url` | `/nc` of `https://cloud.example.org/nc` |
//! | upstream | its web server's: the path of `nextcloud.url` | `/nextcloud` of `http://nextcloud/nextcloud` |
//! | own | its own: what it writes into hrefs and `Location`, and expects in `Destination` (`overwritewebroot`) | usually one of both |
//!
//! Policy decides on what is *inside*, the path behind the public root, and nothing else: one form, however we are mounted (law 7). Roots
//! compare byte for byte: `/%6ec/x` is not inside `/nc`, so it is nobody's page.

use std::borrow::Cow;
use std::sync::Arc;

/// The root of a mount.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Root(Arc<str>);

/// Why a path cannot be a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("has to be empty or segments of letters, digits, -, _, ~ and inner dots, such as /nextcloud")]
pub struct BadRoot;

/// The three roots.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Mount {
    public: Root,
    upstream: Root,
    own: Root,
}

// === impl Root ===

impl Root {
    /// Reads a root: `""`, `"/"` or `"/a/b"`, with or without a slash at its end. Only characters that nobody encodes, and no segment that
    /// begins with a dot, for a root has to have one spelling.
    ///
    /// # Errors
    /// [`BadRoot`].
    pub fn parse(text: &str) -> Result<Self, BadRoot> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte);
        let good = |segment: &str| !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(plain);
        match text.strip_prefix('/') {
            None if text.is_empty() => Ok(Self::default()),
            Some(segments) if segments.split('/').all(good) => Ok(Self(text.into())),
            _ => Err(BadRoot),
        }
    }

    /// Empty, or `/a/b`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a path lies inside, which it does on the border of a segment only.
    fn holds(&self, path: &[u8]) -> bool {
        path.strip_prefix(self.0.as_bytes()).is_some_and(|rest| matches!(rest.first(), None | Some(b'/' | b'?' | b'#')))
    }
}

// === impl Mount ===

impl Mount {
    /// Mounts what is at `upstream`, and calls itself `own`, at `public`.
    #[must_use]
    pub fn new(public: Root, upstream: Root, own: Root) -> Self {
        Self { public, upstream, own }
    }

    /// The public root.
    #[must_use]
    pub fn public(&self) -> &Root {
        &self.public
    }

    /// Whether callers and Nextcloud call everything by the same path, so that no body has to be rewritten.
    #[must_use]
    pub fn is_seamless(&self) -> bool {
        self.public == self.own
    }

    /// Whether everybody has it at the root of a host.
    #[must_use]
    pub fn is_at_root(&self) -> bool {
        *self == Self::default()
    }

    /// A path of a caller, with or without a query, as it is inside; `None` for what lies elsewhere on the host. The public root itself is `/`
    /// inside.
    #[must_use]
    pub fn inward<'t>(&self, target: &'t str) -> Option<Cow<'t, str>> {
        if self.public.0.is_empty() {
            return Some(Cow::Borrowed(target));
        }
        let inside = self.public.holds(target.as_bytes()).then(|| target.strip_prefix(&*self.public.0))??;
        Some(if inside.starts_with('/') { Cow::Borrowed(inside) } else { Cow::Owned(format!("/{inside}")) })
    }

    /// Where what is inside is asked for.
    #[must_use]
    pub fn sent<'t>(&self, inside: &'t str) -> Cow<'t, str> {
        below(&self.upstream, inside)
    }

    /// Where what a caller asks for is asked for in turn, byte for byte behind the roots; `None` for what lies elsewhere on the host.
    #[must_use]
    pub fn target<'t>(&self, received: &'t str) -> Option<Cow<'t, str>> {
        let inside = self.inward(received)?;
        if self.public == self.upstream && matches!(inside, Cow::Borrowed(_)) {
            return Some(Cow::Borrowed(received));
        }
        Some(Cow::Owned(self.sent(&inside).into_owned()))
    }

    /// How Nextcloud itself calls what is inside: for the paths in headers and bodies of requests.
    #[must_use]
    pub fn own<'t>(&self, inside: &'t str) -> Cow<'t, str> {
        below(&self.own, inside)
    }

    /// A path of Nextcloud's own, as it is inside; as it came if it lies elsewhere.
    #[must_use]
    pub fn own_inside<'p>(&self, path: &'p str) -> &'p str {
        if self.own.holds(path.as_bytes()) { path.strip_prefix(&*self.own.0).unwrap_or(path) } else { path }
    }

    /// A path of a caller's for Nextcloud: how many of its first bytes are to be replaced by the root that it calls itself by. `None` for what
    /// lies elsewhere on the host, or is called the same.
    #[must_use]
    pub fn to_own(&self, path: &[u8]) -> Option<(usize, &str)> {
        (!self.is_seamless() && self.public.holds(path)).then(|| (self.public.0.len(), self.own.as_str()))
    }

    /// A path of Nextcloud's, or one that begins with it, for callers: how many of its first bytes are to be replaced by the public root.
    /// `None` for what stays as it is, which is all that is public already or lies elsewhere.
    #[must_use]
    pub fn outward(&self, path: &[u8]) -> Option<(usize, &str)> {
        // The longer root is the more particular one: below `/nc`, all is below the empty root as well.
        let public_already = self.public.holds(path) && self.public.0.len() >= self.own.0.len();
        (!public_already && self.own.holds(path)).then(|| (self.own.0.len(), self.public.as_str()))
    }

    /// The longest root that [`Mount::outward`] looks at.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.public.0.len().max(self.own.0.len())
    }
}

fn below<'t>(root: &Root, inside: &'t str) -> Cow<'t, str> {
    if root.0.is_empty() { Cow::Borrowed(inside) } else { Cow::Owned(format!("{}{inside}", root.0)) }
}

/// Whether a path, however it is decoded, has a segment `.` or `..`, by which it could climb out of its mount.
#[must_use]
pub fn climbs(path: &str) -> bool {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    let mut segments = decoded.split(|byte| b"/\\".contains(byte));
    segments.any(|segment| matches!(segment.split(|&byte| byte == b';').next(), Some(b"." | b"..")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(public: &str, upstream: &str, own: &str) -> Mount {
        let root = |text| Root::parse(text).unwrap();
        Mount::new(root(public), root(upstream), root(own))
    }

    fn outward(mount: &Mount, path: &str) -> String {
        mount.outward(path.as_bytes()).map_or_else(|| path.to_owned(), |(cut, root)| format!("{root}{}", &path[cut..]))
    }

    #[test]
    fn a_root_has_one_spelling() {
        for (text, root) in [("", ""), ("/", ""), ("/nc", "/nc"), ("/nc/", "/nc"), ("/a/b.c/d_e-f~1", "/a/b.c/d_e-f~1")]
        {
            assert_eq!(Root::parse(text).unwrap().as_str(), root, "{text}");
        }
        for text in ["nc", "//", "/a//b", "/.", "/a/..", "/.well-known", "/a b", "/%6ec", "/a;b", "/a?b", "/ü", "/a\\b"]
        {
            assert_eq!(Root::parse(text), Err(BadRoot), "{text}");
        }
    }

    #[test]
    fn what_is_inside_ends_at_the_border_of_a_segment() {
        let mount = mount("/nc", "", "");
        for (target, inside) in [
            ("/nc/remote.php/dav", Some("/remote.php/dav")),
            ("/nc/", Some("/")),
            ("/nc", Some("/")),
            ("/nc?a=/nc/b", Some("/?a=/nc/b")),
            ("/nc//x", Some("//x")),
            ("/nc/../x", Some("/../x")),
            ("/ncx", None),
            ("/nc%2fx", None),
            ("/%6ec/x", None),
            ("/NC/x", None),
            ("/", None),
            ("", None),
            ("*", None),
            ("//nc/x", None),
            ("/x?/nc/", None),
        ] {
            assert_eq!(mount.inward(target).as_deref(), inside, "{target}");
        }
    }

    #[test]
    fn at_the_root_everything_passes_as_it_came() {
        let mount = Mount::default();
        for target in ["/", "/remote.php/dav/a%20b?c=d", "//x", "*", ""] {
            assert_eq!(mount.inward(target).as_deref(), Some(target));
            assert_eq!(mount.sent(target), target);
            assert_eq!(mount.own(target), target);
            assert_eq!(outward(&mount, target), target);
        }
    }

    #[test]
    fn nextclouds_own_paths_become_public_ones_and_public_ones_stay() {
        for (mount, path, public) in [
            (mount("/nc", "", ""), "/remote.php/dav/", "/nc/remote.php/dav/"),
            (mount("/nc", "", ""), "/nc/remote.php/dav/", "/nc/remote.php/dav/"),
            (mount("/nc", "", ""), "/ncx", "/nc/ncx"),
            (mount("", "/nextcloud", "/nextcloud"), "/nextcloud/remote.php/dav/", "/remote.php/dav/"),
            (mount("", "/nextcloud", "/nextcloud"), "/nextcloudx/a", "/nextcloudx/a"),
            (mount("/nc", "/nextcloud", "/nextcloud"), "/nextcloud?x", "/nc?x"),
            (mount("/nc", "/nextcloud", "/nextcloud"), "/nc/a", "/nc/a"),
            (mount("/nc", "/nextcloud", "/nextcloud"), "/elsewhere", "/elsewhere"),
            (mount("/nc", "/nextcloud", "/nc"), "/nc/a", "/nc/a"),
            // One root below the other, both ways around.
            (mount("/nc", "", "/nc/cloud"), "/nc/cloud/a", "/nc/a"),
            (mount("/nc/cloud", "", "/nc"), "/nc/a", "/nc/cloud/a"),
            (mount("/nc/cloud", "", "/nc"), "/nc/cloud/a", "/nc/cloud/a"),
        ] {
            assert_eq!(outward(&mount, path), public, "{mount:?} {path}");
        }
    }

    #[test]
    fn callers_paths_are_told_in_nextclouds_words() {
        let told = |mount: &Mount, path: &str| {
            mount
                .to_own(path.as_bytes())
                .map_or_else(|| path.to_owned(), |(cut, root)| format!("{root}{}", &path[cut..]))
        };
        for (mount, path, own) in [
            (mount("/nc", "/nextcloud", "/own"), "/nc/a", "/own/a"),
            (mount("/nc", "/nextcloud", "/own"), "/ncx/a", "/ncx/a"),
            (mount("/nc", "/nextcloud", "/own"), "/own/a", "/own/a"),
            (mount("/nc", "", ""), "/nc/a", "/a"),
            (mount("", "/own", "/own"), "/a", "/own/a"),
            (mount("", "/own", "/own"), "/own/a", "/own/own/a"),
            (mount("/nc", "/own", "/nc"), "/nc/a", "/nc/a"),
            (Mount::default(), "/a", "/a"),
        ] {
            assert_eq!(told(&mount, path), own, "{mount:?} {path}");
        }
    }

    #[test]
    fn a_path_that_climbs_is_known_by_every_reading() {
        for path in ["/a/../b", "/..", "/a/%2e%2E/b", "/a/..%2fb", "/a%5c..%5cb", "/a\\..", "/a/..;x/b", "/./a", "/a/."]
        {
            assert!(climbs(path), "{path}");
        }
        for path in ["/", "/a/b", "/a/..b/c", "/a/...", "/.well-known/caldav", "/a/%252e%252e/b", "/a;.."] {
            assert!(!climbs(path), "{path}");
        }
    }
}
