//! The fuzzer's end of `targets/streams.rs`.
#![no_main]

#[path = "../targets/streams.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
