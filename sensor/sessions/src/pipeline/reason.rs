//! Why a flow entry is over.

use sensor_facts::event::FlowWhy;

/// Why a flow entry was taken out of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowEndReason {
    /// No packet for longer than its idle time.
    Idle,
    /// Its TCP connection was closed.
    Closed,
    /// A new flow took its key.
    Replaced,
    /// The sensor stops, or the capture is at its end.
    Shutdown,
}

impl From<FlowEndReason> for FlowWhy {
    fn from(reason: FlowEndReason) -> Self {
        match reason {
            FlowEndReason::Idle => Self::Idle,
            FlowEndReason::Closed => Self::Closed,
            FlowEndReason::Replaced => Self::Replaced,
            FlowEndReason::Shutdown => Self::Shutdown,
        }
    }
}
