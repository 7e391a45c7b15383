//! Any text as an entry of a policy list: explained, matched and expanded, in every release; and what is told of it to
//! a cluster means the same.

use std::sync::Arc;

use katascope::export::re2::{NamePattern, ValuePattern, name_pattern, value_pattern};
use katascope::golang::filepath;
use katascope::golang::regexp::GoRegex;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
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
        let names = NameGate::new(release, &patterns);
        let allowed = names.allows(value).is_some();
        let values = ValueGate::new(release, &patterns);
        let _ = values.allows(&host, value);
        if value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && names.invalid().next().is_none()
        {
            let told = name_pattern(release.runtime, pattern);
            let passes = match &told {
                Some(NamePattern::Names(names)) => Some(names.iter().any(|name| name == value)),
                Some(NamePattern::Matches(pattern)) => Some(GoRegex::new(pattern).unwrap().is_match(value)),
                Some(NamePattern::Every) => Some(true),
                Some(NamePattern::NoForm) => None,
                None => panic!("the runtime reads {pattern:?}"),
            };
            assert!(
                passes.is_none_or(|passes| passes == allowed),
                "{pattern:?} is {told:?}: {value:?}, {allowed}"
            );
        }
        let is_path = value.starts_with('/') && value != "/" && !value.contains('\0');
        if is_path && filepath::clean(value) == value {
            let host = Host::new(HostFacts::default(), Arc::new(MemoryFiles::new().file(value, 0o644, "")));
            let allowed = values.allows(&host, value).is_some();
            let told = value_pattern(release.runtime, pattern);
            let passes = match &told {
                ValuePattern::Equals(text) => text == value,
                ValuePattern::Matches(pattern) | ValuePattern::MatchesClean(pattern) => {
                    GoRegex::new(pattern).unwrap().is_match(value)
                }
                ValuePattern::Never => false,
            };
            assert_eq!(passes, allowed, "{pattern:?} is {told:?}: {value:?}");
        }
    }
    let _ = filepath::path_match(pattern, value);
    let cleaned = filepath::clean(value);
    assert_eq!(filepath::clean(&cleaned), cleaned, "cleaning a clean path changes nothing");
}
