//! Every change that the spool makes on the disk, one function each. The only file of the program that removes anything.
//!
//! Each change is announced to [`step`], so that a test can kill the program between any two of them or let any of them
//! fail.

use super::SpoolError;
use crate::record::digest::Sha256Digest;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Staged files of one record that may lie about at once.
const STAGED: u32 = 100;

/// A file that is ours until this is dropped. A lock dies with its process, however that dies.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for Lock {
    /// Closing is not enough: a child that another thread is just starting has the file open too, until its exec
    /// (flock(2): a lock goes by an explicit unlock, or when the last duplicate is closed).
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// What became of reaching for a file.
pub(super) enum Grip {
    /// It is ours now.
    Ours(Lock),
    /// Another holds it.
    Busy,
    /// Nothing is there.
    Gone,
}

#[cfg(test)]
pub(super) type Tap = Box<dyn FnMut(&'static str, &Path) -> io::Result<()>>;
#[cfg(test)]
thread_local! {
    /// Called before each change.
    pub(super) static TAP: std::cell::RefCell<Option<Tap>> = const { std::cell::RefCell::new(None) };
}

#[cfg_attr(not(test), allow(unused_variables, clippy::unnecessary_wraps))]
fn step(what: &'static str, place: &Path) -> io::Result<()> {
    #[cfg(test)]
    if let Some(tap) = TAP.with(|tap| tap.borrow_mut().take()) {
        let mut tap = tap;
        let answer = tap(what, place);
        TAP.with(|slot| *slot.borrow_mut() = Some(tap));
        return answer;
    }
    Ok(())
}

fn failed(doing: &'static str, place: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    let place = place.to_owned();
    move |cause| SpoolError::Disk { doing, place, cause }
}

/// Makes the folder, for its owner only: records name people, and the folder lies in a workspace.
pub(super) fn make(folder: &Path) -> Result<(), SpoolError> {
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
        #[cfg_attr(not(unix), allow(unused_mut))]
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match step("make", folder).and_then(|()| builder.create(folder)) {
            // Another process was first.
            Err(e) if e.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            made => made.map_err(failed("make the folder", folder))?,
        }
        sync(parent)?;
    }
    // At every time and not only when the folder is new: a kill may have come between. A failure harms no record.
    let ignore = folder.join(".gitignore");
    let _ = step("ignore", &ignore).and_then(|()| private().open(&ignore)).and_then(|mut f| f.write_all(b"*\n"));
    Ok(())
}

/// A file that only its owner reads, and that was not there before.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes `bytes` beside their place, down to the disk, and holds the file. Nothing is left of a failure.
pub(super) fn stage(folder: &Path, sha256: Sha256Digest, bytes: &[u8]) -> Result<(PathBuf, Lock), SpoolError> {
    let mut all = (0..STAGED).map(|n| folder.join(format!(".{sha256}.{n}.part")));
    let (place, file) = loop {
        let place = all.next().ok_or_else(|| SpoolError::Disk {
            doing: "write",
            place: folder.to_owned(),
            cause: io::Error::other("too many unfinished copies of this record lie there"),
        })?;
        match step("create", &place).and_then(|()| private().open(&place)) {
            Ok(file) => break (place, Lock(file)),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed("write", &place)(e)),
        }
    };
    // Nobody reaches for a staged file before it is old, so this lock cannot be refused; see `grip` for no locks at all.
    let _ = file.file().try_lock();
    let written = step("write", &place).and_then(|()| file.file().write_all(bytes));
    let synced = written.and_then(|()| step("sync", &place)).and_then(|()| file.file().sync_all());
    if let Err(e) = synced {
        drop(file);
        let _ = remove(&place);
        return Err(failed("write", &place)(e));
    }
    Ok((place, file))
}

