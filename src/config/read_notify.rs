//! Reads who is told and how: `[notify]`, `[telegram]`, `[email]`, `[sms]`, `[dead_man]`; and `[influx]`.

use regex::Regex;

use super::check::{self, Shape};
use super::entry::Kind;
use super::read_pdu::both_or_none;
use super::section::{Need, Section, Want};
use super::value::{TEXT, one_of, plain};
use super::{
    ChatRights, DeadManConfig, EmailConfig, HeartbeatStyle, InfluxConfig, MailSecurity, NotifyConfig, SmsConfig,
    SmsProvider, TelegramConfig,
};
use crate::model::Channel;
use crate::units::Seconds;

const CHANNELS: [(&str, Channel); 3] =
    [("telegram", Channel::Telegram), ("email", Channel::Email), ("sms", Channel::Sms)];
const SECURITIES: [(&str, MailSecurity); 3] =
    [("starttls", MailSecurity::StartTls), ("tls", MailSecurity::Tls), ("none", MailSecurity::None)];
const HEARTBEATS: [(&str, HeartbeatStyle); 2] = [("post", HeartbeatStyle::Post), ("edit", HeartbeatStyle::Edit)];
const METHODS: [(&str, &str); 2] = [("POST", "POST"), ("GET", "GET")];

const TWILIO_KEYS: [&str; 4] = ["account_sid", "auth_token", "auth_token_file", "from"];
const TEMPLATE_KEYS: [&str; 7] = ["method", "headers", "key", "key_file", "body", "success", "refused"];

