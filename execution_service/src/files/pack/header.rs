//! What stands before each entry of an archive.

use tokio_tar::{EntryType, Header};

use crate::sandbox::files::{FileKind, FileStatus};

/// Longest name and longest target of a link that fit into a header.
const SHORT: usize = 100;
/// An archive is made of these.
pub const BLOCK: usize = 512;

/// The header of what is called `name`. Before it comes, as GNU's tar has it, a name or a target that is longer than
/// it has room for.
pub fn of(name: &[u8], status: &FileStatus, target: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(BLOCK);
    let target = target.unwrap_or_default();
    long(&mut bytes, EntryType::GNULongLink, target);
    long(&mut bytes, EntryType::GNULongName, name);
    let mut header = Header::new_gnu();
    header.set_mode(status.mode & 0o777);
    header.set_mtime(u64::try_from(status.modified.seconds).unwrap_or_default());
    let (kind, size) = match status.kind {
        FileKind::Regular | FileKind::Special => (EntryType::Regular, status.size),
        FileKind::Directory => (EntryType::Directory, 0),
        FileKind::Symlink => (EntryType::Symlink, 0),
    };
    header.set_entry_type(kind);
    header.set_size(size);
    finish(&mut bytes, header, name, target);
    bytes
}

/// Puts down an entry that holds a `text` which a header has no room for.
fn long(bytes: &mut Vec<u8>, kind: EntryType, text: &[u8]) {
    if text.len() <= SHORT {
        return;
    }
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(kind);
    // With its end.
    header.set_size(text.len() as u64 + 1);
    finish(bytes, header, b"././@LongLink", b"");
    bytes.extend_from_slice(text);
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
}

fn finish(bytes: &mut Vec<u8>, mut header: Header, name: &[u8], target: &[u8]) {
    // Whoever unpacks it owns it.
    header.set_uid(0);
    header.set_gid(0);
    if let Some(fields) = header.as_gnu_mut() {
        for (field, text) in [(&mut fields.name, name), (&mut fields.linkname, target)] {
            let fits = &text[..text.len().min(SHORT)];
            field[..fits.len()].copy_from_slice(fits);
        }
    }
    header.set_cksum();
    bytes.extend_from_slice(header.as_bytes());
}
