//! Who runs what refuses to be run by root.

use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::ClusterError;

/// An account of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Who is to run the servers: nobody else unless this process is root's.
    pub(crate) fn of_servers(made_by_us: &Path) -> Result<Option<Self>, ClusterError> {
        let uid = made_by_us.metadata().map_err(ClusterError::io(format!("{}", made_by_us.display())))?.uid();
        if uid != 0 {
            return Ok(None);
        }
        let passwd = std::fs::read_to_string("/etc/passwd").map_err(ClusterError::io("/etc/passwd"))?;
        let found = ["postgres", "nobody"].into_iter().find_map(|name| Self::find(&passwd, name));
        found.map(Some).ok_or(ClusterError::NoAccount)
    }

    /// The account of that name: `name:password:uid:gid:…`.
    fn find(passwd: &str, name: &str) -> Option<Self> {
        let mut fields = passwd.lines().map(|line| line.split(':')).find_map(|mut fields| {
            let own = fields.next() == Some(name);
            own.then_some(fields)
        })?;
        Some(Self { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }

    /// Lets a command be run by this account, which also leaves every other group of ours.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name_alone() {
        let passwd = "root:x:0:0::/root:/bin/sh\nxpostgres:x:1:2::/:\npostgres:x:105:109:x:/:/bin/sh\n";
        assert_eq!(Account::find(passwd, "postgres"), Some(Account { uid: 105, gid: 109 }));
        assert_eq!(Account::find(passwd, "nobody"), None);
    }
}
