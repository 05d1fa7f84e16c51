//! The signal's pages as they came: the evidence of what the utility said and when. One file with a page's bytes and one
//! with its header lines; old ones go by kind, number and size. It does not judge which page is worth keeping.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Why a page is kept, and how many of each kind are: first what goes first when they take too much room.
const KINDS: [(&str, usize); 3] = [("change", 300), ("fault", 100), ("level", 300)];
/// All of them together, in bytes.
const BYTES_MAX: u64 = 96 * 1024 * 1024;
/// Files that are looked at when old ones go.
const FILES_MAX: usize = 10_000;

/// What a page's file is called: `20261122T201000Z-level-0123456789abcdef.html`. Names sort by time.
pub fn file_name(time: jiff::Timestamp, kind: &str, hash: &str) -> String {
    format!("{}-{kind}-{hash}.html", time.strftime("%Y%m%dT%H%M%SZ"))
}

/// Writes a page and its header lines, and drops the oldest when there are too many. `Err` says why it is not kept.
pub fn keep(folder: &Path, name: &str, bytes: &[u8], head: &str) -> Result<(), String> {
    // Without the file's name, which differs in each run: a trouble that lasts is told once.
    let text = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(text)?;
    replace(folder, name, bytes).map_err(text)?;
    replace(folder, &head_of(name), head.as_bytes()).map_err(text)?;
    prune(folder).map_err(text)
}

fn head_of(name: &str) -> String {
    format!("{}.head", name.trim_end_matches(".html"))
}

fn replace(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|refused| refused.error)?;
    File::open(folder)?.sync_all()
}

/// Drops what is more than its kind's number, then the oldest until the rest has room.
fn prune(folder: &Path) -> std::io::Result<()> {
    let mut pages: Vec<(String, u64)> = Vec::new();
    for entry in fs::read_dir(folder)?.take(FILES_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".html") {
            let head = fs::metadata(folder.join(head_of(&name))).map_or(0, |head| head.len());
            pages.push((name, entry.metadata()?.len() + head));
        }
    }
    pages.sort();
    for (kind, most) in KINDS {
        let of_kind = |name: &str| name.contains(&format!("-{kind}-"));
        let count = pages.iter().filter(|(name, _)| of_kind(name)).count();
        let mut surplus = count.saturating_sub(most);
        let mut bytes: u64 = pages.iter().map(|(_, bytes)| bytes).sum();
        let mut gone = Vec::new();
        // The newest page stays, however large it is.
        let newest = pages.last().map(|(name, _)| name.clone());
        for (name, size) in pages.iter().filter(|(name, _)| of_kind(name) && Some(name) != newest.as_ref()) {
            if surplus == 0 && bytes <= BYTES_MAX {
                break;
            }
            surplus = surplus.saturating_sub(1);
            bytes = bytes.saturating_sub(*size);
            gone.push(name.clone());
        }
        for name in &gone {
            fs::remove_file(folder.join(name))?;
            // A page whose header lines were lost goes all the same.
            fs::remove_file(folder.join(head_of(name))).ok();
        }
        pages.retain(|(name, _)| !gone.contains(name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(second: i64, kind: &str) -> String {
        file_name(jiff::Timestamp::from_second(1_795_378_200 + second).unwrap(), kind, "0123456789abcdef")
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_page_is_kept_byte_for_byte_with_its_header_lines() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("evidence");
        keep(&folder, &name(0, "level"), b"\xff\x00page", "date: now\n").unwrap();
        let page = "20261122T201000Z-level-0123456789abcdef";
        assert_eq!(names(&folder), [format!("{page}.head"), format!("{page}.html")]);
        assert_eq!(fs::read(folder.join(format!("{page}.html"))).unwrap(), b"\xff\x00page");
    }

    #[test]
    fn the_oldest_of_a_kind_go_first_and_the_other_kinds_stay() {
        let folder = tempfile::tempdir().unwrap();
        keep(folder.path(), &name(0, "level"), b"call", "").unwrap();
        for second in 1..=100 {
            fs::write(folder.path().join(name(second, "fault")), b"x").unwrap();
        }
        prune(folder.path()).unwrap();
        assert!(names(folder.path()).contains(&name(1, "fault")), "a hundred are kept");
        keep(folder.path(), &name(101, "fault"), b"x", "").unwrap();
        let left = names(folder.path());
        assert!(!left.contains(&name(1, "fault")) && left.contains(&name(2, "fault")));
        assert!(left.contains(&name(0, "level")));
    }

    #[test]
    fn all_together_take_no_more_than_their_room_and_changes_go_before_levels() {
        let folder = tempfile::tempdir().unwrap();
        let large = |second: i64, kind: &str| {
            let file = File::create(folder.path().join(name(second, kind))).unwrap();
            file.set_len(BYTES_MAX / 2).unwrap();
        };
        large(0, "level");
        large(1, "change");
        prune(folder.path()).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        keep(folder.path(), &name(2, "fault"), b"x", "").unwrap();
        let left = names(folder.path());
        assert!(!left.contains(&name(1, "change")) && left.contains(&name(0, "level")), "{left:?}");
        assert!(left.contains(&name(2, "fault")));
    }
}
