//! The tree that a public link opens below `public.php`, as the same WebDAV with the link's permissions.

use super::super::super::answer::Answer;
use super::super::call::Call;
use super::super::shares::{CREATE, READ, Share, UPDATE};
use super::super::storage::{Node, rebased};
use super::mounts::Seen;
use super::multistatus::{Family, Told};
use super::place::{Site, encoded};
use super::{DavError, DavResult, files, properties, propfind, transfer};

/// Answers at `shown`, the segments of the link itself, for what is `inner` below it.
pub(in super::super) async fn linked(call: &mut Call, share: &Share, shown: &[String], inner: &[String]) -> Answer {
    let root = call.root().to_owned();
    let base: String = shown.iter().map(|segment| format!("/{}", encoded(segment))).collect();
    let base = format!("{root}{base}");
    let site = Site { base, root, legacy: true, uid: share.owner.clone(), family: Family::Legacy };
    match route(call, share, &site, inner).await {
        Ok(answer) => answer,
        Err(error) => error.into_answer(),
    }
}

async fn route(call: &mut Call, share: &Share, site: &Site, inner: &[String]) -> DavResult {
    let path: Vec<String> = share.path.iter().chain(inner).cloned().collect();
    let node = call.instance.storage().node(&path);
    match (call.verb(), node) {
        ("PROPFIND", Some(node)) => {
            let deep = call.header("depth").is_none_or(|depth| depth != "0") && node.is_folder;
            let children = if deep { call.instance.storage().children(&path) } else { Vec::new() };
            let told: Vec<Told> =
                [node].into_iter().chain(children).map(|node| tell(call, share, site, node)).collect();
            Ok(propfind::answer(&told, site))
        }
        ("GET", Some(node)) if !node.is_folder && share.permissions & READ != 0 => {
            let content = call.instance.storage().content(&path)?;
            files::send(call, site, &node, &content)
        }
        ("PUT", node) => {
            let needed = if node.is_some() { UPDATE } else { CREATE };
            if share.permissions & needed == 0 || !call.instance.storage().has_folder(transfer::parent(&path)) {
                return Err(DavError::forbidden(""));
            }
            let content = files::receive(call).await?;
            let record = call.instance.storage().put(&path, content)?;
            files::finish(call, site, &path, record, node.is_some())
        }
        ("PROPFIND" | "GET", _) => Err(DavError::not_found(&inner.join("/"))),
        _ => Err(DavError::forbidden("")),
    }
}

/// Its path below the link, in place of its path in the owner's files.
fn tell(call: &Call, share: &Share, site: &Site, node: Node) -> Told {
    let home = [site.uid.clone(), "files".to_owned()];
    let path = rebased(&node.path, &share.path, &home);
    let href = site.href(&path, node.is_folder);
    let seen = Seen { node, share: Some(share.clone()) };
    Told::of(href, None, &properties::defaults(), |name| properties::of_node(&call.instance, &seen, name))
}
