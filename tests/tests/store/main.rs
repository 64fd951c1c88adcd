//! The store in a running daemon and on small disks, and the queries of its documentation.

mod full;
mod queries;
#[path = "../daemon/site.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod site;
