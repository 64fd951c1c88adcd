//! When alerts belong to one incident.

use sensor_facts::{alert::Severity, section, setting::Span};

section! {
    /// How alerts are grouped into incidents; docs/incidents.md has the rules.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Grouping {
        /// The least severity with which an alert opens an incident: "low", "medium", "high" or "critical". An alert below it
        /// joins an incident that it belongs to, and opens none.
        pub severity: Severity = Severity::Medium => unit "severity",
        /// An incident is closed when nothing was added to it for this time, and for at least as long as `alert.quiet`. Later
        /// alerts of the same devices open another one.
        pub quiet: Span = Span::from_secs(86_400),
        /// A host that more devices than this use, suspects left out, is everyone's, such as an archive, a DNS server or a
        /// gateway: two attacks on it, or over it, are not one because of that.
        pub shared_peers: u32 = 4 => unit "devices",
        /// A device that was attacked or reached joins the incident of who did it if its own alert opens within this time
        /// after.
        pub follow: Span = Span::from_secs(4 * 3_600),
        /// The alert of a victim joins the incident of a suspect that attacked it within this time before or after.
        pub near: Span = Span::from_secs(3_600),
        /// An incident that changes again and again is told once in this time. That it opened, merged, split or closed is
        /// told at once.
        pub every: Span = Span::from_secs(60),
    }
}
