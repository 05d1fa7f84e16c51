//! Email: against a server with real TLS.

use std::io::Write as _;
use std::time::{Duration, Instant};

use minectl::config::{Config, EmailConfig, MailSecurity, Secret};
use minectl::model::{Channel, DeliveryResult, Fault, FaultKind, OutboxEntry, Severity};
use minectl::units::Seconds;

use super::smtp_stand_in::{Authority, Encryption, Manner, SmtpStandIn};
use super::support::*;

/// A configuration for a server, and the file of its authority, which lives as long as it is held.
struct Site {
    cfg: Config,
    server: SmtpStandIn,
    _ca: tempfile::NamedTempFile,
}

fn site(manner: Manner) -> Site {
    let authority = Authority::new();
    let server = SmtpStandIn::start(manner.clone(), &authority);
    with_server(server, &manner, &authority.pem)
}

fn with_server(server: SmtpStandIn, manner: &Manner, trusted_pem: &str) -> Site {
    let mut ca = tempfile::NamedTempFile::new().unwrap();
    ca.write_all(trusted_pem.as_bytes()).unwrap();
    let email = EmailConfig {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        security: match manner.encryption {
            Encryption::None => MailSecurity::None,
            Encryption::StartTls => MailSecurity::StartTls,
            Encryption::Implicit => MailSecurity::Tls,
        },
        ca_file: Some(ca.path().to_owned()),
        user: manner.wants_login.then(|| "minectl".to_owned()),
        password: manner.wants_login.then(|| Secret::new(PASSWORD)),
        from: "Mine <minectl@example.org>".to_owned(),
        to: vec!["owner@example.org".to_owned(), "partner@example.org".to_owned()],
        timeout: Seconds(3),
    };
    Site { cfg: Config { email: Some(email), ..config() }, server, _ca: ca }
}

fn warning(text: &str) -> OutboxEntry {
    entry(4, Channel::Email, Severity::Warning, text)
}

fn send(site: &Site, text: &str) -> DeliveryResult {
    let result = deliver_one(&site.cfg, &warning(text));
    assert_no_secret(&format!("{result:?}"));
    result
}

#[track_caller]
fn assert_says(fault: &Fault, kind: FaultKind, words: &[&str]) {
    assert_eq!((fault.device.as_str(), fault.kind), ("email", kind), "{fault}");
    for word in words {
        assert!(fault.detail.contains(word), "{word} in {fault}");
    }
}

#[test]
fn a_message_has_subject_id_date_in_site_time_and_goes_to_all_at_once() {
    let mut site = site(Manner::plain());
    site.cfg.site.page_url = Some("http://10.0.0.5/".to_owned());
    assert_eq!(accepted(send(&site, "fan 3 is dead\nrelay on, 0 W for 4 min\n.\nintake 95.0 °F")), None);
    let taken = site.server.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, ["owner@example.org", "partner@example.org"]);
    assert_eq!(taken[0].header("Subject"), "[Container 7] WARNING: fan 3 is dead");
    assert_eq!(taken[0].header("From"), "Mine <minectl@example.org>");
    assert_eq!(taken[0].header("To"), "owner@example.org, partner@example.org");
    let date = taken[0].header("Date");
    assert!(date.starts_with("Sun, 17 Mar 2030 13:30:0") && date.ends_with("-0500"), "{date}");
    assert!(taken[0].header("Content-Type").starts_with("text/plain; charset=utf-8"));
    let id = taken[0].header("Message-ID");
    assert!(id.starts_with('<') && id.ends_with("@example.org>"), "{id}");
    let body = "[Container 7] WARNING: fan 3 is dead\nrelay on, 0 W for 4 min\n.\nintake 95.0 °F\n\nThe page: http://10.0.0.5/\n";
    assert_eq!(taken[0].body().trim_end(), body.trim_end());
}

#[test]
fn the_same_entry_has_the_same_message_id_and_another_has_another() {
    let site = site(Manner::plain());
    deliver_all(&site.cfg, &[warning("one")]);
    deliver_all(&site.cfg, &[warning("one")]);
    deliver_all(&site.cfg, &[entry(5, Channel::Email, Severity::Warning, "one")]);
    let ids: Vec<String> = site.server.taken().iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}

