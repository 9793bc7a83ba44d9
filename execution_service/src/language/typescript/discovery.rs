//! A Node that will do for JavaScript, and a service whose executable the sandboxes' users may start.

use crate::language::node;
use crate::language::toolchain::{Candidate, Toolchain, Unsuitable, own_executable};

pub fn examine(candidate: Candidate<'_>) -> Result<Toolchain, Unsuitable> {
    let found = node::examine(candidate)?;
    if !own_executable::is_for_everybody().map_err(Unsuitable::NotStarted)? {
        return Err(Unsuitable::Incomplete(
            "TypeScript is translated inside of the sandboxes by this service's own executable, which only \
             its owner may execute: chmod a+rx it",
        ));
    }
    // That Node can strip types is of no use here.
    Ok(Toolchain { features: Vec::new(), ..found })
}
