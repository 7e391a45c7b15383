//! The fuzzer's end of `targets/containerd.rs`.
#![no_main]

#[path = "../targets/containerd.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input<'_>| target::run(input));
