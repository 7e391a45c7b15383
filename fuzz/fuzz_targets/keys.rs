//! The fuzzer's end of `targets/keys.rs`.
#![no_main]

#[path = "../targets/keys.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
