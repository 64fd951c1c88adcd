//! Syslog over TCP (RFC 6587, octet counting) and TLS (RFC 5425).
//!
//! A message counts as delivered when the receiver's kernel has acknowledged it. When a connection breaks, what was
//! acknowledged in the minute before, and what was not, is sent again on the next one, byte for byte as it was
//! ([`window`]): each message arrives at least once, in order. While there is no receiver, events wait in
//! the lane's queue; what finds no room there is dropped and counted.

mod config;
mod connection;
mod message;
mod tls;
mod window;

use std::{
    cell::Cell,
    fmt,
    str::FromStr,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use sensor_facts::event::{Event, EventType};

pub(crate) use self::config::Keys;
use self::{
    connection::{Connection, ConnectionError},
    message::Messages,
    window::Window,
};
pub use self::{message::Facility, tls::TlsOptions};
use crate::{
    format::Format,
    lane::{Account, Lane, LaneOptions, OutputError, Sink},
    origin::Origin,
};

/// Bytes that are written at once.
const BATCH: usize = 64 * 1024;
/// Between two looks at an idle connection.
const IDLE: Duration = Duration::from_millis(250);
/// The same while the receiver has yet to acknowledge something.
const UNSETTLED: Duration = Duration::from_millis(10);
/// Waits between two attempts to connect: the first, which doubles, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long the end may take.
const END: Duration = Duration::from_secs(5);

/// Where a receiver listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no receiver: write it as siem.example:6514 or [2001:db8::1]:6514")
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(wrong)?;
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = inner.unwrap_or(host);
        let space = |char: char| char.is_whitespace() || char.is_control();
        if host.is_empty() || host.contains(space) || (inner.is_none() && host.contains(':')) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A receiver, and what it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogOptions {
    /// Names it in status and metrics.
    pub name: String,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// TLS; without it plain TCP.
    pub tls: Option<TlsOptions>,
    /// What a message contains.
    pub format: Format,
    /// Which events it gets.
    pub events: Vec<EventType>,
    /// Facility of the messages.
    pub facility: Facility,
    /// Events that may wait.
    pub queue: usize,
}

/// The sink. See the module's description.
#[derive(Debug)]
pub(super) struct Syslog {
    endpoint: Endpoint,
    tls: Option<TlsOptions>,
    messages: Messages,
}

/// Starts the lane of a receiver, which is connected to later.
pub(super) fn lane(options: &SyslogOptions, origin: &Origin) -> Result<Lane, OutputError> {
    let events = options.events.clone();
    let lane = LaneOptions {
        name: options.name.clone(),
        queue: options.queue,
        wants: move |event: &Event| events.contains(&event.body.event_type()),
    };
    Lane::start(lane, Syslog::new(options, origin.clone())).map_err(|source| OutputError {
        target: options.endpoint.to_string(),
        source,
    })
}

impl Syslog {
    fn new(options: &SyslogOptions, origin: Origin) -> Self {
        Self {
            endpoint: options.endpoint.clone(),
            tls: options.tls.clone(),
            messages: Messages::new(options.facility, options.format, origin),
        }
    }
}

impl Sink for Syslog {
    fn run(self, queue: &Receiver<Arc<Event>>, account: &Account) {
        let transport = if self.tls.is_some() { "TLS" } else { "TCP" };
        let format = self.messages.format;
        account.goes_to(&format!(
            "{} (syslog, {transport}, {format})",
            self.endpoint
        ));
        Sending {
            syslog: self,
            queue,
            account,
            window: Window::default(),
            ended: false,
            deadline: Cell::new(None),
        }
        .run();
    }
}

/// What the thread works with.
struct Sending<'a> {
    syslog: Syslog,
    queue: &'a Receiver<Arc<Event>>,
    account: &'a Account,
    window: Window,
    /// The queue is disconnected and empty.
    ended: bool,
    /// From when on nothing is tried any more, once the lane closes.
    deadline: Cell<Option<Instant>>,
}

