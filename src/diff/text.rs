//! Two texts to a unified diff, line ends and all, and to the runs of lines that differ; three texts to
//! what each of two people made of the first.

use std::ops::Range;

use similar::{DiffOp, TextDiff};

/// The unified diff of two texts with three lines of context; empty where they are the same.
pub fn unified(old_name: &str, new_name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(old_name, new_name).to_string()
}

/// The runs of lines that differ, as byte ranges of the one and of the other text, in order.
pub fn runs(old: &str, new: &str) -> Vec<(Range<usize>, Range<usize>)> {
    if old == new {
        return Vec::new();
    }
    let diff = TextDiff::from_lines(old, new);
    ranges(&diff, &offsets(&mut diff.iter_old_slices()), &offsets(&mut diff.iter_new_slices()))
}

/// A longer run is not looked at word by word.
const WORDS: usize = 16 * 1024;

/// The words that differ in the runs of lines that differ.
pub fn fine_runs(old: &str, new: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let mut fine = Vec::new();
    for (old_run, new_run) in runs(old, new) {
        let slice = |text: &str, range: &Range<usize>| text.get(range.clone()).unwrap_or_default().to_owned();
        let (was, is) = (slice(old, &old_run), slice(new, &new_run));
        if was.is_empty() || is.is_empty() || was.len().max(is.len()) > WORDS {
            fine.push((old_run, new_run));
            continue;
        }
        let diff = TextDiff::from_words(&was, &is);
        let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
        let words =
            ranges(&diff, &offsets(&mut diff.iter_old_slices()), &offsets(&mut diff.iter_new_slices()));
        fine.extend(words.into_iter().map(|(o, n)| (moved(o, old_run.start), moved(n, new_run.start))));
    }
    fine
}

/// Where each slice of a text begins, and where the last one ends.
fn offsets(slices: &mut dyn Iterator<Item = &str>) -> Vec<usize> {
    let mut at = 0;
    let ends = slices.map(|slice| {
        at += slice.len();
        at
    });
    std::iter::once(0).chain(ends).collect()
}

fn ranges(diff: &TextDiff<'_, '_, str>, olds: &[usize], news: &[usize]) -> Vec<(Range<usize>, Range<usize>)> {
    let bytes = |offsets: &[usize], slices: Range<usize>| {
        let at = |slice: usize| offsets.get(slice).or(offsets.last()).copied().unwrap_or(0);
        at(slices.start)..at(slices.end)
    };
    diff.ops()
        .iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
        .map(|op| (bytes(olds, op.old_range()), bytes(news, op.new_range())))
        .collect()
}

/// A run of lines where at least one of two successors differs from the text that both come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its first line in that text, from 1.
    pub line: usize,
    /// What stood there.
    pub base: String,
    /// What the one made of it.
    pub theirs: String,
    /// What the other made of it.
    pub mine: String,
}

/// What two people made of one text, run by run; runs that touch are one.
pub fn three_way(base: &str, theirs: &str, mine: &str) -> Vec<Region> {
    let (theirs_runs, mine_runs) = (runs(base, theirs), runs(base, mine));
    let mut spans: Vec<Range<usize>> =
        theirs_runs.iter().chain(&mine_runs).map(|(old, _)| old.clone()).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
        .into_iter()
        .map(|span| Region {
            line: 1 + base.get(..span.start).unwrap_or_default().matches('\n').count(),
            base: base.get(span.clone()).unwrap_or_default().to_owned(),
            theirs: side(theirs, &theirs_runs, &span),
            mine: side(mine, &mine_runs, &span),
        })
        .collect()
}

/// What became of `span` of the old text.
fn side(new: &str, runs: &[(Range<usize>, Range<usize>)], span: &Range<usize>) -> String {
    // Between runs, offsets differ by what the runs before added or took.
    let moved = |at: usize| {
        let last = runs.iter().rev().find(|(old, _)| old.end <= at);
        last.map_or(at, |(old, new)| at - old.end + new.end)
    };
    let inside = |(old, _): &&(Range<usize>, Range<usize>)| span.start <= old.start && old.end <= span.end;
    let first = runs.iter().find(inside);
    let last = runs.iter().rev().find(inside);
    let start = first.map_or_else(|| moved(span.start), |(old, new)| new.start - (old.start - span.start));
    let end = last.map_or_else(|| start + span.len(), |(old, new)| new.end + (span.end - old.end));
    new.get(start..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_bytes_of_whole_lines() {
        assert_eq!(runs("a\nb\nc\n", "a\nx\ny\nc\n"), [(2..4, 2..6)]);
        assert_eq!(runs("a\r\nb", "a\r\nb\r\n"), [(3..4, 3..6)]);
        assert_eq!(runs("", "a\n"), [(0..0, 0..2)]);
        assert_eq!(runs("a\n", "a\n"), []);
        assert_eq!(fine_runs("x = []", "# c\nx = []\n"), [(0..0, 0..4), (6..6, 10..11)]);
    }

    #[test]
    fn three_texts_show_who_changed_what() {
        let base = "one\ntwo\nthree\nfour\nfive\nsix\n";
        let theirs = "zero\none\ntwo\nthree\nFOUR\nfive\nsix\n";
        let mine = "one\n2\nthree\n4\nfive\n";
        let region = |line, base: &str, theirs: &str, mine: &str| Region {
            line,
            base: base.into(),
            theirs: theirs.into(),
            mine: mine.into(),
        };
        assert_eq!(
            three_way(base, theirs, mine),
            [
                region(1, "", "zero\n", ""),
                region(2, "two\n", "two\n", "2\n"),
                region(4, "four\n", "FOUR\n", "4\n"),
                region(6, "six\n", "six\n", ""),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn the_regions_and_what_lies_between_make_each_side(
            base in "[ab\n]{0,24}", theirs in "[ab\n]{0,24}", mine in "[ab\n]{0,24}",
        ) {
            // Between regions all three say the same, so each side is the base with its regions put in.
            let regions = three_way(&base, &theirs, &mine);
            let put_in = |of: &dyn Fn(&Region) -> String| {
                let (mut out, mut done) = (String::new(), 0);
                let starts: Vec<usize> =
                    std::iter::once(0).chain(base.match_indices('\n').map(|(at, _)| at + 1)).collect();
                for region in &regions {
                    let at = starts.get(region.line - 1).copied().unwrap_or(base.len());
                    out.push_str(base.get(done..at).unwrap_or_default());
                    out.push_str(&of(region));
                    done = at + region.base.len();
                }
                out + base.get(done..).unwrap_or_default()
            };
            proptest::prop_assert_eq!(put_in(&|r| r.theirs.clone()), theirs.clone());
            proptest::prop_assert_eq!(put_in(&|r| r.mine.clone()), mine.clone());
        }
    }

    #[test]
    fn a_missing_last_line_end_is_told() {
        assert_eq!(unified("a", "b", "x\n", "x\n"), "");
        let diff = unified("a/f", "b/f", "one\ntwo", "one\nthree\n");
        assert_eq!(
            diff,
            "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+three\n"
        );
    }
}
