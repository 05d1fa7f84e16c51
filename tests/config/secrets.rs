//! Secrets are read from where they are, and never shown.

use minectl::config;

use crate::support::*;

const SECRETS: [&str; 6] = [
    "site-foreman-key",
    "site-spdu-token",
    "site-telegram-token",
    "site-smtp-password",
    "site-twilio-token",
    "fedcba9876543210fedcba9876543210",
];

fn with_key_file(name: &str) -> String {
    changed("api_key = \"site-foreman-key\"", &format!("api_key_file = \"{name}\""))
}

#[test]
fn a_secret_file_is_read_beside_the_configuration_without_its_newline() {
    let (folder, path) = folder_with(&with_key_file("foreman.key"));
    for written in ["from-a-file", "from-a-file\n", "from-a-file\r\n"] {
        std::fs::write(folder.path().join("foreman.key"), written).unwrap();
        assert_eq!(config::load(&path).unwrap().foreman.api_key.reveal(), "from-a-file");
    }
}

#[test]
fn a_secret_file_that_is_missing_empty_or_odd_is_a_mistake_that_names_it() {
    let (folder, path) = folder_with(&with_key_file("foreman.key"));
    let mistake = || config::load(&path).unwrap_err().to_string();
    let file = folder.path().join("foreman.key");
    assert!(mistake().contains(&format!("`foreman.api_key_file`: cannot read {}", file.display())), "{}", mistake());
    std::fs::write(&file, "\n").unwrap();
    assert!(mistake().contains("foreman.key is empty"), "{}", mistake());
    std::fs::write(&file, "line-one\nline-two\n").unwrap();
    assert!(mistake().contains("second line") && !mistake().contains("line-one"), "{}", mistake());
    std::fs::write(&file, "x".repeat(5000)).unwrap();
    assert!(mistake().contains("larger than 4096 bytes"), "{}", mistake());
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(mistake().contains("is not a file"), "{}", mistake());
}

#[test]
fn a_secret_is_given_once() {
    let key = "api_key = \"site-foreman-key\"";
    one_mistake(key, &format!("{key}\napi_key_file = \"k\""), "`api_key_file` is given too");
    one_mistake(key, "api_key = \"\"", "is empty");
    one_mistake(key, "api_key = \"***\"", "is masked");
    let missing = mistakes(&format!("{key}\n"), "");
    assert!(missing.len() == 1 && missing[0].contains("or name a file that holds it by `api_key_file`"), "{missing:?}");
}

#[test]
fn no_secret_is_in_the_debug_text_of_a_configuration() {
    let text = format!("{:?}", sound(SAMPLE));
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_header_line_holds_a_placeholder_and_not_the_secret() {
    let token = "url = \"http://127.0.0.1:18010\"\n";
    let found = mistakes(token, &format!("{token}read_headers = [\"X-Api-Key: hunter2\"]\n")).join("\n");
    assert!(found.contains("write `{token}` in its place") && !found.contains("hunter2"), "{found}");
    no_mistake(token, &format!("{token}read_headers = [\"X-Api-Key: {{token}}\"]\n"));
}

#[test]
fn the_masked_text_shows_no_secret_and_keeps_everything_else() {
    let masked = config::mask(SAMPLE, "config.txt").unwrap();
    for secret in SECRETS.iter().chain(&[
        "site-relay-password",
        "site-room-password",
        "site-iotawatt-password",
        "site-pdu-password",
        "site-sms-key",
    ]) {
        assert!(!masked.contains(secret), "{secret}");
    }
    assert_eq!(masked.lines().count(), SAMPLE.lines().count());
    for (shown, line) in masked.lines().zip(SAMPLE.lines()) {
        assert!(shown == line || shown.contains("= \"***\""), "{shown}");
    }
    assert_eq!(masked.matches("\"***\"").count(), 17, "six PDU tokens, four others, seven in comments");
}

#[test]
fn misspelt_and_misplaced_secrets_are_masked_too() {
    let text = [
        "tokn = \"hunter2\"",
        "#  my_password = 'hunter2'",
        "x = [{ auth_token = \"hunter2\" }]",
        "url = \"http://me:hunter2@10.0.0.1\"",
        "switch_headers = [\"X-Api-Key: hunter2\"]",
        "[a.b]",
        "\"api_key\" = \"\"\"\nhunter2\n\"\"\"",
    ];
    let text = &text.join("\n");
    let masked = config::mask(text, "config.txt").unwrap();
    assert!(!masked.contains("hunter2"), "{masked}");
    assert!(masked.contains("http://***@10.0.0.1"), "{masked}");
}

#[test]
fn a_text_with_syntax_errors_is_not_shown_at_all() {
    let found = config::mask("token = \"hunter2\nb = 1\n", "config.txt").unwrap_err().join("\n");
    assert!(found.contains("config.txt:1: not TOML") && !found.contains("hunter2"), "{found}");
}

#[test]
fn nothing_but_secrets_is_taken_for_one() {
    for entry in config::inspect(SAMPLE, "config.txt", std::path::Path::new("/tmp")).entries {
        assert_eq!(config::is_secret_name(entry.key), entry.secret, "{}", entry.path);
    }
}

#[test]
fn a_portable_text_gives_the_same_rules_without_secrets_comments_and_files() {
    let text = changed("api_key = \"site-foreman-key\"", "api_key_file = \"/nowhere/foreman.key\"");
    let text = text
        .replace("\n# ca_file = ", "\n# moved\nca_file = ")
        .replace("http://127.0.0.1:18022", "http://me:site-password@127.0.0.1:18022");
    let portable = config::portable(&text, "config.txt").unwrap();
    for secret in SECRETS {
        assert!(!portable.contains(secret), "`{secret}` is shown");
    }
    for word in ["site-password", "\n#", "foreman.key", "ca_file"] {
        assert!(!portable.contains(word), "{word}");
    }
    let (whole, there) = (sound(SAMPLE), sound(&portable));
    let rules = |cfg: &config::Config| {
        let (fans, miners, climate) = (&cfg.fan_rules, &cfg.miners, &cfg.climate);
        format!("{:?} {fans:?} {miners:?} {climate:?} {:?} {:?} {:?}", cfg.signal, cfg.fans, cfg.rooms, cfg.notify)
    };
    assert_eq!(rules(&whole), rules(&there));
    assert_eq!(portable, config::portable(&portable, "config.txt").unwrap());
    assert!(config::portable("mode = ", "config.txt").unwrap_err()[0].starts_with("config.txt: "));
}

#[test]
fn a_header_line_with_a_secret_goes_from_a_portable_text() {
    let portable =
        |line: &str| config::portable(&format!("[x]\nswitch_headers = [{line}, \"Accept: text/plain\"]\n"), "f");
    assert_eq!(portable("\"X-Api-Key: 12345\"").unwrap(), "[x]\nswitch_headers = [\"Accept: text/plain\"]\n");
    assert!(portable("\"X-Api-Key: {key}\"").unwrap().contains("X-Api-Key: {key}"));
}
