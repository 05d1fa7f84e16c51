//! What is not answered as it wants: strangers, forged and odd requests.

use crate::browser::{Browser, USER, form};
use crate::mine::Mine;

const SET_FAN: [(&str, &str); 5] =
    [("do", "apply"), ("target", "fan 3"), ("value", "on"), ("for", "20 min"), ("reason", "test")];

#[test]
fn forged_and_odd_requests_change_nothing() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);

    // Nobody is logged in: not even looking is allowed.
    for user in ["", " ", "a\u{1}b"] {
        let answer = browser.request("GET", "/", "", "", &[("REMOTE_USER", user)]).with_status(403);
        assert!(!answer.body.contains("fan"), "{}", answer.text());
    }
    browser.open("/", "").with_status(200);
    let token = browser.token.borrow().clone();
    let body = |token: &str| form(&[&[("token", token)], &SET_FAN[..]].concat());
    let refused = |status: u16, method: &str, path: &str, body: &str, other: &[(&str, &str)]| {
        browser.request(method, path, "", body, other).with_status(status);
    };

    // Method, type, size.
    let allowed = browser.request("PUT", "/", "", "", &[]).with_status(405);
    assert_eq!(allowed.header("Allow"), "GET, HEAD, POST");
    refused(405, "post", "/", "", &[]);
    for kind in
        ["", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-16"]
    {
        refused(415, "POST", "/", &body(&token), &[("CONTENT_TYPE", kind)]);
    }
    refused(411, "POST", "/", &body(&token), &[("CONTENT_LENGTH", "")]);
    for length in ["-1", "ten", "9999"] {
        refused(400, "POST", "/", &body(&token), &[("CONTENT_LENGTH", length)]);
    }
    let padded = |bytes: usize| format!("{}&x={}", body(&token), "y".repeat(bytes - body(&token).len() - 3));
    refused(413, "POST", "/", &padded(64 * 1024 + 1), &[]);
    refused(413, "POST", "/", "", &[("CONTENT_LENGTH", "99999999999999999999999")]);
    refused(414, "GET", "/", "", &[("QUERY_STRING", "x".repeat(2049).as_str())]);
    refused(400, "POST", "/", &format!("{}&value=off", body(&token)), &[]);
    refused(400, "GET", "/", "", &[("SCRIPT_NAME", "//evil.example")]);
    refused(404, "GET", "/../etc", "", &[]);
    refused(404, "POST", "/other", &body(&token), &[]);

    // Another site, by what the browser says.
    for origin in ["http://evil.example", "null", "http://pi.local:8080"] {
        refused(403, "POST", "/", &body(&token), &[("HTTP_ORIGIN", origin)]);
    }
    refused(403, "POST", "/", &body(&token), &[("HTTP_ORIGIN", "")]);
    refused(403, "POST", "/", &body(&token), &[("HTTP_ORIGIN", ""), ("HTTP_REFERER", "http://evil.example/pi.local")]);
    refused(403, "POST", "/", &body(&token), &[("HTTP_SEC_FETCH_SITE", "cross-site")]);

    // No token, a touched one, another user's, another browser's.
    for bad in ["", "1795374000.00", token.replace('.', "0.").as_str(), &token[..token.len() - 1]] {
        refused(403, "POST", "/", &body(bad), &[]);
    }
    refused(403, "POST", "/", &body(&token), &[("REMOTE_USER", "bob")]);
    refused(403, "POST", "/", &body(&token), &[("HTTP_COOKIE", "")]);
    refused(403, "POST", "/", &body(&token), &[("HTTP_COOKIE", "minectl=0123456789abcdef0123456789abcdef")]);

    assert!(!mine.run(&["status"]).done().contains("fan 3 = on"));
    assert!(!mine.events().contains("debug page"), "{}", mine.events());

    // The same form, as it should be; also just as large as is allowed, and told by Referer alone.
    let referer = [("HTTP_ORIGIN", ""), ("HTTP_REFERER", "http://pi.local/admin/")];
    browser.request("POST", "/", "", &padded(64 * 1024), &referer).with_status(303);
    assert!(mine.run(&["status"]).done().contains("fan 3 = on"));
}

#[test]
fn a_form_that_is_an_hour_old_is_refused() {
    let mine = Mine::start(10.0, |text| text);
    mine.tick().silent();
    let browser = Browser::new(&mine, USER);
    browser.open("/", "");
    browser.send("/", &[("do", "preview")]).with_status(200);
    let old = browser.token.borrow().clone();
    let end: f64 = old.split('.').next().unwrap().parse().unwrap();
    let ahead = format!("{}:{}:1", real_now(), end + 1.0);
    let answer = browser.send_with("/", &SET_FAN, &[("MINECTL_TEST_CLOCK", ahead.as_str())]).with_status(403);
    assert!(answer.text().contains("too old"), "{}", answer.text());
    let before = format!("{}:{}:1", real_now(), end - 5.0);
    browser.send_with("/", &SET_FAN, &[("MINECTL_TEST_CLOCK", before.as_str())]).with_status(303);
}

#[test]
fn every_answer_forbids_scripts_frames_and_keeping_it() {
    let mine = Mine::start(10.0, |text| text);
    let browser = Browser::new(&mine, USER);
    let answers = [
        browser.open("/", ""),
        browser.open("/config", "section=foreman"),
        browser.request("GET", "", "", "", &[]),
        browser.request("GET", "/none", "", "", &[]),
        browser.request("GET", "/", "", "", &[("REMOTE_USER", "")]),
        browser.send("/", &[("do", "nothing")]),
    ];
    let handler = regex::Regex::new("<[^>]* on[a-z]+=|javascript:").unwrap();
    for (answer, status) in answers.iter().zip([200, 200, 303, 404, 403, 400]) {
        assert_eq!(answer.status, status, "{}", answer.text());
        let policy = answer.header("Content-Security-Policy");
        for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("Cache-Control"), "no-store");
        assert_eq!(answer.header("X-Frame-Options"), "DENY");
        assert_eq!(answer.header("X-Content-Type-Options"), "nosniff");
        assert!(!answer.body.contains("<script") && !handler.is_match(&answer.body), "no script in any form");
    }
    let cookie = answers[0].header("Set-Cookie");
    assert!(cookie.contains("Path=/admin/; HttpOnly; SameSite=Strict"), "{cookie}");
    let head = browser.request("HEAD", "/", "", "", &[]).with_status(200);
    assert_eq!(head.body, "");
}

#[test]
fn with_a_broken_configuration_the_page_says_so_and_shows_no_secret() {
    let mine = Mine::start(10.0, |text| text.replace("curtail_at = 310", "curtail_at = \"many\""));
    let answer = Browser::new(&mine, USER).request("GET", "/", "", "", &[]).with_status(500);
    assert!(
        answer.text().contains("signal.curtail_at") && answer.text().contains("minectl config edit"),
        "{}",
        answer.text()
    );
    crate::settings::no_secret_in(&answer.body);
}

fn real_now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}
