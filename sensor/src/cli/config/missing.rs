//! What a configuration names and this machine, or the network, does not have. It may be another machine's configuration, so
//! these are warnings.

use std::{
    io,
    net::{TcpStream, ToSocketAddrs},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::config::Config;

/// How long a receiver may take to answer, its name included.
const PATIENCE: Duration = Duration::from_secs(3);

/// Interfaces, folders and the group of the control socket that are not there.
pub(super) fn here(config: &Config) -> Vec<String> {
    let is_there = |name: &str| nix::net::if_::if_nametoindex(name).is_ok();
    let listening = config
        .interface
        .iter()
        .map(|one| ("interface.name", &one.name));
    let responding = config.response.interface.iter();
    let mut warnings: Vec<String> = listening
        .chain(responding.map(|name| ("response.interface", name)))
        .filter(|(_, name)| !is_there(name))
        .map(|(key, name)| format!("{key}: this machine has no interface {name:?}"))
        .collect();
    if config.interface.is_empty() {
        warnings.push("interface: none is named, so `wardtap run` needs --interface".to_owned());
    }
    let output = &config.output;
    let files = [("output.json.path", Some(&output.json.path))];
    let ocsf = output.ocsf.as_ref().map(|ocsf| &ocsf.path);
    for (key, path) in files.into_iter().chain([("output.ocsf.path", ocsf)]) {
        let folder = path.and_then(|path| Path::new(path).parent());
        // The daemon makes the folder of its state.
        if let Some(folder) = folder
            && !folder.as_os_str().is_empty()
            && folder != config.state.directory
            && !folder.is_dir()
        {
            warnings.push(format!("{key}: there is no folder {}", folder.display()));
        }
    }
    if let Some(folder) = &config.audit.export
        && !folder.is_dir()
    {
        warnings.push(format!(
            "audit.export: there is no folder {}",
            folder.display()
        ));
    }
    let group = &config.control.group;
    if !matches!(nix::unistd::Group::from_name(group), Ok(Some(_))) {
        warnings.push(format!(
            "control.group: this machine has no group {group:?}, so only root can use the socket"
        ));
    }
    warnings
}

/// Receivers of outputs that do not answer; they are asked at the same time.
pub(super) fn elsewhere(config: &Config) -> Vec<String> {
    let asked = config.output.syslog.iter().map(|receiver| {
        let endpoint = receiver.address.clone();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            // Nobody waits any more if it took too long.
            let _ = tell.send(ask(&endpoint.host, endpoint.port));
        });
        (receiver, told)
    });
    let asked: Vec<_> = asked.collect();
    let warnings = asked.into_iter().filter_map(|(receiver, told)| {
        let silent = || format!("no answer within {} s", PATIENCE.as_secs());
        let why = match told.recv_timeout(PATIENCE) {
            Ok(Ok(())) => return None,
            Ok(Err(why)) => why,
            Err(_) => silent(),
        };
        let (name, address) = (&receiver.name, &receiver.address);
        Some(format!(
            "output.syslog: the receiver {name:?} at {address} can't be reached: {why}"
        ))
    });
    warnings.collect()
}

/// Connects and says nothing.
fn ask(host: &str, port: u16) -> Result<(), String> {
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => error.to_string(),
            _ => format!("the name {host:?} can't be resolved ({error})"),
        })?;
    let mut why = format!("the name {host:?} has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}
