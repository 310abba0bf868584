//! What a write to the shares needs by its parameters (`OCA\Files_Sharing\Controller\ShareAPIController`, 32).

use super::{Access, Needs, Policy, Refusal, Row};
use crate::nextcloud::dav_body::AmbiguousBody;
use crate::nextcloud::parameters::Parameters;

/// A link that everybody opens who has it.
pub const LINK: u32 = 3;
/// Of the permission bits: update, create, delete. Read (1) and re-share (16) let nobody write.
const WRITES: u32 = 2 | 4 | 8;
/// Where shares are created.
const CREATE: &str = "api/v1/shares";

/// Whether the path names people to share with, and no share: tokens of links do not stand there.
pub(super) fn is_lookup(item: &str) -> bool {
    matches!(item, "api/v1/sharees" | "api/v1/sharees_recommended")
}

/// Whether this is where shares are created.
pub(super) fn is_creation(item: &str) -> bool {
    item == CREATE
}

impl Policy {
    /// What a POST or PUT below `/apps/files_sharing` needs beside what its path needs: whoever lets others write has to be able to
    /// write. Without `permissions` a share has Nextcloud's default, which is all of them, but for a link, which is read-only then.
    ///
    /// # Errors
    /// [`AmbiguousBody`] if a value that decides has more than one reading.
    pub fn share(&self, item: &str, parameters: &Parameters) -> Result<Result<Needs, Refusal>, AmbiguousBody> {
        let kind = parameters.number("shareType")?;
        let permissions = parameters.number("permissions")?;
        let upload = parameters.text("publicUpload")?.is_some_and(|text| !matches!(text, "false" | "0" | ""));
        let writable = match permissions {
            Some(bits) => bits & WRITES != 0,
            None => is_creation(item) && kind != Some(LINK),
        };
        if !writable && !upload {
            return Ok(Ok(Needs::default()));
        }
        Ok(self.table.needs(Row::WritableShare, Access::Write).ok_or(Refusal::NotOpened))
    }
}
