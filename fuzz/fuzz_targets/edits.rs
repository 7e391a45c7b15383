//! The fuzzer's end of `targets/edits.rs`.
#![no_main]

#[path = "../targets/edits.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
