//! OCS routes of `files_sharing`: shares with people and by link, and who can be shared with.

use serde_json::{Value, json};

use super::super::super::clock;
use super::super::call::Call;
use super::super::dav;
use super::super::ical;
use super::super::shares::{CREATE, DELETE, LINK, MAIL, READ, RESHARE, Share, UPDATE, WITH_GROUP, WITH_USER};
use super::envelope::Outcome;

pub(super) async fn route(call: &mut Call, uid: &str, path: &str) -> Option<Outcome> {
    let path = path.strip_prefix("api/v1/")?;
    let id = path.strip_prefix("shares/").and_then(|id| id.parse::<u64>().ok());
    Some(match (call.verb(), path, id) {
        ("GET", "shares", _) => list(call, uid),
        ("POST", "shares", _) => create(call, uid).await,
        ("GET", "shares/inherited" | "shares/pending" | "deletedshares", _) => Outcome::ok(json!([])),
        ("GET", _, Some(id)) => {
            known(call, uid, id).map_or_else(unknown, |share| Outcome::ok(json!([told(call, uid, &share)])))
        }
        ("PUT", _, Some(id)) => change(call, uid, id).await,
        ("DELETE", _, Some(id)) => known(call, uid, id).map_or_else(unknown, |share| {
            call.instance.shares().remove(share.id);
            Outcome::ok(json!([]))
        }),
        ("GET", "sharees", _) => sharees(call, uid),
        ("GET", "sharees_recommended", _) => Outcome::ok(found(&[])),
        ("GET" | "PUT" | "DELETE", path, None) if path.starts_with("shares/") => unknown(),
        _ => return None,
    })
}

/// A share that is this person's business.
fn known(call: &Call, uid: &str, id: u64) -> Option<Share> {
    call.instance.shares().get(id).filter(|share| share.owner == uid || share.is_received_by(uid))
}

fn unknown() -> Outcome {
    Outcome::failure(404, 404, "Wrong share ID, share does not exist")
}

fn no_such_path() -> Outcome {
    Outcome::failure(404, 404, "Wrong path, file/folder does not exist")
}

fn stored(uid: &str, path: &str) -> Vec<String> {
    let below = path.split('/').filter(|segment| !segment.is_empty());
    [uid, "files"].into_iter().chain(below).map(str::to_owned).collect()
}

fn list(call: &Call, uid: &str) -> Outcome {
    let yes = |name: &str| call.query.get(name).is_some_and(|value| value == "true" || value == "1");
    let all = call.instance.shares().all();
    let mine: Vec<&Share> = if yes("shared_with_me") {
        all.iter().filter(|share| share.is_received_by(uid)).collect()
    } else {
        all.iter().filter(|share| share.owner == uid).collect()
    };
    let Some(path) = call.query.get("path") else {
        return Outcome::ok(mine.iter().map(|share| told(call, uid, share)).collect());
    };
    let path = stored(uid, path);
    let Some(node) = call.instance.storage().node(&path) else {
        return no_such_path();
    };
    let inside = yes("subfiles");
    if inside && !node.is_folder {
        return Outcome::failure(400, 400, "Not a directory");
    }
    let here = |share: &&&Share| {
        if inside { share.path.starts_with(&path) && share.path.len() == path.len() + 1 } else { share.path == path }
    };
    Outcome::ok(mine.iter().filter(here).map(|share| told(call, uid, share)).collect())
}

/// A number that may come as text, as forms have it.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str().map(|text| text == "true" || text == "1"))
}

