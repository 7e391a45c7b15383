//! Any text as a journal, a log, or a list of the cluster's events. What is read twice counts twice, what is
//! wrapped in JSON or YAML, on one line or several, or in a table of events, means the same, and a line means alone
//! what it means among others.

use katascope::explain::journal::{Group, Journal};
use katascope::explain::messages::Decoded;
use katascope::explain::{Meaning, explain};
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
    if groups.len() < 100 {
        twice(text, &groups);
    }
    text.lines().take(32).for_each(alone);
}

/// Reads the text again behind an event that says nothing.
fn twice(text: &str, once: &[Group]) {
    let mut journal = Journal::default();
    for line in text.lines().chain(["\"message\": \"\""]).chain(text.lines()) {
        journal.read(line, true);
    }
    let again = journal.groups();
    assert_eq!(again.len(), once.len(), "the same groups");
    for group in once {
        let count = group.count.saturating_mul(2);
        let is_it = |other: &&Group| other.first == group.first && other.text == group.text;
        let found = again.iter().find(|other| is_it(other) && other.decoded == group.decoded);
        assert_eq!(found.map(|other| other.count), Some(count), "{group:?}");
    }
}

/// What one line means, or one text of several.
fn meaning(text: &str) -> Option<Decoded> {
    let mut journal = Journal::default();
    text.lines().for_each(|line| journal.read(line, true));
    journal.groups().into_iter().next().and_then(|group| group.decoded)
}

fn alone(line: &str) {
    let is_plain = |b: u8| matches!(b, b' '..=b'~') && b != b'\\';
    let own = ["level", "count", "MESSAGE", "message", "reason", "Warning  ", "Normal  "];
    let tells_of_itself = own.iter().any(|word| line.contains(word));
    let informs = line.as_bytes().windows(5).any(|w| w[0] == b'I' && w[1..].iter().all(u8::is_ascii_digit));
    if tells_of_itself || informs || !line.bytes().all(is_plain) {
        return;
    }
    let line = line.trim();
    let alone = meaning(line);
    if let Meaning::Message(decoded) = explain(line) {
        assert_eq!(alone.as_ref(), Some(&*decoded), "explained as in a journal");
    }
    for wrapped in [
        serde_json::json!({ "MESSAGE": line, "PRIORITY": "6" }).to_string(),
        serde_json::json!({ "MESSAGE": line.as_bytes(), "PRIORITY": "6" }).to_string(),
        serde_json::json!({ "message": line, "reason": "FailedCreatePodSandBox" }).to_string(),
        format!("  - message: '{}'", line.replace('\'', "''")),
    ] {
        assert_eq!(meaning(&wrapped), alone, "{wrapped}");
    }
    // Two blanks are the end of a column.
    if line.is_empty() || line.contains("  ") {
        return;
    }
    for broken in [
        format!("  - message: '{}'", line.replace('\'', "''").replace(' ', "\n      ")),
        format!("message: \"{}\"", line.replace('"', "\\\"").replace(' ', "\\\n  \\ ")),
        format!("message: >-\n  {}", line.replace(' ', "\n  ")),
    ] {
        assert_eq!(meaning(&broken), alone, "{broken}");
    }
    for row in [
        format!("  Warning  Failed  3s (x7 over 4m)  kubelet  {line}"),
        format!("default   3s (x7 over 4m)   Warning   Failed   Pod/a   {line}"),
        format!("3s   Warning   Failed   pod/a   kubelet, n1   {line}   4m   7   a.17"),
    ] {
        let mut journal = Journal::default();
        journal.read(&row, true);
        let groups = journal.groups();
        let found: Vec<_> = groups.iter().map(|group| (group.count, &group.decoded)).collect();
        assert!(alone.is_none() || found == [(7, &alone)], "{row}: {found:?}");
        assert!(found.iter().all(|(_, decoded)| **decoded == alone), "{row}: {found:?}");
    }
}
