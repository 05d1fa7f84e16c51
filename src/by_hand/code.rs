//! One-time codes: a command that may cost something is done only when its code comes back, from the same person in the same
//! chat, in time, and once.

use std::fs::File;
use std::io::Read;

use crate::config::Config;
use crate::model::{ChatCode, ChatMemory, ChatMessage};
use crate::units::{Moment, Seconds};

/// How long a person may take to send the code; the run that reads it comes up to an interval later.
const TYPED_WITHIN: Seconds = Seconds::minutes(5);
/// Wrong codes until the command is dropped.
const WRONG_MAX: u32 = 3;
/// Commands of all people that wait at once.
const CODES_MAX: usize = 20;

/// What a code came to.
pub(super) enum Confirmed {
    /// This command is to be done.
    Command(String),
    /// Why nothing is.
    Nothing(String),
}

/// Until when a code holds, counted from its making.
pub(super) fn holds_for(cfg: &Config) -> Seconds {
    Seconds(TYPED_WITHIN.0.saturating_add(cfg.loop_interval.0))
}

/// Takes away the codes whose time is over.
pub(super) fn prune(cfg: &Config, memory: &mut ChatMemory, now: &Moment) {
    let holds = holds_for(cfg);
    memory.codes.retain(|code| now.since(&code.made) < holds);
}

/// Makes the code for a command; an older one of the same person in the same chat is void. `Err` is a sentence.
pub(super) fn make(memory: &mut ChatMemory, said: &ChatMessage, command: &str, now: &Moment) -> Result<String, String> {
    let digits = six_digits().map_err(|cause| format!("no random numbers for a code: {cause}"))?;
    memory.codes.retain(|code| !is_of(code, said));
    let over = (memory.codes.len() + 1).saturating_sub(CODES_MAX);
    memory.codes.drain(..over);
    let command = command.to_owned();
    let code = ChatCode { chat: said.chat, user: said.user, digits: digits.clone(), command, made: *now, wrong: 0 };
    memory.codes.push(code);
    Ok(digits)
}

/// Takes a code in: the command that it belongs to, once.
pub(super) fn confirm(memory: &mut ChatMemory, said: &ChatMessage, digits: &str) -> Confirmed {
    let Some(place) = memory.codes.iter().position(|code| is_of(code, said)) else {
        return Confirmed::Nothing("no command of yours waits here for a code (it may have run out)".to_owned());
    };
    let Some(code) = memory.codes.get_mut(place) else {
        return Confirmed::Nothing("no command of yours waits here for a code".to_owned());
    };
    if code.digits == digits {
        return Confirmed::Command(memory.codes.remove(place).command);
    }
    code.wrong = code.wrong.saturating_add(1);
    let left = WRONG_MAX.saturating_sub(code.wrong);
    if left == 0 {
        memory.codes.remove(place);
        return Confirmed::Nothing("wrong code; the command is dropped, nothing is done".to_owned());
    }
    Confirmed::Nothing(format!("wrong code, nothing is done; {left} more tries"))
}

fn is_of(code: &ChatCode, said: &ChatMessage) -> bool {
    code.chat == said.chat && code.user == said.user
}

/// Each code from 000000 to 999999 as likely as any other.
fn six_digits() -> std::io::Result<String> {
    const CODES: u32 = 1_000_000;
    // What lies above the last whole million of all numbers would make some codes likelier.
    const FAIR: u32 = u32::MAX - u32::MAX % CODES;
    let mut source = File::open("/dev/urandom")?;
    let mut bytes = [0; 4];
    // Each has a chance of over 99 % to be fair.
    for _ in 0..64 {
        source.read_exact(&mut bytes)?;
        let number = u32::from_le_bytes(bytes);
        if number < FAIR {
            return Ok(format!("{:06}", number % CODES));
        }
    }
    Err(std::io::Error::other("the system's random numbers are not random"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{BootId, UnixSeconds};

    fn at(seconds: u64) -> Moment {
        Moment { wall: UnixSeconds(1_900_000_000 + seconds as i64), boot: BootId(1), up: Seconds(1000 + seconds) }
    }

    fn said(chat: i64, user: i64) -> ChatMessage {
        let (name, text) = ("ann".to_owned(), String::new());
        ChatMessage { id: 1, chat, is_private: false, user, name, at: at(0).wall, text }
    }

    fn command(confirmed: Confirmed) -> Result<String, String> {
        match confirmed {
            Confirmed::Command(command) => Ok(command),
            Confirmed::Nothing(why) => Err(why),
        }
    }

    fn cfg() -> Config {
        crate::config::parse(include_str!("../../config.txt"), "config.txt", std::path::Path::new("/nowhere")).unwrap()
    }

    #[test]
    fn a_code_holds_once_for_its_person_in_its_chat() {
        let mut memory = ChatMemory::default();
        let digits = make(&mut memory, &said(-1, 7), "/set signal run", &at(0)).unwrap();
        assert!(command(confirm(&mut memory, &said(-1, 8), &digits)).is_err(), "another person");
        assert!(command(confirm(&mut memory, &said(-2, 7), &digits)).is_err(), "another chat");
        assert_eq!(command(confirm(&mut memory, &said(-1, 7), &digits)).unwrap(), "/set signal run");
        assert!(command(confirm(&mut memory, &said(-1, 7), &digits)).is_err(), "a second time");
    }

    #[test]
    fn the_third_wrong_code_drops_the_command_and_the_second_does_not() {
        let mut memory = ChatMemory::default();
        let digits = make(&mut memory, &said(-1, 7), "/set signal run", &at(0)).unwrap();
        for _ in 0..2 {
            assert!(command(confirm(&mut memory, &said(-1, 7), "x")).unwrap_err().contains("more tries"));
        }
        let mut third = memory.clone();
        assert!(command(confirm(&mut memory, &said(-1, 7), &digits)).is_ok());
        assert!(command(confirm(&mut third, &said(-1, 7), "")).unwrap_err().contains("dropped"));
        assert!(command(confirm(&mut third, &said(-1, 7), &digits)).is_err());
    }

    #[test]
    fn a_code_holds_up_to_its_time_and_not_a_second_longer() {
        let cfg = cfg();
        let holds = holds_for(&cfg).0;
        assert_eq!(holds, 420);
        let mut memory = ChatMemory::default();
        make(&mut memory, &said(-1, 7), "/set signal run", &at(0)).unwrap();
        prune(&cfg, &mut memory, &at(holds - 1));
        assert_eq!(memory.codes.len(), 1);
        prune(&cfg, &mut memory, &at(holds));
        assert_eq!(memory.codes.len(), 0);
    }

    #[test]
    fn codes_are_six_digits_and_differ_and_old_ones_make_room() {
        let mut memory = ChatMemory::default();
        let all: std::collections::BTreeSet<String> =
            (0..50).map(|user| make(&mut memory, &said(-1, user), "/set", &at(0)).unwrap()).collect();
        assert!(all.iter().all(|code| code.len() == 6 && code.chars().all(|c| c.is_ascii_digit())));
        assert!(all.len() > 45, "{all:?}");
        assert_eq!(memory.codes.len(), CODES_MAX);
    }
}