async fn create(call: &mut Call, uid: &str) -> Outcome {
    let fields = call.fields().await;
    let Some(path) = fields["path"].as_str() else {
        return Outcome::failure(404, 404, "Please specify a file or folder path");
    };
    let Some(node) = call.instance.storage().node(&stored(uid, path)) else {
        return no_such_path();
    };
    let kind = number(&fields["shareType"]);
    let asked = number(&fields["permissions"]).and_then(|bits| u8::try_from(bits).ok());
    let all = own_permissions(node.is_folder);
    let mut share = match (kind, fields["shareWith"].as_str()) {
        (Some(WITH_USER), Some(with)) if with != uid && call.instance.accounts().get(with).is_some() => {
            let mut share = Share::new(WITH_USER, uid, node.path, asked.unwrap_or(all) & all);
            share.with = Some(with.to_owned());
            share
        }
        (Some(WITH_USER), _) => return Outcome::failure(404, 404, "Please specify a valid account to share with"),
        (Some(LINK), _) => {
            let upload = node.is_folder && flag(&fields["publicUpload"]) == Some(true);
            let usual = if upload { READ | UPDATE | CREATE | DELETE } else { READ };
            Share::new(LINK, uid, node.path, (asked.unwrap_or(usual) | RESHARE) & all)
        }
        (Some(MAIL), Some(address)) if address.contains('@') => {
            let mut share = Share::new(MAIL, uid, node.path, READ | RESHARE);
            share.with = Some(address.to_owned());
            call.instance.outbox().send(uid, address, "share");
            share
        }
        (Some(WITH_GROUP), with) => {
            let groups = &call.instance.options().groups;
            let Some((group, members)) = groups.iter().find(|(group, _)| Some(group.as_str()) == with) else {
                return Outcome::failure(404, 404, "Please specify a valid group");
            };
            let mut share = Share::new(WITH_GROUP, uid, node.path, asked.unwrap_or(all) & all);
            share.with = Some(group.clone());
            share.members.clone_from(members);
            share
        }
        _ => return Outcome::failure(400, 400, "Unknown share type"),
    };
    if let Some(fault) = expiration_fault(&fields) {
        return Outcome::failure(404, 404, fault);
    }
    settle(&mut share, &fields);
    let before = call.instance.shares().all().len();
    let receivers: Vec<String> =
        share.with.iter().filter(|_| share.kind == WITH_USER).chain(&share.members).cloned().collect();
    let taken = |name: &str| {
        let at = |receiver: &String| call.instance.storage().node(&[receiver.clone(), "files".into(), name.to_owned()]);
        receivers.iter().any(|receiver| receiver != uid && at(receiver).is_some())
    };
    let share = call.instance.shares().add(share, taken);
    let mut data = told(call, uid, &share);
    data["mail_send"] = u8::from(call.instance.shares().all().len() > before).into();
    Outcome::ok(data)
}

async fn change(call: &mut Call, uid: &str, id: u64) -> Outcome {
    let fields = call.fields().await;
    let Some(share) = known(call, uid, id).filter(|share| share.owner == uid) else {
        return unknown();
    };
    let known =
        ["permissions", "password", "note", "label", "expireDate", "hideDownload", "publicUpload", "attributes"];
    if known.iter().all(|name| fields[*name].is_null()) {
        return Outcome::failure(400, 400, "Wrong or no update parameter given");
    }
    if let Some(fault) = expiration_fault(&fields) {
        return Outcome::failure(400, 400, fault);
    }
    let folder = call.instance.storage().has_folder(&share.path);
    let changed = call.instance.shares().change(id, |share| {
        if let Some(bits) = number(&fields["permissions"]).and_then(|bits| u8::try_from(bits).ok()) {
            share.permissions = (bits | READ) & own_permissions(folder);
        }
        if flag(&fields["publicUpload"]) == Some(true) && folder {
            share.permissions |= UPDATE | CREATE | DELETE;
        }
        settle(share, &fields);
    });
    changed.map_or_else(unknown, |share| Outcome::ok(told(call, uid, &share)))
}

/// What is wrong with the day on which a share is to end.
fn expiration_fault(fields: &Value) -> Option<&'static str> {
    let date = fields["expireDate"].as_str().filter(|date| !date.is_empty())?;
    let day = date.get(..10).unwrap_or(date).replace('-', "");
    let is_date = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let today = ical::date(i64::try_from(clock::now()).unwrap_or_default());
    match (is_date, day <= today) {
        (false, _) => Some("Invalid date. Format must be YYYY-MM-DD"),
        (true, true) => Some("Expiration date is in the past"),
        (true, false) => None,
    }
}

/// What can be said of a share when it is made, and later.
fn settle(share: &mut Share, fields: &Value) {
    if let Some(password) = fields["password"].as_str() {
        share.password = (!password.is_empty()).then(|| password.into());
    }
    if let Some(date) = fields["expireDate"].as_str() {
        share.expiration = (!date.is_empty()).then(|| format!("{} 00:00:00", date.get(..10).unwrap_or(date)));
    }
    for (name, field) in [("note", &mut share.note), ("label", &mut share.label)] {
        if let Some(text) = fields[name].as_str() {
            text.clone_into(field);
        }
    }
    if let Some(hide) = flag(&fields["hideDownload"]) {
        share.hide_download = hide;
    }
}

fn own_permissions(folder: bool) -> u8 {
    READ | UPDATE | DELETE | RESHARE | if folder { CREATE } else { 0 }
}

