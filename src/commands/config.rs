//! `minectl config check|show|get|set|edit|init`. Nothing here replaces a file before its new text was checked, and
//! nothing prints a secret.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::cli::ConfigCommand;
use crate::config::{self, Entry, Inspection};
use crate::error::Error;

/// The sample, as it lies in the repository.
pub(super) const SAMPLE: &str = include_str!("../../config.txt");

/// Mode of a new configuration: the group may read (the web server must not).
const NEW_FILE_MODE: u32 = 0o640;

/// One subcommand of `config`.
pub fn run(path: &Path, what: &ConfigCommand, out: &mut dyn Write) -> Result<(), Error> {
    match what {
        ConfigCommand::Init => init(path, out),
        ConfigCommand::Check => check(path, out),
        ConfigCommand::Show => show(path, out),
        ConfigCommand::Get { key } => get(path, key, out),
        ConfigCommand::Set { key, value } => set(path, key, value, out),
        ConfigCommand::Edit => edit(path, out),
    }
}

/// Says that the file is sound and how many settings it has. `Err` holds its mistakes.
pub fn check(path: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let text = config::read_text(path)?;
    let Inspection { entries, result } = inspect(path, &text);
    result.map_err(Error::Config)?;
    let count = entries.iter().filter(|entry| entry.is_present()).count();
    say(out, &format!("{}: ok, {count} settings\n", config::file_name(path)))
}

/// Prints the file with every secret masked, comments and all; also when it has mistakes, but for syntax errors.
pub fn show(path: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let text = config::read_text(path)?;
    say(out, &config::mask(&text, &config::file_name(path)).map_err(Error::Config)?)
}

/// Prints the value of a key, or its default when it is absent; of a section, all its values. A secret is `***`.
pub fn get(path: &Path, key: &str, out: &mut dyn Write) -> Result<(), Error> {
    let text = config::read_text(path)?;
    let Inspection { entries, result } = inspect(path, &text);
    result.map_err(Error::Config)?;
    let inside = format!("{key}.");
    let section: Vec<&Entry> = entries.iter().filter(|entry| entry.path.starts_with(&inside)).collect();
    if section.is_empty() || entries.iter().any(|entry| entry.path == key) {
        let entry = find(&entries, key)?;
        let value = shown(entry).ok_or_else(|| Error::Usage(format!("key `{key}` is not set and has no default")))?;
        return say(out, &format!("{value}\n"));
    }
    for entry in section {
        if let Some(value) = shown(entry) {
            say(out, &format!("{} = {value}\n", entry.path))?;
        }
    }
    Ok(())
}

/// Sets a key and keeps everything else of the file. The new text is checked first: a mistake leaves the file as it
/// is. Prints the old and the new value.
pub fn set(path: &Path, key: &str, value: &str, out: &mut dyn Write) -> Result<(), Error> {
    let text = config::read_text(path)?;
    let Inspection { entries, result } = inspect(path, &text);
    if entries.is_empty() {
        // Not even TOML: there is no place to put a value.
        return result.map(|_| ()).map_err(Error::Config);
    }
    let entry = find(&entries, key)?;
    let refuse = |mistake| Error::Config(vec![format!("{}: {mistake}", config::file_name(path))]);
    let new_text = config::with_value(&text, entry, value).map_err(refuse)?;
    if new_text == text {
        return say(out, &format!("{}: unchanged, it is {} already\n", entry.path, shown(entry).unwrap_or_default()));
    }
    let after = inspect(path, &new_text);
    after.result.map_err(Error::Config)?;
    config::replace(path, &text, &new_text)?;
    let old = shown(entry).map_or_else(|| "(not set)".to_owned(), |old| old + default_mark(entry));
    let new = after.entries.iter().find(|new| new.path == entry.path).and_then(shown);
    // A changed name or number changes the path itself.
    let new = new.unwrap_or_else(|| value.to_owned());
    say(out, &format!("{}: {old} -> {new}\n", entry.path))
}

/// Opens the file in the owner's editor and replaces it when the result is sound; asks again when it is not.
pub fn edit(path: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let chosen = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()));
    let editors = chosen.map_or_else(|| vec!["nano".to_owned(), "vi".to_owned()], |editor| vec![editor]);
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        edit_with(path, &editors, Some(&mut stdin.lock()), out)
    } else {
        edit_with(path, &editors, None, out)
    }
}

/// As [`edit`], with the first of `editors` that exists; `answers` is where the owner answers, if there is an owner.
pub fn edit_with(
    path: &Path,
    editors: &[String],
    mut answers: Option<&mut dyn BufRead>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let text = config::read_text(path)?;
    let folder = config::folder(path);
    let cannot = |cause: std::io::Error| Error::Storage(format!("cannot make a copy to edit: {cause}"));
    let mut builder = tempfile::Builder::new();
    let copy = builder.prefix("minectl-edit-").suffix(".txt").tempfile_in(&folder).map_err(cannot)?;
    fs::write(copy.path(), &text).map_err(cannot)?;
    loop {
        run_editor(editors, copy.path().as_os_str())?;
        let new_text = config::read_text(copy.path())?;
        if new_text == text {
            return say(out, "nothing changed\n");
        }
        let mistakes = match inspect(path, &new_text).result {
            Ok(_) => {
                config::replace(path, &text, &new_text)?;
                return say(out, &format!("{}: replaced\n", config::file_name(path)));
            }
            Err(mistakes) => mistakes,
        };
        let Some(answers) = answers.as_mut() else { return Err(Error::Config(mistakes)) };
        say(out, &format!("{}\n", mistakes.join("\n")))?;
        if !wants_to_go_on(*answers, out)? {
            return say(out, "discarded; the file is as it was\n");
        }
    }
}

