//! The signal's pages are kept as they came, at each change and when they cannot be read, and the owner is told where.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::mine::Mine;

/// The pages that are kept, oldest first.
fn kept(mine: &Mine) -> Vec<String> {
    let entries = std::fs::read_dir(mine.data().join("evidence")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".html")).collect();
    names.sort();
    names
}

/// The bytes of the newest, which must be of this kind and bear its hash.
fn newest(mine: &Mine, kind: &str) -> String {
    let name = kept(mine).pop().unwrap();
    assert!(name.contains(&format!("-{kind}-")), "{name} is not of kind {kind}");
    let bytes = std::fs::read(mine.data().join("evidence").join(&name)).unwrap();
    let hash: String = Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert!(name.ends_with(&format!("-{hash}.html")), "{name} is not {hash}");
    assert_eq!(mine.status_json()["signal"]["kept_page"], format!("evidence/{name}"));
    assert!(mine.log().contains(&format!("page kept as evidence: evidence/{name} (SHA-256 begins {hash})")), "{name}");
    String::from_utf8(bytes).unwrap()
}

#[test]
fn pages_are_kept_at_each_change_and_the_owner_is_told_where() {
    let mine = Mine::start(60.0, |text| text.replace("mode = \"live\"", "mode = \"observe\""));
    mine.tick().silent();
    assert!(newest(&mine, "level").contains(">250<"));
    let head =
        std::fs::read_to_string(mine.data().join("evidence").join(kept(&mine)[0].replace(".html", ".head"))).unwrap();
    assert!(head.contains("/power-signal\nstatus: 200\n") && head.contains("last-modified: "), "{head}");
    mine.wait_site(61.0);
    mine.tick().silent();
    assert_eq!(kept(&mine).len(), 1, "the same number on a newer page");
    mine.set(json!({"signal_number": 251}));
    mine.wait_site(61.0);
    mine.tick().silent();
    assert!(newest(&mine, "change").contains(">251<"));
    mine.set(json!({"signal_number": 320}));
    mine.wait_site(61.0);
    mine.tick().silent();
    assert!(newest(&mine, "level").contains(">320<"));
    mine.set(json!({"signal_html": "<html><title>Prairie Fork</title><p>System load: see our new page</p></html>"}));
    mine.wait_site(61.0);
    mine.tick().silent();
    assert!(newest(&mine, "fault").contains("see our new page"));
    let count = kept(&mine).len();
    mine.wait_site(61.0);
    mine.tick().silent();
    assert_eq!(kept(&mine).len(), count, "the same fault is not kept again");
    let events = mine.run(&["events"]).done();
    assert_eq!(events.matches("page kept as evidence: evidence/").count(), 3, "{events}");
    let explained = mine.run(&["signal", "explain"]);
    assert_eq!(explained.code, 1);
    assert!(explained.stdout.contains("FAIL  element"), "{}", explained.stdout);
}

/// A page that says these numbers, one after the other; the last is repeated.
fn page_that_says(numbers: &'static [&'static str]) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/power-signal", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (place, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok_and(|length| length > 0) {
                let number = numbers.get(place).or(numbers.last()).unwrap();
                let body = format!("<p>Prairie Fork: System load <b id=\"load-number\">{number}</b>");
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                // The program may have given up.
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
            }
        }
    });
    url
}

/// A mine in observe mode beside a page of the test's own.
fn beside(url: &str) -> Mine {
    Mine::start(60.0, |text| {
        let text = text.replace("http://127.0.0.1:18001/power-signal", url);
        let text = text.replace("stamp_selector = ", "# ").replace("stamp_format = ", "# ");
        text.replace("mode = \"live\"", "mode = \"observe\"")
    })
}

#[test]
fn a_page_that_takes_back_its_call_at_once_is_believed_for_the_call_and_both_pages_are_kept() {
    let mine = beside(&page_that_says(&["250", "250", "320", "250"]));
    mine.tick().silent();
    assert_eq!(mine.status_json()["signal"]["level"], "run", "{}", mine.log());
    mine.wait_site(61.0);
    mine.tick().silent();
    assert_eq!(mine.status_json()["signal"]["level"], "curtail");
    assert!(mine.log().contains("two looks at the page differ: `320`, then `250`"), "{}", mine.log());
    let pages: Vec<String> = kept(&mine)
        .iter()
        .map(|name| std::fs::read_to_string(mine.data().join("evidence").join(name)).unwrap())
        .collect();
    assert_eq!(pages.iter().filter(|page| page.contains(">320<")).count(), 1, "{pages:?}");
    assert_eq!(pages.iter().filter(|page| page.contains(">250<")).count(), 2, "{pages:?}");
    assert!(newest(&mine, "level").contains(">320<"), "the reading that counts");
}

#[test]
fn a_page_that_takes_back_its_all_clear_at_once_is_not_believed() {
    let mine = beside(&page_that_says(&["320", "320", "250", "320"]));
    mine.tick().silent();
    assert_eq!(mine.status_json()["signal"]["level"], "curtail");
    mine.wait_site(61.0);
    mine.tick().silent();
    assert_eq!(mine.status_json()["signal"]["level"], "curtail");
    assert!(mine.log().contains("two looks at the page differ: `250`, then `320`"), "{}", mine.log());
    assert!(kept(&mine).iter().any(|name| name.contains("-change-")), "{:?}", kept(&mine));
}
