//! What exists: every annotation and configuration key of every generation, with type, unit,
//! default, gate and risk. Loaded from `assets/catalog/*.toml`; does nothing.

/// A runtime at a version: the rules that are modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Generation {
    /// The Go runtime of Kata 2.1.
    Go21,
    /// The Go runtime of Kata 4.1.
    Go41,
    /// runtime-rs of Kata 4.1.
    Rs41,
}

impl Generation {
    /// All of them, oldest first.
    pub const ALL: [Self; 3] = [Self::Go21, Self::Go41, Self::Rs41];

    /// The identifier of reports: `go-2.1`, `go-4.1`, `rs-4.1`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Go21 => "go-2.1",
            Self::Go41 => "go-4.1",
            Self::Rs41 => "rs-4.1",
        }
    }

    /// For people: `Go runtime 4.1`, `runtime-rs 4.1`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Go21 => "Go runtime 2.1",
            Self::Go41 => "Go runtime 4.1",
            Self::Rs41 => "runtime-rs 4.1",
        }
    }
}

/// The prefix of every annotation that the host's policy gates.
pub const HYPERVISOR_PREFIX: &str = "io.katacontainers.config.hypervisor.";
/// The prefix of all Kata annotations.
pub const KATA_PREFIX: &str = "io.katacontainers.";
