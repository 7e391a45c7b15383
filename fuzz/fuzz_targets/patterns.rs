//! The fuzzer's end of `targets/patterns.rs`.
#![no_main]

#[path = "../targets/patterns.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