/// Gives a staged file its name, unless that is taken: then `false`, and the staged file is gone.
pub(super) fn publish_new(staged: &Path, place: &Path) -> Result<bool, SpoolError> {
    let linked = step("link", place).and_then(|()| fs::hard_link(staged, place));
    let new = match linked {
        Ok(()) => true,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => false,
        // A file system without hard links (FAT, some network mounts). Two processes that keep the same record in the
        // same instant could then each hold a parcel of it: it would be delivered twice, which the vault takes for once.
        Err(_) => return publish(staged, place).map(|()| true),
    };
    // A second name for the same file; one that stays is litter.
    let _ = remove(staged);
    Ok(new)
}

/// Gives a staged file its name.
pub(super) fn publish(staged: &Path, place: &Path) -> Result<(), SpoolError> {
    let renamed = step("rename", place).and_then(|()| fs::rename(staged, place));
    renamed.map_err(|e| {
        let _ = remove(staged);
        failed("write", place)(e)
    })
}

/// Removes a file of the spool: one that was delivered, or litter of a kill. One that is gone already is no error.
pub(super) fn remove(place: &Path) -> Result<(), SpoolError> {
    match step("remove", place).and_then(|()| fs::remove_file(place)) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("remove", place)(e)),
        _ => Ok(()),
    }
}

/// Brings the names in a folder down to the disk.
pub(super) fn sync(folder: &Path) -> Result<(), SpoolError> {
    let synced =
        step("sync folder", folder).and_then(|()| if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) });
    match synced {
        // Some file systems (FUSE, network mounts) do not know this for folders, and a folder may be ours to write and not
        // to read. Nothing more can be done there, and a record that outlives a kill but no power cut is better than none.
        Err(e)
            if !matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied) =>
        {
            Err(failed("write", folder)(e))
        }
        _ => Ok(()),
    }
}

/// Whether nothing has this name. What cannot be looked at counts as there.
pub(super) fn is_absent(place: &Path) -> bool {
    fs::symlink_metadata(place).is_err_and(|e| e.kind() == ErrorKind::NotFound)
}

/// When the file was last written, in milliseconds since 1970.
pub(super) fn written_at(place: &Path) -> Option<i64> {
    let since = fs::symlink_metadata(place).ok()?.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

/// Opens a regular file; a pipe would wait for ever, a link could lead anywhere.
pub(super) fn open(place: &Path) -> io::Result<File> {
    open_with(place, |place| File::open(place))
}

fn open_with(place: &Path, open: fn(&Path) -> io::Result<File>) -> io::Result<File> {
    let meta = fs::symlink_metadata(place)?;
    let no = |what| Err(io::Error::other(what));
    match meta.file_type() {
        t if t.is_file() => {}
        t if t.is_symlink() => return no("it is a symbolic link, not a file"),
        t if t.is_dir() => return no("it is a folder, not a file"),
        _ => return no("it is not a regular file"),
    }
    open(place)
}

/// Locks the file for this process, if it can.
pub(super) fn grip(place: &Path) -> io::Result<Grip> {
    // Over NFS and SMB an exclusive lock needs a file that is open for writing (flock(2), "NFS details").
    let both = |place: &Path| match OpenOptions::new().read(true).write(true).open(place) {
        Err(e) if matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => File::open(place),
        opened => opened,
    };
    for _ in 0..3 {
        let file = match open_with(place, both) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Grip::Gone),
            opened => opened?,
        };
        // No change, but the instant where another process can come between.
        let _ = step("lock", place);
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(Grip::Busy),
            // A file system without locks: go on without. Two deliveries of one record are one record in the vault.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let lock = Lock(file);
        // Between opening and locking, another may have delivered and removed it, and a third have written it anew.
        if is_still(place, &lock.file().metadata()?) {
            return Ok(Grip::Ours(lock));
        }
    }
    Ok(Grip::Busy)
}

/// Whether the name still leads to this very file.
fn is_still(place: &Path, opened: &Metadata) -> bool {
    let Ok(named) = fs::symlink_metadata(place) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (named.dev(), named.ino()) == (opened.dev(), opened.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = opened;
        named.is_file()
    }
}
