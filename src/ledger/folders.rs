//! Which environments a vault knows, without reading all that is in it.

use super::slot;
use crate::vault::address::Address;
use crate::vault::{Vault, VaultError};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The environments below `top`, which is `ledger/` or `evidence/`, in the byte order of their folders; and the folders
/// whose name does not tell the environment (it was too long and is cut): those want to be named.
pub(crate) fn environments(vault: &Vault, top: &str) -> Result<(Vec<String>, Vec<String>), VaultError> {
    let (mut named, mut cut) = (Vec::new(), Vec::new());
    let mut after: Option<Address> = None;
    loop {
        let mut found = None;
        let listed = vault.list_each(top, after.as_ref(), Some(1), &mut |next| {
            found = Some(next.address);
            ControlFlow::Break(())
        });
        match listed {
            // What is no address is told by `verify`.
            Ok(_) => {}
            Err(VaultError::NotFound { .. }) => return Ok((named, cut)),
            Err(e) => return Err(e),
        }
        let Some(found) = found else { return Ok((named, cut)) };
        let word = found.as_str().strip_prefix(top).and_then(|rest| rest.split_once('/')).map(|(word, _)| word);
        after = match word {
            Some(word) => {
                if word.starts_with("env=") {
                    match environment(word) {
                        Some(name) => named.push(name),
                        None => cut.push(format!("{top}{word}/")),
                    }
                }
                // `0` comes right after `/`: whatever is in the folder is before this.
                Address::parse(&format!("{top}{word}0")).ok()
            }
            None => Some(found),
        };
        if after.is_none() {
            return Ok((named, cut));
        }
    }
}

/// The environment whose folder `env=…` is; `None` where the name was cut or is not ours.
pub(crate) fn environment(word: &str) -> Option<String> {
    let address = Address::parse(&format!("evidence/{word}/date=2000-01-01/run=x-1-1/run.json")).ok()?;
    let name = address.parts()?.environment;
    (slot::folder(&name) == format!("ledger/{word}/")).then_some(name)
}

/// Names and sizes of what stands below these parts of a folder: of a ledger's tiles 60 bytes of memory for 128 leaves.
pub(crate) fn names(vault: &Vault, folder: &str, parts: &[&str]) -> Result<HashMap<String, u64>, VaultError> {
    let mut names = HashMap::new();
    for part in parts {
        let listed = vault.list_each(&format!("{folder}{part}"), None, None, &mut |found| {
            if let Some(path) = found.address.as_str().strip_prefix(folder) {
                names.insert(path.to_owned(), found.size);
            }
            ControlFlow::Continue(())
        });
        match listed {
            Ok(_) | Err(VaultError::NotFound { .. }) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::written;

    #[test]
    fn folders_are_skipped_through_and_names_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let vault = written::vault(&dir.path().join("none"));
        assert_eq!(environments(&vault, "ledger/").unwrap(), (vec![], vec![]));
        let vault = written::vault(dir.path());
        let names = ["prod", "prod-eu", "prod.eu", "prod 2", "ünï/x", "a"];
        let long = "x".repeat(300);
        for name in names.iter().copied().chain([long.as_str()]) {
            let folder = dir.path().join(slot::folder(name));
            std::fs::create_dir_all(&folder).unwrap();
            for file in ["1", "2", "tile"] {
                std::fs::write(folder.join(file), "x").unwrap();
            }
        }
        std::fs::write(dir.path().join("ledger/README"), "x").unwrap();
        let (mut found, cut) = environments(&vault, "ledger/").unwrap();
        found.sort();
        let mut want = names.map(str::to_owned).to_vec();
        want.sort();
        assert_eq!(found, want);
        assert_eq!(cut.len(), 1);
    }
}
