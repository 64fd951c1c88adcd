//! A receiver as sites have it: rsyslog, over TLS.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sensor_output::{Format, SyslogOptions, TlsOptions};
use tests::{ability::rsyslog, program::Program, wait::wait_for};

use super::{
    Folder, LIMIT, alert, close, free_port, numbered, over_tls,
    receiver::{Message, parse},
    start, when,
};

/// An authority, with its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn create(folder: &Path, name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let file = folder.join(format!("{name}.pem"));
        fs::write(&file, params.self_signed(&key)?.pem())?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            file,
        })
    }

    /// Certificate and key for a name.
    fn issue(&self, folder: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let files = (
            folder.join(format!("{name}.pem")),
            folder.join(format!("{name}.key")),
        );
        fs::write(&files.0, params.signed_by(&key, &self.issuer)?.pem())?;
        fs::write(&files.1, key.serialize_pem())?;
        Ok(files)
    }
}

/// rsyslog with the certificate of `localhost`.
struct Rsyslog {
    _program: Program,
    port: u16,
    file: PathBuf,
}

impl Rsyslog {
    /// `auth` says what clients have to show: `anon` nothing, `x509/certvalid` a certificate of the authority.
    fn start(folder: &Path, authority: &Authority, auth: &str) -> Result<Self> {
        let (certificate, key) = authority.issue(folder, "localhost")?;
        let (port, file) = (free_port()?, folder.join("received"));
        let config = folder.join("rsyslog.conf");
        let text = format!(
            r#"global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off"
 defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{ca}"
 defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="{auth}")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="all")
template(name="raw" type="string" string="%rawmsg%\n")
ruleset(name="all") {{ action(type="omfile" file="{file}" template="raw") }}
"#,
            folder = folder.display(),
            ca = authority.file.display(),
            certificate = certificate.display(),
            key = key.display(),
            file = file.display(),
        );
        fs::write(&config, text)?;
        let mut command = Command::new("rsyslogd");
        command.arg("-n").arg("-f").arg(&config);
        command.arg("-i").arg(folder.join("rsyslog.pid"));
        Ok(Self {
            _program: Program::start("rsyslogd", command, folder)?,
            port,
            file,
        })
    }

    /// The messages that it has, once there are so many.
    fn messages(&self, count: usize) -> Result<Vec<Message>> {
        let text = wait_for("messages in rsyslog's file", LIMIT, || {
            let text = fs::read_to_string(&self.file).ok()?;
            (text.ends_with('\n') && text.lines().count() >= count).then_some(text)
        })
        .with_context(|| fs::read_to_string(&self.file).unwrap_or_default())?;
        text.lines().map(parse).collect()
    }
}

#[test]
fn rsyslog_gets_each_message_over_tls() -> Result<()> {
    if !rsyslog() {
        return Ok(());
    }
    let folder = Folder::create("tls")?;
    let authority = Authority::create(&folder.0, "authority")?;
    let receiver = Rsyslog::start(&folder.0, &authority, "anon")?;
    let trusting = TlsOptions {
        ca: Some(authority.file.clone()),
        ..TlsOptions::default()
    };
    let output = start(&folder.0, over_tls(receiver.port, trusting.clone()))?;
    for number in 0..2_000 {
        output.send(numbered(number));
    }
    when(&output, "all to count", |stats| stats.events == 2_000)?;
    let messages = receiver.messages(2_000)?;
    ensure!(messages.len() == 2_000, "{}", messages.len());
    let mut sequence = messages.iter().map(|message| message.sequence);
    ensure!(sequence.by_ref().eq(1..=2_000));
    let (_, stats) = close(output);
    ensure!(
        (stats.offered, stats.dropped(), stats.resent) == (2_000, 0, 0),
        "{stats:?}"
    );
    ensure!(
        stats.target.contains("(syslog, TLS, json)"),
        "{}",
        stats.target
    );

    // CEF with text beyond ASCII.
    let cef = SyslogOptions {
        format: Format::Cef,
        ..over_tls(receiver.port, trusting)
    };
    let output = start(&folder.0, cef)?;
    output.send(alert(
        "10.0.0.3",
        "10.0.0.9",
        r#","change":"opened","severity":"critical""#,
    ));
    when(&output, "the alert to count", |stats| stats.events == 1)?;
    let message = receiver.messages(2_001)?.pop().context("no message")?;
    ensure!(
        message.content.starts_with("CEF:0|Wardtap|Wardtap|"),
        "{message:?}"
    );
    ensure!(
        message.content.contains(r"evidence \| of = \\ ü|10|"),
        "{message:?}"
    );
    ensure!(
        message.content.contains(r"msg=evidence | of \= \\ ü"),
        "{message:?}"
    );
    ensure!(message.priority == 16 * 8 + 2, "{message:?}");
    Ok(())
}

#[test]
fn a_receiver_that_can_not_be_trusted_gets_nothing() -> Result<()> {
    if !rsyslog() {
        return Ok(());
    }
    let folder = Folder::create("trust")?;
    let authority = Authority::create(&folder.0, "authority")?;
    let other = Authority::create(&folder.0, "other")?;
    let receiver = Rsyslog::start(&folder.0, &authority, "anon")?;
    let cases = [
        (
            Some(&other),
            None,
            "of an authority that is not trusted here",
        ),
        (
            Some(&authority),
            Some("other.example"),
            "is not for other.example",
        ),
        (None, None, "of an authority that is not trusted here"),
    ];
    for (ca, name, words) in cases {
        let tls = TlsOptions {
            ca: ca.map(|ca| ca.file.clone()),
            server_name: name.map(str::to_owned),
            identity: None,
        };
        let output = start(&folder.0, over_tls(receiver.port, tls))?;
        output.send(numbered(1));
        let has =
            |why: &str| why.contains(words) || (ca.is_none() && why.contains("no certificates"));
        when(&output, words, |stats| {
            stats.failing.as_deref().is_some_and(has)
        })?;
        let (_, stats) = close(output);
        ensure!(
            (stats.events, stats.dropped_write_error) == (0, 1),
            "{stats:?}"
        );
    }
    ensure!(!receiver.file.exists(), "something came through");
    Ok(())
}

#[test]
fn a_receiver_that_wants_to_know_the_sensor_is_shown_its_certificate() -> Result<()> {
    if !rsyslog() {
        return Ok(());
    }
    let folder = Folder::create("identity")?;
    let authority = Authority::create(&folder.0, "authority")?;
    let receiver = Rsyslog::start(&folder.0, &authority, "x509/certvalid")?;
    let stranger = TlsOptions {
        ca: Some(authority.file.clone()),
        ..TlsOptions::default()
    };
    let output = start(&folder.0, over_tls(receiver.port, stranger.clone()))?;
    output.send(numbered(1));
    when(&output, "to be refused", |stats| {
        stats
            .failing
            .as_deref()
            .is_some_and(|why| !why.contains("can't connect"))
    })?;
    close(output);
    ensure!(!receiver.file.exists(), "a stranger's message was taken");

    let known = TlsOptions {
        identity: Some(authority.issue(&folder.0, "sensor.example")?),
        ..stranger
    };
    let output = start(&folder.0, over_tls(receiver.port, known))?;
    output.send(numbered(2));
    let messages = receiver.messages(1)?;
    ensure!(messages[0].content.contains("\"n\":2"), "{messages:?}");
    let (_, stats) = close(output);
    ensure!((stats.events, stats.dropped()) == (1, 0), "{stats:?}");
    Ok(())
}
