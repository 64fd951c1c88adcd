//! Configurations that are wrong, as the operator meets them: each error names file, line and key.

mod command;

use std::{fs, io};

use command::{Folder, wardtap, with_input};

/// A configuration, and what its error must say.
const WRONG: &[(&str, &str, &[&str])] = &[
    ("a file that was cut", "\n", &["empty", "config default"]),
    (
        "an unknown key",
        "[log]\nlevel = \"warn\"\n\n[flow]\nidle_tpc = \"1h\"\n",
        &[":5:", "flow.idle_tpc", "unknown", "idle_tcp"],
    ),
    (
        "an unknown section",
        "[flow]\n\n[alerts]\n",
        &[":3:", "alerts", "unknown"],
    ),
    (
        "a time span without unit",
        "[flow]\nidle_tcp = \"3600\"\n",
        &[":2:", "flow.idle_tcp", "\"3600\"", "90s, 10m, 4h or 2d"],
    ),
    (
        "a time span below the least",
        "[flow]\n\nidle_closed = \"0s\"\n",
        &[":3:", "flow.idle_closed", "1s"],
    ),
    (
        "an empty flow table",
        "[flow]\nfresh = 0\n",
        &[":2:", "flow.fresh", "1 to"],
    ),
    (
        "a ring that is no power of two",
        "[ring]\nsize = \"3MiB\"\n",
        &[":2:", "ring.size", "power of two"],
    ),
    (
        "a role that there is not",
        "[[interface]]\nname = \"a\"\n\n[[interface]]\nname = \"b\"\nrole = \"tap\"\n",
        &[":6:", "interface[1].role", "\"tap\"", "mirror"],
    ),
    (
        "a protected subnet with host bits",
        "[containment]\nprotect = [\"10.1.0.7\", \"10.1.0.7/24\"]\n",
        &[":2:", "containment.protect", "10.1.0.0/24"],
    ),
    (
        "a group with a member that is no address",
        "[[containment.group]]\nname = \"a\"\nmembers = [\"ward 7\"]\nmode = \"observe\"\n",
        &[":3:", "containment.group[0].members", "ward 7"],
    ),
    (
        "a share that is none",
        "[containment]\nmax_subnet_percent = 101\n",
        &[":2:", "containment.max_subnet_percent", "100"],
    ),
    (
        "an unknown key of the model",
        "[model]\nenabled = true\nfile = \"a.onnx\"\n",
        &[":3:", "model.file", "unknown", "path"],
    ),
    (
        "an unknown threshold",
        "[detect]\nscan_within = \"1m\"\nscan_target = 20\n",
        &[":3:", "detect.scan_target", "unknown", "scan_targets"],
    ),
    (
        "a threshold of nothing",
        "[detect]\nscan_targets = 0\n",
        &[":2:", "detect.scan_targets", "1 to 1024"],
    ),
    (
        "a threshold beyond all measure",
        "[detect]\n\nslow_within = \"400d\"\n",
        &[":3:", "detect.slow_within", "\"400d\"", "\"7d\""],
    ),
    (
        "a threshold that is negative",
        "[detect]\ndns_bytes = -1\n",
        &[":2:", "detect.dns_bytes", "-1", "bytes"],
    ),
    (
        "a detector that there is not",
        "[detect]\noff = [\"sweep\", \"scann\"]\n",
        &[
            ":2:",
            "detect.off",
            "\"scann\"",
            "did you mean \"scan\"?",
            "study_exfiltration",
        ],
    ),
    (
        "a model that is not there",
        "[model]\n\npath = \"/nowhere/site.onnx\"\n",
        &[":3:", "model.path", "/nowhere/site.onnx", "no file"],
    ),
    (
        "a runtime that is not there",
        "[model]\nruntime = \"/nowhere/libonnxruntime.so\"\n",
        &[":2:", "model.runtime", "/nowhere/libonnxruntime.so"],
    ),
    (
        "a key that is none",
        "[model]\ntrusted_keys = [\"d75a98\"]\n",
        &[":2:", "model.trusted_keys", "d75a98", "64 hex digits"],
    ),
    (
        "an interface named twice",
        "[[interface]]\nname = \"a\"\n[[interface]]\nname = \"a\"\n",
        &[":4:", "interface[1].name", "twice"],
    ),
    (
        "an address that is none",
        "[metrics]\nlisten = \"localhost\"\n",
        &[":2:", "metrics.listen", "address"],
    ),
    (
        "a value of another type",
        "[protocol]\nhl7_tls_ports = [2575, \"6661\"]\n",
        &[":2:", "protocol.hl7_tls_ports", "string"],
    ),
    (
        "a string that is not closed",
        "[log]\nlevel = \"info\n",
        &[":2:", "level"],
    ),
    ("a section that is not closed", "\n[flow\n", &[":2:"]),
    (
        "an interface in single brackets",
        "[interface]\nname = \"eth1\"\n",
        &[
            ":1:",
            "interface",
            "write [[interface]] with double brackets",
        ],
    ),
    (
        "a receiver in single brackets",
        "[output.syslog]\naddress = \"127.0.0.1:6514\"\n",
        &[":1:", "write [[output.syslog]] with double brackets"],
    ),
    (
        "an override in single brackets",
        "[detect.override]\nfor = \"10.0.0.1\"\n",
        &["write [[detect.override]] with double brackets"],
    ),
    (
        "an override for nobody",
        "[[detect.override]]\nreason = \"x\"\nscan_targets = 40\n",
        &["detect.override", "say for whom"],
    ),
    (
        "an override of no detector's threshold",
        "[[detect.override]]\nfor = \"10.0.0.1\"\nreason = \"x\"\nscan_target = 40\n",
        &[":4:", "did you mean `scan_targets`?"],
    ),
    (
        "an override out of range",
        "[[detect.override]]\nfor = \"10.0.0.1\"\nreason = \"x\"\nscan_targets = 0\n",
        &[":4:", "is not from 1 to"],
    ),
    (
        "learning that is over before doubt",
        "[baseline]\nlearning = \"30m\"\n",
        &[":2:", "baseline.learning", "30m", "baseline.doubt", "1h"],
    ),
];

