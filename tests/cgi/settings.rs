//! The configuration page: explained, checked, shown, saved; and no secret in any of it.

use std::os::unix::fs::PermissionsExt;

use crate::browser::{Answer, Browser, USER};
use crate::mine::{Mine, SECRETS};

pub fn no_secret_in(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "`{secret}` is in the page");
    }
}

/// A section's form with one or more fields changed.
fn change(browser: &Browser<'_>, section: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.open("/config", &format!("section={section}")).with_status(200);
    no_secret_in(&page.body);
    let seen = page.field("seen");
    let answer = browser
        .send("/config", &[&[("do", "preview"), ("section", section), ("seen", seen.as_str())], fields].concat());
    no_secret_in(&answer.body);
    answer
}

fn save(browser: &Browser<'_>, shown: &Answer) -> Answer {
    browser.send("/config", &[("do", "save"), ("mark", &shown.field("mark"))])
}

fn text(mine: &Mine) -> String {
    std::fs::read_to_string(mine.config()).unwrap()
}

#[test]
fn every_section_is_explained_and_shows_no_secret() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    let page = browser.open("/config", "").with_status(200);
    let links = regex::Regex::new(r"/admin/config\?section=([^&#]*?)&?(?:#|quot;)?\x22").unwrap();
    let links: Vec<String> = links.captures_iter(&page.body).map(|found| found[1].replace("&#x3D;", "=")).collect();
    assert!(links.len() > 30, "{links:?}");
    for wanted in ["top", "signal", "pdu.spdu-a", "fan.9", "telegram", "emoncms"] {
        assert!(links.iter().any(|link| link == wanted), "{wanted}: {links:?}");
    }
    for link in
        ["top", "signal", "foreman", "pdu.spdu-a", "telegram", "email", "sms", "room_alert.room-alert", "emoncms"]
    {
        let page = browser.open("/config", &format!("section={link}")).with_status(200);
        no_secret_in(&page.body);
        assert!(page.body.contains("class=\"help\""), "{link} explains nothing");
    }
    let foreman = browser.open("/config", "section=foreman");
    assert!(foreman.body.contains("type=\"password\" id=\"foreman.api_key\""));
    assert!(foreman.text().contains("Which miners of this client may be commanded"));
    browser.open("/config", "section=none").with_status(404);
}

#[test]
fn a_setting_is_checked_shown_and_then_saved_with_the_comments_kept() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    let before = text(&mine);
    let shown =
        change(&browser, "signal", &[("signal.curtail_at", "312"), ("signal.resume_below", "300")]).with_status(200);
    for part in ["signal.curtail_at: 310 → 312", "−curtail_at = 310", "+curtail_at = 312", "What one run would do"]
    {
        assert!(shown.text().contains(part), "{part}: {}", shown.text());
    }
    assert!(!shown.text().contains("resume_below: "), "what is the same is no change");
    assert_eq!(text(&mine), before, "looking saves nothing");
    save(&browser, &shown).with_status(303);
    assert_eq!(text(&mine), before.replace("curtail_at = 310", "curtail_at = 312"));
    assert!(mine.events().contains("changed by debug page: ann from 10.0.0.9: signal.curtail_at: 310 → 312"));
    save(&browser, &shown).with_status(409);
    let mode = std::fs::metadata(mine.config()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the file's mode stays");
    let left = std::fs::read_dir(mine.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!left.into_iter().any(|name| name.starts_with("config-to-be")), "nothing waits any more");
}

#[test]
fn a_mistake_is_told_and_changes_nothing() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    let before = text(&mine);
    let cases = [
        ("signal", ("signal.curtail_at", "<b>many"), "wanted a number"),
        ("signal", ("signal.curtail_at", "290"), "resume_below"),
        ("signal", ("signal.url", "http://example.org/x"), "is not private"),
        ("tick", ("tick.budget", "3 minutes"), "must be shorter than `loop_interval`"),
        ("paths", ("paths.page", "elsewhere"), "over SSH only"),
        ("foreman", ("foreman.api_key_file", "/etc/shadow"), "over SSH only"),
    ];
    for (section, field, words) in cases {
        let answer = change(&browser, section, &[field]).with_status(422);
        assert!(answer.text().contains(words), "{section}: {}", answer.text());
        assert!(!answer.body.contains("<b>"), "escaped");
    }
    let same = change(&browser, "signal", &[("signal.curtail_at", "310")]).with_status(200);
    assert!(same.text().contains("Nothing differs from the file"), "{}", same.text());
    assert_eq!(text(&mine), before);
}

