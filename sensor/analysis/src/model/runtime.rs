//! The ONNX Runtime: looked for, loaded once for the process, never demanded.

use std::{
    env, fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ort::{
    environment::Environment,
    session::{Session, builder::GraphOptimizationLevel},
};
use sensor_facts::lock::lock;

/// The variable that names the library where the configuration does not.
pub const VARIABLE: &str = "ORT_DYLIB_PATH";
/// The variable that keeps the runtime from reporting to its maker. Its Linux builds do so (seen in 1.32.0), from a thread and a
/// database of their own, when the environment is made: before `with_telemetry(false)` is heard.
pub const QUIET: &str = "ORT_DISABLE_TELEMETRY";
/// Where the package puts it.
pub const PACKAGED: &str = "/usr/lib/wardtap/libonnxruntime.so";
/// What the system's loader is asked for: the name for development, and those that distributions install.
const SYSTEM: [&str; 3] = [
    "libonnxruntime.so",
    "libonnxruntime.so.1",
    "libonnxruntime.so.1.21",
];

/// There is one environment in a process.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// Why there is no runtime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// The one that was named can't be used.
    #[error("the ONNX Runtime that {by} names can't be used: {why}")]
    Named {
        /// Who names it.
        by: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// None was named and none found.
    #[error(
        "there is no ONNX Runtime at {PACKAGED} or in the system: install it (Debian: libonnxruntime1.21), or name the library \
         in the configuration, model.runtime"
    )]
    Nowhere,
    /// It would send reports out of the site.
    #[error(
        "the ONNX Runtime is not loaded, for it would report its use to its maker: set {QUIET}=1"
    )]
    Reports,
    /// It was loaded and does not start.
    #[error("the ONNX Runtime of {path} does not start: {why}")]
    Start {
        /// Its library.
        path: PathBuf,
        /// What it says.
        why: String,
    },
}

/// The runtime, loaded.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Runtime {
    /// Loads the library that is named, else the one of [`VARIABLE`], else the package's, else the system's; 1.17
    /// or newer. Once it is loaded the process keeps it, whatever is named later.
    ///
    /// # Errors
    /// [`RuntimeError`]; it can be tried again.
    pub fn load(named: Option<&Path>) -> Result<Self, RuntimeError> {
        let mut loaded = lock(&LOADED);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        if env::var_os(QUIET).is_none_or(|value| value != "1") {
            return Err(RuntimeError::Reports);
        }
        let runtime = Self::find(named)?;
        Ok(loaded.insert(runtime).clone())
    }

    fn find(named: Option<&Path>) -> Result<Self, RuntimeError> {
        let variable = env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let by = match (named, &variable) {
            (Some(path), _) => Some(("the configuration (model.runtime)", path.to_owned())),
            (None, Some(value)) => Some((VARIABLE, PathBuf::from(value))),
            (None, None) => None,
        };
        if let Some((by, path)) = by {
            // A relative path would be looked for beside the binary too.
            let found = std::path::absolute(&path).unwrap_or(path);
            return Self::open(&found).map_err(|error| match error {
                Failed::Library(why) => RuntimeError::Named { by, why },
                Failed::Start(why) => RuntimeError::Start { path: found, why },
            });
        }
        for name in std::iter::once(PACKAGED).chain(SYSTEM) {
            match Self::open(Path::new(name)) {
                Ok(runtime) => return Ok(runtime),
                Err(Failed::Library(why)) => tracing::debug!("no ONNX Runtime: {why}"),
                Err(Failed::Start(why)) => {
                    let path = name.into();
                    return Err(RuntimeError::Start { path, why });
                }
            }
        }
        Err(RuntimeError::Nowhere)
    }

    fn open(path: &Path) -> Result<Self, Failed> {
        let environment = ort::init_from(path)
            .map_err(|error| Failed::Library(error.to_string()))?
            .with_name("wardtap")
            .with_telemetry(false)
            .with_logger(Arc::new(|level, category, _, place, message| {
                tracing::debug!(?level, category, place, "ONNX Runtime: {message}");
            }))
            .build()
            .map_err(|error| Failed::Start(error.to_string()))?;
        Ok(Self {
            environment,
            path: path.to_owned(),
        })
    }

    /// The library, or the name under which the system found it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A graph as a session of one thread, which waits without spinning.
    pub(super) fn session(&self, graph: &[u8]) -> Result<Session, ort::Error> {
        let build = || {
            Ok::<_, ort::Error>(
                Session::builder(&self.environment)?
                    .with_optimization_level(GraphOptimizationLevel::All)?
                    .with_intra_threads(1)?
                    .with_inter_threads(1)?
                    .with_intra_op_spinning(false)?
                    .with_inter_op_spinning(false)?,
            )
        };
        build()?.commit_from_memory(graph)
    }
}

enum Failed {
    Library(String),
    Start(String),
}
