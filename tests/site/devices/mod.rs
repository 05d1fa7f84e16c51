//! The devices of the site: their names, ports, and which file answers for which. No state: that is in `world.rs`.

pub(crate) mod emoncms;
pub(crate) mod foreman;
pub(crate) mod influx;
pub(crate) mod iotawatt;
pub(crate) mod messages;
pub(crate) mod pdu_dialects;
pub(crate) mod relays;
pub(crate) mod room_alert;
pub(crate) mod signal;
pub(crate) mod spdu;
pub(crate) mod telegram;
pub(crate) mod telegram_chat;

use crate::http::{Request, Response};
use crate::world::World;

/// One listening socket's worth of the site.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Device {
    Control,
    Signal,
    RoomAlert,
    Iotawatt,
    Emoncms,
    RelaysA,
    RelaysB,
    /// From 0.
    Spdu(usize),
    Foreman,
    Telegram,
    Twilio,
    DeadMan,
    Smtp,
    Smtps,
    SmsHttp,
    Influx,
}

/// Every device with its name and its port's offset.
pub(crate) const ALL: [(Device, &str, u16); 21] = [
    (Device::Control, "control", 0),
    (Device::Signal, "signal", 1),
    (Device::RoomAlert, "room-alert", 2),
    (Device::Iotawatt, "iotawatt", 3),
    (Device::Emoncms, "emoncms", 4),
    (Device::RelaysA, "relays-a", 5),
    (Device::RelaysB, "relays-b", 6),
    (Device::Spdu(0), "spdu-a", 10),
    (Device::Spdu(1), "spdu-b", 11),
    (Device::Spdu(2), "spdu-c", 12),
    (Device::Spdu(3), "spdu-d", 13),
    (Device::Spdu(4), "spdu-e", 14),
    (Device::Spdu(5), "spdu-f", 15),
    (Device::Foreman, "foreman", 20),
    (Device::Telegram, "telegram", 21),
    (Device::Twilio, "twilio", 22),
    (Device::DeadMan, "dead-man", 23),
    (Device::Smtp, "smtp", 24),
    (Device::Smtps, "smtps", 25),
    (Device::SmsHttp, "sms-http", 26),
    (Device::Influx, "influx", 27),
];

impl Device {
    pub(crate) fn named(name: &str) -> Option<Device> {
        ALL.iter().find(|(_, n, _)| *n == name).map(|(device, _, _)| *device)
    }

    pub(crate) fn name(self) -> &'static str {
        ALL.iter().find(|(d, _, _)| *d == self).unwrap().1
    }

    pub(crate) fn offset(self) -> u16 {
        ALL.iter().find(|(d, _, _)| *d == self).unwrap().2
    }

    /// Whether its answers carry a `Date` header.
    pub(crate) fn tells_date(self) -> bool {
        match self {
            Device::Signal | Device::Emoncms | Device::Foreman | Device::Telegram => true,
            Device::Twilio | Device::DeadMan | Device::SmsHttp | Device::Influx => true,
            Device::Control | Device::RoomAlert | Device::Iotawatt | Device::RelaysA | Device::RelaysB => false,
            Device::Spdu(_) | Device::Smtp | Device::Smtps => false,
        }
    }
}

/// What a device says to a request when its wire is sound.
pub(crate) fn answer(world: &mut World, device: Device, request: &Request) -> Response {
    match device {
        Device::Signal => signal::answer(world, request),
        Device::RoomAlert => room_alert::answer(world, request),
        Device::Iotawatt => iotawatt::answer(world, request),
        Device::Emoncms => emoncms::answer(world, request),
        Device::RelaysA => relays::answer(world, 0, request),
        Device::RelaysB => relays::answer(world, 1, request),
        Device::Spdu(pdu) => match world.settings.pdu_words[pdu] {
            pdu_dialects::Words::DigitalShovel => spdu::answer(world, pdu, request),
            pdu_dialects::Words::Redfish => pdu_dialects::redfish(world, pdu, request),
            pdu_dialects::Words::Geist => pdu_dialects::geist(world, pdu, request),
        },
        Device::Foreman => foreman::answer(world, request),
        Device::Telegram => telegram::answer(world, request),
        Device::Twilio => messages::twilio(world, request),
        Device::DeadMan => messages::dead_man(world, request),
        Device::SmsHttp => messages::sms_http(world, request),
        Device::Influx => influx::answer(world, request),
        Device::Control | Device::Smtp | Device::Smtps => Response::new(404, "text/plain", "not served here"),
    }
}

/// A device's answer to somebody without the right password.
pub(crate) fn unauthorized(device: Device) -> Response {
    match device {
        Device::Emoncms => emoncms::wrong_key(),
        Device::Iotawatt => Response::new(401, "text/html", "IoTaWatt-Login").with(
            "WWW-Authenticate",
            "Digest realm=\"IotaWatt\",qop=\"auth\",nonce=\"3f9a61c2b7d04e85a1c6f0d29b7e4418\"",
        ),
        Device::Foreman => Response::detail(401, "Invalid token."),
        Device::Spdu(_) => Response::detail(401, "Authentication credentials were not provided."),
        Device::Telegram => telegram::error(401, "Unauthorized", None),
        Device::Twilio => messages::twilio_error(401, 20003, "Authenticate"),
        Device::RelaysA | Device::RelaysB => Response::new(401, "text/html", "401 Authorization Required")
            .with("WWW-Authenticate", "Basic realm=\"ControlByWeb\""),
        Device::RoomAlert => Response::new(401, "text/html", "<html><body>401 Unauthorized</body></html>")
            .with("WWW-Authenticate", "Basic realm=\"Room Alert\""),
        Device::SmsHttp => Response::json(401, &serde_json::json!({"error": "invalid api key"})),
        Device::Influx => Response::json(401, &serde_json::json!({"error": "authorization failed"})),
        Device::Signal | Device::DeadMan | Device::Control | Device::Smtp | Device::Smtps => {
            Response::new(401, "text/html", "<html><body><h1>401 Unauthorized</h1></body></html>")
        }
    }
}

/// Status 200 with an error where the data should be, in the words of the device.
pub(crate) fn error_text(world: &mut World, device: Device, request: &Request) -> Response {
    match device {
        Device::Signal => signal::database_down(world, request),
        Device::Emoncms => emoncms::fatal_error(),
        Device::RelaysA | Device::RelaysB => Response::new(200, "text/html", "404 Error"),
        Device::Control
        | Device::RoomAlert
        | Device::Iotawatt
        | Device::Spdu(_)
        | Device::Foreman
        | Device::Telegram
        | Device::Twilio
        | Device::DeadMan
        | Device::Smtp
        | Device::Smtps
        | Device::Influx
        | Device::SmsHttp => Response::new(200, "text/html", "404 Error"),
    }
}