/// `configured` are the channels that have a section.
pub(super) fn read_notify(s: &Section<'_>, configured: &[Channel]) -> Option<NotifyConfig> {
    let channels = |key: &'static str, default: &'static str| {
        let channels = s.texts(key, Need::Default(default), |text| {
            let channel = one_of(text, &CHANNELS)?;
            let way_out = format!("add the section [{text}], or leave it out here");
            configured.contains(&channel).then_some(channel).ok_or(format!("`{text}` is not configured; {way_out}"))
        })?;
        let twice =
            channels.iter().enumerate().find(|(index, channel)| channels.iter().skip(index + 1).any(|c| c == *channel));
        if let Some((_, channel)) = twice {
            s.mistake(key, format!("`{}` is listed twice", channel.word()));
        }
        Some(channels)
    };
    let heartbeat = channels("heartbeat", r#"["telegram"]"#);
    let info = channels("info", r#"["telegram"]"#);
    let warning = channels("warning", r#"["telegram", "email"]"#);
    let emergency = channels("emergency", r#"["telegram", "email", "sms"]"#);
    let week = Seconds::minutes(7 * 24 * 60);
    let pace = Seconds::minutes(1)..=week;
    let heartbeat_interval = s.span("heartbeat_interval", Need::Default("1 hour"), pace.clone());
    let warning_reminder = s.span("warning_reminder", Need::Default("4 hours"), pace.clone());
    let emergency_reminder = s.span("emergency_reminder", Need::Default("15 minutes"), pace);
    let max_per_hour = s.number("max_per_hour", Need::Default("30"), 1..=1000);
    let give_up_after = s.span("give_up_after", Need::Default("2 days"), Seconds::minutes(10)..=week);
    let send_limit = s.span("send_limit", Need::Default("15 s"), Seconds(1)..=Seconds(120));
    s.finish();
    if emergency.as_ref().is_some_and(Vec::is_empty) {
        s.mistake("emergency", "names no channel, so nobody would be told; name at least one");
    }
    Some(NotifyConfig {
        heartbeat: heartbeat?,
        info: info?,
        warning: warning?,
        emergency: emergency?,
        heartbeat_interval: heartbeat_interval?,
        warning_reminder: warning_reminder?,
        emergency_reminder: emergency_reminder?,
        max_per_hour: u32::try_from(max_per_hour?).ok()?,
        give_up_after: give_up_after?,
        send_limit: send_limit?,
    })
}

pub(super) fn read_telegram(s: &Section<'_>) -> Option<TelegramConfig> {
    let url = s.url("url", Need::Required, Shape::Base);
    let token = s.secret("token", "token_file", Need::Required);
    let chat_id = s.text("chat_id", Need::Required);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("10 s"), Seconds(1)..=Seconds(60));
    let heartbeat = s.word("heartbeat", Need::Default("post"), &HEARTBEATS);
    let commands = read_rights(s, chat_id.as_deref());
    s.finish();
    Some(TelegramConfig {
        url: url?,
        token: token?,
        chat_id: chat_id?,
        ca_file,
        timeout: timeout?,
        heartbeat: heartbeat?,
        commands: commands?,
    })
}

/// Who may command; `Some(None)` where nobody may, `None` after a mistake. Without a list it is the chat that is told.
fn read_rights(s: &Section<'_>, chat_id: Option<&str>) -> Option<Option<ChatRights>> {
    let may_command = s.flag("commands");
    let chats = s.texts("command_chats", Need::Optional, chat_number);
    let users = s.texts("command_users", Need::Optional, chat_number);
    for (key, list) in [("command_chats", &chats), ("command_users", &users)] {
        if list.as_ref().is_some_and(Vec::is_empty) && s.has(key) {
            s.mistake(key, "is empty, so nobody could command; name somebody, or leave it out");
        }
        if s.has(key) && may_command == Some(false) {
            s.mistake(key, "goes with `commands = true`");
        }
    }
    if !may_command? {
        return Some(None);
    }
    let wrong = |list: &Option<Vec<i64>>, key: &str| s.has(key) && list.is_none();
    if wrong(&chats, "command_chats") || wrong(&users, "command_users") {
        return None;
    }
    let chats = match chats {
        Some(chats) if s.has("command_chats") => chats,
        Some(_) | None => match chat_number(chat_id?) {
            Ok(chat) => vec![chat],
            Err(_) => {
                s.missing("command_chats", "the numbers of the chats that may command, since `chat_id` is a name");
                return None;
            }
        },
    };
    Some(Some(ChatRights { chats, users: users.unwrap_or_default() }))
}

/// Telegram's number of a chat (a group's is negative) or of a person.
fn chat_number(text: &str) -> Result<i64, String> {
    let number = text.parse::<i64>().ok().filter(|number| *number != 0);
    number.ok_or_else(|| {
        format!("`{text}` is no number of a chat or a person, as in \"-1001234567890\" or \"123456789\"")
    })
}

pub(super) fn read_email(s: &Section<'_>) -> Option<EmailConfig> {
    let want_host = Want { what: "a mail server such as \"smtp.example.org\"", kind: Kind::Text };
    let host = s.checked("host", want_host, Need::Required, check::host);
    let port = s.number("port", Need::Required, 1..=65_535);
    let security = s.word("security", Need::Required, &SECURITIES);
    let ca_file = s.existing_file("ca_file");
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    both_or_none(s);
    let from = s.checked("from", TEXT, Need::Required, check::mailbox);
    let to = s.texts("to", Need::Required, check::mailbox);
    let timeout = s.span("timeout", Need::Default("15 s"), Seconds(1)..=Seconds(120));
    s.finish();
    some_recipient(s, to.as_deref());
    if let (Some(host), Some(MailSecurity::None)) = (&host, security)
        && !check::is_private_name(host)
    {
        let text = format!("\"none\" would send password and mail openly to `{host}`; use \"starttls\" or \"tls\"");
        s.mistake("security", text);
    }
    Some(EmailConfig {
        host: host?,
        port: u16::try_from(port?).ok()?,
        security: security?,
        ca_file,
        user,
        password,
        from: from?,
        to: to?,
        timeout: timeout?,
    })
}

fn some_recipient(s: &Section<'_>, to: Option<&[String]>) {
    if to.is_some_and(<[String]>::is_empty) {
        s.mistake("to", "has no recipient");
    }
}

/// Twilio's keys or a template's; both are asked for, so that both are known.
pub(super) fn read_sms(s: &Section<'_>) -> Option<SmsConfig> {
    let by_template = TEMPLATE_KEYS.iter().find(|key| s.has(key));
    let by_twilio = TWILIO_KEYS.iter().find(|key| s.has(key));
    if let (Some(template_key), Some(twilio_key)) = (by_template, by_twilio) {
        s.book.mistake_in_line(
            s.line_of(template_key),
            format!(
                "`{}`: goes with a provider's template, `{twilio_key}` with Twilio; keep the keys of one",
                s.path_of(template_key)
            ),
        );
    }
    let is_template = by_template.is_some();
    let need = |wanted: bool| if wanted { Need::Required } else { Need::Optional };
    let url = match is_template {
        true => s.checked("url", TEXT, Need::Required, template_url),
        false => s.url("url", Need::Required, Shape::Base),
    };
    let twilio = read_twilio(s, need(!is_template));
    let template = read_template(s, need(is_template && by_twilio.is_none()));
    let to = s.texts("to", Need::Required, check::telephone);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("10 s"), Seconds(1)..=Seconds(60));
    s.finish();
    some_recipient(s, to.as_deref());
    let provider = if is_template { template } else { twilio };
    if let (Some(SmsProvider::Template { method, .. }), Some(url)) = (&provider, &url)
        && method == "GET"
        && !(url.contains("{to}") && url.contains("{text}"))
    {
        s.mistake("url", "needs `{to}` and `{text}` in it, since a GET has no body");
    }
    Some(SmsConfig { url: url?, provider: provider?, to: to?, ca_file, timeout: timeout? })
}

/// The whole address; `{to}`, `{text}` and `{key}` may stand in it.
fn template_url(text: &str) -> Result<String, String> {
    let filled = ["{to}", "{text}", "{key}"].iter().fold(text.to_owned(), |text, name| text.replace(name, "x"));
    check::url(&filled, Shape::Whole).map(|_| text.to_owned())
}

fn read_twilio(s: &Section<'_>, need: Need) -> Option<SmsProvider> {
    let account_sid = s.text("account_sid", need);
    let auth_token = s.secret("auth_token", "auth_token_file", need);
    let from = s.text("from", need);
    Some(SmsProvider::Twilio { account_sid: account_sid?, auth_token: auth_token?, from: from? })
}

fn read_template(s: &Section<'_>, need: Need) -> Option<SmsProvider> {
    let method = s.word("method", Need::Default("POST"), &METHODS).map(str::to_owned);
    let headers = s.texts("headers", Need::Optional, |line| check::header(line, "{key}"));
    let key = s.secret("key", "key_file", Need::Optional);
    // A GET carries all in its address.
    let body_need = if method.as_deref() == Some("GET") { Need::Optional } else { need };
    let body = s.checked("body", TEXT, body_need, |text| {
        plain(&text.replace(['\n', '\t', '\r'], " ")).map(|_| text.to_owned())
    });
    let headers = headers.unwrap_or_default();
    if !s.has("key") && !s.has("key_file") && headers.iter().any(|line| line.contains("{key}")) {
        s.missing("key", "what `{key}` in the header lines stands for; or name its file by `key_file`");
    }
    let success = s.checked("success", TEXT, need, |text| {
        let pattern = answer_pattern(text)?;
        // Such a pattern is written to be rid of the question.
        match pattern.is_match("") && pattern.is_match("x") {
            true => Err(format!("`{text}` matches any answer; give the words of the provider's success")),
            false => Ok(pattern),
        }
    });
    let refused = s.checked("refused", TEXT, Need::Optional, answer_pattern);
    let method = method?;
    let body = match body {
        Some(body) => body,
        None if method == "GET" => String::new(),
        None => return None,
    };
    if method == "POST" && !(body.contains("{to}") && body.contains("{text}")) {
        s.mistake("body", "needs `{to}` and `{text}` in it");
    }
    Some(SmsProvider::Template { method, headers, key, body, success: success?, refused })
}

/// A pattern that is looked for in an answer.
fn answer_pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|cause| {
        // The package draws the pattern over several lines; its last one is the cause.
        let cause = cause.to_string();
        let cause = cause.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("`{text}` is not a pattern: {cause}")
    })
}

