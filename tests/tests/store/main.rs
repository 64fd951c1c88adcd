//! The store in a running daemon and on small disks, and the queries of its documentation.

mod full;
mod queries;
