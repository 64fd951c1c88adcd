//! Whom an exception or an override is about.

use std::{collections::HashMap, fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use sensor_sessions::inventory::Role;
use serde::{Deserialize, Serialize};

/// A device, a subnet, or all devices of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// The device with this address.
    Device(IpAddr),
    /// All devices of a subnet.
    Subnet(IpNet),
    /// All devices that have this role now.
    Role(Role),
}

impl Whom {
    /// True for a device that is meant; `roles` are those that are known.
    #[must_use]
    pub fn covers(&self, device: IpAddr, roles: &HashMap<IpAddr, Role>) -> bool {
        match self {
            Self::Device(address) => *address == device,
            Self::Subnet(subnet) => subnet.contains(&device),
            Self::Role(role) => roles.get(&device) == Some(role),
        }
    }
}

/// An IP address, a subnet, or `role:` and the role's word.
impl FromStr for Whom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(word) = text.strip_prefix(ROLE) {
            return Role::named(word).map(Self::Role).ok_or_else(|| {
                let words = Role::ALL.map(Role::word);
                format!("there is no role {word:?}; there are {}", words.join(", "))
            });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Device(address.to_canonical()));
        }
        let subnet: IpNet = text.parse().map_err(|_| {
            format!(
                "{text:?} is neither an IP address nor a subnet, nor a role such as {ROLE}server"
            )
        })?;
        if subnet.trunc() != subnet {
            let right = subnet.trunc();
            return Err(format!("{text:?} has host bits set: did you mean {right}?"));
        }
        Ok(Self::Subnet(subnet))
    }
}

const ROLE: &str = "role:";

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(address) => address.fmt(f),
            Self::Subnet(subnet) => subnet.fmt(f),
            Self::Role(role) => write!(f, "{ROLE}{}", role.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_meant_by_address_subnet_or_role() {
        let device = IpAddr::from([10, 0, 0, 9]);
        let roles = HashMap::from([(device, Role::Server)]);
        for (whom, is) in [
            ("10.0.0.9".parse(), true),
            ("::ffff:10.0.0.9".parse(), true),
            ("10.0.0.8".parse(), false),
            ("10.0.0.0/28".parse(), true),
            ("10.0.1.0/24".parse(), false),
            ("role:server".parse(), true),
            (Ok(Whom::Role(Role::Archive)), false),
        ] {
            let whom: Whom = whom.expect("somebody");
            assert_eq!(whom.to_string().parse(), Ok(whom.clone()));
            assert_eq!(whom.covers(device, &roles), is, "{whom}");
        }
        // A device whose role is not known is of none.
        assert!(!Whom::Role(Role::Unknown).covers([10, 0, 0, 7].into(), &roles));
        assert!(
            "10.0.0.9/24"
                .parse::<Whom>()
                .expect_err("host bits")
                .contains("10.0.0.0/24")
        );
        assert!(
            "role:scanner"
                .parse::<Whom>()
                .expect_err("no role")
                .contains("infusion-pump")
        );
        assert!("ct1".parse::<Whom>().is_err());
    }
}
