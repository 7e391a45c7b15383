//! What each argument of a VM's process line is, and which releases print it so; in `assets/catalog/process-lines.toml`.
//!
//! A table and the question which rows are about an argument. Tags are older and finer than the releases that are
//! modelled: a pasted line may be Kata's 1.0 or an alpha.

use crate::release::Runtime;

include!(concat!(env!("OUT_DIR"), "/process_lines.rs"));

/// Spans of tags, as first and last index into [`TAGS`].
pub type Spans = &'static [(usize, usize)];

/// What one argument, or a property of one, is.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    of: &'static str,
    option: &'static str,
    kind: Option<&'static str>,
    property: Option<&'static str>,
    value: Option<&'static str>,
    /// It counts where it stands before this one of the same value.
    pub before: Option<&'static str>,
    /// It counts where it stands behind this one of the same value.
    pub behind: Option<&'static str>,
    /// What it is, in a few words.
    pub says: &'static str,
    /// The configuration key that decides it; `{}` stands for the value on the line.
    pub sets: Option<&'static str>,
    /// What it says of the host or the whole VM.
    pub note: Option<&'static str>,
    go: Option<Spans>,
    rs: Option<Spans>,
    /// Made at the start: no setting.
    pub made: bool,
    /// From the shipped configuration, not from the code.
    pub shipped: bool,
}

/// What the absence of an argument, or of a property of one, tells.
#[derive(Debug, PartialEq, Eq)]
pub struct Lack {
    of: &'static str,
    /// The option that is not there, or that lacks the part.
    pub option: &'static str,
    /// Its kind.
    pub kind: Option<&'static str>,
    /// The parameter that is not there.
    pub property: Option<&'static str>,
    /// The property that the argument lacks.
    pub part: Option<&'static str>,
    /// What must be there for it to tell something: an option with its kind or `,property`.
    pub within: Option<&'static str>,
    /// The later argument that shows that the line goes on.
    pub after: Option<&'static str>,
    /// The machine types it holds for.
    pub machine: Option<&'static str>,
    /// In words.
    pub says: &'static str,
    go: Option<Spans>,
    rs: Option<Spans>,
    /// From the shipped configuration, not from the code.
    pub shipped: bool,
}

/// What the shipped configuration says.
#[derive(Debug, PartialEq, Eq)]
pub struct Shipped {
    key: &'static str,
    value: &'static str,
    go: Option<Spans>,
    rs: Option<Spans>,
}

/// Which guest kernel a release ships.
#[derive(Debug, PartialEq, Eq)]
pub struct GuestKernel {
    version: &'static str,
    build: Option<&'static str>,
    tags: Spans,
}

fn of(runtime: Runtime, go: Option<Spans>, rs: Option<Spans>) -> Option<Spans> {
    match runtime {
        Runtime::Go => go,
        Runtime::Rs => rs,
    }
}

impl Row {
    /// The tags of a runtime that print it so; `None`: it tells nothing.
    pub fn tags(&self, runtime: Runtime) -> Option<Spans> {
        of(runtime, self.go, self.rs)
    }

    /// Whether it asks for the same as another, but for the neighbours.
    pub fn asks_as(&self, other: &Self) -> bool {
        (self.option, self.kind, self.property, self.value)
            == (other.option, other.kind, other.property, other.value)
    }

    fn matches(&self, program: &str, option: &str, kind: &str) -> bool {
        self.of == program && like(self.option, option) && self.kind.is_none_or(|own| like(own, kind))
    }
}

impl Lack {
    /// The tags of a runtime that print nothing there.
    pub fn tags(&self, runtime: Runtime) -> Option<Spans> {
        of(runtime, self.go, self.rs)
    }
}

/// Whether a text is like a pattern, in which `*` stands for any text and `?` for one character.
pub fn like(pattern: &str, text: &str) -> bool {
    fn go(mut pattern: std::str::Chars<'_>, mut text: std::str::Chars<'_>) -> bool {
        loop {
            match pattern.next() {
                None => return text.next().is_none(),
                Some('*') => {
                    if pattern.as_str().is_empty() {
                        return true;
                    }
                    loop {
                        if go(pattern.clone(), text.clone()) {
                            return true;
                        }
                        if text.next().is_none() {
                            return false;
                        }
                    }
                }
                Some('?') => {
                    if text.next().is_none() {
                        return false;
                    }
                }
                Some(c) => {
                    if text.next() != Some(c) {
                        return false;
                    }
                }
            }
        }
    }
    go(pattern.chars(), text.chars())
}

