//! The live evaluation: a hospital at work, a sensor that learns it, and real attack tools, one after the other.
//!
//! `cargo xtask evaluate live` runs all of it, and a test a short form.

pub mod ground;
pub mod judge;
pub mod outcome;
pub mod page;
pub mod suricata;
pub mod table;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;

use self::{
    ground::Ground,
    judge::Deed,
    outcome::Report,
    table::{Attack, When, Work},
};
use crate::{
    attack::Check,
    dicom::{Patient, make_study},
    hl7::{python, script},
    hospital::MIRROR,
    netns::run as finish,
    program::Program,
    sensor::Sensor,
};

/// Time between two attacks.
const PAUSE: Duration = Duration::from_secs(2);
/// Studies in the archive.
const STUDIES: u32 = 16;
/// Images of each.
const IMAGES: u32 = 4;

/// What to run, and where.
pub struct Options<'a> {
    /// What the namespaces' names begin with.
    pub prefix: &'a str,
    /// Takes the files.
    pub folder: &'a Path,
    /// The daemon.
    pub daemon: PathBuf,
    /// Programs from `PyPI`, if they are here.
    pub tools: Option<PathBuf>,
    /// The attacks, in their order.
    pub attacks: Vec<Attack>,
    /// How many attacks run at a time.
    pub lanes: usize,
    /// How long the hospital works before the sensor has learned it.
    pub learning: Duration,
    /// How long it works with benign change and no attack.
    pub quiet: Duration,
    /// How long the sensor is given after the last attack, for flows that have to end.
    pub settle: Duration,
    /// Ends it early.
    pub check: &'a Check<'a>,
}

/// What the sensor is told to doubt with so short a time of learning: what is first seen in its last part would count as
/// strange.
#[must_use]
pub fn doubt(learning: Duration) -> Duration {
    learning / 8
}

/// Runs the evaluation.
///
/// # Errors
/// Without root, when the hospital does not come up, or the sensor ends.
pub fn run(options: &Options<'_>) -> Result<Report> {
    let begin = Instant::now();
    let (folder, work) = (options.folder, options.folder.join("work"));
    fs::create_dir_all(&work).with_context(|| work.display().to_string())?;
    let variables = variables(options);
    let mut ground = Ground::build(options.prefix, &work, &variables)?;
    prepare(&ground, &work)?;
    let services = serve(&ground, &work)?;
    say(
        begin,
        &format!("{} services run, the sensor starts", services.len()),
    );
    let capture = ground.capture(&folder.join("mirror.pcapng"), folder)?;
    let interface = format!("[[interface]]\nname = \"{MIRROR}\"\n");
    let daemon = options.daemon.clone();
    let more = format!(
        "[baseline]\nlearning = \"{}s\"\ndoubt = \"{}s\"\n",
        options.learning.as_secs(),
        doubt(options.learning).as_secs()
    );
    let sensor_folder = folder.join("sensor");
    let mut sensor = Sensor::start_at(&ground.sensor, daemon, &sensor_folder, &interface, &more)?;
    let ordinary = ordinary(&ground, &work)?;
    pass(options.learning + Duration::from_secs(5), options.check)?;
    let learned = Timestamp::now();
    say(begin, "learned; quiet time with benign change");
    let changes = change(&mut ground, &work)?;
    pass(options.quiet, options.check)?;
    drop(changes);
    say(begin, "attacks");
    let (deeds, missing) = attacks(&mut ground, options, &work, begin)?;
    pass(options.settle, options.check)?;
    drop(ordinary);

    let listed = sensor.ask_json(&["alerts", "list", "--limit", "1000"])?;
    fs::write(folder.join("alerts.json"), listed.to_string())?;
    let status = sensor.ask_json(&["status"])?;
    fs::write(folder.join("status.json"), status.to_string())?;
    drop(capture);
    drop(services);
    sensor.stop()?;
    fs::write(folder.join("truth.csv"), page::truth(&deeds))?;
    outcome::read(folder, &deeds, learned, missing)
}

