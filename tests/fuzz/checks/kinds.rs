//! The configurations that the readers are tried with: the kinds of pages of the signal's fixtures, and dialects of
//! PDUs that between them use every key.

use std::path::Path;
use std::sync::OnceLock;

use minectl::config::{Config, PduConfig, parse};

use super::config::{pdu, pdu_section};

const SAMPLE: &str = include_str!("../../../config.txt");

/// The `[signal]` sections of the fixtures.
const SIGNALS: [&str; 13] = [
    include_str!("../../fixtures/signal/clock_without_date/signal.toml"),
    include_str!("../../fixtures/signal/gauge_image/signal.toml"),
    include_str!("../../fixtures/signal/json/signal.toml"),
    include_str!("../../fixtures/signal/latin_1/signal.toml"),
    include_str!("../../fixtures/signal/likelihood/signal.toml"),
    include_str!("../../fixtures/signal/low_means_off/signal.toml"),
    include_str!("../../fixtures/signal/nbsp_and_thousands/signal.toml"),
    include_str!("../../fixtures/signal/number_in_script/signal.toml"),
    include_str!("../../fixtures/signal/number_in_table/signal.toml"),
    include_str!("../../fixtures/signal/on_means_power_on/signal.toml"),
    include_str!("../../fixtures/signal/prose_with_times/signal.toml"),
    include_str!("../../fixtures/signal/words/signal.toml"),
    // The plainest: whatever element, whatever number.
    "selector = \"p\"\npattern = '([0-9.]+)'\nrange = [0, 9]\ncurtail_at = 5\nresume_below = 4\n",
];

/// Every key that says where something stands in a PDU's answer, in an invented dialect.
const OF_EACH_KEY: &str = r#"
name = "p"
url = "http://127.0.0.1:9"
driver = "http-json"
user = "u"
password = "p"
outlets = ["1-3"]
unit = "A1/B2"
id_offset = -1
read_path = "/all"
read_body = '{"method": "getState"}'
read_ok = "/code"
read_ok_value = [0, "0"]
items = "/result/{unit}"
id = "@index"
state = "/powerState"
on = [1, "on"]
off = [0, "off"]
updated = "/at"
auto_reset = "/auto"
amps = "/milliamps"
amps_scale = 0.001
volts = "/?type=voltage/value"
power_factor = 1.0
total_watts = "/inlets/*/watts"
schedule = "/schedule"
suspended = ["/isSuspended", "/status"]
suspended_value = [true, "tripped"]
switch_method = "POST"
switch_path = "/outlets/{id}"
on_body = '{"on": true}'
off_body = '{"on": false}'
switch_ok = "/code"
switch_ok_value = 0
"#;

/// The sample as it stands.
pub fn sample() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| parse(SAMPLE, "config.txt", Path::new("/nowhere")).unwrap())
}

/// The sample with each kind of page.
pub fn signals() -> &'static [Config] {
    static CONFIGS: OnceLock<Vec<Config>> = OnceLock::new();
    let with = |lines: &&str| {
        let start = SAMPLE.find("\n[signal]\n").unwrap() + 1;
        let end = start + SAMPLE[start..].find("\n# ---").unwrap();
        let whole = format!("{}[signal]\nurl = \"http://127.0.0.1:9/\"\n{lines}{}", &SAMPLE[..start], &SAMPLE[end..]);
        parse(&whole, "config.txt", Path::new("/nowhere")).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")))
    };
    CONFIGS.get_or_init(|| SIGNALS.iter().map(with).collect())
}

/// PDUs of each make, and an invented one.
pub fn pdus() -> &'static [PduConfig] {
    static PDUS: OnceLock<Vec<PduConfig>> = OnceLock::new();
    PDUS.get_or_init(|| {
        let preset = |name: &&str| {
            format!(
                "name = \"p\"\nurl = \"http://127.0.0.1:9\"\nuser = \"u\"\npassword = \"p\"\n\
                 unit = \"7A11C0FFEE0900C3\"\noutlets = [\"1-2\"]\npreset = \"{name}\""
            )
        };
        let mut all: Vec<PduConfig> = ["netio", "servertech-jaws", "raritan-xerus", "geist"]
            .iter()
            .map(preset)
            .chain([OF_EACH_KEY.to_owned()])
            .map(|section| pdu_section(&section).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n"))))
            .collect();
        all.push(pdu("p", "http://127.0.0.1:9", &["1", "2"]));
        all
    })
}
