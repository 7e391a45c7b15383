//! The fuzzer's end of `targets/collections.rs`.
#![no_main]

#[path = "../targets/collections.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
