//! Containment where the sensor only gets copies: a TCP connection is ended by resets to both its ends.
//!
//! On a span port a drop contains nothing. Resets are for one TCP connection that is named by its
//! four-tuple, and best effort:
//! - The copy comes late, so the reset of a running transfer can miss. Those to the end that mostly
//!   receives acknowledgements hit, as its numbers stand still; an end that lost its peer resets the
//!   other by itself (RFC 9293 section 3.10.7.1). In the tests a transfer at 60 MB/s is over after 1 to
//!   50 ms and 2 to 5 resets; with resets 100 ms late after up to 135 ms and about 42.
//! - Where the sending host ignores resets, only its peer can end the transfer; the tests see that in
//!   most runs, not in all.
//! - A host whose connection is authenticated (TCP-MD5, TCP-AO), goes on.
//! - Connections inside of tunnels, and IP fragments, are not touched.
//! - Switches with source guard, DHCP snooping or dynamic ARP inspection, and routers that check
//!   the reverse path, drop packets as from another host: exempt the port of the response interface.
//!
//! Frames carry the response interface's own Ethernet address as source, so that no switch learns a
//! device's address at the wrong port, which would cut the device off; and as destination the next hop
//! that the copy shows, so the response interface has to be in the same segment as the place that is
//! mirrored. VLAN tags of the copy are kept (a trunk port) or left off (an access port).

mod error;
mod filter;
mod flow;
mod frame;
mod plan;
mod segment;
mod socket;
#[cfg(test)]
mod tests;

use std::{
    io::{self, PipeWriter},
    net::IpAddr,
    os::fd::AsFd,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

pub use self::{error::ResetError, flow::Flow};
use self::{
    frame::Builder,
    plan::Plan,
    segment::Segment,
    socket::{Port, Tap},
};
use sensor_facts::{lock::lock, time::Time};

/// Copies that are read before what they call for is sent: then only the newest is answered.
const BATCH: usize = 256;

/// What bounds the resets of one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Resets in all.
    pub packets: u32,
    /// Resets in any second.
    pub per_second: u32,
    /// Silence after which a flow that got resets counts as ended. 2 s where its ends said so
    /// themselves, by resets or both their FIN.
    pub quiet: Duration,
    /// Time from the start after which nothing is sent any more: at most the rule's time to live.
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            packets: 64,
            per_second: 50,
            quiet: Duration::from_secs(10),
            lifetime: Duration::from_mins(10),
        }
    }
}

/// What happens to the VLAN tags of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Vlan {
    /// The reset carries the same: the response interface is at a trunk port.
    #[default]
    Keep,
    /// The reset carries none: the response interface is at an access port of the flow's VLAN.
    Strip,
}

/// What to reset, and how.
#[derive(Clone, Debug)]
pub struct ResetOptions {
    /// Mirror interfaces, by name, of the thread's network namespace.
    pub mirrors: Vec<String>,
    /// The interface that resets leave by.
    pub response: String,
    /// The connection to reset.
    pub flow: Flow,
    /// How many resets may be sent, and for how long.
    pub limits: Limits,
    /// The VLAN tags that the resets carry.
    pub vlan: Vlan,
}

/// Where the work stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResetState {
    /// No reset was sent yet: no packet of the flow was seen since the start.
    #[default]
    Watching,
    /// Resets were sent; whether the flow is over is not clear yet, or was not when it was stopped.
    Sent,
    /// After resets, or the flow's own end, nothing more of it came.
    Ended,
    /// All resets that the limit allows were sent, and the flow goes on.
    Exhausted,
    /// The lifetime is over; before that the flow was never seen, or went on.
    Expired,
    /// A system call failed: which, on what and why.
    Failed(String),
}

/// The account of the work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResetReport {
    /// Resets that were sent to end A.
    pub sent_to_a: u64,
    /// Resets that were sent to end B.
    pub sent_to_b: u64,
    /// Copies of the flow's packets, our own resets left out.
    pub packets_seen: u64,
    /// Our own resets that came back over the mirror.
    pub own_seen: u64,
    /// When the first of the flow's packets was seen.
    pub first: Option<Time>,
    /// When the last was.
    pub last: Option<Time>,
    /// The ends said themselves that it is over: one by a reset, or both by FIN.
    pub closed: bool,
    /// Where it stands.
    pub state: ResetState,
}

impl ResetReport {
    /// Resets that were sent.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent_to_a + self.sent_to_b
    }

    /// Whether nothing more will be sent.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self.state, ResetState::Watching | ResetState::Sent)
    }
}

/// Starts the work on a flow.
#[derive(Debug)]
pub struct Resetter;

