//! Events as kubectl prints them: the tables of `events`, `get events` and `describe`, and the fields of JSON.
//!
//! Decides what of such a line is the event's message and how often it happened. The columns are those of
//! `k8s.io/kubectl` (`pkg/cmd/events/event_printer.go` at kubernetes 0411cc70, `pkg/describe`) and of the API server's
//! printers (`pkg/printers/internalversion`), which have long been the same; a column ends where two blanks stand.

use std::borrow::Cow;

use super::yaml;

/// One event of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'l> {
    /// The namespace of what it is about, where the table says so.
    pub(super) namespace: Option<&'l str>,
    /// The name of that; `describe` says it elsewhere.
    pub(super) name: Option<&'l str>,
    /// How often it happened, where the table says so.
    pub(super) times: Option<u64>,
    pub(super) message: &'l str,
}

/// The event of a table's line.
pub(super) fn row(line: &str) -> Option<Row<'_>> {
    if !line.contains("Warning  ") && !line.contains("Normal  ") {
        return None;
    }
    let line = line.trim();
    let columns = columns(line);
    // A namespace and an age can stand in front of the type.
    let kind = columns.iter().take(3).position(|(_, text)| matches!(*text, "Warning" | "Normal"))?;
    let (_, reason) = columns.get(kind + 1)?;
    if !reason.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    // Behind the type: reason, age and source in `describe`; else reason and object.
    let (age, message) = if kind == 0 { (2, 4) } else { (kind - 1, kind + 3) };
    let text = |at: usize| columns.get(at).map(|(_, text)| *text);
    let namespace = if kind == 2 { text(0) } else { None };
    let name = if kind == 0 { None } else { text(kind + 2).and_then(|object| object.split('/').nth(1)) };
    if kind > 0
        && let Some((times, message)) = wide(&columns, message)
    {
        return Some(Row { namespace, name, times: Some(times), message });
    }
    // A column without a text is not seen: one less stands in front of the message.
    let &(from, _) = columns.get(message).or(columns.get(message - 1))?;
    Some(Row { namespace, name, times: text(age).and_then(repeated), message: line.get(from..)? })
}

/// Each column's place and text.
fn columns(line: &str) -> Vec<(usize, &str)> {
    let mut columns = Vec::new();
    let mut at = 0;
    for text in line.split("  ") {
        let blanks = text.len() - text.trim_start().len();
        if !text.trim().is_empty() {
            columns.push((at + blanks, text.trim()));
        }
        at += text.len() + 2;
    }
    columns
}

/// Behind the message of `get events -o wide` stand the first age, the count and the event's name.
fn wide<'l>(columns: &[(usize, &'l str)], least: usize) -> Option<(u64, &'l str)> {
    let [before @ .., (_, message), (_, age), (_, count), (_, name)] = columns else { return None };
    if before.len() < least || !age.starts_with(|c: char| c.is_ascii_digit()) || !name.contains('.') {
        return None;
    }
    Some((count.parse().ok()?, message))
}

/// `12` of `3s (x12 over 4m)`.
fn repeated(age: &str) -> Option<u64> {
    let (times, _) = age.split_once("(x")?.1.split_once(" over ")?;
    times.parse().ok()
}

/// The same of a row whose columns are lost, as on a web page.
pub(super) fn repeated_somewhere(line: &str) -> Option<u64> {
    line.contains("Warning ").then(|| repeated(line)).flatten()
}

/// What stands behind a field's name in JSON; the name can be some field's text, too.
pub(super) fn json_field<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let mut behind = line.match_indices(name).filter_map(|(at, _)| line.get(at + name.len()..));
    behind.find_map(|rest| rest.trim_start().strip_prefix(':').map(str::trim_start))
}

/// Whether a line is an event's reason and no more: a word that says nothing that the message does not.
pub(super) fn is_reason(line: &str) -> bool {
    let line = line.trim().trim_end_matches(',');
    let json =
        line.strip_prefix("\"reason\"").and_then(|rest| rest.trim_start().strip_prefix(':')).map(str::trim);
    let word = json.or_else(|| yaml::field(line, "reason"));
    word.is_some_and(|word| word.trim_matches('"').bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// The message of a table's line or of a field in YAML; any other text as it is.
pub(super) fn message(text: &str) -> Cow<'_, str> {
    match row(text) {
        Some(row) => Cow::Borrowed(row.message),
        None => yaml::message(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str =
        "Failed to create pod sandbox: rpc error: code = Unknown desc = ttrpc: closed: unknown";

    #[test]
    fn each_table_has_its_columns() {
        let reason = "FailedCreatePodSandBox";
        let tables = [
            (format!("  Warning  {reason}  3s (x12 over 4m)  kubelet            {SAID}"), Some(12), None),
            (format!("  Warning  {reason}  3s (x12 over 4m)                     {SAID}"), Some(12), None),
            (format!("3s (x12 over 4m)   Warning   {reason}   Pod/a   {SAID}"), Some(12), Some("a")),
            (format!("b   3s          Warning   {reason}   Pod/a   {SAID}"), None, Some("a")),
            (format!("12s         Warning   {reason}   pod/a   {SAID}"), None, Some("a")),
            (
                format!("3s   Warning   {reason}   pod/a         kubelet, n1   {SAID}   4m   7   a.17bf2c"),
                Some(7),
                Some("a"),
            ),
            (
                format!(
                    "3s   Warning   {reason}   pod/a   spec.x   kubelet, n1   {SAID}   4m   7   a.17bf2c"
                ),
                Some(7),
                Some("a"),
            ),
        ];
        for (line, times, name) in tables {
            let namespace = line.starts_with("b ").then_some("b");
            assert_eq!(row(&line), Some(Row { namespace, name, times, message: SAID }), "{line}");
        }
        for line in
            ["Warning  x", "level=info Warning  a  b", "a  b  c  Warning  d  e", "Warning  a b  c  d  e"]
        {
            assert_eq!(row(line), None, "{line}");
        }
    }

    #[test]
    fn a_reason_is_no_message() {
        assert!(is_reason(r#"   "reason": "FailedCreatePodSandBox","#) && is_reason("- reason: Failed"));
        assert!(
            !is_reason(r#""reason": "it failed""#) && !is_reason(r#""reason":"Failed","message":"ttrpc""#)
        );
    }
}
