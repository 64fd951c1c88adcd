//! `wardtap rules`.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Subcommand};
use ipnet::IpNet;
use pnet::util::MacAddr;
use sensor_facts::{
    rule::{RuleId, Scope},
    setting::Span,
    target::{Service, Target, Transport},
    words::several,
};

use super::{
    Listed, Shown, print, print_json,
    table::{Colour, coloured, local},
    values,
};
use crate::control::{
    api::{Added, NewRule, RULES, Reason, RuleView},
    client,
};

const EXAMPLES: &str = "\
Examples:
  wardtap rules list
  wardtap rules add --device 10.1.4.66 --reason 'scans the imaging network' --ttl 1h
  wardtap rules add --device 10.1.4.66 --scope keep-clinical --reason 'update of its controller' --dry-run
  wardtap rules add --from 10.1.4.66 --to 10.1.1.10 --port 11112 --reason 'pulls studies'
  wardtap rules add --flow tcp,10.1.4.66:50312,10.1.1.10:11112 --reason 'this transfer only'
  wardtap rules disable 7 --reason 'ward 3 needs it'
  wardtap rules release-all --reason 'false alarm'

A rule drops packets on interfaces in the path (role inline); on a mirror it drops nothing, and this says so.";

#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub(super) enum RulesCommand {
    /// List the rules, with what they dropped and whether they work
    List(Box<Listed<RuleView>>),
    /// Block something, or extend an existing block
    #[command(after_help = EXAMPLES)]
    Add(Box<AddArgs>),
    /// Lift a rule
    Remove(ChangeArgs),
    /// Make a disabled or dry-run rule drop
    Enable(ChangeArgs),
    /// Stop a rule from dropping until it is enabled again or ends
    Disable(ChangeArgs),
    /// Put a rule into force that the policy proposed
    Approve(ChangeArgs),
    /// Lift all rules at once
    ReleaseAll(ReasonArgs),
}

#[derive(Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// How much of it to block
    #[arg(long, value_parser = values::scope(), default_value = "all")]
    scope: Scope,
    /// How long, such as 10m, 4h or 2d; at least 10s, at most 7d
    #[arg(long, value_name = "TIME", default_value = "4h")]
    ttl: Span,
    /// Why: what the next shift reads
    #[arg(long)]
    reason: String,
    /// Drop nothing, count what would be dropped
    #[arg(long)]
    dry_run: bool,
    /// Stay in force while the daemon is gone, until the time is over
    #[arg(long)]
    sticky: bool,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
#[group(required = true, multiple = true)]
struct TargetArgs {
    /// All from and to an IP address; with --port, one service of it
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["mac", "subnet", "from", "flow"])]
    device: Option<IpAddr>,
    /// All frames from and to an Ethernet address
    #[arg(long, value_name = "MAC", conflicts_with_all = ["subnet", "from", "flow", "port"])]
    mac: Option<MacAddr>,
    /// All from and to a subnet
    #[arg(long, value_name = "SUBNET", conflicts_with_all = ["from", "flow", "port"])]
    subnet: Option<IpNet>,
    /// All between this address and the one of --to; with --port, one service of the latter
    #[arg(long, value_name = "ADDRESS", requires = "to", conflicts_with = "flow")]
    from: Option<IpAddr>,
    /// The other address
    #[arg(long, value_name = "ADDRESS", requires = "from")]
    to: Option<IpAddr>,
    /// One connection: transport and both ends
    #[arg(long, value_name = "tcp,IP:PORT,IP:PORT", value_parser = flow, conflicts_with = "port")]
    flow: Option<Target>,
    /// A service's port
    #[arg(long)]
    port: Option<u16>,
    /// The service's transport
    #[arg(long, value_parser = values::transport(), default_value = "tcp")]
    transport: Transport,
}

fn flow(text: &str) -> Result<Target, String> {
    let wrong = || "write it as tcp,10.0.0.1:40000,10.0.0.2:104".to_owned();
    let mut parts = text.split(',');
    let transport = parts.next().and_then(values::transport_named);
    let transport = transport.ok_or_else(wrong)?;
    let mut end = || -> Result<SocketAddr, String> {
        let text = parts.next().ok_or_else(wrong)?;
        text.parse().map_err(|_| wrong())
    };
    let (a, b) = (end()?, end()?);
    if parts.next().is_some() {
        return Err(wrong());
    }
    Ok(Target::Flow { transport, a, b })
}

