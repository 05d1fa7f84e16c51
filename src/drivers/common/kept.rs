//! What a driver keeps from run to run in a small file of the data folder, because it saves the device a request: a login, the
//! page that worked. Nothing that is decided depends on it, and a run without it goes as the first one went.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A longer file is none of ours.
const FILE_MAX: usize = 2048;

/// Where one thing of one device is kept.
#[derive(Debug, Clone)]
pub(in crate::drivers) struct Kept {
    device: String,
    file: PathBuf,
}

impl Kept {
    /// `what` in the file's name: `login`, `page`. Without a folder nothing is kept.
    pub(in crate::drivers) fn new(folder: &Path, what: &str, device: &str) -> Kept {
        let safe: String = device.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let is_somewhere = !folder.as_os_str().is_empty();
        let file = if is_somewhere { folder.join(format!("{what}-{safe}.json")) } else { PathBuf::new() };
        Kept { device: device.to_owned(), file }
    }

    /// What was kept; `None` when there is nothing that can be read.
    pub(in crate::drivers) fn load<T: DeserializeOwned>(&self) -> Option<T> {
        let bytes = std::fs::read(&self.file).ok().filter(|bytes| bytes.len() <= FILE_MAX)?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps a value in the place of the one before.
    pub(in crate::drivers) fn keep<T: Serialize>(&self, value: &T) {
        let Some(folder) = self.file.parent() else { return };
        let written = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(serde_json::to_string(value)?.as_bytes())?;
            file.persist(&self.file)?;
            Ok(())
        };
        if let Err(error) = written() {
            log::debug!("{}: not kept in {}: {error}", self.device, self.file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_all_else_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path(), "page", "room alert/2");
        assert_eq!(kept.load::<String>(), None);
        kept.keep(&"first");
        kept.keep(&"second");
        assert_eq!(kept.load::<String>().as_deref(), Some("second"));
        assert!(folder.path().join("page-room-alert-2.json").exists());
        for broken in ["", "\"sec", "{}", &format!("\"{}\"", "x".repeat(FILE_MAX))] {
            std::fs::write(folder.path().join("page-room-alert-2.json"), broken).unwrap();
            assert_eq!(kept.load::<String>(), None, "{broken}");
        }
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let kept = Kept::new(Path::new(""), "page", "room-alert");
        kept.keep(&"first");
        assert_eq!(kept.load::<String>(), None);
        assert!(!Path::new("page-room-alert.json").exists());
    }
}
