//! Two texts to a unified diff, line ends and all.

use similar::TextDiff;

/// The unified diff of two texts with three lines of context; empty where they are the same.
pub fn unified(old_name: &str, new_name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(old_name, new_name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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
