//! Any text as a journal, a log, or a list of the cluster's events.

use katascope::explain::journal::Journal;
use katascope::report::escape::is_hostile;
use katascope::report::explanation;
use katascope::report::text::Paint;

/// What the fuzzer makes up.
pub type Input<'a> = &'a str;

/// Panics where something does not hold.
pub fn run(text: Input<'_>) {
    let mut journal = Journal::default();
    for line in text.lines() {
        journal.read(line, true);
    }
    let lines = journal.lines();
    let groups = journal.groups();
    let told: u64 = groups.iter().map(|group| u64::from(group.first > 0 && group.first <= group.last)).sum();
    assert_eq!(told, groups.len() as u64, "each group has its lines");
    let mut out = Vec::new();
    explanation::journal(&mut out, lines, &groups, Paint { color: false }).unwrap();
    let out = String::from_utf8_lossy(&out);
    let hostile = out.chars().find(|c| *c != '\n' && is_hostile(*c));
    assert_eq!(hostile, None, "shown raw: {out:?}");
    let _ = explanation::journal_json(lines, &groups).to_string();
}