pub(super) fn read_dead_man(s: &Section<'_>) -> Option<DeadManConfig> {
    let url = s.url("url", Need::Required, Shape::Prefix);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("5 s"), Seconds(1)..=Seconds(60));
    s.finish();
    Some(DeadManConfig { url: url?, ca_file, timeout: timeout? })
}

pub(super) fn read_influx(s: &Section<'_>) -> Option<InfluxConfig> {
    let want_url = Want { what: "an address such as \"http://10.0.0.5:8428/write\"", kind: Kind::Text };
    let url = s.checked("url", want_url, Need::Required, write_url);
    let token = s.secret("token", "token_file", Need::Optional);
    let user = s.text("user", Need::Optional);
    let password = s.secret("password", "password_file", Need::Optional);
    let ca_file = s.ca_file(url.as_deref());
    let timeout = s.span("timeout", Need::Default("10 s"), Seconds(1)..=Seconds(60));
    s.finish();
    both_or_none(s);
    if (s.has("token") || s.has("token_file")) && s.has("user") {
        s.mistake("user", "goes with a password; with a token, leave it out");
    }
    Some(InfluxConfig { url: url?, token, user, password, ca_file, timeout: timeout? })
}

/// The whole address, without what is ours to say: times are in nanoseconds, and a login stands in keys of its own.
fn write_url(text: &str) -> Result<String, String> {
    let whole = check::url(text, Shape::Whole)?;
    let Ok(parsed) = url::Url::parse(&whole) else { return Ok(whole) };
    let named: Vec<String> = parsed.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let has = |wanted: &str| named.iter().any(|name| name == wanted);
    if has("u") || has("p") {
        return Err("holds `u` or `p`, a login; use `user` and `password`".to_owned());
    }
    if has("precision") {
        return Err(
            "must be without `precision`: times are written in nanoseconds, which is what is taken for granted"
                .to_owned(),
        );
    }
    if parsed.path() == "/" {
        return Err("has no path; write all of it, as in `http://10.0.0.5:8086/write?db=mine`".to_owned());
    }
    Ok(whole)
}
