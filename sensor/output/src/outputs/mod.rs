//! Which outputs there are: their keys in the configuration, what they are made with, and the start of their lanes.

pub(crate) mod lines;
pub(crate) mod syslog;

use sensor_facts::{
    event::Event,
    item, section,
    setting::{Limit, Span},
};
use serde::{Deserialize, Deserializer, de::Error};

use self::{
    lines::{FileOptions, Lines, Reopen, Target},
    syslog::{Keys as Syslog, SyslogOptions},
};
use crate::{
    format::Format,
    lane::{JSON, Lane, LaneOptions, OCSF, OutputError, QUEUE, queue},
    origin::Origin,
    rotate::Rotation,
};

section! {
    /// Where events go.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Output {
        /// All events as JSON lines.
        pub json: Json,
        /// Alerts as OCSF lines.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ocsf: Option<Ocsf> = None => optional Ocsf,
        /// Receivers of syslog.
        pub syslog: Vec<Syslog> = Vec::new() => list Syslog,
    }
}

section! {
    /// All events as JSON lines.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Json {
        /// The file. `-` is standard output.
        pub path: String = "/var/lib/wardtap/events.jsonl".to_owned() => unit "path",
        /// The file is rotated before it grows beyond this size: it becomes events.jsonl.1, that one .2, and so on. `off`
        /// rotates never.
        pub rotate_size: Limit = Limit::default(),
        /// How many rotated files are kept.
        #[serde(deserialize_with = "some")]
        pub keep: u32 = KEEP => unit "files",
        /// How many events may wait for a slow disk. Those beyond are dropped and counted.
        pub max_queue: usize = 65_536 => unit "events",
        /// The time between two `stats` events.
        pub stats_interval: Span = Span::from_secs(8),
    }
}

item! {
    /// Alerts as OCSF Detection Findings, a line each. They are written if this section is there.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Ocsf {
        /// The file. `-` is standard output.
        pub path: String => required "/var/lib/wardtap/alerts.ocsf.jsonl",
        /// The file is rotated before it grows beyond this size. `off` rotates never.
        #[serde(default)]
        pub rotate_size: Limit => default Limit::default(),
        /// How many rotated files are kept.
        #[serde(default = "keep", deserialize_with = "some")]
        pub keep: u32 => default KEEP,
        /// How many alerts may wait for a slow disk. Those beyond are dropped and counted.
        #[serde(default = "queue")]
        pub max_queue: usize => default QUEUE,
    }
}

/// What the outputs are made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputOptions {
    /// All events, as JSON lines.
    pub json: FileOptions,
    /// Alerts, as OCSF lines.
    pub ocsf: Option<FileOptions>,
    /// Syslog receivers.
    pub syslog: Vec<SyslogOptions>,
}

impl OutputOptions {
    /// Keys of the configuration whose values differ in `new` and take a restart.
    #[must_use]
    pub fn restart_needed(&self, new: &Self) -> Vec<&'static str> {
        let queue = |it: &Option<FileOptions>| it.as_ref().map(|it| it.queue);
        [
            ("output.json.max_queue", self.json.queue != new.json.queue),
            ("output.ocsf", queue(&self.ocsf) != queue(&new.ocsf)),
            ("output.syslog", self.syslog != new.syslog),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// Takes over what can change at run time: the files and their rotation.
    pub fn adopt(&mut self, new: &Self) {
        let files = [
            (Some(&mut self.json), Some(&new.json)),
            (self.ocsf.as_mut(), new.ocsf.as_ref()),
        ];
        for (old, new) in files {
            if let (Some(old), Some(new)) = (old, new) {
                old.target = new.target.clone();
                old.rotation = new.rotation;
            }
        }
    }

    /// Opens the files and starts a lane for each output. Receivers are connected to later, by the lanes' threads.
    pub(super) fn lanes(&self, reopen: &Files) -> Result<Vec<Lane>, OutputError> {
        let origin = Origin::here();
        let (json, ocsf) = (Format::Json, Format::Ocsf);
        let mut lanes = vec![of_file(JSON, &self.json, json, &origin, &reopen.json)?];
        if let Some(options) = &self.ocsf {
            lanes.push(of_file(OCSF, options, ocsf, &origin, &reopen.ocsf)?);
        }
        for options in &self.syslog {
            lanes.push(syslog::lane(options, &origin)?);
        }
        Ok(lanes)
    }
}

/// Asks the lanes of files to open them anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    pub(crate) json: Reopen,
    pub(crate) ocsf: Reopen,
}

fn of_file(
    name: &str,
    options: &FileOptions,
    format: Format,
    origin: &Origin,
    reopen: &Reopen,
) -> Result<Lane, OutputError> {
    let lines = Lines::open(options.clone(), format, origin.clone(), reopen.clone())?;
    let lane = LaneOptions {
        name: name.to_owned(),
        queue: options.queue,
        wants: move |event: &Event| format.carries(event.body.event_type()),
    };
    Lane::start(lane, lines).map_err(|source| OutputError {
        target: options.target.to_string(),
        source,
    })
}

/// Rotated files that are kept.
const KEEP: u32 = 8;

fn keep() -> u32 {
    KEEP
}

fn some<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let number = i64::deserialize(from)?;
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=1_000).contains(number))
        .ok_or_else(|| D::Error::custom(format!("{number} is not from 1 to 1000 files")))
}

impl Output {
    /// What the output is made with.
    #[must_use]
    pub fn options(&self) -> OutputOptions {
        let file = |path: &str, size: Limit, keep, queue| FileOptions {
            target: Target::named(path),
            rotation: size.get().map(|size| Rotation { size, keep }),
            queue,
        };
        let json = &self.json;
        OutputOptions {
            json: file(&json.path, json.rotate_size, json.keep, json.max_queue),
            ocsf: self
                .ocsf
                .as_ref()
                .map(|it| file(&it.path, it.rotate_size, it.keep, it.max_queue)),
            syslog: self.syslog.iter().map(Syslog::options).collect(),
        }
    }

    /// What is wrong with the files taken together.
    #[must_use]
    pub fn same_file(&self) -> Option<String> {
        let path = &self.ocsf.as_ref()?.path;
        (*path == self.json.path && path != "-")
            .then(|| format!("output.ocsf.path is {path:?}, where the JSON lines are"))
    }

    /// What is wrong with the receivers taken together: the index of one, its key, and what is wrong.
    #[must_use]
    pub fn mistake(&self) -> Option<(usize, &'static str, String)> {
        self.syslog.iter().enumerate().find_map(|(index, one)| {
            if self
                .syslog
                .iter()
                .take(index)
                .any(|before| before.name == one.name)
            {
                let what = format!("output {:?} is there twice: give each a name", one.name);
                // Both may have no name of their own.
                return Some((index, "address", what));
            }
            one.mistake().map(|(key, what)| (index, key, what))
        })
    }
}
