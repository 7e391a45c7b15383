//! Many messages at once: a journal, a log or a list of events, line by line.
//!
//! Decides what of a line is its message, which lines are passed over (they tell of no failure), and which messages
//! are the same. Takes logfmt, JSON lines as `journalctl -o json` writes them, what kubectl prints of events, and
//! plain text; needs no line before or after. Holds no more than a bounded number of groups, whatever comes.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::about::{self, About, Described};
use super::events::{self, json_field};
use super::messages::{Decoded, decode};
use super::yaml;

/// The groups that are kept apart; what comes after them counts with those of its message, or as one.
const MOST_GROUPS: usize = 2_000;
/// The objects that are named of a group.
const MOST_OBJECTS: usize = 10;
/// The longest text that is shown of a group.
const SHOWN: usize = 400;

/// Messages that are the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// How many there were.
    pub count: u64,
    /// The line of the first.
    pub first: u64,
    /// The line of the last.
    pub last: u64,
    /// The first, cut to what can be shown.
    pub text: String,
    /// What it means; `None`: a failure of which nothing is known.
    pub decoded: Option<Decoded>,
    /// The pods (or other objects) that it was about, the first few.
    pub objects: Vec<String>,
    /// Whether there were more of them.
    pub more_objects: bool,
}

/// Which group a message belongs to: the message's place in the catalogue with what it is about, or the shape of
/// a text that is not known.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Sort {
    Known(usize, Option<String>),
    Unknown(String),
}

/// What was read so far.
#[derive(Debug, Default)]
pub struct Journal {
    lines: u64,
    groups: IndexMap<Sort, Group>,
    /// How often an event happened, told before its message.
    times: Option<u64>,
    /// What an event is about, told before its message.
    about: About,
    /// What the events of a table are about that does not say.
    described: Described,
    /// A message in YAML that may go on, and its line.
    message: Option<(yaml::Message, u64)>,
}

impl Journal {
    /// Reads one line (or one object of a longer one).
    pub fn read(&mut self, line: &str, is_new_line: bool) {
        self.lines += u64::from(is_new_line);
        if is_new_line
            && let Some((message, _)) = &mut self.message
            && message.goes_on(line)
        {
            return;
        }
        self.end_message();
        self.about.read(line);
        if let Some(message) = yaml::Message::begin(line) {
            self.message = Some((message, self.lines));
            return;
        }
        if let Some(times) = event_count(line) {
            self.times = Some(times);
            if line.len() < 40 {
                return;
            }
        }
        self.described.read(line);
        let row = events::row(line);
        // An event tells how often it happened before its message, and the next one need not tell.
        let (times, object) = match row {
            Some(row) => {
                let named = row.name.map(|name| about::object(row.namespace, name));
                (row.times, named.or_else(|| self.described.object()))
            }
            None if json_field(line, "\"message\"").is_some() => (self.times.take(), self.about.take()),
            None => (events::repeated_somewhere(line).or(self.times), None),
        };
        if is_quiet(line) || events::is_reason(line) {
            return;
        }
        let text = said(line);
        let decoded = decode(&text);
        if decoded.is_none() && !is_failure(line) {
            return;
        }
        self.times = None;
        let object = object.or_else(|| about::pod_of_log(&text)).or_else(|| self.about.take());
        self.add(self.lines, decoded, &text, times, object);
    }

    /// Takes a message in YAML, which is known to be whole once something else comes.
    fn end_message(&mut self) {
        let Some((message, line)) = self.message.take() else { return };
        let (times, object) = (self.times.take(), self.about.take());
        let text = message.text();
        if is_quiet(&text) {
            return;
        }
        let text = without_escapes(Cow::Owned(text));
        let decoded = decode(&text);
        if decoded.is_some() || is_failure(&text) {
            let object = object.or_else(|| about::pod_of_log(&text));
            self.add(line, decoded, &text, times, object);
        }
    }

    fn add(
        &mut self,
        line: u64,
        decoded: Option<Decoded>,
        text: &str,
        times: Option<u64>,
        object: Option<String>,
    ) {
        let about = |decoded: &Decoded| {
            let about = decoded.key.as_deref().or(decoded.value.as_deref()).map(shape);
            Sort::Known(std::ptr::from_ref(decoded.message).addr(), about)
        };
        let mut sort = decoded.as_ref().map_or_else(|| Sort::Unknown(shape(text)), about);
        if self.groups.len() >= MOST_GROUPS && !self.groups.contains_key(&sort) {
            sort = match sort {
                Sort::Known(message, _) => Sort::Known(message, None),
                Sort::Unknown(_) => Sort::Unknown(String::new()),
            };
        }
        let group = self.groups.entry(sort).or_insert_with(|| Group {
            count: 0,
            first: line,
            last: line,
            text: shown(text),
            decoded,
            objects: Vec::new(),
            more_objects: false,
        });
        if let Some(object) = object.filter(|object| !group.objects.contains(object)) {
            match group.objects.len() < MOST_OBJECTS {
                true => group.objects.push(object),
                false => group.more_objects = true,
            }
        }
        group.count = group.count.saturating_add(times.unwrap_or(1).max(1));
        group.last = line;
    }

