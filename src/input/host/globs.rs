//! `filepath.Glob` of Go over the host's files, as the Go runtime, containerd and CRI-O use it.
//!
//! Decides how many names are looked at, and what is taken for granted where the files are not at hand; what a glob
//! stands for, `golang::glob` does.

use std::sync::Arc;

use super::{Expansion, FileKind, Host};
use crate::golang::filepath::{clean, has_meta};
use crate::golang::glob::{Folders, expand, stands_for};

/// How many names one glob looks at before it is given up. Go would go on: `/*/*/*/*` through `/proc` has
/// no end that anybody waits for.
const GLOB_LIMIT: usize = 1 << 20;

impl Folders for Host {
    fn has(&self, path: &str) -> bool {
        self.knows(path) && self.lstat(path).is_ok()
    }

    fn names(&self, folder: &str) -> Option<Arc<[String]>> {
        let is_folder = self.knows(folder) && self.stat(folder).map(|s| s.kind) == Ok(FileKind::Directory);
        if is_folder { self.read_dir(folder).ok() } else { None }
    }
}

/// `filepath.Glob`: the files of the host that a pattern stands for. A malformed pattern stands for
/// none; the Go runtimes never look at the error. The answer is remembered by the host.
pub fn files(host: &Host, pattern: &str) -> Arc<Expansion> {
    if let Some(known) = host.memory().globs.get(pattern) {
        return known.clone();
    }
    let mut left = GLOB_LIMIT;
    let files = expand(host, pattern, &mut left);
    let found = Arc::new(Expansion { files, whole: left > 0 && host.sees_all() });
    host.memory().globs.insert(pattern.to_owned(), found.clone());
    found
}