/// What scripts know besides addresses.
fn variables(options: &Options<'_>) -> Vec<(&'static str, String)> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs");
    let orthanc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/orthanc");
    let libraries = orthanc.join(format!("usr/lib/{}-linux-gnu", env::consts::ARCH));
    let tools = options.tools.clone().unwrap_or_default();
    let text = |path: PathBuf| path.display().to_string();
    let path = env::var("PATH").unwrap_or_default();
    vec![
        ("PREFIX", options.prefix.to_owned()),
        ("PATH", format!("{path}:/usr/sbin:/sbin")),
        ("TOOLS", text(tools.clone())),
        ("PY", text(tools.join("python"))),
        ("PY_HL7", text(python())),
        ("MLLP", text(script("mllp.py"))),
        ("LIVE", text(programs.join("live.py"))),
        ("PREPARE", text(programs.join("live/prepare.sh"))),
        ("ORTHANC_PROGRAM", text(orthanc.join("usr/sbin/Orthanc"))),
        ("ORTHANC_LIBRARIES", text(libraries)),
    ]
}

/// True if a program is here: a name in `PATH`, or a path with variables.
fn is_here(ground: &Ground, program: &str) -> bool {
    let path = program.strip_prefix('$').map_or_else(
        || program.to_owned(),
        |name| {
            let end = name.find('/').unwrap_or(name.len());
            let (name, rest) = name.split_at(end);
            format!("{}{rest}", ground.address_of(name).unwrap_or_default())
        },
    );
    let look = format!("PATH=$PATH:/usr/sbin:/sbin; command -v '{path}'");
    finish(Command::new("sh").args(["-c", &look])).is_ok()
}

/// Makes what the services and scripts read.
fn prepare(ground: &Ground, work: &Path) -> Result<()> {
    let mut prepare = ground.script("outside", "prepare", "exec sh $PREPARE", Some(60), work)?;
    let patient = Patient {
        name: "TEST^PATIENT",
        id: "LIVE-1",
    };
    for study in 1..=STUDIES {
        make_study(&work.join("studies"), patient, study, IMAGES)?;
    }
    let limit = Instant::now() + Duration::from_mins(1);
    let status = loop {
        if let Some(status) = prepare.ended()? {
            break status;
        }
        ensure!(Instant::now() < limit, "preparing does not end");
        thread::sleep(Duration::from_millis(50));
    };
    ensure!(status.success(), "preparing: {status}\n{}", prepare.log());
    // Studies are in the archive before the sensor looks.
    let store = "storescu --call PACS --scan-directories --recurse $PACS 11112 --scan-pattern '*.dcm' $FOLDER/studies";
    fs::write(work.join("store.sh"), store)?;
    Ok(())
}

/// Starts what is there of the services.
fn serve(ground: &Ground, work: &Path) -> Result<Vec<Program>> {
    if !is_here(ground, "dnsmasq") {
        // DICOM servers ask for their clients' names, and hosts limit how often they say that nobody listens at a port: each
        // association would take seconds, unless the host itself says so.
        ground::names_from(work, "127.0.0.1")?;
    }
    let mut programs = Vec::new();
    for (number, one) in table::work()?.iter().enumerate() {
        if one.when != When::Serve {
            continue;
        }
        if !is_here(ground, one.program) {
            println!(
                "{} is not here: its service on {} is left out",
                one.program, one.host
            );
            continue;
        }
        let name = format!("serve-{number}-{}", one.host);
        programs.push(ground.script(one.host, &name, one.script, None, work)?);
        if let Some(port) = one.port {
            ground.wait_for_listener(one.host, port)?;
        }
    }
    let mut store = ground.script("ct", "store", "sh $FOLDER/store.sh", Some(60), work)?;
    while store.ended()?.is_none() {
        thread::sleep(Duration::from_millis(50));
    }
    Ok(programs)
}

/// Starts the ordinary work: each line again and again.
fn ordinary(ground: &Ground, work: &Path) -> Result<Vec<Program>> {
    if !is_here(ground, "dnsmasq") {
        // DICOM servers ask for their clients' names, and hosts limit how often they say that nobody listens at a port: each
        // association would take seconds, unless the host itself says so.
        ground::names_from(work, "127.0.0.1")?;
    }
    let mut programs = Vec::new();
    for (number, one) in table::work()?.iter().enumerate() {
        let When::Every(seconds) = one.when else {
            continue;
        };
        let script = format!(
            "sleep {}; while :; do {}; sleep {seconds}; done",
            number % 5,
            one.script
        );
        let name = format!("work-{number}-{}", one.host);
        programs.push(ground.script(one.host, &name, &script, None, work)?);
    }
    Ok(programs)
}

