pub mod probe;
pub mod roots;
pub mod unsuitable;
