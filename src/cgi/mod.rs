//! One request of a web server by CGI (RFC 3875): what came, whether it may be believed, and the answer's form. It knows
//! no page and no setting, and changes nothing but its own key file.

mod answer;
mod origin;
mod request;
mod token;

pub use answer::Answer;
pub use request::{Fields, Method, Refusal, Request};
pub use token::{Key, new_session};
