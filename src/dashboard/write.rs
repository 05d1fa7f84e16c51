//! Puts a file in place whole or not at all. A reader sees the old one or the new one, never half of one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Replaces `folder/name`; the folder is made when it is missing (a tmpfs is empty after a boot). `Err` is a sentence,
/// and the old file is as it was. Not synced: the page lies in memory, and after a power cut the next run draws it anew.
pub(super) fn replace(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    // One fixed name: what a killed run left behind is overwritten by the next, so nothing piles up.
    let temporary = folder.join(format!(".{name}.tmp"));
    let put = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(&temporary, text)?;
        // The web server is another user.
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o644))?;
        fs::rename(&temporary, folder.join(name))
    };
    put().map_err(|why| {
        // The first error is the one to tell; a file that could not be made cannot be removed either.
        fs::remove_file(&temporary).ok();
        format!("page: `{}` cannot be replaced: {why}; the old one stays", folder.join(name).display())
    })
}
