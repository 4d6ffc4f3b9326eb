//! A local vault on disks that refuse. `tests/outside/storage/folders.sh` mounts them (root, private mount namespace) and
//! requires every test here.

use super::tests::{address, settings, tags};
use super::*;

#[allow(clippy::disallowed_methods, reason = "the outside script tells a test where the folders are; nothing else can")]
fn folder(name: &str) -> PathBuf {
    let base =
        std::env::var("VOUCHSAFE_TEST_FOLDERS").unwrap_or_else(|_| panic!("run tests/outside/storage/folders.sh"));
    PathBuf::from(base).join(name)
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    let folder = folder(name);
    let vault = Vault::open(folder.to_str().unwrap(), &settings(&[], Patience::default())).unwrap();
    let error = vault.put_once(&address("x"), bytes, &tags(), None).unwrap_err().to_string();
    println!("{name}: {error}");
    assert!(vault.get(&address("x"), None).is_err());
    if folder.join("evidence").is_dir() {
        assert_eq!(vault.list("").unwrap(), []);
    }
    error
}

#[test]
#[ignore = "needs mounts: tests/outside/storage/folders.sh"]
fn a_full_disk_says_so_and_leaves_nothing() {
    assert!(refusal("full", &[b'x'; 1 << 20]).contains("make room"));
    let litter =
        walkdir::WalkDir::new(folder("full")).into_iter().filter(|e| e.as_ref().unwrap().file_type().is_file());
    assert_eq!(litter.count(), 0);
}

#[test]
#[ignore = "needs mounts: tests/outside/storage/folders.sh"]
fn a_read_only_disk_says_so() {
    assert!(refusal("readonly/vault", b"{}").contains("mount the folder writable"));
}

#[test]
#[ignore = "needs mounts: tests/outside/storage/folders.sh"]
fn somebody_elses_folder_says_so() {
    assert!(refusal("denied/vault", b"{}").contains("mind its uid"));
}

#[test]
#[ignore = "needs mounts: tests/outside/storage/folders.sh"]
fn a_disk_without_hard_links_says_so() {
    assert!(refusal("nolinks", b"{}").contains("no hard links"));
}
