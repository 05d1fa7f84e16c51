//! The picture of the trends: a sound PNG file in every state, with the lines where the values are.

use std::io::Read;

use flate2::read::ZlibDecoder;
use minectl::dashboard::{Trends, brief, picture, status::Level, why};

use crate::fixture::{all, broken, folder, mining};

/// Width, height and the pixels' inks.
fn pixels(png: &[u8]) -> (usize, usize, Vec<u8>) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let (mut at, mut head, mut packed, mut last) = (8, Vec::new(), Vec::new(), Vec::new());
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        let (name, content) = (&png[at + 4..at + 8], &png[at + 8..at + 8 + length]);
        let mut sum = flate2::Crc::new();
        sum.update(&png[at + 4..at + 8 + length]);
        assert_eq!(sum.sum().to_be_bytes(), png[at + 8 + length..at + 12 + length], "sum of {name:?}");
        match name {
            b"IHDR" => head = content.to_vec(),
            b"IDAT" => packed.extend_from_slice(content),
            _ => {}
        }
        last = name.to_vec();
        at += 12 + length;
    }
    assert_eq!(last, b"IEND");
    let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap()) as usize;
    let (width, height) = (number(0), number(4));
    let mut rows = Vec::new();
    ZlibDecoder::new(packed.as_slice()).read_to_end(&mut rows).unwrap();
    assert_eq!(rows.len(), (width + 1) * height);
    let pixels = rows.chunks(width + 1).flat_map(|row| row[1..].to_vec()).collect();
    (width, height, pixels)
}

/// How many pixels have an ink.
fn count(pixels: &[u8], ink: u8) -> usize {
    pixels.iter().filter(|pixel| **pixel == ink).count()
}

const SHADE: u8 = 4;
const LIMIT: u8 = 5;
const FIRST_LINE: u8 = 6;

#[test]
fn every_state_gives_a_sound_picture_small_enough_for_a_chat() {
    for (name, site) in all() {
        let png = picture(&site.input()).unwrap();
        std::fs::write(folder(name).join("trends.png"), &png).unwrap();
        let (width, height, pixels) = pixels(&png);
        assert_eq!((width, height), (1000, 1084), "{name}");
        assert!(pixels.iter().all(|pixel| *pixel < 16), "{name}");
        assert!((3_000..200_000).contains(&png.len()), "{name}: {} bytes", png.len());
    }
}

#[test]
fn lines_limits_and_the_time_of_being_off_are_drawn_and_without_readings_none_is() {
    let site = mining();
    let (width, _, drawn) = pixels(&picture(&site.input()).unwrap());
    assert!(count(&drawn, FIRST_LINE) > 2000 && count(&drawn, LIMIT) > 100, "no line");
    assert!(count(&drawn, SHADE) > 1000, "the call is not shaded");
    // The power's panel: its line is at the top while mining.
    let panel = &drawn[width * (50 + 340)..width * (50 + 2 * 340)];
    assert!(count(panel, FIRST_LINE) > 500);

    let empty = crate::fixture::Site { trends: Trends::default(), ..mining() };
    let (_, _, drawn) = pixels(&picture(&empty.input()).unwrap());
    let ink = |ink: u8| count(&drawn, ink);
    assert_eq!((ink(FIRST_LINE), ink(LIMIT), ink(SHADE)), (0, 0, 0));
    assert!(ink(2) > 500, "it says that there is none");
}

#[test]
fn the_brief_status_has_the_pages_headline_and_every_cause_to_worry() {
    let site = broken();
    let status = minectl::dashboard::Status::new(&site.input());
    let text = brief(&status);
    assert!(text.starts_with(&format!("[{}] {}\n{}", status.site, status.headline, status.worry.text)), "{text}");
    let worst = status.worry.causes.iter().filter(|cause| cause.level > Level::Ok);
    for cause in worst.take(8) {
        assert!(
            text.contains(cause.text.chars().take(200).collect::<String>().as_str()),
            "{} not in {text}",
            cause.text
        );
    }
    assert!(text.chars().count() < 4096 && why(&status).chars().count() < 4096);
    let site = mining();
    let status = minectl::dashboard::Status::new(&site.input());
    for reason in &status.why {
        assert!(why(&status).contains(&format!("- {}: ", reason.subject)));
    }
}
