//! `NetworkConfig`: how the pod's network reaches the VM.
//!
//! Facts: src/runtime/virtcontainers/network.go at 4.1.0.

/// How the VM joins the container network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum InterworkingModel {
    /// Never set (the zero value); `GetModel` has no name for it.
    #[default]
    Default,
    MacVtap,
    TcFilter,
    None,
}

impl InterworkingModel {
    /// `SetModel`: the words accepted in files and annotations.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            // `default` means what DefaultNetInterworkingModel holds.
            "default" | "tcfilter" => Self::TcFilter,
            "macvtap" => Self::MacVtap,
            "none" => Self::None,
            _ => return None,
        })
    }

    /// The word of files and annotations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::MacVtap => "macvtap",
            Self::TcFilter => "tcfilter",
            Self::None => "none",
        }
    }
}

/// The pod's network configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct NetworkConfig {
    pub interworking_model: InterworkingModel,
    pub disable_new_network: bool,
    /// `<dan_conf>/<sandbox id>.json`, where that file exists.
    pub dan_config_path: String,
    /// Whether the pod names no network namespace.
    pub host_network: bool,
}
