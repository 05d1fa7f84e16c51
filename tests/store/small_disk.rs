//! A disk of its own that can be full or read-only: a small tmpfs. It needs the right to mount; without it there is
//! none, and the test that wants it says so and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

pub struct SmallDisk {
    folder: PathBuf,
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazy: whoever still has a file open there keeps it until it ends.
        drop(Command::new("umount").arg("--lazy").arg(&self.folder).output());
    }
}

impl SmallDisk {
    /// Mounts one over this folder, which must exist.
    pub fn mount(folder: &Path, size: &str) -> Option<SmallDisk> {
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk { folder: folder.to_owned() }),
            Ok(output) => skipped(String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => skipped(&error.to_string()),
        }
    }

    pub fn make_read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        // sled gives up its files a moment after it is dropped: until then the disk is busy.
        for left in (0..40).rev() {
            let output = Command::new("mount").args(["-o", options]).arg(&self.folder).output().unwrap();
            if output.status.success() {
                return;
            }
            assert!(left > 0, "{}", String::from_utf8_lossy(&output.stderr));
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Writes a file until nothing more fits.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.folder.join("ballast")).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    }

    pub fn empty(&self) {
        std::fs::remove_file(self.folder.join("ballast")).unwrap();
    }
}

fn skipped(why: &str) -> Option<SmallDisk> {
    println!("SKIPPED: no disk of its own for this test: {why}");
    None
}
