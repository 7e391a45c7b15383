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
    files: Vec<(String, PathBuf, Stamp)>,
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
        let layers = &model.saved.setup().layers;
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
                let stamp = stamp(&path);
                (shown, path, stamp)
            })
            .collect();
        Self { files }
    }

    /// The files that differ.
    pub(super) fn changed(&self) -> Vec<String> {
        self.files
            .iter()
            .filter(|(_, path, old)| stamp(path) != *old)
            .map(|(shown, _, _)| shown.clone())
            .collect()
    }
}
