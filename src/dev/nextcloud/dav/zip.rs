//! A folder as a zip archive, stored and not compressed (APPNOTE 6.3 §4.3).

use super::super::super::answer::Answer;
use super::super::super::clock;
use super::super::call::Call;
use super::super::storage::Node;
use super::DavResult;
use super::files::disposition;

/// The archive of a folder. It is made in memory, like everything the stand-in holds.
pub(super) fn of_folder(call: &Call, folder: &Node) -> DavResult {
    let mut archive = Archive::default();
    let depth = folder.path.len() - 1;
    for node in call.instance.storage().descendants(&folder.path) {
        let name = node.path.get(depth..).unwrap_or_default().join("/");
        if node.is_folder {
            archive.add(&format!("{name}/"), &[]);
        } else {
            archive.add(&name, &call.instance.storage().read(&node.path)?);
        }
    }
    Ok(Answer::new(200)
        .header("content-type", "application/zip")
        .header("content-security-policy", "default-src 'none';")
        .header("pragma", "public")
        .header("last-modified", &clock::http_date(clock::now()))
        .header("expires", "0")
        .header("accept-ranges", "bytes")
        .header("content-disposition", &disposition(&format!("{}.zip", folder.name())))
        .header("content-transfer-encoding", "binary")
        .chunked(archive.finish()))
}

#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

// === impl Archive ===

impl Archive {
    fn add(&mut self, name: &str, content: &[u8]) {
        let offset = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let mut shared = Vec::new();
        // Version 2.0, names in UTF-8, stored, no time.
        for field in [20u16, 0x0800, 0, 0, 0x21] {
            shared.extend(field.to_le_bytes());
        }
        for field in [crc32(content), size, size] {
            shared.extend(field.to_le_bytes());
        }
        shared.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        shared.extend(0u16.to_le_bytes());

        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&shared);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(content);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(20u16.to_le_bytes());
        self.directory.extend(&shared);
        // No comment, first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.entries += 1;
    }

    fn finish(mut self) -> Vec<u8> {
        let start = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let size = u32::try_from(self.directory.len()).unwrap_or(u32::MAX);
        self.bytes.append(&mut self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.entries.to_le_bytes());
        self.bytes.extend(self.entries.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(start.to_le_bytes());
        self.bytes.extend([0; 2]);
        self.bytes
    }
}

/// ISO 3309, reflected, bit by bit: archives here are small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