#[test]
fn a_label_with_line_ends_or_odd_letters_cannot_add_a_header() {
    let site = site(Manner::plain());
    send(&site, "probe `x`\rBcc: thief@example.net\u{2028}X-Evil: 1\u{b}Größe 漢 is stale");
    send(&site, "größer als 漢 🔥 ".repeat(30).as_str());
    let taken = site.server.taken();
    assert_eq!(taken[0].header("Subject"), "[Container 7] WARNING: probe `x`");
    assert_eq!(taken[0].to.len(), 2);
    let head = taken[0].text.split_once("\r\n\r\n").unwrap().0;
    assert!(!head.contains("Bcc") && !head.contains("X-Evil"), "{head}");
    assert!(taken[0].body().contains("\nBcc: thief@example.net\nX-Evil: 1Größe 漢 is stale"));
    assert!(taken[1].text.contains("=?utf-8?"));
}

#[test]
fn starttls_and_implicit_tls_work_with_a_private_authority_and_a_login() {
    for encryption in [Encryption::StartTls, Encryption::Implicit] {
        let site = site(Manner::secure(encryption));
        assert_eq!(accepted(send(&site, "hello")), None);
        assert!(site.server.taken()[0].was_encrypted);
        if encryption == Encryption::StartTls {
            let before: Vec<String> = site.server.lines().into_iter().take_while(|line| line != "STARTTLS").collect();
            assert_eq!(before.len(), 1, "nothing but EHLO in the clear: {before:?}");
        }
    }
}

#[test]
fn a_certificate_of_another_authority_or_name_is_refused_before_anything_is_said() {
    for encryption in [Encryption::StartTls, Encryption::Implicit] {
        let (theirs, ours) = (Authority::new(), Authority::new());
        let manner = Manner::secure(encryption);
        let site = with_server(SmtpStandIn::start(manner.clone(), &theirs), &manner, &ours.pem);
        let (fault, _) = later(send(&site, "hello"));
        assert_says(&fault, FaultKind::WrongDevice, &["certificate", "not trusted", "`ca_file`"]);
        assert!(!site.server.lines().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));

        let site = with_server(SmtpStandIn::start_as("mail.example.org", manner.clone(), &ours), &manner, &ours.pem);
        let (fault, _) = later(send(&site, "hello"));
        assert_says(&fault, FaultKind::WrongDevice, &["certificate", "`host`"]);
    }
}

