//! What the exit status says.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing found, no difference.
    Clean,
    /// 1: findings, a difference.
    Found,
    /// 2: could not do its work.
    Trouble,
}

impl std::process::Termination for Exit {
    fn report(self) -> std::process::ExitCode {
        std::process::ExitCode::from(match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Trouble => 2,
        })
    }
}
