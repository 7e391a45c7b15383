//! Who may set what: the name gate (`enable_annotations`) and the value gates (`valid_*`), with
//! each runtime's own matching rules. Changes no values; what a policy lets in all in all, `audit` says.

pub mod names;
pub mod values;
