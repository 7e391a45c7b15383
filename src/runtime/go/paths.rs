//! How the runtime looks up a path: made absolute, links followed, and what is said of one that is not there.
//!
//! Facts: `ResolvePath` in src/runtime/pkg/katautils/utils.go, `filepath.Abs` and `filepath.EvalSymlinks` of Go,
//! and the folder that containerd starts a shim in.

use crate::golang::filepath::clean;
use crate::input::Host;
use crate::input::host::Errno;
use crate::runtime::RuntimeMessage;

/// Stands for the id of a sandbox while there is none.
pub(super) const SANDBOX: &str = "{sandbox-id}";

/// A path as seen from the folder of a sandbox, which the shim runs in.
pub(super) fn absolute(path: &str, sandbox_id: &str) -> String {
    if path.starts_with('/') {
        return clean(path);
    }
    clean(&format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{sandbox_id}/{path}"))
}

/// The words for a look-up that went wrong.
pub(super) fn not_resolved(absolute: &str, errno: Errno) -> String {
    match errno {
        Errno::NotFound => format!("file {absolute} does not exist"),
        Errno::NotDirectory => errno.go().to_owned(),
        Errno::LinkLoop => "EvalSymlinks: too many links".to_owned(),
        other => format!("lstat {absolute}: {other}"),
    }
}

/// Follows every link of a path that must exist.
pub(super) fn resolve(host: &Host, path: &str, sandbox_id: &str) -> Result<String, RuntimeMessage> {
    let absolute = absolute(path, sandbox_id);
    host.canonicalize(&absolute)
        .map(|real| real.to_string())
        .map_err(|errno| not_resolved(&absolute, errno).into())
}
