//! What is known about makes of PDUs, as data: a preset has the keys of a `[[pdu]]` section, and the section's own keys
//! take their place.

/// The presets by name.
pub(super) const NAMES: [(&str, &str); 5] = [
    ("digital-shovel", include_str!("presets/digital-shovel.toml")),
    ("netio", include_str!("presets/netio.toml")),
    ("servertech-jaws", include_str!("presets/servertech-jaws.toml")),
    ("raritan-xerus", include_str!("presets/raritan-xerus.toml")),
    ("geist", include_str!("presets/geist.toml")),
];
