//! Attacks that no detector was written for: what the models make of them is told as it comes out.

pub(super) mod dicomweb;
pub(super) mod insider;
pub(super) mod miner;
pub(super) mod printer;
pub(super) mod pump_gateway;
pub(super) mod relay;
pub(super) mod shares;
pub(super) mod slow_theft;
pub(super) mod update_server;