    /// How many lines were read.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The groups: reasons by how often they came, then outer words, then what is not known.
    pub fn groups(mut self) -> Vec<Group> {
        self.end_message();
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        let rank = |group: &Group| match &group.decoded {
            Some(decoded) if decoded.message.harmless => 2,
            Some(decoded) => u8::from(decoded.message.wraps),
            None => 3,
        };
        groups.sort_by_key(|group| (rank(group), std::cmp::Reverse(group.count), group.first));
        groups
    }
}

/// `"count": 12` of an event, `count: 12` in YAML.
fn event_count(line: &str) -> Option<u64> {
    let Some(count) = json_field(line, "\"count\"") else { return yaml::count(line) };
    let digits: String = count.chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok()
}

/// Whether a line says of itself that it tells of no failure.
fn is_quiet(line: &str) -> bool {
    let quiet = [
        "level=info",
        "level=debug",
        "level=trace",
        "\"level\":\"info\"",
        "\"level\":\"debug\"",
        "\"level\":\"INFO\"",
        "\"level\":\"DEBG\"",
    ];
    let loud = ["level=warn", "level=error", "level=fatal", "Warning", "panic"];
    (quiet.iter().any(|word| line.contains(word)) || is_klog_info(line))
        && !loud.iter().any(|word| line.contains(word))
}

/// Whether a line begins as kubelet's that inform do: `I1130 02:40:22.123456`, which others may stand in front of.
fn is_klog_info(line: &str) -> bool {
    const FRONT: usize = 300;
    let front = line.as_bytes().get(..FRONT).unwrap_or(line.as_bytes());
    let is_head = |head: &[u8]| match head {
        [b'I', date @ .., b' ', hour, minute, b':'] => {
            date.iter().chain([hour, minute]).all(u8::is_ascii_digit)
        }
        _ => false,
    };
    let is_word = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| front.get(before));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric())
    };
    front.windows(9).enumerate().any(|(at, head)| is_head(head) && is_word(at))
}

/// Whether a line says of itself that it does.
fn is_failure(line: &str) -> bool {
    let words = [
        "level=error",
        "level=fatal",
        "\"level\":\"error\"",
        "\"level\":\"ERRO\"",
        "\"PRIORITY\":\"3\"",
        "\"PRIORITY\":\"2\"",
        "FailedCreatePodSandBox",
        "panic:",
    ];
    words.iter().any(|word| line.contains(word))
}

/// The message of a line, without the escapes of what it is wrapped in.
pub fn said(line: &str) -> Cow<'_, str> {
    let whole = match bytes_of_journal(line) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(text_of_json(line).unwrap_or(line)),
    };
    let whole = match whole {
        Cow::Borrowed(text) => events::message(text),
        Cow::Owned(text) => Cow::Owned(events::message(&text).into_owned()),
    };
    without_escapes(whole)
}

/// A text as it was before it was wrapped, once or twice.
fn without_escapes(whole: Cow<'_, str>) -> Cow<'_, str> {
    if !whole.contains('\\') {
        return whole;
    }
    let mut text = String::with_capacity(whole.len());
    let mut letters = whole.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        // Wrapped twice, everything is escaped twice.
        while letters.next_if_eq(&'\\').is_some() {}
        match letters.peek() {
            Some('n') => {
                letters.next();
                text.push('\n');
            }
            Some('t') => {
                letters.next();
                text.push(' ');
            }
            Some('"' | '\'' | '`' | '/') => {}
            _ => text.push('\\'),
        }
    }
    Cow::Owned(text)
}

/// The message of a line of `journalctl -o json`, or of an object of the cluster that has one: their other fields
/// say nothing of it.
fn text_of_json(line: &str) -> Option<&str> {
    let of_object =
        || json_field(line, "\"message\"").filter(|rest| json_field(rest, "\"message\"").is_none());
    let text = json_field(line, "\"MESSAGE\"").or_else(of_object)?.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = text.find(|letter| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end
    });
    text.get(..end.unwrap_or(text.len()))
}

/// A message that journald writes as a list of bytes, since it is no clean text.
fn bytes_of_journal(line: &str) -> Option<String> {
    let (list, _) = json_field(line, "\"MESSAGE\"")?.strip_prefix('[')?.split_once(']')?;
    let bytes: Vec<u8> = list.split(',').filter_map(|byte| byte.trim().parse().ok()).collect();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text without what differs from one sandbox to the next: numbers and identifiers.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for word in shown(text).split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let letters = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_id = letters.len() >= 8 && letters.bytes().all(|b| b.is_ascii_hexdigit());
        if is_id || (!letters.is_empty() && letters.bytes().all(|b| b.is_ascii_digit())) {
            shape.push('N');
            shape.push_str(word.get(letters.len()..).unwrap_or_default());
        } else {
            shape.push_str(word);
        }
    }
    shape
}

