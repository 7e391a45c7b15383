//! Writing what was asked for: the plans of a save, and new files in the working folder.

use std::io;
use std::path::PathBuf;

use super::effect::SaveOutcome;
use crate::edit::output::{self, Existing};
use crate::edit::{self, Done, Plan, RealDisk, SaveError};

/// Carries out plans, up to the first that fails.
pub(super) fn save_all(plans: Vec<Plan>, disk: &RealDisk) -> Vec<SaveOutcome> {
    let mut outcomes = Vec::new();
    for plan in plans {
        let outcome = match edit::save(&plan, disk) {
            Ok(saved) => {
                let (path, bytes) = (saved.path.display(), plan.text().len());
                let text = match saved.done {
                    Done::Created => format!("created {path}: {bytes} bytes"),
                    Done::Replaced => format!("wrote {path}: {bytes} bytes"),
                    Done::Removed => format!("removed {path}, in which nothing was left"),
                };
                SaveOutcome::Written(plan, text)
            }
            Err(SaveError::Conflict { now, .. }) => SaveOutcome::Conflict {
                path: plan.path.to_string(),
                theirs: now.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            },
            Err(error) => SaveOutcome::Failed(error.to_string()),
        };
        let stop = !matches!(outcome, SaveOutcome::Written(..));
        outcomes.push(outcome);
        if stop {
            break;
        }
    }
    outcomes
}

/// Writes a new file; what is there already stays. Where the name is taken and another will do, it gets a
/// number.
pub(super) fn export(name: &str, text: &str, another: bool) -> Result<PathBuf, String> {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let last = if another { 99 } else { 1 };
    let names = std::iter::once(name.to_owned()).chain((2..=last).map(|n| format!("{stem}-{n}.{ending}")));
    let mut taken = String::new();
    for path in names.map(PathBuf::from) {
        match output::put(&path, text, Existing::Keep) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                taken = format!("{} is there already; nothing was written", path.display());
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(format!("{}: no permission to write into this folder", path.display()));
            }
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
    }
    Err(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_already_stays() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("katascope-value.txt").display().to_string();
        let first = export(&name, "one", false).unwrap();
        assert!(export(&name, "two", false).unwrap_err().ends_with("is there already; nothing was written"));
        let second = export(&name, "two", true).unwrap();
        let third = export(&name, "three", true).unwrap();
        assert!(second.ends_with("katascope-value-2.txt") && third.ends_with("katascope-value-3.txt"));
        let read = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!((read(first), read(second), read(third)), ("one".into(), "two".into(), "three".into()));
    }
}
