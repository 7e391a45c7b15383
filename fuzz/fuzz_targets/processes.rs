//! The fuzzer's end of `targets/processes.rs`.
#![no_main]

#[path = "../targets/processes.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
