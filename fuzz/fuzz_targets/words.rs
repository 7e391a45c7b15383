//! The fuzzer's end of `targets/words.rs`.
#![no_main]

#[path = "../targets/words.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
