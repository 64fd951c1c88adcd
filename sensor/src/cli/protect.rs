//! `wardtap protect`.

use std::{net::IpAddr, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use ipnet::IpNet;
use pnet::util::MacAddr;
use sensor_facts::target::Protected;

use super::{Listed, Shown, print, print_json};
use crate::control::{
    api::{NewProtection, PROTECTED, ProtectedEntry, Protecting},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap protect list
  wardtap protect add --device 10.1.7.12 --reason 'infusion pump gateway, intensive care'
  wardtap protect add --subnet 10.1.7.0/24 --reason 'ventilators'
  wardtap protect remove --device 10.1.7.12 --reason 'gateway was replaced'

No packet from or to a protected address is ever dropped, not even of an intruder that talks to it. Protect
routers by IP address: all that a router sends on carries its Ethernet address.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum ProtectCommand {
    /// List what is protected
    List(Box<Listed<ProtectedEntry>>),
    /// Protect something; rules that it makes void end
    #[command(after_help = EXAMPLES)]
    Add(ProtectArgs),
    /// Protect something no more
    Remove(ProtectArgs),
}

#[derive(Args)]
pub(super) struct ProtectArgs {
    #[command(flatten)]
    what: WhatArgs,
    /// Why: what the next shift reads
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct WhatArgs {
    /// An IP address
    #[arg(long, value_name = "ADDRESS")]
    device: Option<IpAddr>,
    /// An Ethernet address
    #[arg(long, value_name = "MAC")]
    mac: Option<MacAddr>,
    /// A subnet
    #[arg(long, value_name = "SUBNET")]
    subnet: Option<IpNet>,
}

impl WhatArgs {
    fn what(&self) -> Option<Protected> {
        let device = self.device.map(|address| Protected::Device {
            address: address.to_canonical(),
        });
        let mac = self.mac.map(|mac| Protected::Mac { mac });
        let subnet = self.subnet.map(|subnet| Protected::Subnet { subnet });
        device.or(mac).or(subnet)
    }
}

impl ProtectArgs {
    fn wanted(&self) -> anyhow::Result<NewProtection> {
        let what = self.what.what();
        Ok(NewProtection {
            what: what.ok_or_else(|| anyhow::anyhow!("name --device, --mac or --subnet"))?,
            reason: self.reason.clone(),
        })
    }
}

pub(super) fn run(socket: &Path, command: ProtectCommand) -> anyhow::Result<ExitCode> {
    match command {
        ProtectCommand::List(listed) => listed.print(socket, PROTECTED)?,
        ProtectCommand::Add(args) => {
            let wanted = args.wanted()?;
            let done: Protecting = client::post(socket, PROTECTED, &wanted)?;
            if args.shown.json {
                print_json(&done)?;
            } else {
                print(&format!("{} is protected\n", wanted.what))?;
                for id in done.ended {
                    print(&format!("rule {id} ended: its target is protected now\n"))?;
                }
            }
        }
        ProtectCommand::Remove(args) => {
            let wanted = args.wanted()?;
            let () = client::post(socket, &format!("{PROTECTED}/remove"), &wanted)?;
            if args.shown.json {
                print_json(&wanted)?;
            } else {
                print(&format!("{} is protected no more\n", wanted.what))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
