//! Command lines compared by argument, not by line: an option with its values is one unit; a unit
//! may stay, move, change inside, come or go.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::Kind;
use crate::launch::Arg;

/// One unit of the comparison: positions are of arguments, so that causes can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What became of it.
    pub kind: Kind,
    /// Its arguments in the baseline; empty where it is not there.
    pub baseline: Range<usize>,
    /// Its arguments in the candidate; empty where it is not there.
    pub candidate: Range<usize>,
    /// For `Changed`: the unit in pieces, in reading order.
    pub pieces: Vec<Piece>,
}

/// A piece of a changed unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// `Same`, `Added` or `Removed`.
    pub kind: Kind,
    /// The text, separators included.
    pub text: String,
}

/// How arguments form units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// An argument that starts with `-` takes the following ones that do not.
    Options,
    /// Each argument stands for itself (kernel parameters).
    Single,
}

/// The arguments as one text each.
fn units(args: &[Arg], grouping: Grouping) -> Vec<(Range<usize>, String)> {
    let mut units: Vec<(Range<usize>, String)> = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        let joins = grouping == Grouping::Options && !arg.text.starts_with('-');
        match units.last_mut() {
            Some((range, text))
                if joins && args.get(range.start).is_some_and(|a| a.text.starts_with('-')) =>
            {
                range.end = i + 1;
                text.push(' ');
                text.push_str(&arg.text);
            }
            _ => units.push((i..i + 1, arg.text.clone())),
        }
    }
    units
}

/// What makes two different units the same thing changed: the option and the first word of its value
/// (`-device virtio-9p-pci`), an `id=`, or a parameter's name.
fn identity(text: &str, grouping: Grouping) -> String {
    match grouping {
        Grouping::Single => text.split('=').next().unwrap_or(text).to_owned(),
        Grouping::Options => {
            let mut words = text.splitn(2, ' ');
            let flag = words.next().unwrap_or_default();
            let flag = flag.split('=').next().unwrap_or(flag);
            let rest = words.next().unwrap_or_default();
            let id = rest.split(',').find(|part| part.starts_with("id="));
            // Options that come once are the same thing whatever their value.
            let repeats = matches!(flag, "-device" | "-object" | "-chardev" | "-netdev" | "-drive" | "-numa");
            match (repeats, id) {
                (false, _) => flag.to_owned(),
                (true, Some(id)) => format!("{flag} {id}"),
                (true, None) => format!("{flag} {}", rest.split(',').next().unwrap_or_default()),
            }
        }
    }
}

/// Compares two command lines.
pub fn compare(baseline: &[Arg], candidate: &[Arg], grouping: Grouping) -> Vec<Row> {
    let old = units(baseline, grouping);
    let new = units(candidate, grouping);
    let texts = |units: &[(Range<usize>, String)]| units.iter().map(|u| u.1.clone()).collect::<Vec<_>>();
    let (old_texts, new_texts) = (texts(&old), texts(&new));
    let mut rows = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, &old_texts, &new_texts) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for i in 0..len {
                if let (Some(o), Some(n)) = (old.get(old_index + i), new.get(new_index + i)) {
                    rows.push(row(Kind::Same, o.0.clone(), n.0.clone()));
                }
            }
        } else {
            let block = old.get(op.old_range()).unwrap_or_default();
            for unit in block {
                rows.push(row(Kind::Removed, unit.0.clone(), 0..0));
            }
            for unit in new.get(op.new_range()).unwrap_or_default() {
                rows.push(row(Kind::Added, 0..0, unit.0.clone()));
            }
        }
    }
    let text_of = |units: &[(Range<usize>, String)], range: &Range<usize>| {
        units.iter().find(|u| u.0 == *range).map(|u| u.1.clone()).unwrap_or_default()
    };
    let removed_text = |r: &Row| text_of(&old, &r.baseline);
    let added_text = |r: &Row| text_of(&new, &r.candidate);
    // Equal texts elsewhere moved; then the same thing with another value changed. The added row
    // stays where it is, the removed one goes into it.
    for by_identity in [false, true] {
        let mut i = 0;
        while i < rows.len() {
            let Some(added) = rows.get(i).filter(|r| r.kind == Kind::Added).cloned() else {
                i += 1;
                continue;
            };
            let text = added_text(&added);
            let partner = rows.iter().position(|r| {
                r.kind == Kind::Removed && {
                    let other = removed_text(r);
                    if by_identity {
                        identity(&other, grouping) == identity(&text, grouping)
                    } else {
                        other == text
                    }
                }
            });
            let Some(partner) = partner else {
                i += 1;
                continue;
            };
            let removed = rows.remove(partner);
            let at = if partner < i { i - 1 } else { i };
            if let Some(row) = rows.get_mut(at) {
                row.baseline = removed.baseline.clone();
                row.kind = if by_identity { Kind::Changed } else { Kind::Moved };
                if by_identity {
                    row.pieces = pieces(&removed_text(&removed), &text);
                }
            }
            i = at + 1;
        }
    }
    rows
}