/// Starts the benign changes, one after the other in time.
fn change(ground: &mut Ground, work: &Path) -> Result<Vec<Program>> {
    let changes: Vec<Work> = table::work()?;
    let changes = changes.iter().filter(|one| one.when == When::Change);
    let mut programs = Vec::new();
    for (number, one) in changes.enumerate() {
        let host = match one.host {
            "new" => ground.newcomer()?,
            name => name.to_owned(),
        };
        let script = format!("sleep {}; {}", 4 * number, one.script);
        programs.push(ground.script(&host, &format!("change-{number}"), &script, None, work)?);
    }
    Ok(programs)
}

/// Runs the attacks; what was done, and what could not be.
fn attacks(
    ground: &mut Ground,
    options: &Options<'_>,
    work: &Path,
    begin: Instant,
) -> Result<(Vec<Deed>, Vec<Attack>)> {
    let (here, missing): (Vec<_>, Vec<_>) = options
        .attacks
        .iter()
        .cloned()
        .partition(|attack| is_here(ground, attack.program));
    let (beside, turns): (Vec<_>, Vec<_>) = here.into_iter().partition(|attack| attack.beside);
    let mut deeds = Vec::new();
    let mut long = Vec::new();
    for attack in &beside {
        long.push(Running::start(ground, attack, work)?);
    }
    let mut running: Vec<Running> = Vec::new();
    for attack in &turns {
        let own = |one: &Running| one.deed.attack.host == attack.host && attack.host != "new";
        while running.len() >= options.lanes || running.iter().any(own) {
            wait_for_one(&mut running, &mut deeds, ground, options)?;
        }
        say(begin, &format!("{} {}", attack.technique, attack.id));
        running.push(Running::start(ground, attack, work)?);
    }
    running.append(&mut long);
    while !running.is_empty() {
        wait_for_one(&mut running, &mut deeds, ground, options)?;
    }
    deeds.sort_by_key(|deed| deed.time.0);
    Ok((deeds, missing))
}

/// Waits until one of the attacks is over.
fn wait_for_one(
    running: &mut Vec<Running>,
    deeds: &mut Vec<Deed>,
    ground: &mut Ground,
    options: &Options<'_>,
) -> Result<()> {
    loop {
        for place in 0..running.len() {
            if running[place].program.ended()?.is_some() {
                deeds.push(running.remove(place).end(ground)?);
                return pass(PAUSE, options.check);
            }
        }
        pass(Duration::from_millis(100), options.check)?;
    }
}

/// An attack that runs.
struct Running {
    program: Program,
    deed: Deed,
}

impl Running {
    fn start(ground: &mut Ground, attack: &Attack, work: &Path) -> Result<Self> {
        let host = ground.attacker(attack)?;
        let addresses = ground.addresses(&host)?;
        let victim = attack.victim.and_then(|name| ground.address_of(name));
        let victim = victim.map(ToOwned::to_owned);
        let now = Timestamp::now();
        let name = format!("attack-{}", attack.id);
        let program = ground.script(&host, &name, attack.script, Some(attack.seconds), work)?;
        let deed = Deed {
            attack: attack.clone(),
            time: (now, now),
            host,
            addresses,
            victim,
        };
        Ok(Self { program, deed })
    }

    fn end(mut self, ground: &mut Ground) -> Result<Deed> {
        self.program.stop()?;
        self.deed.time.1 = Timestamp::now();
        if self.deed.attack.host == "new" {
            // Its other addresses, which IPv6 gives it in the meantime, are its too.
            let now = ground.addresses(&self.deed.host)?;
            let known = &mut self.deed.addresses.ip;
            for address in now.ip {
                if address.contains(':') && !known.contains(&address) {
                    known.push(address);
                }
            }
            ground.remove(&self.deed.host);
        }
        Ok(self.deed)
    }
}

fn say(begin: Instant, what: &str) {
    println!("{:>5} s  {what}", begin.elapsed().as_secs());
}

/// Lets time pass.
fn pass(time: Duration, check: &Check<'_>) -> Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        check()?;
        thread::sleep(Duration::from_millis(100).min(time));
    }
    Ok(())
}
