//! HL7 peers: python-hl7's MLLP client and server.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    hospital::{Hospital, Role},
    program::{Program, with_signals},
};

/// Port of the receiver of messages.
pub const PORT: u16 = 2575;

/// The folder of the Python environment that `cargo xtask test` and `demo` make.
#[must_use]
pub fn python_folder() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).join("target/python")
}

/// The Python interpreter that has python-hl7.
#[must_use]
pub fn python() -> PathBuf {
    python_folder().join("bin/python")
}

/// A script of `tests/programs`.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("programs")
        .join(name)
}

/// A message, as far as it differs from the others.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// MSH-9: type and trigger event, such as `ADT^A01`.
    pub kind: &'a str,
    /// MSH-10: its control id.
    pub control_id: &'a str,
    /// PID-5: patient's name.
    pub patient: &'a str,
    /// PID-3: patient's id.
    pub patient_id: &'a str,
}

/// MSH-3 of the messages.
pub const SENDER: (&str, &str) = ("ENGINE", "HOSPITAL");
/// MSH-5 and MSH-6 of the messages.
pub const RECEIVER: (&str, &str) = ("EHR", "HOSPITAL");

impl Message<'_> {
    fn text(&self) -> String {
        let Self {
            kind,
            control_id,
            patient,
            patient_id,
        } = self;
        let ((from, at), (to, facility)) = (SENDER, RECEIVER);
        let mut text = format!(
            "MSH|^~\\&|{from}|{at}|{to}|{facility}|20260105101500||{kind}|{control_id}|P|2.5.1\r\
             EVN||20260105101500\r\
             PID|1||{patient_id}^^^HOSPITAL^MR||{patient}||19610707|F\r\
             PV1|1|I|WARD3^12^A\r"
        );
        if kind.starts_with("ORU") {
            text += "OBR|1|||718-7^Haemoglobin^LN\rOBX|1|NM|718-7^Haemoglobin^LN||13.2|g/dL|12-16|N|||F\r";
        }
        text
    }
}

/// Starts the receiver on the EHR.
///
/// # Errors
/// When it can't be started or does not listen.
pub fn start_receiver(hospital: &Hospital, logs: &Path) -> Result<Program> {
    let host = hospital.host(Role::Ehr);
    let mut command = host.command(python());
    command
        .arg(script("mllp.py"))
        .args(["serve", &PORT.to_string()]);
    let program = Program::start("ehr", command, logs)?;
    host.wait_for_listener(PORT)?;
    Ok(program)
}

/// The interface engine's connection to the EHR: open until it is closed.
#[derive(Debug)]
pub struct Sender {
    child: Child,
    // Taken when the connection is closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Sender {
    /// Starts the sender on the interface engine.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(hospital: &Hospital) -> Result<Self> {
        Self::start_on(hospital, Role::Engine)
    }

    /// Starts the sender on another host.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start_on(hospital: &Hospital, role: Role) -> Result<Self> {
        let mut command = hospital.host(role).command(python());
        let mut child = with_signals(&mut command)
            .arg(script("mllp.py"))
            .args(["send", &Role::Ehr.address().to_string(), &PORT.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start the MLLP sender")?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        Ok(Self {
            child,
            input,
            output: BufReader::new(output.context("the sender has no output")?),
        })
    }

    /// Sends a message and waits for its acknowledgement: MSA-1.
    ///
    /// # Errors
    /// When the connection broke, or another message was acknowledged.
    pub fn send(&mut self, message: &Message<'_>) -> Result<String> {
        let line = serde_json::to_string(&message.text())?;
        let input = self.input.as_mut().context("the connection is closed")?;
        writeln!(input, "{line}")?;
        input.flush()?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        match answer.split_whitespace().collect::<Vec<_>>()[..] {
            [code, id] if id == message.control_id => Ok(code.to_owned()),
            _ => bail!("the answer to {} is {answer:?}", message.control_id),
        }
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// When the sender failed.
    pub fn close(mut self) -> Result<()> {
        self.input = None;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "the MLLP sender: {status}");
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // Its input ends, then it does; one that was closed has ended already.
        self.input = None;
        let _ = self.child.wait();
    }
}
