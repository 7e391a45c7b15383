//! What `/` keeps of a list: what the query says, and where nothing fits, what has the letters in their order.
//! Also the ranking of what a search window finds.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

use super::widget::rich::find_ignoring_case;
use crate::query::{Query, Searched};

/// Longer texts are looked at from their start only.
const REACH: usize = 4_000;

/// The indices of `things` that `query` keeps, in their order.
pub fn keep<T: Searched + AsRef<str> + ?Sized>(query: &str, things: &[&T]) -> Vec<usize> {
    let parsed = Query::parse(query);
    let kept: Vec<usize> =
        things.iter().enumerate().filter(|(_, thing)| parsed.keeps(**thing)).map(|(i, _)| i).collect();
    let signs = query.contains(['!', ':', '=', '"']);
    if !kept.is_empty() || parsed.is_empty() || signs {
        return kept;
    }
    let matcher = SkimMatcherV2::default().ignore_case();
    let terms: Vec<&str> = query.split_whitespace().collect();
    let fuzzy = |text: &str| {
        terms.iter().all(|word| {
            in_order(text, word)
                && matcher.fuzzy_match(text, word).is_some_and(|score| score > fair_score(word))
        })
    };
    let fits = things.iter().enumerate().filter(|(_, thing)| fuzzy(reach((**thing).as_ref())));
    fits.map(|(i, _)| i).collect()
}

/// The best of `texts` for `query` with their scores, best first, at most `limit`.
pub fn rank<'a>(query: &str, texts: impl Iterator<Item = &'a str>, limit: usize) -> Vec<usize> {
    let matcher = SkimMatcherV2::default().ignore_case();
    let query = query.trim();
    let mut scored: Vec<(i64, usize)> = texts
        .enumerate()
        .filter_map(|(i, text)| {
            let text = reach(text);
            if query.is_empty() {
                return Some((0, i));
            }
            let mut score = 0;
            for word in query.split_whitespace() {
                let plain = find_ignoring_case(text, word);
                score += match plain {
                    // A whole word at the start is what was meant.
                    Some(at) => 2_000 - (at.min(500) as i64) - (text.len().min(500) as i64),
                    None if in_order(text, word) => {
                        matcher.fuzzy_match(text, word).filter(|s| *s > fair_score(word))?
                    }
                    None => return None,
                };
            }
            Some((score, i))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().take(limit).map(|(_, i)| i).collect()
}

/// Scattered letters score low; most letters of a word must stand together or start words.
fn fair_score(word: &str) -> i64 {
    word.chars().count() as i64 * 10
}

/// Whether the letters of `word` come in this order; cheap, asked before the score.
fn in_order(text: &str, word: &str) -> bool {
    let mut letters = text.chars();
    word.chars().all(|w| letters.by_ref().any(|t| t.eq_ignore_ascii_case(&w)))
}

fn reach(text: &str) -> &str {
    let mut end = text.len().min(REACH);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] =
        ["default_memory MiB 2048", "default_vcpus 1", "path /opt/kata/bin/qemu", "kernel_params"];

    fn kept(query: &str) -> Vec<usize> {
        keep(query, &TEXTS)
    }

    #[test]
    fn words_then_letters() {
        assert_eq!(kept(""), [0, 1, 2, 3]);
        assert_eq!(kept("default"), [0, 1]);
        assert_eq!(kept("DEFAULT mem"), [0]);
        assert_eq!(kept("!default"), [2, 3]);
        assert_eq!(kept("dfmem"), [0]);
        assert_eq!(kept("zzz"), [] as [usize; 0]);
    }

    #[test]
    fn the_plainest_hit_comes_first() {
        assert_eq!(rank("path", TEXTS.into_iter(), 10), [2]);
        assert_eq!(rank("default", TEXTS.into_iter(), 10)[0], 1);
        assert_eq!(rank("", TEXTS.into_iter(), 2), [0, 1]);
    }
}
