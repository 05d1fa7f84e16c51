//! `minectl`: curtailment and cooling control for a bitcoin-mine container, one run every two minutes.
//!
//! # Glossary
//!
//! One thing, one word, in code, configuration, log and page alike.
//!
//! | word | meaning |
//! | --- | --- |
//! | run | one process of `minectl tick` |
//! | pass | sense, decide, act once; a run has several while something is changing |
//! | signal | the number or word on the utility's page; as a level: run, curtail, blind |
//! | demand | whether miners may run: the set of reasons why not |
//! | phase | where the miners stand: boot, running, curtailing, curtailed, resuming |
//! | rung | how they are being switched off: Foreman, then the PDU outlets |
//! | proven | shown by fresh measured watts, not by a reply |
//! | fan | wanted (by the rules), commanded (told), relay (read), proven (by watts) |
//! | intake | the air that the miners breathe; the hottest trustworthy intake probe |
//! | good, held, bad | a value read just now, an older one with its age, none with the reason |
//! | fault | what is wrong with a device: data, never the end of a run |
//! | alarm | a condition that lasts: raised, reminded of, acknowledged, over |
//! | notice | a message to people; event: what happened, for the record |
//! | override | a value a person put in place of an input or an output, with an end |
//! | call | one curtailment from its first sign to its end |
//! | drill | one miner and one fan switched off and on again to prove that a call would be met; dry: nothing is switched |
//! | certificate | what a drill proved, check by check; kept as its record |
//! | scorecard | what was measured of a call: how fast, how late, what it saved; kept as its record |

pub mod by_hand;
pub mod cgi;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod dashboard;
pub mod decide;
pub mod drivers;
pub mod error;
pub mod http;
pub mod influx;
pub mod lock;
pub mod logging;
pub mod model;
pub mod notify;
pub mod store;
pub mod tick;
pub mod units;
