//! What people ask for, whatever way they do: at the shell, in the browser, by a message. One grammar, one check, one kind of
//! change in the store; the next pass takes it in. It opens no store and sends nothing.

mod change;
mod chat;
mod code;
mod command;
mod danger;
mod target;

pub use change::{Asked, Wanted, acknowledging, clearing, setting, wanted};
pub use chat::{Desk, Handled, handle, offset};
pub use target::known_fan;
