//! Wardtap's daemon and command line, over the crates below: [`sensor_kernel`] reads the kernel, [`sensor_sessions`] makes
//! sessions of it, [`sensor_analysis`] alerts, [`sensor_response`] contains, [`sensor_evidence`] and [`sensor_output`] keep
//! and tell it.
//!
//! [`config`] is the configuration file, [`live`] the threads of a running daemon, [`control`] the answers to the command
//! line, [`list`] what lists hold and how they are filtered, [`metrics`] those to Prometheus; [`daemon`] starts them all, and [`cli`] is what people type.

#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod list;
pub mod live;
pub mod metrics;
