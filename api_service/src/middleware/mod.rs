//! What happens around every request.

mod attend;
mod authenticate;
mod authorize;
mod identify;
mod observe;
mod protect;

pub use self::attend::attend;
pub use self::authenticate::authenticate;
pub use self::authorize::authorize;
pub use self::identify::identify;
pub use self::observe::observe;
pub use self::protect::protect;