/// As much of a text as is shown: the message, where the line has one that can be told.
fn shown(text: &str) -> String {
    let fields = ["\"message\":\"", "\"message\": \"", "error=\"", "msg=\""];
    let from = fields.iter().find_map(|field| text.split_once(field).map(|(_, rest)| rest)).unwrap_or(text);
    from.trim().trim_end_matches(['"', ',']).chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(lines: &[&str]) -> Vec<(u64, bool)> {
        let mut journal = Journal::default();
        lines.iter().for_each(|line| journal.read(line, true));
        journal.groups().iter().map(|group| (group.count, group.decoded.is_some())).collect()
    }

    #[test]
    fn the_same_message_in_any_dress_is_one_group() {
        let found = groups(&[
            r#"time="2026-01-01" level=error msg="createContainer failed" error="timed out connecting to vsock 3379238252:1024""#,
            r#"{"__REALTIME_TIMESTAMP":"1","MESSAGE":"time=\"x\" level=error msg=\"timed out connecting to vsock 12:1024\"","PRIORITY":"3"}"#,
            r#"            "message": "Failed to create pod sandbox: timed out connecting to vsock 7:1024: unknown","#,
            "level=info msg=\"timed out connecting to vsock 7:1024\"",
        ]);
        assert_eq!(found, [(3, true)]);
    }

    #[test]
    fn events_count_as_often_as_they_happened() {
        let found = groups(&[
            r#"            "count": 17,"#,
            r#"            "message": "Failed to create pod sandbox: ttrpc: closed: unknown","#,
            r#"            "message": "Failed to create pod sandbox: ttrpc: closed: unknown","#,
        ]);
        assert_eq!(found, [(18, true)]);
        let found = groups(&[
            r#"            "count" : 17,"#,
            r#"            "message" : "Pulling image","#,
            r#"            "message": "Failed to create pod sandbox: ttrpc: closed: unknown","#,
        ]);
        assert_eq!(found, [(1, true)]);
    }

    #[test]
    fn a_message_of_several_lines_is_one() {
        let mut journal = Journal::default();
        let event = [
            "- count: 3",
            "  involvedObject:",
            "    name: web",
            "  message: |-",
            "    timed out connecting to vsock 1:1024",
            "    timed out connecting to vsock 1:1024",
            "  reason: Failed",
        ];
        let other = ["- message: 'timed out", "    connecting to vsock 7:1024'"];
        event.iter().chain(&other).for_each(|line| journal.read(line, true));
        let groups = journal.groups();
        let lines = |group: &Group| (group.count, group.objects.join(" "), group.first, group.last);
        let found: Vec<_> = groups.iter().map(lines).collect();
        assert_eq!(found, [(4, "web".to_owned(), 4, 8)]);
    }

    #[test]
    fn failures_that_nobody_knows_are_counted_by_their_shape() {
        let found = groups(&[
            r#"level=error msg="the flux of 17 is 0123456789abcdef""#,
            r#"level=error msg="the flux of 18 is fedcba9876543210""#,
            "nothing of note",
        ]);
        assert_eq!(found, [(2, false)]);
    }

    #[test]
    fn bytes_of_a_message_are_read() {
        let bytes: Vec<String> = "ttrpc: closed".bytes().map(|b| b.to_string()).collect();
        assert_eq!(groups(&[&format!("{{\"MESSAGE\":[27,{}]}}", bytes.join(","))]), [(1, true)]);
    }

    #[test]
    fn other_fields_are_no_part_of_the_message() {
        let line =
            r#"{"MESSAGE" : "say \"fork/exec it\\","PRIORITY":"3","UNIT":"a: no such file or directory"}"#;
        assert_eq!(said(line), r#"say "fork/exec it\"#);
        assert_eq!(groups(&[line]), [(1, false)]);
        let event = r#"{"message": "say fork/exec it","reason":"Failed: no such file or directory"}"#;
        assert_eq!(said(event), "say fork/exec it");
        assert_eq!(said(r#"{"message":"message","reason":"FailedCreatePodSandBox"}"#), "message");
        assert_eq!(said(r#"{"reason":"message","message":"ttrpc: closed"}"#), "ttrpc: closed");
    }

    #[test]
    fn what_kubelet_informs_of_is_no_failure() {
        let informs = "I1130 02:40:22.123456    9136 kubelet.go:2511] \"SyncLoop\" reason=\"OOMKilled\"";
        let found = groups(&[
            informs,
            &format!("Nov 30 02:40:22 n1 kubelet[9136]: {informs}"),
            &format!("{{\"MESSAGE\":{informs:?},\"PRIORITY\":\"6\"}}"),
        ]);
        assert_eq!(found, []);
        assert_eq!(groups(&[&informs.replacen('I', "E", 1), &informs.replacen('I', "XI", 1)]), [(2, true)]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut journal = Journal::default();
        for number in 0..MOST_GROUPS * 3 {
            let name: String = number.to_string().bytes().map(|b| char::from(b + 40)).collect();
            journal.read(&format!("level=error no runtime for \"{name}\" is configured"), true);
            journal.read(&format!("level=error odd {name}"), true);
        }
        assert!(journal.groups.len() <= MOST_GROUPS + 2, "{}", journal.groups.len());
    }
}
