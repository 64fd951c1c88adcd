//! The roles of the interfaces, as far as answers about rules have to mention them.

use sensor_facts::target::{Target, Transport};
use sensor_kernel::Attached;

/// The part of the interfaces that matters here.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Names of the interfaces at which rules drop.
    inline: Vec<String>,
    /// Names of those at which they can't.
    mirror: Vec<String>,
    /// The interface that resets leave by.
    response: Option<String>,
}

impl Roles {
    /// Of the interfaces.
    pub(crate) fn of<'a>(
        interfaces: impl Iterator<Item = &'a Attached>,
        response: Option<&str>,
    ) -> Self {
        let (inline, mirror): (Vec<_>, Vec<_>) = interfaces.partition(|one| one.inline);
        let names = |some: Vec<&Attached>| some.into_iter().map(|one| one.name.clone()).collect();
        Self {
            inline: names(inline),
            mirror: names(mirror),
            response: response.map(str::to_owned),
        }
    }

    /// What has to be said wherever someone could think that a rule drops; of a rule with this target, or
    /// of any.
    pub(crate) fn warning(&self, target: Option<&Target>) -> Option<String> {
        if self.mirror.is_empty() {
            return None;
        }
        let mirrors = self.mirror.join(", ");
        let connection = matches!(
            target,
            Some(Target::Flow {
                transport: Transport::Tcp,
                ..
            })
        );
        if let Some(response) = self.response.as_ref().filter(|_| connection) {
            return Some(format!(
                "what {mirrors} shows of the connection is ended by TCP resets through {response}, which may fail; a mirror cannot block"
            ));
        }
        Some(if self.inline.is_empty() {
            format!(
                "this sensor cannot block: {mirrors} only receives copies (role mirror); blocking needs an interface in the path (role inline)"
            )
        } else {
            format!(
                "rules drop on {} only: {mirrors} receives copies",
                self.inline.join(", ")
            )
        })
    }
}
