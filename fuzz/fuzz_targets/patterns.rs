//! Any text as an entry of a policy list: explained, matched and expanded, in every generation.
#![no_main]

use katascope::catalog::Generation;
use katascope::policy::go_path;
use katascope::policy::names::NameGate;
use katascope::policy::values;
use katascope::sample;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (pattern, value) = input;
    let host = sample::host();
    let patterns = [pattern.to_owned()];
    for generation in Generation::ALL {
        let _ = NameGate::new(generation, &patterns).admits(value);
        let _ = values::admits(generation, &host, &patterns, value);
    }
    let _ = go_path::path_match(pattern, value);
    let cleaned = go_path::clean(value);
    assert_eq!(go_path::clean(&cleaned), cleaned, "cleaning a clean path changes nothing");
});