impl Sending<'_> {
    fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            let delivered = self.account.stats().events;
            let error = match self.serve() {
                Ok(()) => return,
                Err(error) => error,
            };
            self.window.forget(Instant::now());
            self.window.restart();
            if self.account.closing() {
                self.give_up(&error);
                return;
            }
            self.fails(&error);
            if self.account.stats().events > delivered {
                wait = FIRST_WAIT;
            }
            let until = Instant::now() + wait;
            while !self.account.closing()
                && let Some(left) = until.checked_duration_since(Instant::now())
            {
                thread::park_timeout(left);
            }
            wait = LONGEST_WAIT.min(wait * 2);
        }
    }

    /// Connects, and sends until there is nothing more to send.
    fn serve(&mut self) -> Result<(), ConnectionError> {
        let (endpoint, tls) = (&self.syslog.endpoint, self.syslog.tls.as_ref());
        let mut connection = Connection::open(endpoint, tls, || self.is_over())?;
        loop {
            self.take();
            while let Some((bytes, range)) = self.window.batch(BATCH) {
                let sent = connection.send(&bytes, || self.is_over());
                // Also if it broke: some of it may have arrived.
                let again = self.window.written(range, connection.sent());
                self.account.resent(again);
                // Nor is what a receiver that hangs has taken lost, where that is the end.
                if matches!(
                    sent,
                    Ok(()) | Err(ConnectionError::Stalled | ConnectionError::Over)
                ) {
                    self.count(connection.acknowledged()?);
                }
                sent?;
            }
            let acknowledged = connection.acknowledged()?;
            // What was acknowledged counts only where the connection stands.
            connection.read()?;
            self.count(acknowledged);
            if self.window.undelivered() == 0 {
                self.works();
                if self.ended {
                    connection.close();
                    return Ok(());
                }
            }
            if self.is_over() {
                return Err(ConnectionError::Over);
            }
        }
    }

    /// The lane closes, and there was time enough for what is left.
    fn is_over(&self) -> bool {
        if !self.account.closing() {
            return false;
        }
        let deadline = self.deadline.get();
        let deadline = deadline.unwrap_or_else(|| Instant::now() + END);
        self.deadline.set(Some(deadline));
        Instant::now() >= deadline
    }

    /// Takes what is queued into the window, waiting a little for it.
    fn take(&mut self) {
        let wait = if self.window.undelivered() == 0 {
            IDLE
        } else {
            UNSETTLED
        };
        if self.ended || !self.window.has_room() {
            thread::park_timeout(UNSETTLED);
            return;
        }
        let mut taken = 0;
        let mut next = self.queue.recv_timeout(wait);
        loop {
            match next {
                Ok(event) => match self.syslog.messages.next(&event) {
                    Ok(message) => {
                        taken += message.len();
                        self.window.push(message);
                    }
                    Err(_) => self.account.dropped(1),
                },
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    return;
                }
            }
            if taken >= BATCH {
                return;
            }
            next = self.queue.recv_timeout(Duration::ZERO);
        }
    }

    fn count(&mut self, acknowledged: u64) {
        let now = Instant::now();
        let (events, bytes) = self.window.taken(acknowledged, now);
        self.account.delivered(events, bytes);
        self.window.forget(now);
    }

    fn works(&self) {
        if self.account.works() {
            tracing::warn!(
                receiver = %self.syslog.endpoint,
                dropped = self.account.stats().dropped(),
                "the syslog receiver takes events again"
            );
        }
    }

    fn fails(&self, error: &ConnectionError) {
        if self.account.fails(error) {
            tracing::error!(
                receiver = %self.syslog.endpoint,
                "can't send events to the syslog receiver: {error}; they wait, as many as there is room for, and are sent when it is there again"
            );
        }
    }

    /// Nobody will send what is left.
    fn give_up(&mut self, error: &ConnectionError) {
        let queued = self.queue.try_iter().count() as u64;
        let lost = self.window.undelivered() + queued;
        self.account.dropped(lost);
        if lost > 0 {
            self.account.fails(error);
            tracing::error!(
                receiver = %self.syslog.endpoint,
                lost,
                "events were not sent to the syslog receiver before the end: {error}"
            );
        }
    }
}
