//! Character classes as Go knows them: Perl and POSIX groups, Unicode tables by Go's own names.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// A class of these ranges.
pub(super) fn of(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(low, high)| ClassUnicodeRange::new(*low, *high)))
}

/// Ranges of code points; Go's classes may name surrogates, which no text holds.
pub(super) fn of_code_points(low: u32, high: u32) -> ClassUnicode {
    let up = |point| if (0xd800..=0xdfff).contains(&point) { 0xe000 } else { point };
    let down = |point| if (0xd800..=0xdfff).contains(&point) { 0xd7ff } else { point };
    match (char::from_u32(up(low)), char::from_u32(down(high))) {
        (Some(low), Some(high)) if low <= high => of(&[(low, high)]),
        _ => ClassUnicode::empty(),
    }
}

/// Adds the other cases of every letter.
pub(super) fn folded(mut class: ClassUnicode) -> ClassUnicode {
    // Fails only without the Unicode tables, which are built in.
    let _ = class.try_case_fold_simple();
    class
}

/// `\d`, `\S` and the like.
pub(super) fn perl(letter: char) -> Option<(ClassUnicode, bool)> {
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        'd' => &[('0', '9')],
        's' => &[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
        'w' => WORD,
        _ => return None,
    };
    Some((of(ranges), letter.is_ascii_uppercase()))
}

const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

/// `alpha` of `[:alpha:]`, `^alpha` of `[:^alpha:]`.
pub(super) fn posix(name: &str) -> Option<(ClassUnicode, bool)> {
    let (negated, name) = name.strip_prefix('^').map_or((false, name), |rest| (true, rest));
    let ranges: &[(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\u{7f}')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\u{1f}'), ('\u{7f}', '\u{7f}')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => WORD,
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    Some((of(ranges), negated))
}

/// The table of `\p{name}`. Case, spaces, `_` and `-` do not count; scripts whose own name has a `_`
/// cannot be reached, for Go compares the shortened name with the whole one.
pub(super) fn unicode(name: &str) -> Option<ClassUnicode> {
    let mut canonical: String = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
    canonical.make_ascii_lowercase();
    let property = match canonical.as_str() {
        "" => return None,
        "any" | "assigned" | "ascii" => canonical,
        // No text holds a surrogate.
        "cs" | "surrogate" => return Some(ClassUnicode::empty()),
        script if SCRIPTS.binary_search(&script).is_ok() => format!("sc={canonical}"),
        category if CATEGORIES.contains(&category) => format!("gc={canonical}"),
        _ => return None,
    };
    match regex_syntax::parse(&format!("\\p{{{property}}}")).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A table of one character.
        HirKind::Literal(literal) => {
            std::str::from_utf8(&literal.0).ok()?.chars().next().map(|c| of(&[(c, c)]))
        }
        _ => None,
    }
}

/// General categories with their long names, as Go 1.25 spells them once `_` is gone.
const CATEGORIES: &[&str] = &[
    "c",
    "cc",
    "cf",
    "cn",
    "co",
    "cs",
    "l",
    "lc",
    "ll",
    "lm",
    "lo",
    "lt",
    "lu",
    "m",
    "mc",
    "me",
    "mn",
    "n",
    "nd",
    "nl",
    "no",
    "p",
    "pc",
    "pd",
    "pe",
    "pf",
    "pi",
    "po",
    "ps",
    "s",
    "sc",
    "sk",
    "sm",
    "so",
    "z",
    "zl",
    "zp",
    "zs",
    "casedletter",
    "closepunctuation",
    "combiningmark",
    "connectorpunctuation",
    "control",
    "cntrl",
    "currencysymbol",
    "dashpunctuation",
    "decimalnumber",
    "digit",
    "enclosingmark",
    "finalpunctuation",
    "format",
    "initialpunctuation",
    "letter",
    "letternumber",
    "lineseparator",
    "lowercaseletter",
    "mark",
    "mathsymbol",
    "modifierletter",
    "modifiersymbol",
    "nonspacingmark",
    "number",
    "openpunctuation",
    "other",
    "otherletter",
    "othernumber",
    "otherpunctuation",
    "othersymbol",
    "paragraphseparator",
    "privateuse",
    "punct",
    "punctuation",
    "separator",
    "spaceseparator",
    "spacingmark",
    "surrogate",
    "symbol",
    "titlecaseletter",
    "unassigned",
    "uppercaseletter",
];

/// One-word scripts of Unicode 15, in byte order.
const SCRIPTS: &[&str] = &[
    "adlam",
    "ahom",
    "arabic",
    "armenian",
    "avestan",
    "balinese",
    "bamum",
    "batak",
    "bengali",
    "bhaiksuki",
    "bopomofo",
    "brahmi",
    "braille",
    "buginese",
    "buhid",
    "carian",
    "chakma",
    "cham",
    "cherokee",
    "chorasmian",
    "common",
    "coptic",
    "cuneiform",
    "cypriot",
    "cyrillic",
    "deseret",
    "devanagari",
    "dogra",
    "duployan",
    "elbasan",
    "elymaic",
    "ethiopic",
    "georgian",
    "glagolitic",
    "gothic",
    "grantha",
    "greek",
    "gujarati",
    "gurmukhi",
    "han",
    "hangul",
    "hanunoo",
    "hatran",
    "hebrew",
    "hiragana",
    "inherited",
    "javanese",
    "kaithi",
    "kannada",
    "katakana",
    "kawi",
    "kharoshthi",
    "khmer",
    "khojki",
    "khudawadi",
    "lao",
    "latin",
    "lepcha",
    "limbu",
    "lisu",
    "lycian",
    "lydian",
    "mahajani",
    "makasar",
    "malayalam",
    "mandaic",
    "manichaean",
    "marchen",
    "medefaidrin",
    "miao",
    "modi",
    "mongolian",
    "mro",
    "multani",
    "myanmar",
    "nabataean",
    "nandinagari",
    "newa",
    "nko",
    "nushu",
    "ogham",
    "oriya",
    "osage",
    "osmanya",
    "palmyrene",
    "rejang",
    "runic",
    "samaritan",
    "saurashtra",
    "sharada",
    "shavian",
    "siddham",
    "signwriting",
    "sinhala",
    "sogdian",
    "soyombo",
    "sundanese",
    "syriac",
    "tagalog",
    "tagbanwa",
    "takri",
    "tamil",
    "tangsa",
    "tangut",
    "telugu",
    "thaana",
    "thai",
    "tibetan",
    "tifinagh",
    "tirhuta",
    "toto",
    "ugaritic",
    "vai",
    "vithkuqi",
    "wancho",
    "yezidi",
    "yi",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_table_exists() {
        assert!(SCRIPTS.is_sorted());
        for name in SCRIPTS.iter().chain(CATEGORIES) {
            assert!(unicode(name).is_some(), "{name}");
        }
        assert!(
            unicode("LU").is_some() && unicode("Old_Italic").is_none() && unicode("Alphabetic").is_none()
        );
    }
}