/// Whether the glob stands for `path` (and maybe others): the same answer as looking for it among all of
/// them, without listing any folder that `path` is not in. The answer is remembered by the host. A file that
/// nobody can look for is taken for granted where the text of the glob fits it.
pub fn has(host: &Host, pattern: &str, path: &str) -> bool {
    let files = if host.knows(path) { Some(host) } else { None };
    // No folder lists `..`, so no star ever stands for it.
    if files.is_none() && has_meta(pattern) && clean(path) != path {
        return false;
    }
    let known = host.memory().stands_for(pattern, path);
    let found = known.unwrap_or_else(|| {
        host.make_room();
        let found = stands_for(files, pattern, path);
        host.memory().remember_match(pattern, path, found);
        found
    });
    found && (files.is_some() || host.exists(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golang::filepath::path_match;
    use crate::input::host::{HostFacts, MemoryFiles};

    fn host() -> Host {
        let files = MemoryFiles::new()
            .file("/opt/kata/bin/qemu", 0o755, "x")
            .file("/opt/kata/bin/qemu-old", 0o755, "x")
            .file("/opt/kata/bin/.hidden", 0o755, "x")
            .file("/opt/other/bin/qemu", 0o755, "x")
            .file("/opt/a*b", 0o644, "x")
            .link("/usr/bin", "/opt/kata/bin")
            .link("/opt/dangling", "/nowhere");
        Host::new(HostFacts::default(), Arc::new(files))
    }

    fn found(pattern: &str) -> Vec<String> {
        super::files(&host(), pattern).files.clone()
    }

    #[test]
    fn globs_expand_on_the_host() {
        assert_eq!(found("/opt/*/bin/qemu"), ["/opt/kata/bin/qemu", "/opt/other/bin/qemu"]);
        assert_eq!(found("/usr/bin/q*"), ["/usr/bin/qemu", "/usr/bin/qemu-old"]);
        assert_eq!(found("/usr/bin/*"), ["/usr/bin/.hidden", "/usr/bin/qemu", "/usr/bin/qemu-old"]);
        assert_eq!(found("/opt//kata/../kata/bin/qemu-*"), ["/opt/kata/bin/qemu-old"]);
        assert_eq!(found("/opt//kata/bin/qemu"), ["/opt//kata/bin/qemu"]);
        assert_eq!(found("/opt/d*"), ["/opt/dangling"]);
        assert_eq!(found("/opt/dangling"), ["/opt/dangling"]);
        assert_eq!(found("/opt/a\\*b"), ["/opt/a*b"]);
        assert!(found("/opt/[").is_empty());
        assert!(found("/opt/*/").is_empty());
        assert!(found("/*kata*").is_empty());
        assert!(found("").is_empty());
    }

    #[test]
    fn one_path_is_found_without_the_others() {
        for (pattern, path, has) in [
            ("/opt/*/bin/qemu", "/opt/kata/bin/qemu", true),
            ("/opt//kata/../kata/bin/qemu-*", "/opt/kata/bin/qemu-old", true),
            ("/opt//kata/../kata/bin/qemu-*", "/opt//kata/../kata/bin/qemu-old", false),
            ("/opt//kata/bin/qemu", "/opt//kata/bin/qemu", true),
            ("/opt//kata/bin/qemu", "/opt/kata/bin/qemu", false),
            ("/opt/d*", "/opt/dangling", true),
            ("/opt/*/", "/opt/kata/", false),
            ("o*", "opt", true),
            ("*", "", false),
        ] {
            assert_eq!(super::has(&host(), pattern, path), has, "{pattern} {path}");
            assert_eq!(found(pattern).iter().any(|f| f == path), has, "{pattern} {path}");
        }
    }

    #[test]
    fn a_glob_over_too_much_is_given_up_and_says_so() {
        let folders = (0..1100).map(|i| format!("/d/{i}/x"));
        let files = folders.fold(MemoryFiles::new(), |files, path| files.file(&path, 0o644, ""));
        // Every folder leads back to the first.
        let files = files.link("/d/up", "/d");
        let host = Host::new(HostFacts::default(), Arc::new(files));
        assert!(super::files(&host, "/d/*/*").whole);
        let all = super::files(&host, "/d/*/*/*/*/*/*/*/*/*/*");
        assert!(all.whole);
        let loops: String = (0..60).map(|_| "/*").collect();
        assert!(super::files(&host, &format!("/d{loops}")).files.len() <= GLOB_LIMIT);
    }

    proptest::proptest! {
        #[test]
        fn a_glob_stands_for_the_files_it_matches(pattern in "(/([a-c]|\\*|\\?|\\[ab\\]|\\[\\^a\\]){1,3}){1,3}") {
            let files = ["/a", "/b/a", "/b/ab", "/b/c/a", "/cb/a", "/cb/ca/bb", "/abc"];
            let host = Host::new(
                HostFacts::default(),
                Arc::new(files.iter().fold(MemoryFiles::new(), |all, f| all.file(f, 0o644, ""))),
            );
            let folders = ["/b", "/b/c", "/cb", "/cb/ca"];
            // A class that does not hold `/` keeps each part of the pattern to one part of the path.
            let deep = |path: &str| path.matches('/').count();
            let mut expected: Vec<&str> = files
                .into_iter()
                .chain(folders)
                .filter(|f| deep(f) == deep(&pattern) && path_match(&pattern, f) == Ok(true))
                .collect();
            expected.sort();
            let mut found = super::files(&host, &pattern).files.clone();
            found.sort();
            proptest::prop_assert_eq!(&found, &expected);
            for path in files.into_iter().chain(folders).chain(["/", "/b/", "a", "/b//a", "/nope", ""]) {
                let has = found.iter().any(|f| f == path);
                proptest::prop_assert_eq!(super::has(&host, &pattern, path), has, "{}", path);
            }
        }

        #[test]
        fn no_pattern_is_too_odd(pattern in ".{0,10}", name in ".{0,10}") {
            let _ = path_match(&pattern, &name);
            for path in super::files(&host(), &pattern).files.iter() {
                proptest::prop_assert!(super::has(&host(), &pattern, path));
            }
        }
    }
}