#[test]
fn without_starttls_nothing_is_sent() {
    let mut site = site(Manner { wants_login: true, ..Manner::plain() });
    site.cfg.email.as_mut().unwrap().security = MailSecurity::StartTls;
    let (fault, _) = later(send(&site, "hello"));
    assert_says(&fault, FaultKind::Missing, &["STARTTLS", "465"]);
    assert!(!site.server.lines().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
}

#[test]
fn an_authority_file_that_is_missing_or_holds_none_is_named() {
    let mut site = site(Manner::secure(Encryption::StartTls));
    std::fs::write(site.cfg.email.as_ref().unwrap().ca_file.as_ref().unwrap(), "no PEM").unwrap();
    assert_says(&later(send(&site, "hello")).0, FaultKind::Missing, &["`ca_file`", "no PEM certificate"]);
    site.cfg.email.as_mut().unwrap().ca_file = Some("/nonexistent/ca.pem".into());
    assert_says(&later(send(&site, "hello")).0, FaultKind::Missing, &["/nonexistent/ca.pem"]);
}

#[test]
fn a_wrong_password_is_refused_for_good_and_the_servers_echo_of_it_is_not_told() {
    let mut site = site(Manner::secure(Encryption::StartTls));
    site.cfg.email.as_mut().unwrap().user = Some("other".to_owned());
    let fault = refused(send(&site, "hello"));
    assert_says(&fault, FaultKind::Refused, &["login", "535", "bad login: AUTH PLAIN ***", "password"]);
}

#[test]
fn a_server_that_knows_only_the_older_way_to_log_in_gets_that() {
    let site = site(Manner { mechanisms: "AUTH LOGIN", ..Manner::secure(Encryption::StartTls) });
    assert_eq!(accepted(send(&site, "hello")), None);
    let mut site = self::site(Manner { mechanisms: "AUTH LOGIN", ..Manner::secure(Encryption::Implicit) });
    site.cfg.email.as_mut().unwrap().user = Some("other".to_owned());
    assert_says(&refused(send(&site, "hello")), FaultKind::Refused, &["login", "535", "check `user`"]);
    let site = self::site(Manner { mechanisms: "AUTH XOAUTH2", ..Manner::secure(Encryption::StartTls) });
    assert_says(&later(send(&site, "hello")).0, FaultKind::Refused, &["offers no login by user and password"]);
}

#[test]
fn a_login_that_fails_for_now_is_tried_again_and_blames_no_password() {
    let replies = vec![("AUTH", "454 4.7.0 Temporary authentication failure")];
    let site = site(Manner { replies, ..Manner::secure(Encryption::StartTls) });
    let (fault, _) = later(send(&site, "hello"));
    assert_says(&fault, FaultKind::Status, &["login answered with 454", "Temporary authentication failure"]);
    assert!(!fault.detail.contains("check `user`"), "{fault}");
}

#[test]
fn a_port_and_an_encryption_that_do_not_fit_cost_no_more_than_the_wait_and_say_nothing_openly() {
    // TLS from the start towards a server that greets first, and the greeting awaited from one that waits for TLS.
    let mut site = site(Manner::secure(Encryption::StartTls));
    site.cfg.email.as_mut().unwrap().security = MailSecurity::Tls;
    let (fault, _) = later(send(&site, "hello"));
    assert_eq!(fault.kind, FaultKind::Unreadable, "{fault}");
    let mut site = self::site(Manner::secure(Encryption::Implicit));
    site.cfg.email.as_mut().unwrap().security = MailSecurity::StartTls;
    site.cfg.email.as_mut().unwrap().timeout = Seconds(1);
    let (fault, _) = later(send(&site, "hello"));
    assert_eq!(fault.kind, FaultKind::TimedOut, "{fault}");
    assert!(!site.server.lines().iter().any(|line| line.starts_with("AUTH")));
}

#[test]
fn a_login_that_the_server_does_not_offer_and_one_that_it_wants() {
    let mut site = site(Manner::plain());
    site.cfg.email.as_mut().unwrap().user = Some("minectl".to_owned());
    site.cfg.email.as_mut().unwrap().password = Some(Secret::new(PASSWORD));
    assert_says(&later(send(&site, "hello")).0, FaultKind::Refused, &["offers no login"]);

    let mut site = self::site(Manner { wants_login: true, ..Manner::plain() });
    site.cfg.email.as_mut().unwrap().user = None;
    assert_says(&refused(send(&site, "hello")), FaultKind::Status, &["sender", "530", "login required"]);
}

#[test]
fn one_refused_recipient_costs_the_other_nothing_and_is_remarked() {
    let replies = vec![("RCPT TO:<OWNER", "550 5.1.1 no such user")];
    let site = site(Manner { replies, ..Manner::plain() });
    let remark = accepted(send(&site, "hello")).unwrap();
    assert_says(&remark, FaultKind::Status, &["owner@example.org", "550", "no such user"]);
    assert_eq!(site.server.taken()[0].to, ["partner@example.org"]);
}

#[test]
fn a_greylisted_recipient_is_tried_again_alone_and_the_other_gets_it_once() {
    let replies = vec![("RCPT TO:<PARTNER", "450 4.2.0 greylisted, come back in 5 minutes")];
    let mut site = site(Manner { replies, ..Manner::plain() });
    let kept = kept_after(&site.cfg, &warning("hello"));
    assert_eq!(kept.reached, ["owner@example.org"]);
    assert_eq!(site.server.taken()[0].to, ["owner@example.org"]);

    let later = self::site(Manner::plain());
    site.cfg.email.as_mut().unwrap().port = later.server.port;
    assert_eq!(accepted(deliver_one(&site.cfg, &kept)), None);
    let taken = later.server.taken();
    assert_eq!(taken[0].to, ["partner@example.org"]);
    assert_eq!(taken[0].header("To"), "owner@example.org, partner@example.org", "the same message");
    assert_eq!(taken[0].header("Message-ID"), site.server.taken()[0].header("Message-ID"));
}

#[test]
fn a_recipient_refused_for_good_after_the_others_got_it_is_remarked_and_not_tried_again() {
    let replies = vec![("RCPT TO:<PARTNER", "550 5.1.1 no such user")];
    let site = site(Manner { replies, ..Manner::plain() });
    let kept = OutboxEntry { reached: vec!["owner@example.org".to_owned()], ..warning("hello") };
    let remark = accepted(deliver_one(&site.cfg, &kept)).unwrap();
    assert_says(&remark, FaultKind::Status, &["partner@example.org", "no such user"]);
    assert!(site.server.taken().is_empty());
}

#[test]
fn all_recipients_refused_is_for_good_and_greylisting_is_not() {
    let replies = vec![("RCPT", "550 5.1.1 no such user")];
    let site = site(Manner { replies, ..Manner::plain() });
    assert_says(&refused(send(&site, "hello")), FaultKind::Status, &["owner@", "partner@"]);

    let replies = vec![("RCPT", "451 4.7.1 greylisted, come back")];
    let site = self::site(Manner { replies, ..Manner::plain() });
    let (fault, wait) = later(send(&site, "hello"));
    assert_says(&fault, FaultKind::Status, &["451", "greylisted"]);
    assert_eq!(wait, 30);
    assert!(!site.server.lines().contains(&"DATA".to_owned()));
}

#[test]
fn the_verdict_on_the_message_counts() {
    let site = site(Manner { verdict: "552 5.3.4 too big", ..Manner::plain() });
    assert_says(&refused(send(&site, "hello")), FaultKind::Status, &["message", "552"]);
    let site = self::site(Manner { verdict: "452 4.3.1 disk full", ..Manner::plain() });
    assert_says(&later(send(&site, "hello")).0, FaultKind::Status, &["452", "disk full"]);
    let replies = vec![("GREETING", "421 4.3.2 shutting down")];
    let site = self::site(Manner { replies, ..Manner::plain() });
    assert_says(&later(send(&site, "hello")).0, FaultKind::Status, &["greeting", "421"]);
}

#[test]
fn a_server_that_is_silent_or_drips_costs_the_configured_wait_at_any_step() {
    std::thread::scope(|scope| {
        for step in ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "VERDICT"] {
            let silent = Manner { silent_at: step, ..Manner::plain() };
            let dripping = Manner { drips_at: step, ..Manner::plain() };
            for manner in [silent, dripping] {
                scope.spawn(move || {
                    let mut site = site(manner);
                    site.cfg.email.as_mut().unwrap().timeout = Seconds(1);
                    let began = Instant::now();
                    assert_says(&later(send(&site, "hello")).0, FaultKind::TimedOut, &["127.0.0.1"]);
                    assert!(began.elapsed() < Duration::from_millis(1900), "{step}: {:?}", began.elapsed());
                });
            }
        }
    });
}

