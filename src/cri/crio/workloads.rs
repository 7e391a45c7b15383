//! Workloads: groups of pods with settings of their own, which an annotation of the pod turns on.
//!
//! Decides whether a workload is one, and which further keys it lets through. What it does to the CPUs of
//! containers is not modelled. Facts: pkg/config/workloads.go of cri-o, and k8s.io/utils/cpuset.

use super::annotations::{Known, invalid};
use super::fields::Fields;
use crate::cri::EngineMessage;
use crate::golang::strconv::{self, quote};
use crate::input::Place;

/// `[crio.runtime.workloads.NAME]`
#[derive(Debug, Clone, Default)]
pub struct Workload {
    /// The annotation whose presence on a pod turns it on.
    pub activation: String,
    /// `allowed_annotations`
    pub allowed: Vec<String>,
    /// Where the table stands.
    pub place: Option<Place>,
    resources: Option<Resources>,
}

#[derive(Debug, Clone, Default)]
struct Resources {
    shares: i64,
    quota: i64,
    period: i64,
    cpus: String,
}

impl Workload {
    pub(super) fn of(fields: &Fields) -> Self {
        let resources = Resources {
            shares: fields.number("CPUShares"),
            quota: fields.number("CPUQuota"),
            period: fields.number("CPUPeriod"),
            cpus: fields.text("CPUSet"),
        };
        Self {
            activation: fields.text("activation_annotation"),
            allowed: fields.texts("allowed_annotations"),
            place: Some(fields.place.clone()),
            resources: Some(resources),
        }
    }

    /// Why CRI-O does not start with it.
    pub fn check(&self, name: &str, known: &Known) -> Result<(), EngineMessage> {
        if self.activation.is_empty() {
            return Err(format!("annotation shouldn't be empty for workload {}", quote(name)).into());
        }
        if let Some(odd) = self.allowed.iter().find(|key| !known.has(key)) {
            return Err(invalid(odd).into());
        }
        self.resources.as_ref().map_or(Ok(()), Resources::check)
    }
}

impl Resources {
    fn check(&self) -> Result<(), EngineMessage> {
        let (shares, quota, period) = (self.shares, self.quota, self.period);
        cpuset(&self.cpus).map_err(|why| format!("unable to parse cpuset {}: {why}", quote(&self.cpus)))?;
        if quota != 0 && quota < shares {
            return Err(format!("cpuquota {quota} cannot be less than cpushares {shares}").into());
        }
        // Unsigned: a negative number is a large one.
        if (1..1000).contains(&period) {
            return Err(format!("cpuperiod {period} cannot be less than 1000 microseconds").into());
        }
        Ok(())
    }
}

/// Whether a list of CPUs such as `0-3,8` can be read.
pub fn cpuset(text: &str) -> Result<(), EngineMessage> {
    if text.is_empty() {
        return Ok(());
    }
    let number = |text: &str| strconv::atoi(text).map_err(|error| error.to_string());
    for range in text.split(',') {
        let Some((from, to)) = range.split_once('-') else {
            number(range)?;
            continue;
        };
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(format!("invalid range {} ({from} > {to})", quote(range)).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::cpuset;

    #[test]
    fn lists_of_cpus() {
        assert_eq!(cpuset("0-3,8"), Ok(()));
        assert_eq!(cpuset("x").unwrap_err().to_string(), "strconv.Atoi: parsing \"x\": invalid syntax");
        assert_eq!(cpuset("3-1").unwrap_err().to_string(), "invalid range \"3-1\" (3 > 1)");
    }
}