#[test]
fn a_secret_left_empty_is_kept_and_a_new_one_is_never_sent_back() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    let shown = change(&browser, "foreman", &[("foreman.batch", "21"), ("foreman.api_key", "")]).with_status(200);
    save(&browser, &shown).with_status(303);
    assert!(text(&mine).contains("api_key = \"site-foreman-key\"") && text(&mine).contains("batch = 21"));
    let shown = change(&browser, "foreman", &[("foreman.api_key", "brand-new-key")]).with_status(200);
    assert!(shown.text().contains("foreman.api_key: a new secret"), "{}", shown.text());
    assert!(!shown.body.contains("brand-new-key"), "typed is not shown");
    save(&browser, &shown).with_status(303);
    assert!(text(&mine).contains("api_key = \"brand-new-key\""));
    assert!(!mine.events().contains("brand-new-key"), "nor recorded");
}

#[test]
fn an_address_does_not_take_a_kept_secret_elsewhere() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    let before = text(&mine);
    for (section, field) in [("foreman", "foreman.url"), ("pdu.spdu-a", "pdu.spdu-a.url"), ("telegram", "telegram.url")]
    {
        let answer = change(&browser, section, &[(field, "https://evil.example")]).with_status(422);
        assert!(answer.text().contains("type that one anew as well"), "{}", answer.text());
    }
    let answer = change(&browser, "email", &[("email.host", "10.9.9.9")]).with_status(422);
    assert!(answer.text().contains("`password`"), "{}", answer.text());
    assert_eq!(text(&mine), before);
    let both = [("foreman.url", "https://foreman.example"), ("foreman.api_key", "brand-new-key")];
    let shown = change(&browser, "foreman", &both).with_status(200);
    save(&browser, &shown).with_status(303);
    assert!(text(&mine).contains("https://foreman.example"));
}

#[test]
fn a_file_that_was_changed_meanwhile_is_not_overwritten() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    // Between the two forms.
    let shown = change(&browser, "signal", &[("signal.curtail_at", "312")]).with_status(200);
    mine.run(&["config", "set", "signal.resume_below", "295"]).done();
    let answer = save(&browser, &shown).with_status(409);
    assert!(answer.text().contains("changed by someone else"), "{}", answer.text());
    // Before the first one.
    let page = browser.open("/config", "section=signal");
    mine.run(&["config", "set", "signal.resume_below", "296"]).done();
    let fields =
        [("do", "preview"), ("section", "signal"), ("seen", &page.field("seen")), ("signal.curtail_at", "312")];
    browser.send("/config", &fields).with_status(409);
    // Another change was begun in this browser since.
    let first = change(&browser, "signal", &[("signal.curtail_at", "312")]).with_status(200);
    change(&browser, "signal", &[("signal.curtail_at", "313")]).with_status(200);
    save(&browser, &first).with_status(409);
    // What another browser has begun is not there for this one.
    let other = Browser::new(&mine, "bob");
    other.open("/", "");
    save(&other, &first).with_status(409);
    assert_eq!(mine.run(&["config", "get", "signal.curtail_at"]).done().trim(), "310");
    assert_eq!(mine.run(&["config", "get", "signal.resume_below"]).done().trim(), "296");
}

#[test]
fn a_setting_is_left_out_by_its_box_and_put_in_where_it_was_not() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    let shown =
        change(&browser, "signal", &[("out:signal.reread_near", "yes"), ("signal.modified_max_age", "45 minutes")]);
    let shown = shown.with_status(200);
    save(&browser, &shown).with_status(303);
    let text = text(&mine);
    assert!(text.contains("\n# reread_near = 5\n") && text.contains("modified_max_age = \"45 minutes\"\n"), "{text}");
    // A list over several lines goes as a whole; a secret leaves no trace.
    let fields = [("out:fans.capacity", "yes")];
    let shown = change(&browser, "fans", &fields).with_status(200);
    save(&browser, &shown).with_status(303);
    assert_eq!(mine.run(&["config", "check"]).code, 0);
    let needed = change(&browser, "signal", &[("out:signal.url", "yes")]).with_status(422);
    assert!(needed.text().contains("missing key `url`"), "{}", needed.text());
}

#[test]
fn going_live_is_said_loudly() {
    let mine = Mine::start(10.0, |text| text.replace("mode = \"live\"", "mode = \"observe\""));
    let browser = Browser::new(&mine, USER);
    let shown = change(&browser, "top", &[("mode", "live")]).with_status(200);
    assert!(shown.text().contains("From the next run on the program commands the mine"), "{}", shown.text());
    save(&browser, &shown).with_status(303);
    assert_eq!(mine.run(&["config", "get", "mode"]).done().trim(), "live");
}
