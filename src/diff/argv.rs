//! Command lines compared by argument, not by line: an option with its values is one unit; a unit
//! may stay, move, change inside, come or go.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::ops::Range;

use super::sequence::{self, Run};
use super::{Kind, Sides};
use crate::answer::launch::{Arg, Cause};

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
fn units(args: &[Arg], grouping: Grouping) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
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

/// A unit: its arguments and its text.
type Unit = (Range<usize>, String);

/// A row on its way: which unit of each side it holds.
struct Placed {
    kind: Kind,
    units: Sides<Option<usize>>,
}

/// Compares two command lines.
pub fn compare(baseline: &[Arg], candidate: &[Arg], grouping: Grouping) -> Vec<Row> {
    let units = Sides::new(units(baseline, grouping), units(candidate, grouping));
    let mut placed = in_order(&units);
    // Equal texts elsewhere moved; then the same thing with another value changed.
    join(&mut placed, Kind::Moved, &units, |text| text);
    join(&mut placed, Kind::Changed, &units, |text| identity(text, grouping));
    let unit =
        |side: &Vec<Unit>, at: Option<usize>| at.and_then(|at| side.get(at)).cloned().unwrap_or_default();
    placed
        .into_iter()
        .flatten()
        .map(|row| {
            let old = unit(&units.baseline, row.units.baseline);
            let new = unit(&units.candidate, row.units.candidate);
            let pieces = if row.kind == Kind::Changed { pieces(&old.1, &new.1) } else { Vec::new() };
            Row { kind: row.kind, baseline: old.0, candidate: new.0, pieces }
        })
        .collect()
}

/// Rows of what is the same in the same order, and of all else as removed and added.
fn in_order(units: &Sides<Vec<Unit>>) -> Vec<Option<Placed>> {
    let texts = units.map(|side| side.iter().map(|unit| unit.1.as_str()).collect::<Vec<_>>());
    let row = |kind, baseline, candidate| Some(Placed { kind, units: Sides::new(baseline, candidate) });
    let mut placed = Vec::new();
    for run in sequence::runs(&texts.baseline, &texts.candidate) {
        match run {
            Run::Same { baseline, candidate } => {
                placed.extend(baseline.zip(candidate).map(|(o, n)| row(Kind::Same, Some(o), Some(n))));
            }
            Run::Differs { baseline, candidate } => {
                placed.extend(baseline.map(|o| row(Kind::Removed, Some(o), None)));
                placed.extend(candidate.map(|n| row(Kind::Added, None, Some(n))));
            }
        }
    }
    placed
}

/// Makes one row of the first removed and the first added unit with the same key. The added row stays
/// where it is, the removed one goes into it.
fn join<'u, K: Eq + Hash>(
    placed: &mut [Option<Placed>],
    kind: Kind,
    units: &'u Sides<Vec<Unit>>,
    key: impl Fn(&'u str) -> K,
) {
    let key_of = |side: &'u [Unit], at: Option<usize>| side.get(at?).map(|unit| key(&unit.1));
    let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
    for (at, row) in placed.iter().enumerate() {
        let Some(row) = row.as_ref().filter(|row| row.kind == Kind::Removed) else { continue };
        if let Some(key) = key_of(&units.baseline, row.units.baseline) {
            waiting.entry(key).or_default().push_back(at);
        }
    }
    for at in 0..placed.len() {
        let added = placed.get(at).and_then(Option::as_ref).filter(|row| row.kind == Kind::Added);
        let Some(key) = added.and_then(|row| key_of(&units.candidate, row.units.candidate)) else { continue };
        let Some(partner) = waiting.get_mut(&key).and_then(VecDeque::pop_front) else { continue };
        let removed = placed.get_mut(partner).and_then(Option::take);
        if let (Some(removed), Some(Some(row))) = (removed, placed.get_mut(at)) {
            row.kind = kind;
            row.units.baseline = removed.units.baseline;
        }
    }
}

/// Why a unit is there: the causes of its arguments in one. What only the baseline's argument hung on
/// belongs to a change, too.
pub fn cause(row: &Row, args: Sides<&[Arg]>) -> Cause {
    let of = |side: &[Arg], range: &Range<usize>| -> Cause {
        let mut cause = Cause::default();
        for arg in side.get(range.clone()).unwrap_or_default() {
            cause.add_keys(&arg.cause);
            if cause.rule.is_empty() || cause.rule == "always" {
                cause.rule = arg.cause.rule.clone();
            }
        }
        cause
    };
    let baseline = of(args.baseline, &row.baseline);
    if row.kind == Kind::Removed {
        return baseline;
    }
    let mut cause = of(args.candidate, &row.candidate);
    if row.kind == Kind::Changed {
        cause.add_keys(&baseline);
    }
    cause
}

/// The inside of a changed unit by words; what separates them is not part of them, so that a last word
/// is the same as one in the middle.
pub fn pieces(baseline: &str, candidate: &str) -> Vec<Piece> {
    let (old, new) = (words(baseline), words(candidate));
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |kind, words: Option<&[&str]>| {
        let text = words.unwrap_or_default().concat();
        if text.is_empty() {
            return;
        }
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(&text),
            _ => pieces.push(Piece { kind, text }),
        }
    };
    for run in sequence::runs(&old, &new) {
        match run {
            Run::Same { candidate, .. } => push(Kind::Same, new.get(candidate)),
            Run::Differs { baseline, candidate } => {
                push(Kind::Removed, old.get(baseline));
                push(Kind::Added, new.get(candidate));
            }
        }
    }
    pieces
}

fn words(text: &str) -> Vec<&str> {
    const BETWEEN: [char; 5] = [',', ' ', ':', '=', ';'];
    text.split_inclusive(BETWEEN)
        .flat_map(|part| match part.strip_suffix(BETWEEN) {
            Some("") | None => [part, ""],
            Some(word) => [word, part.get(word.len()..).unwrap_or_default()],
        })
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::launch::Cause;

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
                (Kind::Removed, "2048M"),
                (Kind::Added, "4096M"),
                (Kind::Same, ",slots=10")
            ]
        );
    }

    #[test]
    fn a_word_at_the_end_is_the_word_in_the_middle() {
        let shown: Vec<_> =
            pieces("a=1 quiet", "a=1 quiet debug").into_iter().map(|p| (p.kind, p.text)).collect();
        assert_eq!(shown, [(Kind::Same, "a=1 quiet".into()), (Kind::Added, " debug".into())]);
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