/// The rows about an argument as a whole.
pub fn whole(program: &str, option: &str, kind: &str) -> Vec<&'static Row> {
    ARGUMENTS.iter().filter(|row| row.property.is_none() && row.matches(program, option, kind)).collect()
}

/// The rows about a property of an argument.
pub fn property(program: &str, option: &str, kind: &str, name: &str, value: &str) -> Vec<&'static Row> {
    ARGUMENTS
        .iter()
        .filter(|row| row.property.is_some_and(|own| like(own, name)))
        .filter(|row| row.value.is_none_or(|own| like(own, value)))
        .filter(|row| row.matches(program, option, kind))
        .collect()
}

/// Whether any row is about the option.
pub fn knows(program: &str, option: &str) -> bool {
    ARGUMENTS.iter().any(|row| row.of == program && row.option == option)
}

/// What absences tell of a program's line.
pub fn lacks(program: &str) -> impl Iterator<Item = &'static Lack> {
    LACKS.iter().filter(move |row| row.of == program)
}

/// What the shipped configuration says of a key at each tag of a runtime: value and tags.
pub fn shipped(key: &str, runtime: Runtime) -> impl Iterator<Item = (&'static str, Spans)> {
    TEMPLATES
        .iter()
        .filter(move |row| row.key == key)
        .filter_map(move |row| Some((row.value, of(runtime, row.go, row.rs)?)))
}

/// The tags whose guest kernel is named like this file: by the number of its configuration, else by its version.
pub fn kernel_tags(file: &str) -> Option<Vec<(usize, usize)>> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let rest = name.split_once('-').map(|(_, rest)| rest)?;
    let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let after = rest.get(version.len()..).unwrap_or_default();
    let build: String =
        after.strip_prefix('-').unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let of = |wanted: &dyn Fn(&GuestKernel) -> bool| -> Vec<(usize, usize)> {
        KERNELS
            .iter()
            .filter(|kernel| wanted(kernel))
            .flat_map(|kernel| kernel.tags.iter().copied())
            .collect()
    };
    // Clear Linux appends numbers of its own to the version.
    let same = |kernel: &GuestKernel| {
        version.strip_prefix(kernel.version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let built = |kernel: &GuestKernel| !build.is_empty() && kernel.build == Some(build.as_str());
    // Other kernels of a release (confidential, GPU) have a version of their own, but its number.
    let found = [of(&|kernel| same(kernel) && built(kernel)), of(&same), of(&built)];
    let found = found.into_iter().find(|tags| !tags.is_empty()).unwrap_or_default();
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_like_texts() {
        assert!(like("virtio-*", "virtio-rng-pci") && like("*", "") && like("a*c", "abc") && like("?", "x"));
        assert!(!like("virtio", "virtio-rng") && !like("a*c", "ab"));
    }

    #[test]
    fn guest_kernels_tell_the_release() {
        let tags = |file: &str| {
            let found = kernel_tags(file).unwrap_or_default();
            found.iter().map(|(a, b)| format!("{}..{}", TAGS[*a], TAGS[*b])).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(tags("/opt/kata/share/kata-containers/vmlinux-6.12.13-147"), "3.14.0..3.14.0");
        assert_eq!(tags("vmlinuz-6.7-136-confidential"), "3.9.0..3.9.0");
        assert_eq!(tags("vmlinuz-4.14.51.1-132.container"), "1.1.0..1.2.2");
        assert!(kernel_tags("/boot/vmlinuz").is_none());
    }

    #[test]
    fn every_row_says_something_and_knows_its_tags() {
        for row in ARGUMENTS {
            assert!(!row.says.is_empty() && !row.says.ends_with('.'), "{row:?}");
            for spans in [row.go, row.rs].into_iter().flatten() {
                assert!(spans.iter().all(|(a, b)| a <= b && *b < TAGS.len()), "{row:?}");
            }
        }
    }
}
