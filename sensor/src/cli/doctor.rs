//! `wardtap doctor`: can this host run the sensor? It looks and changes nothing.

use std::{fmt::Write, fs, path::Path, process::ExitCode};

use clap::Args;
use sensor_analysis::model::Runtime;
use serde::Serialize;
use {sensor_kernel as kernel, sensor_kernel::ethtool};

use super::{
    Shown, print, print_json,
    table::{Colour, coloured},
};
use crate::config::{Config, PATH};

const EXAMPLES: &str = "\
Examples:
  wardtap doctor --interface eth1
  wardtap doctor --json | jq '.[] | select(.verdict != \"ok\")'";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    shown: Shown,
    /// Interface to look at; can be given several times. Without it: all but the loopback
    #[arg(long, short, value_name = "IF")]
    interface: Vec<String>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckResult {
    Ok,
    Warn,
    Fail,
}

/// A check.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    verdict: CheckResult,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn new(what: impl Into<String>, verdict: CheckResult, found: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            verdict,
            found: found.into(),
            next: None,
        }
    }

    /// What to do, where it is not ok.
    fn next(mut self, next: impl Into<String>) -> Self {
        if self.verdict != CheckResult::Ok {
            self.next = Some(next.into());
        }
        self
    }
}

pub(super) fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut findings = host();
    let names = if args.interface.is_empty() {
        all_interfaces()
    } else {
        args.interface.clone()
    };
    for name in &names {
        findings.extend(interface(name, !args.interface.is_empty()));
    }
    if args.shown.json {
        print_json(&findings)?;
    } else {
        print(&text(&findings))?;
    }
    let failed = findings
        .iter()
        .any(|finding| finding.verdict == CheckResult::Fail);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A line a check. What to do stands on a line of its own, never wrapped, so that it can be copied.
fn text(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |mut text, finding| {
        let verdict = match finding.verdict {
            CheckResult::Ok => coloured("ok  ", Colour::Green),
            CheckResult::Warn => coloured("warn", Colour::Yellow),
            CheckResult::Fail => coloured("FAIL", Colour::Red),
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "{verdict}  {}: {}", finding.what, finding.found);
        if let Some(next) = &finding.next {
            let _ = writeln!(text, "      next: {next}");
        }
        text
    })
}

/// Checks of the host itself.
fn host() -> Vec<Finding> {
    let verdict = |good: bool, bad: CheckResult| if good { CheckResult::Ok } else { bad };
    let release = kernel::host::release();
    let new_enough = kernel::host::is_new_enough(&release);
    let missing = kernel::host::missing_capabilities();
    let has_object = !kernel::OBJECT.is_empty();
    let btf = Path::new("/sys/kernel/btf/vmlinux").exists();
    let mounted = kernel::host::has_bpf_fs();
    vec![
        Finding::new(
            "kernel",
            verdict(new_enough, CheckResult::Fail),
            format!("Linux {release}"),
        )
        .next("run Linux 5.10 or newer"),
        Finding::new(
            "kernel programs",
            verdict(has_object, CheckResult::Fail),
            if has_object {
                "built in"
            } else {
                "not built in"
            },
        )
        .next("build with `cargo xtask build`"),
        Finding::new(
            "capabilities",
            verdict(missing.is_empty(), CheckResult::Fail),
            if missing.is_empty() {
                "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW".to_owned()
            } else {
                format!("missing {}", missing.join(", "))
            },
        )
        .next("run as root, or give the service these capabilities"),
        Finding::new(
            "BPF file system",
            verdict(mounted, CheckResult::Warn),
            if mounted {
                "mounted at /sys/fs/bpf"
            } else {
                "not mounted"
            },
        )
        .next("nothing: `wardtap run` mounts it; or `mount -t bpf bpf /sys/fs/bpf`"),
        runtime(),
        Finding::new(
            "kernel BTF",
            CheckResult::Ok,
            if btf {
                "there"
            } else {
                "not there; it is not needed"
            },
        ),
    ]
}

/// What models run in. The configuration may name it; one that can't be read is `config check`'s matter.
fn runtime() -> Finding {
    let config = Config::read(PATH.as_ref()).unwrap_or_default();
    let found = Runtime::load(config.model.runtime.as_deref());
    Finding::new(
        "ONNX Runtime",
        if found.is_ok() || !config.model.enabled {
            CheckResult::Ok
        } else {
            CheckResult::Warn
        },
        match found {
            Ok(runtime) => runtime.path().display().to_string(),
            Err(error) => error.to_string(),
        },
    )
    .next("nothing, if flows need not be scored by a model; else install it")
}

fn all_interfaces() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "lo")
        .collect();
    names.sort();
    names
}

/// Frames longer than this don't fit one buffer of common drivers (a page less head- and tailroom).
const MTU_ONE_BUFFER: u32 = 3_000;

/// Checks of an interface. One that was not asked for may be down.
fn interface(name: &str, asked: bool) -> Vec<Finding> {
    let folder = Path::new("/sys/class/net").join(name);
    let read = |file: &str| {
        fs::read_to_string(folder.join(file))
            .map(|text| text.trim().to_owned())
            .ok()
    };
    if !folder.exists() {
        let next = format!("there are: {}", all_interfaces().join(", "));
        let what = format!("{name}: link");
        return vec![Finding::new(what, CheckResult::Fail, "does not exist").next(next)];
    }
    let state = read("operstate").unwrap_or_default();
    let up = state == "up" || state == "unknown";
    let mtu: u32 = read("mtu").and_then(|mtu| mtu.parse().ok()).unwrap_or(0);
    let driver = fs::read_link(folder.join("device/driver"))
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        });
    let mut findings = vec![
        Finding::new(
            format!("{name}: link"),
            match (up, asked) {
                (true, _) => CheckResult::Ok,
                (false, true) => CheckResult::Fail,
                (false, false) => CheckResult::Warn,
            },
            format!("{state}, driver {}", driver.as_deref().unwrap_or("virtual")),
        )
        .next(format!("ip link set {name} up")),
        Finding::new(
            format!("{name}: MTU"),
            if mtu <= MTU_ONE_BUFFER {
                CheckResult::Ok
            } else {
                CheckResult::Warn
            },
            mtu.to_string(),
        )
        .next(
            "frames beyond one buffer are read in part, or generic mode is used; status says which",
        ),
    ];
    // What merges packets or takes tags away before the program sees them.
    for (offload, flag, what) in ethtool::OFFLOADS {
        match ethtool::is_on(name, *offload) {
            Ok(on) => findings.push(
                Finding::new(
                    format!("{name}: {what}"),
                    if on {
                        CheckResult::Warn
                    } else {
                        CheckResult::Ok
                    },
                    if on { "on" } else { "off" },
                )
                .next(format!("ethtool -K {name} {flag} off")),
            ),
            Err(error) => findings.push(
                Finding::new(
                    format!("{name}: {what}"),
                    CheckResult::Warn,
                    format!("can't be read: {error}"),
                )
                .next(format!("look with `ethtool -k {name}`")),
            ),
        }
    }
    findings
}
