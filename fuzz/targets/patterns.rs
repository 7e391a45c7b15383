//! Any text as an entry of a policy list: explained, matched and expanded, in every release.

use katascope::golang::filepath;
use katascope::policy::names::NameGate;
use katascope::policy::values::ValueGate;
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
        let _ = NameGate::new(release, &patterns).allows(value);
        let _ = ValueGate::new(release, &patterns).allows(&host, value);
    }
    let _ = filepath::path_match(pattern, value);
    let cleaned = filepath::clean(value);
    assert_eq!(filepath::clean(&cleaned), cleaned, "cleaning a clean path changes nothing");
}
