//! The section of outputs, read and checked with the whole file.

use sensor_facts::event::EventType;
use sensor_output::{Format, Rotation, TlsOptions, outputs::Output};

use super::{Config, Mistake};

fn parse(text: &str) -> Result<Output, Mistake> {
    Config::parse(text).map(|config| config.output)
}

#[test]
fn a_receiver_with_and_without_defaults() {
    let text = "[[output.syslog]]\naddress = \"[2001:db8::1]:6514\"\n\
                [[output.syslog]]\nname = \"b\"\naddress = \"siem:601\"\ntransport = \"tcp\"\nformat = \"ocsf\"\n\
                [output.ocsf]\npath = \"x\"\nrotate_size = \"off\"\n";
    let output = parse(text).expect("a configuration");
    let options = output.options();
    let (a, b) = (&options.syslog[0], &options.syslog[1]);
    assert_eq!((a.name.as_str(), a.queue), ("syslog", 8_192));
    assert_eq!(a.endpoint.host, "2001:db8::1");
    assert_eq!(a.tls, Some(TlsOptions::default()));
    assert_eq!(
        a.events,
        [
            EventType::Alert,
            EventType::Incident,
            EventType::Audit,
            EventType::Mirror
        ]
    );
    assert_eq!(
        (b.tls.as_ref(), b.format, &b.events[..]),
        (
            None,
            Format::Ocsf,
            &[EventType::Alert, EventType::Incident][..]
        )
    );
    assert_eq!(options.ocsf.map(|it| it.rotation), Some(None));
    let size = 256 << 20;
    assert_eq!(options.json.rotation, Some(Rotation { size, keep: 8 }));
    let config = Config {
        output,
        ..Config::default()
    };
    assert_eq!(Config::parse(&config.to_toml()), Ok(config));
}

#[test]
fn mistakes_are_named_with_line_and_key() {
    let receiver = "[[output.syslog]]\naddress = \"a:1\"\n";
    let twice = format!("{receiver}{receiver}");
    let with = |line: &str| format!("{receiver}{line}\n");
    let cases = [
        (with("events = [\"flow\"]"), 3, "output.syslog[0].events"),
        (with("events = []"), 3, "output.syslog[0].events"),
        (with("events = [\"x\"]"), 3, "output.syslog[0].events[0]"),
        (with("name = \"json\""), 3, "output.syslog[0].name"),
        (with("name = \"A b\""), 3, "output.syslog[0].name"),
        (
            with("facility = \"local8\""),
            3,
            "output.syslog[0].facility",
        ),
        (with("ca = \"/nowhere\""), 3, "output.syslog[0].ca"),
        (with("key = \"/proc/self/exe\""), 3, "output.syslog[0].key"),
        (
            with("server_name = \"x\"\ntransport = \"tcp\""),
            3,
            "output.syslog[0].server_name",
        ),
        (twice, 4, "output.syslog[1].address"),
        (
            "[[output.syslog]]\naddress = \"a\"\n".to_owned(),
            2,
            "output.syslog[0].address",
        ),
        (
            "[output.json]\nrotate_size = \"1KiB\"\n".to_owned(),
            2,
            "output.json.rotate_size",
        ),
        (
            "[output.json]\nkeep = 0\n".to_owned(),
            2,
            "output.json.keep",
        ),
    ];
    for (text, line, key) in cases {
        let mistake = parse(&text).expect_err(&text);
        assert_eq!(
            (mistake.line, mistake.key.as_deref()),
            (Some(line), Some(key)),
            "{text}{mistake}"
        );
    }
    let same = "[output.json]\npath = \"x\"\n[output.ocsf]\npath = \"x\"\n";
    assert!(
        parse(same)
            .expect_err(same)
            .what
            .contains("output.ocsf.path")
    );
}
