//! JSON that several resources have in common. Bodies turn into domain values by `parse`, which names
//! every field that is wrong; domain values turn into answers by `from`-like functions that leave no
//! field out.

pub mod content;
pub mod files;
pub mod integer;
pub mod limits;
pub mod page;
pub mod program;
pub mod stdin;
pub mod timestamp;
pub mod words;