/// What differs between the sample, which runs the demonstration, and a new installation.
const INSTALLED: [(&str, &str); 4] = [
    ("mode = \"live\"", "mode = \"observe\""),
    ("data = \"demo/data\"", "data = \"/var/lib/minectl\""),
    ("page = \"demo/page\"", "page = \"/run/minectl/page\""),
    ("log = \"demo/minectl.log\"", "log = \"/var/log/minectl/minectl.log\""),
];

/// Writes the sample, with `mode = "observe"`: a new installation commands nothing. Overwrites nothing.
pub fn init(path: &Path, out: &mut dyn Write) -> Result<(), Error> {
    let name = path.display();
    let cannot = |cause: std::io::Error| Error::Storage(format!("cannot write {name}: {cause}"));
    let refuse = || Error::Usage(format!("{name} exists already; move it away first, nothing is overwritten"));
    // A link that leads nowhere counts too.
    if fs::symlink_metadata(path).is_ok() {
        return Err(refuse());
    }
    let mut file = tempfile::Builder::new().prefix(".minectl-").tempfile_in(config::folder(path)).map_err(cannot)?;
    let mut sample = SAMPLE.to_owned();
    for (demo, installed) in INSTALLED {
        sample = sample.replacen(&format!("\n{demo}\n"), &format!("\n{installed}\n"), 1);
    }
    file.write_all(sample.as_bytes()).map_err(cannot)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(NEW_FILE_MODE)).map_err(cannot)?;
    file.as_file().sync_all().map_err(cannot)?;
    file.persist_noclobber(path).map_err(|refused| {
        match refused.error.kind() == std::io::ErrorKind::AlreadyExists {
            true => refuse(),
            false => cannot(refused.error),
        }
    })?;
    say(out, &format!("{name}: written, with mode = \"observe\"; put your addresses in, then `minectl config check`\n"))
}

fn inspect(path: &Path, text: &str) -> Inspection {
    config::inspect(text, &config::file_name(path), &config::folder(path))
}

fn say(out: &mut dyn Write, text: &str) -> Result<(), Error> {
    out.write_all(text.as_bytes()).map_err(|cause| Error::Storage(format!("cannot print: {cause}")))
}

/// The value or the default, for people.
fn shown(entry: &Entry) -> Option<String> {
    if entry.secret && entry.is_present() {
        return Some("***".to_owned());
    }
    entry.shown.clone().or_else(|| entry.default.map(str::to_owned))
}

fn default_mark(entry: &Entry) -> &'static str {
    if entry.is_present() { "" } else { " (default)" }
}

/// The entry of a key; elements of arrays by their name, or by their place from 1.
fn find<'e>(entries: &'e [Entry], key: &str) -> Result<&'e Entry, Error> {
    let exact = |key: &str| entries.iter().find(|entry| entry.path == key);
    if let Some(entry) = exact(key).or_else(|| by_place(entries, key).and_then(|key| exact(&key))) {
        return Ok(entry);
    }
    if let Some(meant) = config::nearest(key, entries.iter().map(|entry| entry.path.as_str())) {
        return Err(Error::Usage(format!("unknown key `{key}`; did you mean `{meant}`?")));
    }
    let section = key.split('.').next().unwrap_or_default();
    let mut known: Vec<&str> =
        entries.iter().filter(|e| e.path.split('.').next() == Some(section)).map(|e| e.path.as_str()).collect();
    if known.is_empty() {
        known = entries.iter().filter_map(|entry| entry.path.split('.').next()).collect();
        known.dedup();
    }
    Err(Error::Usage(format!("unknown key `{key}`; known: {}", known.join(", "))))
}

/// `pdu.2.url` as `pdu.spdu-b.url`.
fn by_place(entries: &[Entry], key: &str) -> Option<String> {
    let mut parts = key.splitn(3, '.');
    let (section, place, rest) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
    let inside =
        entries.iter().filter_map(|entry| entry.path.strip_prefix(section)?.strip_prefix('.')?.split_once('.'));
    let mut names: Vec<&str> = inside.map(|(name, _)| name).collect();
    names.dedup();
    let name = names.get(place.checked_sub(1)?)?;
    Some(format!("{section}.{name}.{rest}"))
}

/// Runs the first editor that exists, on the terminal, until it ends.
fn run_editor(editors: &[String], file: &OsStr) -> Result<(), Error> {
    for editor in editors {
        let words = shell_words::split(editor)
            .map_err(|cause| Error::Usage(format!("editor `{editor}`: {cause}; set VISUAL or EDITOR")))?;
        let Some((program, arguments)) = words.split_first() else { continue };
        match Command::new(program).args(arguments).arg(file).status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => {
                return Err(Error::Usage(format!("editor `{editor}`: ended with {status}; nothing is changed")));
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(Error::Usage(format!("editor `{editor}`: {cause}; set VISUAL or EDITOR"))),
        }
    }
    Err(Error::Usage(format!("no editor found (tried `{}`); set VISUAL or EDITOR", editors.join("`, `"))))
}

/// Asks until the answer is one of the two; the end of input is a no.
fn wants_to_go_on(answers: &mut dyn BufRead, out: &mut dyn Write) -> Result<bool, Error> {
    loop {
        say(out, "edit again, or discard? [e/d] ")?;
        out.flush().map_err(|cause| Error::Storage(format!("cannot print: {cause}")))?;
        let mut answer = String::new();
        let read = answers.read_line(&mut answer);
        match answer.trim().to_ascii_lowercase().as_str() {
            "e" | "edit" => return Ok(true),
            "d" | "discard" => return Ok(false),
            _ if !matches!(read, Ok(length) if length > 0) => return Ok(false),
            _ => {}
        }
    }
}
