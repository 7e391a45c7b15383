//! The shape that everything pointed out about a pod here has: it stands at the pod.
//!
//! Decides nothing.

use std::borrow::Cow;

use crate::answer::finding::{Code, Finding, Severity, Who};
use crate::input::manifest::Pod;

/// A remark on a pod; an empty `fix` is none.
pub(super) fn finding(
    code: Code,
    severity: Severity,
    pod: &Pod,
    who: Who,
    message: String,
    fix: impl Into<Cow<'static, str>>,
) -> Finding {
    Finding::new(code, severity, who, message).at(pod.place()).advise(fix)
}
