//! Go's bounds on a pattern: nesting, repetition and compiled size, counted on the shape of its
//! syntax tree.

/// The deepest tree.
const HEIGHT: u64 = 1000;
/// The most instructions a pattern may compile to, once Go counts them.
const SIZE: u64 = (128 << 20) / 40;
/// The largest product of nested repetition counts, and the largest single count.
pub(super) const REPEAT: u32 = 1000;

/// What the bounds look at, for one node of the tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Levels of nodes.
    pub height: u64,
    /// Instructions.
    pub size: u64,
    /// The product of the counted repetitions on the heaviest way down.
    pub repeats: u64,
}

impl Measure {
    pub(super) fn leaf() -> Self {
        Self { height: 1, size: 1, repeats: 1 }
    }

    pub(super) fn capture(self) -> Self {
        Self { height: self.height + 1, size: self.size.saturating_add(2), ..self }
    }

    /// Several nodes in a row or side by side; one node is itself.
    pub(super) fn group(parts: impl Iterator<Item = Self>, alternation: bool) -> Self {
        let parts: Vec<Self> = parts.collect();
        match parts.as_slice() {
            [] => Self::leaf(),
            [one] => *one,
            _ => {
                let bars = if alternation { parts.len() as u64 - 1 } else { 0 };
                Self {
                    height: 1 + parts.iter().map(|p| p.height).max().unwrap_or(0),
                    size: parts.iter().fold(bars, |sum, p| sum.saturating_add(p.size)),
                    repeats: parts.iter().map(|p| p.repeats).max().unwrap_or(1),
                }
            }
        }
    }

    /// `*`, `+`, `?`: their counts are not held against the bound on repetition.
    pub(super) fn operator(self, operator: char) -> Self {
        let extra = if operator == '*' { 2 } else { 1 };
        Self { height: self.height + 1, size: self.size.saturating_add(extra), ..self }
    }

    /// `{min,max}`.
    pub(super) fn counted(self, min: u32, max: Option<u32>) -> Self {
        let (min, times) = (u64::from(min), u64::from(max.unwrap_or(min)));
        let size = match max {
            None if min == 0 => self.size.saturating_add(2),
            None => self.size.saturating_mul(min).saturating_add(1),
            Some(_) => self.size.saturating_mul(times).saturating_add(times - min.min(times)),
        };
        // What stands under a count of zero is not looked at.
        let repeats = match (max, times) {
            (Some(0), _) => 1,
            (None, 0) => self.repeats,
            _ => self.repeats.saturating_mul(times),
        };
        Self { height: self.height + 1, size: size.max(1), repeats }
    }

    pub(super) fn too_deep(self) -> bool {
        self.height > HEIGHT
    }

    pub(super) fn repeats_too_often(self) -> bool {
        self.repeats > u64::from(REPEAT)
    }

    pub(super) fn too_large(self, budget: &Budget) -> bool {
        budget.counting() && self.size > SIZE
    }
}

/// Go counts instructions only once the product of all counts in the pattern makes it worth while.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    nodes: u64,
    product: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { nodes: 0, product: 1 }
    }

    pub(super) fn node(&mut self) {
        self.nodes += 1;
    }

    pub(super) fn repeat(&mut self, min: u32, max: Option<u32>) {
        let times = u64::from(max.unwrap_or(min)).max(1);
        self.product = if times > SIZE / self.product { SIZE } else { self.product * times };
    }

    fn counting(&self) -> bool {
        self.nodes >= SIZE / self.product
    }
}
