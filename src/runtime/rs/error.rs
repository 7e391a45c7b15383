//! Why runtime-rs stops: its message, and the configuration key that the message is about.
//!
//! Also the two ways it asks for a path: taking it over in its real form, or only wanting it to exist.
//! Facts: the path macros of src/libs/kata-types/src/lib.rs at 4.1.0.

use crate::input::{Host, Text};
use crate::runtime::message::worded;

/// An error of the runtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// The runtime's own message.
    pub message: String,
    /// The key it is about, within its table.
    pub key: Option<&'static str>,
    /// `hypervisor.qemu`, `agent.kata`, `runtime`; empty where nobody said yet.
    pub table: String,
    /// Whether the runtime crashes.
    pub panic: bool,
}

/// What a step of the runtime gives.
pub type ConfigResult<T = ()> = Result<T, ConfigError>;

impl ConfigError {
    /// An error about `key`.
    pub fn about(key: &'static str, message: impl Into<String>) -> Self {
        Self { message: message.into(), key: Some(key), table: String::new(), panic: false }
    }

    /// An error about no key in particular.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), key: None, table: String::new(), panic: false }
    }

    /// The same where the runtime crashes.
    pub fn crash(mut self) -> Self {
        self.panic = true;
        self
    }

    /// Names the table.
    #[must_use]
    pub fn within(mut self, table: impl Into<String>) -> Self {
        if self.table.is_empty() {
            self.table = table.into();
        }
        self
    }

    /// `hypervisor.qemu.kernel`
    pub fn whole_key(&self) -> Option<String> {
        self.key.map(|key| format!("{}.{key}", self.table))
    }
}

fn real(host: &Host, path: &str) -> Result<std::sync::Arc<str>, String> {
    if path.contains('\0') {
        return Err("file name contained an unexpected NUL byte".to_owned());
    }
    host.canonicalize(path).map_err(|errno| errno.rust())
}

/// Replaces a path by its real form; an empty one stays.
pub fn resolve(host: &Host, path: &mut Text, key: &'static str, wording: &str) -> ConfigResult {
    if path.is_empty() {
        return Ok(());
    }
    let real = real(host, path).map_err(|why| ConfigError::about(key, worded(wording, path, &why)))?;
    if *real != **path {
        *path = Text::from(real);
    }
    Ok(())
}

/// Wants a path to exist; an empty one need not.
pub fn existing(host: &Host, path: &str, key: &'static str, wording: &str) -> ConfigResult {
    if path.is_empty() {
        return Ok(());
    }
    match real(host, path) {
        Ok(_) => Ok(()),
        Err(why) => Err(ConfigError::about(key, worded(wording, path, &why))),
    }
}

/// The error with the smallest message, which stands for the one that the runtime happens to meet first.
pub fn worst(results: impl Iterator<Item = ConfigResult>) -> ConfigResult {
    results.filter_map(Result::err).min_by(|a, b| a.message.cmp(&b.message)).map_or(Ok(()), Err)
}

/// `Err` with the message unless `fine`.
pub fn ensure(fine: bool, key: &'static str, message: impl FnOnce() -> String) -> ConfigResult {
    if fine { Ok(()) } else { Err(ConfigError::about(key, message())) }
}
