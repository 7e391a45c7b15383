//! The screens, and what there is one of for each.

use std::ops::{Index, IndexMut};

/// The screens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Screen {
    Annotations,
    Policy,
    Launch,
    Agent,
    Config,
    Pods,
    Nodes,
    Live,
    Upgrade,
}

impl Screen {
    /// In the order of their keys.
    pub const ALL: [Self; 9] = [
        Self::Annotations,
        Self::Policy,
        Self::Launch,
        Self::Agent,
        Self::Config,
        Self::Pods,
        Self::Nodes,
        Self::Live,
        Self::Upgrade,
    ];

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Annotations => "Annotations",
            Self::Policy => "Policy",
            Self::Launch => "Launch",
            Self::Agent => "Agent",
            Self::Config => "Config",
            Self::Pods => "Pods",
            Self::Nodes => "Nodes",
            Self::Live => "Live",
            Self::Upgrade => "Upgrade",
        }
    }

    /// Its name where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            Self::Annotations => "Annot.",
            other => other.title(),
        }
    }

    /// Its place in `ALL`.
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|s| *s == self).unwrap_or(0)
    }
}

/// One of something for each screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerScreen<T>([T; 9]);

impl<T> Index<Screen> for PerScreen<T> {
    type Output = T;

    fn index(&self, screen: Screen) -> &T {
        let [annotations, policy, launch, agent, config, pods, nodes, live, upgrade] = &self.0;
        match screen {
            Screen::Annotations => annotations,
            Screen::Policy => policy,
            Screen::Launch => launch,
            Screen::Agent => agent,
            Screen::Config => config,
            Screen::Pods => pods,
            Screen::Nodes => nodes,
            Screen::Live => live,
            Screen::Upgrade => upgrade,
        }
    }
}

impl<T> IndexMut<Screen> for PerScreen<T> {
    fn index_mut(&mut self, screen: Screen) -> &mut T {
        let [annotations, policy, launch, agent, config, pods, nodes, live, upgrade] = &mut self.0;
        match screen {
            Screen::Annotations => annotations,
            Screen::Policy => policy,
            Screen::Launch => launch,
            Screen::Agent => agent,
            Screen::Config => config,
            Screen::Pods => pods,
            Screen::Nodes => nodes,
            Screen::Live => live,
            Screen::Upgrade => upgrade,
        }
    }
}