#[test]
fn a_conversation_that_was_left_behind_does_not_send_the_message_afterwards() {
    let mut site = site(Manner { crawls_at: "RCPT TO:<PARTNER", ..Manner::plain() });
    site.cfg.email.as_mut().unwrap().timeout = Seconds(1);
    assert_says(&later(send(&site, "hello")).0, FaultKind::TimedOut, &["not done within 1.0 s"]);
    let began = Instant::now();
    while !site.server.lines().contains(&"QUIT".to_owned()) {
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", site.server.lines());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!site.server.lines().contains(&"DATA".to_owned()));
    assert!(site.server.taken().is_empty());
}

#[test]
fn a_connection_that_ends_is_broken_and_a_closed_port_unreachable() {
    for step in ["GREETING", "EHLO", "MAIL", "VERDICT"] {
        let site = site(Manner { ends_at: step, ..Manner::plain() });
        assert_says(&later(send(&site, "hello")).0, FaultKind::Broken, &["broke off"]);
    }
    let mut site = site(Manner::plain());
    site.cfg.email.as_mut().unwrap().port = 1;
    assert_says(&later(send(&site, "hello")).0, FaultKind::Unreachable, &["127.0.0.1:1", "refused"]);
}

#[test]
fn a_goodbye_without_answer_changes_nothing_and_costs_nothing() {
    let site = site(Manner { silent_at: "QUIT", ..Manner::plain() });
    let began = Instant::now();
    assert_eq!(accepted(send(&site, "hello")), None);
    assert!(began.elapsed() < Duration::from_millis(700), "{:?}", began.elapsed());
}