/// A share as its owner or its receiver is told of it.
fn told(call: &Call, uid: &str, share: &Share) -> Value {
    let name_of = |uid: &str| call.instance.accounts().get(uid).map(|account| account.display_name);
    let owner_name = name_of(&share.owner).unwrap_or_default();
    let node = call.instance.storage().node(&share.path);
    let folder = node.as_ref().is_some_and(|node| node.is_folder);
    let parent = share.path.split_last().and_then(|(_, parent)| call.instance.storage().node(parent));
    let received = share.owner != uid;
    let below = share.path.get(2..).unwrap_or_default().join("/");
    let path = if received { format!("/{}", share.target) } else { format!("/{below}") };
    let kind = node.as_ref().map_or("", |node| dav::media_type(node.name()));
    let id = node.as_ref().map(|node| node.record.id);
    let mut data = json!({
        "id": share.id.to_string(),
        "share_type": share.kind,
        "uid_owner": share.owner,
        "displayname_owner": owner_name,
        "permissions": share.permissions,
        "can_edit": !received,
        "can_delete": true,
        "stime": share.created,
        "parent": null,
        "expiration": share.expiration,
        "token": share.token,
        "uid_file_owner": share.owner,
        "note": share.note,
        "label": share.label,
        "displayname_file_owner": owner_name,
        "path": path,
        "item_type": if folder { "folder" } else { "file" },
        "item_permissions": if received { share.permissions | DELETE } else { own_permissions(folder) },
        "is-mount-root": received,
        "mount-type": if received { "shared" } else { "" },
        "mimetype": if folder { "httpd/unix-directory" } else { kind },
        "has_preview": !folder && (kind.starts_with("text/") || kind.starts_with("image/")),
        "storage_id": if received { format!("shared::{path}") } else { format!("home::{uid}") },
        "storage": 3,
    });
    let rest = json!({
        "item_source": id,
        "file_source": id,
        "file_parent": parent.map(|parent| parent.record.id),
        "file_target": format!("/{}", share.target),
        "item_size": node.as_ref().map(|node| node.size),
        "item_mtime": node.as_ref().map(|node| node.record.modified),
        "share_with": share.with,
        "mail_send": 0,
        "hide_download": u8::from(share.hide_download),
        "attributes": null,
    });
    if let (Value::Object(data), Value::Object(rest)) = (&mut data, rest) {
        data.extend(rest);
    }
    if share.kind == WITH_USER {
        let with = share.with.as_deref().unwrap_or_default();
        data["share_with_displayname"] = name_of(with).into();
        data["share_with_displayname_unique"] = call.instance.accounts().get(with).map(|account| account.email).into();
    } else if share.kind == WITH_GROUP {
        data["share_with_displayname"] = share.with.clone().into();
    } else if share.kind == MAIL {
        data["share_with_displayname"] = share.with.clone().into();
        data["password"] = share.password.as_ref().map(|_| "***").into();
        data["password_expiration_time"] = Value::Null;
        data["send_password_by_talk"] = false.into();
    } else {
        let hidden = share.password.as_ref().map(|_| "***");
        data["share_with_displayname"] = "(Shared link)".into();
        data["password"] = hidden.into();
        data["send_password_by_talk"] = false.into();
        data["url"] = format!("{}/s/{}", call.base, share.token.as_deref().unwrap_or_default()).into();
    }
    data
}

fn sharees(call: &Call, uid: &str) -> Outcome {
    let search = call.query.get("search").unwrap_or_default().to_lowercase();
    let matching = call.instance.accounts().all().into_iter().filter(|account| {
        account.uid != uid
            && [&account.uid, &account.display_name, &account.email]
                .iter()
                .any(|text| text.to_lowercase().contains(&search))
    });
    let users: Vec<Value> = matching
        .map(|account| {
            json!({
                "label": account.display_name,
                "subline": "",
                "icon": "icon-user",
                "value": { "shareType": 0, "shareWith": account.uid },
                "shareWithDisplayNameUnique": account.email,
                "status": [],
            })
        })
        .collect();
    let kind = call.query.get("itemType").unwrap_or("file");
    let link = format!(
        "<{}/ocs/v2.php/apps/files_sharing/api/v1/sharees?search={search}&itemType={kind}&shareType%5B0%5D=0\
         &shareType%5B1%5D=1&shareType%5B2%5D=4&shareType%5B3%5D=6&shareType%5B4%5D=7&perPage=25&page=2>; rel=\"next\"",
        call.base
    );
    Outcome::ok(found(&users)).with("link", link)
}

fn found(users: &[Value]) -> Value {
    let none = json!([]);
    let kinds = ["users", "groups", "remotes", "remote_groups", "emails", "circles", "rooms"];
    let mut data = json!({ "exact": {}, "users": users, "lookup": none, "lookupEnabled": false });
    for kind in kinds {
        data["exact"][kind] = none.clone();
        if kind != "users" {
            data[kind] = none.clone();
        }
    }
    data
}
