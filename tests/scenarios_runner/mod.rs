//! Stories in virtual minutes: a line-based text says what happens to the mine and what must follow; the real `decide`
//! is driven through the virtual mine. `parse` reads a story, `play` makes its frames, `judge` compares, `show` tells why.

pub mod conditions;
pub mod incidents;
pub mod judge;
pub mod parse;
pub mod play;
pub mod show;
pub mod words;
pub mod world;

mod wrong;

/// Seconds since the story began.
pub type Time = u64;

/// `0:06`, or `0:06:20` where there are seconds.
pub fn clock(time: Time) -> String {
    let (h, m, s) = (time / 3600, time / 60 % 60, time % 60);
    if s == 0 { format!("{h}:{m:02}") } else { format!("{h}:{m:02}:{s:02}") }
}