fn row(kind: Kind, baseline: Range<usize>, candidate: Range<usize>) -> Row {
    Row { kind, baseline, candidate, pieces: Vec::new() }
}

/// The inside of a changed unit, split at commas, spaces and colons.
pub fn pieces(baseline: &str, candidate: &str) -> Vec<Piece> {
    let (old, new) = (words(baseline), words(candidate));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |kind, words: &[&str]| {
        let text = words.concat();
        if text.is_empty() {
            return;
        }
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(&text),
            _ => pieces.push(Piece { kind, text }),
        }
    };
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        if let DiffOp::Equal { .. } = op {
            push(Kind::Same, new.get(op.new_range()).unwrap_or_default());
        } else {
            push(Kind::Removed, old.get(op.old_range()).unwrap_or_default());
            push(Kind::Added, new.get(op.new_range()).unwrap_or_default());
        }
    }
    pieces
}

fn words(text: &str) -> Vec<&str> {
    text.split_inclusive([',', ' ', ':', '=', ';']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::Cause;

    fn args(text: &str) -> Vec<Arg> {
        text.split(' ').map(|t| Arg::new(t, Cause::constant())).collect()
    }

    fn kinds(rows: &[Row]) -> Vec<Kind> {
        rows.iter().map(|r| r.kind).collect()
    }

    #[test]
    fn a_changed_value_is_one_change_inside_its_option() {
        let rows = compare(
            &args("-m 2048M,slots=10 -cpu host -nographic"),
            &args("-m 4096M,slots=10 -cpu host -nographic"),
            Grouping::Options,
        );
        assert_eq!(kinds(&rows), [Kind::Changed, Kind::Same, Kind::Same]);
        let shown: Vec<_> = rows[0].pieces.iter().map(|p| (p.kind, p.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                (Kind::Same, "-m "),
                (Kind::Removed, "2048M,"),
                (Kind::Added, "4096M,"),
                (Kind::Same, "slots=10")
            ]
        );
    }

    #[test]
    fn moved_added_and_removed_are_told_apart() {
        let rows = compare(
            &args("-a -device x,id=1 -device y,id=2 -z"),
            &args("-device y,id=2 -a -device x,id=1 -new"),
            Grouping::Options,
        );
        assert!(kinds(&rows).contains(&Kind::Moved));
        assert!(kinds(&rows).contains(&Kind::Added));
        assert!(kinds(&rows).contains(&Kind::Removed));
        assert!(!kinds(&rows).contains(&Kind::Changed));
    }

    #[test]
    fn kernel_parameters_are_compared_by_name() {
        let rows = compare(&args("quiet a=1"), &args("quiet a=2 b"), Grouping::Single);
        assert_eq!(kinds(&rows), [Kind::Same, Kind::Changed, Kind::Added]);
    }
}