#[test]
fn each_mistake_is_named_with_file_line_and_key() -> io::Result<()> {
    let folder = Folder::new()?;
    let path = folder.path().join("wrong.toml");
    let file = path.display().to_string();
    for (what, text, says) in WRONG {
        fs::write(&path, text)?;
        // The daemon says the same as the check, and does not start.
        for arguments in [["config", "check", &file], ["run", "--config", &file]] {
            let done = wardtap(&arguments)?;
            assert_eq!(done.code, Some(1), "{what}: {done:?}");
            assert_eq!(done.out, "", "{what}");
            for word in [file.as_str()].iter().chain(*says) {
                assert!(done.error.contains(word), "{what}: {word:?} in {done:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn the_default_configuration_is_sound_and_says_what_is_in_force() -> io::Result<()> {
    let default = wardtap(&["config", "default"])?;
    assert_eq!(default.code, Some(0), "{default:?}");
    let check = with_input(&["config", "check", "-"], &default.out)?;
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(check.out.contains("standard input"), "{check:?}");

    // A file that says nothing shows as one that says the defaults, and what is shown can be read again.
    let shown = with_input(&["config", "show", "-"], "")?;
    assert_eq!(
        with_input(&["config", "show", "-"], &default.out)?.out,
        shown.out
    );
    assert_eq!(
        with_input(&["config", "show", "-"], &shown.out)?.out,
        shown.out
    );
    let json = with_input(&["config", "show", "--json", "-"], &default.out)?;
    let json: serde_json::Value = serde_json::from_str(&json.out)?;
    assert_eq!(json["flow"]["idle_tcp"], "1h");
    assert_eq!(json["metrics"]["listen"], "127.0.0.1:9641");
    Ok(())
}

#[test]
fn a_file_that_is_not_there_is_named() -> io::Result<()> {
    for arguments in [
        ["config", "check", "/nowhere/wardtap.toml"],
        ["run", "--config", "/nowhere/wardtap.toml"],
    ] {
        let done = wardtap(&arguments)?;
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.error.contains("/nowhere/wardtap.toml"), "{done:?}");
        assert_eq!(done.error.matches("No such file").count(), 1, "{done:?}");
        assert!(done.error.contains("wardtap config default"), "{done:?}");
    }
    Ok(())
}

#[test]
fn an_interface_that_is_not_there_is_a_warning() -> io::Result<()> {
    let text = "[[interface]]\nname = \"wt-none0\"\n[response]\ninterface = \"wt-none1\"\n";
    let done = with_input(&["config", "check", "-"], text)?;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("configuration OK"), "{done:?}");
    for words in [
        "warning: interface.name: this machine has no interface \"wt-none0\"",
        "warning: response.interface: this machine has no interface \"wt-none1\"",
    ] {
        assert!(done.error.contains(words), "{words:?} in {done:?}");
    }
    Ok(())
}

#[test]
fn what_does_not_answer_or_is_not_there_is_a_warning() -> io::Result<()> {
    let listening = std::net::TcpListener::bind("127.0.0.1:0")?;
    let open = listening.local_addr()?;
    // Nobody listens there once it is dropped.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let receiver = |name: &str, address: &str| {
        format!(
            "[[output.syslog]]\nname = \"{name}\"\naddress = \"{address}\"\ntransport = \"tcp\"\n"
        )
    };
    // RFC 6761 section 6.4: the domain invalid has no names.
    let text = [
        "[output.json]\npath = \"/wt-nowhere/events.jsonl\"\n".to_owned(),
        receiver("good", &open.to_string()),
        receiver("closed", &closed.to_string()),
        receiver("unnamed", "siem.invalid:6514"),
        "[audit]\nexport = \"/wt-nowhere/audit\"\n[control]\ngroup = \"wt-nobody\"\n".to_owned(),
    ]
    .concat();
    let done = with_input(&["config", "check", "-"], &text)?;
    assert_eq!(done.code, Some(0), "{done:?}");
    for words in [
        "output.json.path: there is no folder /wt-nowhere",
        "audit.export: there is no folder /wt-nowhere/audit",
        "control.group: this machine has no group \"wt-nobody\"",
        "the receiver \"closed\" at 127.0.0.1:",
        "refused",
        "the receiver \"unnamed\" at siem.invalid:6514 can't be reached",
    ] {
        assert!(done.error.contains(words), "{words:?} in {done:?}");
    }
    assert!(!done.error.contains("\"good\""), "{done:?}");
    let offline = with_input(&["config", "check", "--offline", "-"], &text)?;
    assert!(!offline.error.contains("receiver"), "{offline:?}");
    Ok(())
}
