//! Whether the files that were read are still what they were: size, time and identity, looked at now
//! and then. A mark, not a jump; what to do about it is `update`'s business.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::model::Model;

type Stamp = Option<(u64, u64, i64, i64)>;

/// The files that were read, as they were then.
#[derive(Debug, Default)]
pub(super) struct Watch {
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    shown: String,
    path: PathBuf,
    read: Stamp,
    /// When it was last looked at.
    seen: Stamp,
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec()))
}

impl Watch {
    /// Notes how the files of `model` are now.
    pub(super) fn of(model: &Model, real_path: &dyn Fn(&str) -> PathBuf) -> Self {
        if model.sample {
            return Self::default();
        }
        let layers = &model.seat.saved.setup().layers;
        let mut shown: BTreeSet<String> = layers.sources().map(|s| s.path.to_string()).collect();
        shown.insert(layers.asked.to_string());
        if let Ok(resolved) = &layers.resolved {
            let folder = resolved.rsplit_once('/').map_or("", |(folder, _)| folder);
            shown.insert(format!("{folder}/config.d"));
        }
        shown.extend(model.pods.iter().map(|e| e.pod.source.file.clone()).filter(|f| f != "<stdin>"));
        let files = shown
            .into_iter()
            .map(|shown| {
                let path = real_path(&shown);
                let read = stamp(&path);
                File { shown, path, read, seen: read }
            })
            .collect();
        Self { files }
    }

    /// The files that differ from what was read, where any changed since the last look.
    pub(super) fn look(&mut self) -> Option<Vec<String>> {
        let mut news = false;
        for file in &mut self.files {
            let now = stamp(&file.path);
            news |= now != file.seen;
            file.seen = now;
        }
        let differ = self.files.iter().filter(|file| file.seen != file.read);
        news.then(|| differ.map(|file| file.shown.clone()).collect())
    }
}
