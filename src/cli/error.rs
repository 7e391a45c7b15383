//! Why a command cannot do its work. Decides how that is worded where the fault has no words of its own.

use crate::input::manifest::InputError;
use crate::input::probe;
use crate::kubernetes::kubelet::KubeletError;

/// Why the program cannot do its work; exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file could not be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// As the user named it.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A host file is wrong.
    #[error(transparent)]
    HostFile(#[from] probe::HostFileError),
    /// A manifest is wrong.
    #[error("{error}{}", help(error))]
    Manifest {
        /// What the reader says.
        #[from]
        error: InputError,
    },
    /// kubelet would not start.
    #[error(transparent)]
    Kubelet(#[from] KubeletError),
    /// The words do not fit.
    #[error("{0}")]
    Usage(String),
}

fn help(error: &InputError) -> String {
    error.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default()
}

/// An I/O error without `(os error 2)`.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
