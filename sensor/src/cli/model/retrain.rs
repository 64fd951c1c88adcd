//! `wardtap model retrain`: from the site's flows and labels to a model that is no worse.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, bail};
use clap::Args;
use sensor_analysis::model::{Comparison, ExportedRow, Loaded, Row, csv};
use sensor_facts::alert::Verdict;

use super::super::{
    Shown,
    export::{rows, write_file},
    print, print_json,
    table::{count, table},
};
use crate::control::{
    api::{EXPORTED_ROWS, LABELLED_ROWS, MODELS, Query},
    client,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  wardtap model retrain --python /opt/wardtap-models/bin/python --dry-run --reason 'a look'
  wardtap model retrain --python /opt/wardtap-models/bin/python --reason 'new CT since November, change 4712'

The flows that the daemon recorded, under pseudonyms, train the model; flows of alerts labelled benign join its
calibration, flows of those labelled malicious are never used for training. The daemon then examines it as any model and holds
it against the one in use: the attacks of the cases have to be found as before, benign cases and the latest flows
must not be stranger. What Python needs: docs/models.md.";

/// The name that the new model gets.
const NAME: &str = "site.onnx";

#[derive(Args)]
pub(in crate::cli) struct RetrainArgs {
    /// Why: part of the evidence
    #[arg(long)]
    reason: String,
    /// The Python that has the package `wardtap_models`
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Keep rows, model and card in this folder; else they are removed
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// The same flows, seed and libraries give the same model
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Say how it compares, and load nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    shown: Shown,
}

pub(in crate::cli) fn run(socket: &Path, args: &RetrainArgs) -> anyhow::Result<ExitCode> {
    has_package(&args.python)?;
    let work = Work::make(args.work.as_deref())?;
    let wanted = Query {
        pseudonymise: true,
        ..Query::default()
    };
    let export = |path| rows(socket, path, &wanted);
    let (recorded, cases) = (export(EXPORTED_ROWS)?, export(LABELLED_ROWS)?);
    let (train, benign) = parts(recorded, cases);
    train_model(args, &work, &train, &benign)?;
    let mut new = super::read(&work.path(NAME), &args.reason)?;
    let target = format!("{MODELS}/compare");
    let compared = client::post::<_, Option<Comparison>>(socket, &target, &new);
    match &compared {
        Ok(compared) => tell(args, compared.as_ref())?,
        // It is refused once more when it is to be loaded, and that is in the trail.
        Err(_) if !args.dry_run => {}
        Err(error) => bail!("{error}"),
    }
    if args.dry_run {
        let worse = compared.is_ok_and(|one| one.is_some_and(|one| one.is_worse()));
        return Ok(if worse {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        });
    }
    new.no_worse = true;
    let loaded: Loaded = client::post(socket, &format!("{MODELS}/load"), &new)?;
    super::changed(args.shown, &loaded)?;
    Ok(ExitCode::SUCCESS)
}

fn has_package(python: &Path) -> anyhow::Result<()> {
    let found = Command::new(python)
        .args(["-c", "import wardtap_models"])
        .stdin(Stdio::null())
        .output();
    let why = match found {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            text.lines().last().unwrap_or("it fails").to_owned()
        }
        Err(error) => error.to_string(),
    };
    bail!(
        "{} can't train a model: {why}. Make an environment with Python 3.11 or newer: `python3 -m venv DIR`, then in the folder \
         models of the sources `DIR/bin/pip install --require-hashes -r requirements.txt` and `DIR/bin/pip install --no-deps .`; \
         then give --python DIR/bin/python",
        python.display()
    )
}

/// What is learnt from, with a label where a flow belongs to an attack, and the benign rows for the calibration.
fn parts(
    recorded: Vec<ExportedRow>,
    cases: Vec<ExportedRow>,
) -> (Vec<ExportedRow>, Vec<ExportedRow>) {
    let (benign, malicious): (Vec<_>, Vec<_>) = cases
        .into_iter()
        .partition(|one| one.label == Some(Verdict::Benign));
    let key = |row: &Row| (row.time, row.client, row.server, row.protocol);
    let attacks: HashSet<_> = malicious.iter().map(|one| key(&one.row)).collect();
    let mut train: Vec<ExportedRow> = recorded
        .into_iter()
        .map(|one| ExportedRow {
            label: attacks
                .contains(&key(&one.row))
                .then_some(Verdict::Malicious),
            ..one
        })
        .collect();
    // Flows are reported when they are over, which is not the order of their last packets.
    train.sort_by_key(|one| one.row.time);
    let mut benign = benign;
    benign.sort_by_key(|one| one.row.time);
    (train, benign)
}

fn train_model(
    args: &RetrainArgs,
    work: &Work,
    train: &[ExportedRow],
    benign: &[ExportedRow],
) -> anyhow::Result<()> {
    let write = |name: &str, rows: &[ExportedRow]| {
        let path = work.path(name);
        write_file(&path, |out| csv::write_labelled(out, rows))
            .with_context(|| format!("can't write {}", path.display()))
    };
    write("rows.csv", train)?;
    let mut command = Command::new(&args.python);
    command
        .args(["-m", "wardtap_models", "train"])
        .arg(work.path("rows.csv"))
        .arg("--out")
        .arg(work.path(NAME))
        .args(["--seed", &args.seed.to_string()])
        .args([
            "--source",
            "Flows that the sensor recorded at the site, under pseudonyms.",
        ]);
    if !benign.is_empty() {
        write("benign.csv", benign)?;
        command.arg("--calibrate-with").arg(work.path("benign.csv"));
    }
    eprintln!(
        "training on {} flows, {} of benign cases in the calibration",
        count(train.len() as u64),
        count(benign.len() as u64)
    );
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't start {}", args.python.display()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!(
            "no model was trained: {}",
            text.lines().last().unwrap_or("nobody says why")
        );
    }
    Ok(())
}

fn tell(args: &RetrainArgs, compared: Option<&Comparison>) -> anyhow::Result<()> {
    if args.shown.json {
        // Of a load the answer is what is loaded.
        return if args.dry_run {
            print_json(&compared)
        } else {
            Ok(())
        };
    }
    let Some(compared) = compared else {
        return print("no model is in use, so there is nothing to compare with\n");
    };
    let mut rows = table(&["compared", "of", "in use", "new", "worse"]);
    for one in &compared.compared {
        rows.add_row([
            one.what.clone(),
            count(one.of),
            count(one.old),
            count(one.new),
            one.worse.clone().unwrap_or_else(|| "no".to_owned()),
        ]);
    }
    print(&format!("{rows}\n"))
}

/// The folder in which it is done.
struct Work {
    folder: PathBuf,
    kept: bool,
}

impl Work {
    fn make(kept: Option<&Path>) -> anyhow::Result<Self> {
        let own = || std::env::temp_dir().join(format!("wardtap-retrain-{}", std::process::id()));
        let folder = kept.map_or_else(own, Path::to_owned);
        let made = if kept.is_some() {
            fs::create_dir_all(&folder)
        } else {
            // One that is there already may be another user's.
            fs::create_dir(&folder)
        };
        made.with_context(|| format!("can't make {}", folder.display()))?;
        Ok(Self {
            folder,
            kept: kept.is_some(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if !self.kept {
            // It is in the temporary folder.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}