impl Resetter {
    /// Watches the mirrors for the flow's packets and answers them with resets, on a thread of its own
    /// and in the network namespace of the caller's thread. Needs `CAP_NET_RAW`.
    ///
    /// `is_protected` is asked for both ends. It is asked now only: whoever protects an address later
    /// stops the resets of its flows.
    ///
    /// # Errors
    /// When the flow must not or can't be reset, or an interface can't be used. Nothing is sent then.
    pub fn start(
        options: ResetOptions,
        is_protected: impl Fn(IpAddr) -> bool,
    ) -> Result<ResetHandle, ResetError> {
        check(&options, is_protected)?;
        let ResetOptions {
            mirrors,
            response,
            flow,
            limits,
            vlan,
        } = options;
        let taps = mirrors
            .iter()
            .map(|name| Tap::open(name, &flow))
            .collect::<Result<Vec<_>, _>>()?;
        let port = Port::open(&response)?;
        let system = |call| {
            let interface = response.clone();
            move |source| ResetError::System {
                call,
                interface,
                source,
            }
        };
        let (stopped, stop) = io::pipe().map_err(system("pipe"))?;
        let mark = mark();
        let mut worker = Worker {
            builder: Builder {
                flow,
                mac: port.mac(),
                mark,
                tagged: vlan == Vlan::Keep,
            },
            flow,
            plan: Plan::new(limits, mark, Instant::now()),
            taps,
            port,
            stopped,
            report: Arc::default(),
        };
        let report = Arc::clone(&worker.report);
        let thread = thread::Builder::new()
            .name("reset".to_owned())
            .spawn(move || worker.run())
            .map_err(system("a thread"))?;
        Ok(ResetHandle {
            flow,
            report,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

fn check(options: &ResetOptions, is_protected: impl Fn(IpAddr) -> bool) -> Result<(), ResetError> {
    let flow = options.flow;
    for address in [flow.a().ip(), flow.b().ip()] {
        if is_protected(address) {
            return Err(ResetError::Protected { address });
        }
    }
    if options.mirrors.is_empty() {
        return Err(ResetError::NoMirror);
    }
    if options.mirrors.contains(&options.response) {
        return Err(ResetError::ResponseIsMirror {
            interface: options.response.clone(),
        });
    }
    let Limits {
        packets,
        per_second,
        lifetime,
        ..
    } = options.limits;
    let zero = [
        ("packets", packets == 0),
        ("per_second", per_second == 0),
        ("lifetime", lifetime.is_zero()),
    ];
    match zero.into_iter().find(|(_, zero)| *zero) {
        Some((limit, _)) => Err(ResetError::ZeroLimit { limit }),
        None => Ok(()),
    }
}

/// A window that hosts don't use in resets: theirs is zero as a rule.
fn mark() -> u16 {
    let nanoseconds = jiff::Timestamp::now().subsec_nanosecond().unsigned_abs();
    u16::try_from(nanoseconds % 0xfffe).map_or(1, |number| number + 1)
}

/// The work on one flow. Dropping it stops it.
#[derive(Debug)]
pub struct ResetHandle {
    flow: Flow,
    report: Arc<Mutex<ResetReport>>,
    // Closing it wakes the thread.
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl ResetHandle {
    /// The flow.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// The account so far.
    #[must_use]
    pub fn report(&self) -> ResetReport {
        let report = lock(&self.report);
        report.clone()
    }

    /// Stops: no reset is sent after this. The last account.
    #[must_use]
    pub fn stop(mut self) -> ResetReport {
        self.halt();
        self.report()
    }

    fn halt(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            let mut report = lock(&self.report);
            report.state = ResetState::Failed("the thread panicked".to_owned());
        }
    }
}

impl Drop for ResetHandle {
    fn drop(&mut self) {
        self.halt();
    }
}

/// What the thread has.
#[derive(Debug)]
struct Worker {
    flow: Flow,
    builder: Builder,
    plan: Plan,
    taps: Vec<Tap>,
    port: Port,
    stopped: io::PipeReader,
    report: Arc<Mutex<ResetReport>>,
}

impl Worker {
    fn run(&mut self) {
        let end = loop {
            match self.step() {
                Ok(false) => {}
                Ok(true) => break None,
                Err(error) => break Some(ResetState::Failed(error.to_string())),
            }
            if let Some(end) = self.plan.end(Instant::now()) {
                break Some(end);
            }
            self.publish(None);
        };
        self.publish(end);
    }

    fn publish(&self, end: Option<ResetState>) {
        let mut report = self.plan.report();
        if let Some(end) = end {
            report.state = end;
        }
        *lock(&self.report) = report;
    }

    /// Waits for packets, takes them in and answers them. True when it was told to stop.
    fn step(&mut self) -> Result<bool, ResetError> {
        if self.wait()? {
            return Ok(true);
        }
        for tap in &mut self.taps {
            for _ in 0..BATCH {
                let Some(copy) = tap.receive()? else { break };
                if let Some(segment) = Segment::read(copy.frame, copy.outer, &self.flow) {
                    self.plan.see(&segment, Instant::now(), now());
                }
            }
        }
        while let Some(reset) = self.plan.next(Instant::now()) {
            if let Some(frame) = self.builder.frame(&reset) {
                self.port.send(&frame)?;
                self.plan.sent(&reset, Instant::now());
            }
        }
        Ok(false)
    }

    fn wait(&self) -> Result<bool, ResetError> {
        let left = self.plan.wake().saturating_duration_since(Instant::now());
        // Rounded up, so that it is not awake just before the time.
        let left = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
        let timeout = PollTimeout::from(left);
        let mut descriptors: Vec<_> = std::iter::once(self.stopped.as_fd())
            .chain(self.taps.iter().map(Tap::as_fd))
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => {
                return Err(ResetError::System {
                    call: "poll",
                    interface: "the mirrors".to_owned(),
                    source: error.into(),
                });
            }
        }
        Ok(descriptors
            .first()
            .is_some_and(|stop| stop.any() == Some(true)))
    }
}

fn now() -> Time {
    Time(i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
}
