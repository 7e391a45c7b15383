//! The fuzzer's end of `targets/helm.rs`.
#![no_main]

#[path = "../targets/helm.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
