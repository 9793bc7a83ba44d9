//! The launcher's parts, each with a directory of its own and nothing of this machine's settings.

mod command_line;
mod data_directory;
mod documentation;
mod layers;
mod provision;
mod secret;
mod settings;