impl TargetArgs {
    fn target(&self) -> Result<Target, &'static str> {
        let transport = self.transport;
        let service = self.port.map(|port| Service { transport, port });
        match *self {
            Self {
                device: Some(address),
                ..
            } => Ok(
                service.map_or(Target::Device { address }, |service| Target::Service {
                    address,
                    service,
                }),
            ),
            Self { mac: Some(mac), .. } => Ok(Target::Mac { mac }),
            Self {
                subnet: Some(subnet),
                ..
            } => Ok(Target::Subnet { subnet }),
            Self {
                from: Some(a),
                to: Some(b),
                ..
            } => Ok(Target::Pair { a, b, service }),
            Self {
                flow: Some(flow), ..
            } => Ok(flow),
            _ => Err("name a target: --device, --mac, --subnet, --from and --to, or --flow"),
        }
    }
}

#[derive(Args)]
pub(super) struct ChangeArgs {
    /// The rule's id
    id: RuleId,
    #[command(flatten)]
    reason: ReasonArgs,
}

#[derive(Args)]
pub(super) struct ReasonArgs {
    /// Why: what the next shift reads
    #[arg(long, default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    shown: Shown,
}

pub(super) fn run(socket: &Path, command: RulesCommand) -> anyhow::Result<ExitCode> {
    match command {
        RulesCommand::List(listed) => {
            listed.print(socket, RULES)?;
            Ok(ExitCode::SUCCESS)
        }
        RulesCommand::Add(args) => add(socket, &args),
        RulesCommand::Remove(args) => change(socket, "remove", args),
        RulesCommand::Enable(args) => change(socket, "enable", args),
        RulesCommand::Disable(args) => change(socket, "disable", args),
        RulesCommand::Approve(args) => change(socket, "approve", args),
        RulesCommand::ReleaseAll(args) => {
            let reason = Reason {
                reason: args.reason,
            };
            let released: usize = client::post(socket, &format!("{RULES}/release-all"), &reason)?;
            if args.shown.json {
                print_json(&serde_json::json!({ "released": released }))?;
            } else {
                print(&format!("released {}\n", several(released as u64, "rules")))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn add(socket: &Path, args: &AddArgs) -> anyhow::Result<ExitCode> {
    let target = args.target.target().map_err(anyhow::Error::msg)?;
    let new = NewRule {
        target,
        scope: args.scope,
        ttl: Duration::from(args.ttl).as_secs(),
        reason: args.reason.clone(),
        dry_run: args.dry_run,
        sticky: args.sticky,
    };
    let added: Added = client::post(socket, RULES, &new)?;
    tell(
        &added,
        args.shown,
        if added.extended {
            "extended"
        } else {
            "in force"
        },
    )
}

fn change(socket: &Path, verb: &str, args: ChangeArgs) -> anyhow::Result<ExitCode> {
    let path = format!("{RULES}/{}/{verb}", args.id);
    let reason = Reason {
        reason: args.reason.reason,
    };
    let done: Added = client::post(socket, &path, &reason)?;
    if done.rule.is_none() && !args.reason.shown.json {
        print(&format!("rule {} removed\n", args.id))?;
        return Ok(ExitCode::SUCCESS);
    }
    tell(&done, args.reason.shown, "changed")
}

fn tell(added: &Added, shown: Shown, done: &str) -> anyhow::Result<ExitCode> {
    if shown.json {
        print_json(added)?;
    } else if let Some(RuleView { rule, .. }) = &added.rule {
        print(&format!(
            "rule {} {done}: {} {} until {}\n",
            rule.id,
            rule.target,
            rule.state.label(),
            local(rule.expires)
        ))?;
    }
    if let Some(warning) = &added.warning {
        eprintln!("{} {warning}", coloured("Warning:", Colour::Yellow));
    }
    Ok(ExitCode::SUCCESS)
}
