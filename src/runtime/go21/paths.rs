//! How the runtime looks up a path: made absolute, links followed, and what is said of one that is not there.
//!
//! Facts: `ResolvePath` in src/runtime/pkg/katautils/utils.go at 2.1.0, `filepath.EvalSymlinks`.

use crate::input::Host;
use crate::input::host::Errno;
use crate::policy::go_path::clean;

/// The folder that the shim is started in: relative paths begin here.
pub(super) fn bundle(sandbox_id: &str) -> String {
    format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{sandbox_id}")
}

/// `filepath.Abs`.
pub(super) fn absolute(path: &str, sandbox_id: &str) -> String {
    if path.starts_with('/') { clean(path) } else { clean(&format!("{}/{path}", bundle(sandbox_id))) }
}

/// The words for a look-up that went wrong.
pub(super) fn not_resolved(absolute: &str, errno: Errno) -> String {
    match errno {
        Errno::NotFound => format!("file {absolute} does not exist"),
        Errno::NotDirectory => "not a directory".to_owned(),
        Errno::LinkLoop => "EvalSymlinks: too many links".to_owned(),
        other => format!("lstat {absolute}: {other}"),
    }
}

/// `ResolvePath`, of a path in the configuration.
pub(super) fn resolve(host: &Host, path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("path must be specified".to_owned());
    }
    let absolute = absolute(path, "{sandbox-id}");
    match host.canonicalize(&absolute) {
        Ok(real) => Ok(real.to_string()),
        Err(errno) => Err(not_resolved(&absolute, errno)),
    }
}
