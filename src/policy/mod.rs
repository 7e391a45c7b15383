//! Who may set what: the name gate (`enable_annotations`) and the value gates (`valid_*`), with
//! each runtime's own matching rules. Changes no values.

pub mod audit;
pub mod host_glob;
pub mod names;
pub mod pattern;
pub mod powers;
pub mod re2;
pub mod values;
