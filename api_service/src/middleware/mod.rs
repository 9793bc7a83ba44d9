//! What happens around every request.

mod authenticate;
mod identify;
mod observe;
mod protect;

pub use self::authenticate::{AccessTable, authenticate};
pub use self::identify::identify;
pub use self::observe::observe;
pub use self::protect::protect;
