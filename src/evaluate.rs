//! The one door: a setup and a pod in, an evaluation out.
