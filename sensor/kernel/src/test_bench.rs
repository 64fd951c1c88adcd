//! The real program on the real kernel, fed frame by frame: for tests and benches.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use aya::{
    Ebpf,
    maps::{Array, HashMap, MapData, PerCpuArray},
    programs::{TestRun, TestRunOptions, TestRunResult, Xdp},
};
use sensor_common::{
    counter::Counters,
    cpu::Cpu,
    engine::{HELD_PLACES, Held},
    notice::arp::{ArpKey, Claim},
    settings::Settings,
};

use super::{
    Clock, FlowTables, InterfaceOptions, KernelError, OBJECT, Options, PIN_ROOT, Ring, RuleTables,
    life, load, maps, pins::PinDirectory, pod::Pod,
};

/// A loaded program that is attached nowhere; frames come through `BPF_PROG_TEST_RUN`.
pub struct TestBench {
    ebpf: Ebpf,
    program: &'static str,
    settings: Array<MapData, Pod<Settings>>,
    current: Settings,
    cpu: PerCpuArray<MapData, Pod<Cpu>>,
    claims: HashMap<MapData, Pod<ArpKey>, Pod<Claim>>,
    held: Array<MapData, Pod<Held>>,
    /// The flow tables.
    pub flows: FlowTables,
    /// The rules; they count where the bench is [`Place::Inline`].
    pub rules: RuleTables,
    /// The ring buffer.
    pub ring: Ring,
    _pins: PinDirectory,
}

/// Where a program believes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At a mirror: nothing is dropped.
    Mirror,
    /// In the path.
    Inline,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl TestBench {
    /// The longest frame that fits a test run's buffer with room to spare, bytes.
    pub const FRAME_MAX: usize = 3_400;

    /// Loads the sensor's program with the table sizes, ring and clock of `options`; its interfaces and
    /// pin root are ignored.
    ///
    /// # Errors
    /// As [`super::Kernel::load`].
    pub fn load(options: &Options) -> Result<Self, KernelError> {
        Self::load_from(OBJECT, "wardtap", options, Place::Mirror)
    }

    /// The same in the path.
    ///
    /// # Errors
    /// As [`super::Kernel::load`].
    pub fn load_inline(options: &Options) -> Result<Self, KernelError> {
        Self::load_from(OBJECT, "wardtap", options, Place::Inline)
    }

    /// The same for `program` of another object with the same maps.
    ///
    /// # Errors
    /// As [`super::Kernel::load`].
    pub fn load_from(
        object: &[u8],
        program: &'static str,
        options: &Options,
        place: Place,
    ) -> Result<Self, KernelError> {
        let inline = place == Place::Inline;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let options = Options {
            interfaces: vec![InterfaceOptions {
                name: "lo".into(),
                mode: None,
                inline,
            }],
            pin_root: PathBuf::from(format!("{PIN_ROOT}-test-{}-{number}", std::process::id())),
            ..options.clone()
        };
        options.preflight()?;
        let pins = PinDirectory::open(&options.pin_root)?;
        let life = pins.begin_life()?;
        let mut ebpf = load::instance(object, &options, pins.path(), &life, 0, inline)?;
        let xdp: &mut Xdp = ebpf
            .program_mut(program)
            .and_then(|program| program.try_into().ok())
            .ok_or(KernelError::Shape { name: program })?;
        xdp.load()?;
        let mut settings: Array<_, _> = maps::take(&mut ebpf, "SETTINGS")?;
        settings.set(0, Pod(options.settings), 0)?;
        Ok(Self {
            settings,
            current: options.settings,
            cpu: maps::take(&mut ebpf, "CPU")?,
            claims: maps::take(&mut ebpf, "ARP_CLAIMS")?,
            held: maps::take(&mut ebpf, "HELD")?,
            flows: FlowTables::new(&mut ebpf, &options)?,
            rules: RuleTables::new(&mut ebpf)?,
            ring: Ring::new(maps::take(&mut ebpf, "EVENTS")?),
            ebpf,
            program,
            _pins: pins,
        })
    }

    /// Options for a test: the clock is set frame by frame.
    #[must_use]
    pub fn options(tables: super::TableSizes, ring_bytes: u32) -> Options {
        Options {
            interfaces: Vec::new(),
            tables,
            ring_bytes,
            clock: Clock::Set,
            settings: Settings::DEFAULT,
            pin_root: PathBuf::from(PIN_ROOT),
            active: Duration::from_mins(1),
        }
    }

    /// Runs the program on `frame` (at least 14 bytes, at most [`Self::FRAME_MAX`]), `repeat` times; the
    /// clock stands at `time` nanoseconds. Gives the mean time of a run.
    ///
    /// # Errors
    /// When the kernel refuses the run.
    pub fn run(&mut self, frame: &[u8], time: u64, repeat: u32) -> Result<Duration, KernelError> {
        self.set_time(time)?;
        Ok(self.test_run(frame, repeat)?.duration)
    }

    /// Sets the clock to `time` nanoseconds.
    ///
    /// # Errors
    /// When the kernel refuses the update.
    pub fn set_time(&mut self, time: u64) -> Result<(), KernelError> {
        if self.current.test_time != time {
            self.current.test_time = time;
            self.settings.set(0, Pod(self.current), 0)?;
        }
        Ok(())
    }

    /// True if the program's verdict on `frame` is to pass it.
    ///
    /// # Errors
    /// When the kernel refuses the run.
    pub fn passes(&self, frame: &[u8]) -> Result<bool, KernelError> {
        const XDP_PASS: u32 = 2;
        Ok(self.test_run(frame, 1)?.return_value == XDP_PASS)
    }

    fn test_run(&self, frame: &[u8], repeat: u32) -> Result<TestRunResult, KernelError> {
        let xdp: &Xdp = self
            .ebpf
            .program(self.program)
            .and_then(|program| program.try_into().ok())
            .ok_or(KernelError::Shape { name: self.program })?;
        let mut options = TestRunOptions::new();
        options.data_in = Some(frame);
        options.repeat = repeat;
        Ok(xdp.test_run(options)?)
    }

    /// Forgets all claims of addresses by ARP, and all segments that are held until those before them come.
    ///
    /// # Errors
    /// When the kernel refuses a look-up or a removal.
    pub fn forget(&mut self) -> Result<(), KernelError> {
        for place in 0..HELD_PLACES {
            if self.held.get(&place, 0)?.0.owner != 0 {
                self.held.set(place, Pod(Held::EMPTY), 0)?;
            }
        }
        let keys: Vec<_> = self.claims.keys().collect::<Result<_, _>>()?;
        for key in keys {
            self.claims.remove(&key)?;
        }
        Ok(())
    }

    /// The counters.
    ///
    /// # Errors
    /// When the kernel refuses the look-up.
    pub fn counters(&self) -> Result<Counters, KernelError> {
        life::counters(&self.cpu, 0)
    }
}
