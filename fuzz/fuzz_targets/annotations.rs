//! The fuzzer's end of `targets/annotations.rs`.
#![no_main]

#[path = "../targets/annotations.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
