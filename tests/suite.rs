//! Every test from the outside, one module a subject, in one binary: the library is linked once.

// A test that fails may panic; what it slices it wrote itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod affected;
mod architecture;
mod away;
mod causes;
mod changes;
mod cluster;
mod collections;
mod command_line;
mod contract;
mod crio;
mod documents;
mod edits;
mod events;
mod every_release;
mod export;
mod fuzzing;
mod go_numbers;
mod go_toml;
mod go_toml_early;
mod grouped;
mod hostile;
mod kubernetes;
mod launch_go;
mod launch_rs;
mod messages;
mod nodes;
mod nodes_in_files;
mod pages;
mod patterns;
mod policy;
mod readme;
mod recorded;
mod reports;
mod reread;
mod roots;
mod running;
mod schemas;
mod screens;
mod shells;
mod specification;
mod streams;
mod support;
mod upgrade;
mod user_needs;
mod users;
mod way_out;
mod what_if;
