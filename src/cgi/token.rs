//! Tokens against forged requests: HMAC-SHA256 over user, browser and end, with a key of this machine. A page of another
//! site can send a form here, but cannot know what a form of ours carries.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::units::{Seconds, UnixSeconds};

/// A form may be sent for this long after it was drawn.
const TOKEN_LASTS: Seconds = Seconds(3600);
/// The key's file in the data folder.
const FILE: &str = "cgi.key";
const KEY_BYTES: usize = 32;

/// The secret that tokens are made with.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// Reads the key, or makes one at the first time, and anew when others could read it. `Err` is a sentence.
    pub fn open(folder: &Path) -> Result<Key, String> {
        let path = folder.join(FILE);
        let cannot = |cause: std::io::Error| format!("{}: {cause}", path.display());
        fs::create_dir_all(folder).map_err(cannot)?;
        if let Some(key) = read(&path) {
            return Ok(key);
        }
        let mut file = tempfile::Builder::new().prefix(".new").tempfile_in(folder).map_err(cannot)?;
        let bytes = random(KEY_BYTES).map_err(cannot)?;
        file.write_all(&bytes).map_err(cannot)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600)).map_err(cannot)?;
        file.as_file().sync_all().map_err(cannot)?;
        file.persist(&path).map_err(|refused| cannot(refused.error))?;
        // Of two that made one at the same time the later stays: take what is there now.
        read(&path).ok_or_else(|| format!("{}: was written and cannot be read", path.display()))
    }

    /// A token for this user in this browser.
    pub fn token(&self, user: &str, session: &str, now: UnixSeconds) -> String {
        let end = now.plus(TOKEN_LASTS);
        let sum = self.sum(user, session, end).map(|sum| sum.finalize().into_bytes().to_vec()).unwrap_or_default();
        format!("{}.{}", end.0, hex(&sum))
    }

    /// Whether a token is this user's, of this browser, and its time has not come. `Err` says why not.
    pub fn check(&self, token: &str, user: &str, session: &str, now: UnixSeconds) -> Result<(), &'static str> {
        let foreign = "the form's token is not one of yours; open the page again and send the form from there";
        let (end, sum) = token.split_once('.').ok_or(foreign)?;
        let end = UnixSeconds(end.parse().map_err(|_| foreign)?);
        let sum = unhex(sum).ok_or(foreign)?;
        self.sum(user, session, end).ok_or(foreign)?.verify_slice(&sum).map_err(|_| foreign)?;
        // One from the future was made before the clock was set back: nobody knows how old it is.
        if end.0 <= now.0 || end.0 > now.plus(TOKEN_LASTS).0 {
            return Err("the form is too old; open the page again and send it from there");
        }
        Ok(())
    }

    /// A name for a text that tells nothing of it to who has not the key.
    pub fn mark(&self, text: &str) -> String {
        let sum = Hmac::<Sha256>::new_from_slice(&self.0).map(|sum| sum.chain_update("text ").chain_update(text));
        sum.map(|sum| hex(&sum.finalize().into_bytes())).unwrap_or_default()
    }

    fn sum(&self, user: &str, session: &str, end: UnixSeconds) -> Option<Hmac<Sha256>> {
        let mut sum = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        // The session is hexadecimal and the end a number, so no user can make two such texts equal.
        sum.update(format!("{session} {} {user}", end.0).as_bytes());
        Some(sum)
    }
}

/// A name for a browser that has none: 128 random bits. `Err` is a sentence.
pub fn new_session() -> Result<String, String> {
    random(16).map(|bytes| hex(&bytes)).map_err(|cause| format!("no random numbers: {cause}"))
}

/// The key of a file that only its owner can read; `None` when there is none such.
fn read(path: &Path) -> Option<Key> {
    let meta = fs::symlink_metadata(path).ok()?;
    let private = meta.is_file() && meta.permissions().mode() & 0o077 == 0;
    let bytes = private.then(|| fs::read(path).ok()).flatten()?;
    (bytes.len() == KEY_BYTES).then_some(Key(bytes))
}

fn random(length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_795_370_400);
    const SESSION: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_holds_for_its_user_and_browser_until_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::open(folder.path()).unwrap();
        let token = key.token("ann", SESSION, NOW);
        let verdict = |user: &str, session: &str, now: i64| key.check(&token, user, session, UnixSeconds(now)).is_ok();
        assert!(verdict("ann", SESSION, NOW.0));
        assert!(verdict("ann", SESSION, NOW.0 + 3599));
        assert!(!verdict("ann", SESSION, NOW.0 + 3600), "its end has come");
        assert!(!verdict("ann", SESSION, NOW.0 - 1), "made before the clock was set back");
        assert!(!verdict("bob", SESSION, NOW.0));
        assert!(!verdict("ann", "ffffffffffffffffffffffffffffffff", NOW.0));
    }

    #[test]
    fn a_token_that_was_touched_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::open(folder.path()).unwrap();
        let token = key.token("ann", SESSION, NOW);
        let later = token.replacen(&(NOW.0 + 3600).to_string(), &(NOW.0 + 3601).to_string(), 1);
        let longer = format!("{token}00");
        let mut shorter = token.clone();
        shorter.truncate(token.len() - 2);
        for bad in ["", ".", "x.y", later.as_str(), longer.as_str(), shorter.as_str(), "9999999999.00"] {
            assert!(key.check(bad, "ann", SESSION, NOW).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_key_stays_private_to_its_owner_and_is_made_anew_when_it_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let first = Key::open(folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Key::open(folder.path()).unwrap().0, first.0, "it stays the same");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(Key::open(folder.path()).unwrap().0, first.0, "others could have read it");
        fs::write(&path, "").unwrap();
        assert_eq!(Key::open(folder.path()).unwrap().0.len(), KEY_BYTES, "an empty one is no key");
    }
}
