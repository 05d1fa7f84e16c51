//! Which state counts: the database's, that of `state.json`, or that of the refuge. Each of the three can be the newest:
//! a database that can be read may have taken nothing for days.

use std::cmp::Ordering;
use std::path::Path;

use super::{Found, Loaded, plain};
use crate::model::{Override, SiteState};
use crate::units::Moment;

/// Takes the newer copy of the state where the database has none, or an older one; `loaded` tells what was found.
pub(super) fn take(loaded: &mut Loaded, folder: &Path, refuge: Option<&Path>, now: &Moment) {
    let (file, damage) = plain::read(folder).map_or_else(|error| (None, Some(error)), |file| (file, None));
    let refuge = refuge.and_then(plain::read_refuge);
    loaded.copied = file.as_ref().map(|copy| copy.overrides.clone()).unwrap_or_default();
    if loaded.state.is_none() {
        // A database without a state although there is a copy was lost.
        let is_lost = loaded.found == Found::Whole && (file.is_some() || damage.is_some() || refuge.is_some());
        loaded.found = if is_lost { Found::Lost } else { loaded.found };
        // Beside a sound database it does not matter.
        loaded.troubles.extend(damage);
    }
    let from_refuge = match (&file, &refuge) {
        (Some(file), Some(refuge)) => order(&refuge.state, &file.state, now).is_ge(),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let Some(copy) = (if from_refuge { refuge } else { file }) else { return };
    let Some(own) = &loaded.state else { return loaded.fill(copy, from_refuge, now) };
    let order = order(&copy.state, own, now);
    // The refuge is left with each save that succeeds: where it still is, it was written after that.
    if order.is_gt() || (order.is_eq() && from_refuge) {
        if !from_refuge {
            loaded.troubles.push("state taken from state.json, which is newer than the database's".to_owned());
        }
        loaded.state = Some(copy.state);
        // Who sets or clears one reaches the database. One that has run out is still there because the database could
        // not let it go.
        loaded.overrides.retain(|over| over.left(now).0 > 0 || copy.overrides.contains(over));
    }
}

impl Loaded {
    /// Takes a copy where the database gave no state.
    fn fill(&mut self, copy: plain::Copy, from_refuge: bool, now: &Moment) {
        let from = if from_refuge { "the refuge" } else { "state.json" };
        if self.found == Found::Unread {
            // Told again by each run until it can be read: it must read the same.
            self.troubles.push(format!("state and overrides taken from {from} meanwhile"));
            self.overrides = copy.overrides;
        } else {
            let age = copy.state.last_pass.map_or("unknown age".to_owned(), |at| format!("{} old", now.since(&at)));
            let kept: Vec<String> = copy.overrides.iter().map(|over| over.setting.to_string()).collect();
            let kept = if kept.is_empty() { String::new() } else { format!("; overrides kept: {}", kept.join(", ")) };
            self.troubles.push(format!("state taken from {from} ({age}){kept}"));
            // One that a person has set in the new database counts.
            let is_set = |target: String| self.overrides.iter().any(|over| over.setting.target() == target);
            let back: Vec<Override> =
                copy.overrides.into_iter().filter(|over| !is_set(over.setting.target())).collect();
            self.overrides.extend(back);
        }
        self.state = Some(copy.state);
    }
}

/// Which of two states a later pass left. Within a boot its clock says so. The wall clock may be behind after a start, so
/// what this boot left is later than what another one did; of two other boots there is only the wall clock to go by.
fn order(one: &SiteState, other: &SiteState, now: &Moment) -> Ordering {
    match (one.last_pass, other.last_pass) {
        (Some(one), Some(other)) if one.boot == other.boot => one.up.cmp(&other.up),
        (Some(one), Some(_)) if one.boot == now.boot => Ordering::Greater,
        (Some(_), Some(other)) if other.boot == now.boot => Ordering::Less,
        (Some(one), Some(other)) => one.wall.cmp(&other.wall),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{BootId, Seconds, UnixSeconds};

    fn moment(wall: i64, boot: u32, up: u64) -> Moment {
        Moment { wall: UnixSeconds(wall), boot: BootId(boot), up: Seconds(up) }
    }

    /// As it is said in boot 7, both ways.
    fn ordered(one: Option<Moment>, other: Option<Moment>) -> Ordering {
        let state = |last_pass| SiteState { last_pass, ..SiteState::boot(moment(0, 7, 0)) };
        let now = moment(1_000_000, 7, 5000);
        let order = order(&state(one), &state(other), &now);
        assert_eq!(super::order(&state(other), &state(one), &now), order.reverse());
        order
    }

    #[test]
    fn within_a_boot_the_boot_clock_orders_whatever_the_wall_clock_says() {
        for boot in [7, 8] {
            let of = |wall, up| Some(moment(wall, boot, up));
            assert_eq!(ordered(of(60, 1001), of(900_000, 1000)), Ordering::Greater);
            assert_eq!(ordered(of(60, 1000), of(900_000, 1000)), Ordering::Equal);
            assert_eq!(ordered(of(60, 999), of(900_000, 1000)), Ordering::Less);
        }
    }

    #[test]
    fn this_boot_comes_after_any_other_whatever_the_clocks_say() {
        assert_eq!(ordered(Some(moment(60, 7, 60)), Some(moment(900_000, 6, 90_000))), Ordering::Greater);
        assert_eq!(ordered(Some(moment(900_000, 7, 90_000)), Some(moment(60, 6, 60))), Ordering::Greater);
    }

    #[test]
    fn between_other_boots_the_wall_clock_orders() {
        let of = |wall, boot| Some(moment(wall, boot, 5000 - u64::from(boot)));
        assert_eq!(ordered(of(101, 5), of(100, 6)), Ordering::Greater);
        assert_eq!(ordered(of(100, 5), of(100, 6)), Ordering::Equal);
        assert_eq!(ordered(of(99, 5), of(100, 6)), Ordering::Less);
    }

    #[test]
    fn a_state_that_no_pass_left_comes_before_all() {
        assert_eq!(ordered(Some(moment(0, 1, 0)), None), Ordering::Greater);
        assert_eq!(ordered(None, None), Ordering::Equal);
    }
}
