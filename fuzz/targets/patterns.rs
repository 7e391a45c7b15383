//! Any text as an entry of a policy list: explained, matched and expanded, in every release.

use katascope::policy::go_path;
use katascope::policy::names::NameGate;
use katascope::policy::values;
use katascope::release::Release;
use katascope::sample;

/// What the fuzzer makes up.
pub type Input<'a> = (&'a str, &'a str);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (pattern, value) = input;
    let host = sample::host();
    let patterns = [pattern.to_owned()];
    for release in Release::STOPS {
        let _ = NameGate::new(release, &patterns).admits(value);
        let _ = values::admits(release, &host, &patterns, value);
    }
    let _ = go_path::path_match(pattern, value);
    let cleaned = go_path::clean(value);
    assert_eq!(go_path::clean(&cleaned), cleaned, "cleaning a clean path changes nothing");
}
