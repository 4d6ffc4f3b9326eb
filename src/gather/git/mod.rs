//! What the local repository says of the commit: read-only, through libgit2, from the raw objects.
//!
//! Works on a shallow, partial, detached or somebody else's checkout (a container job runs as root on the runner's
//! files) and never writes: no index refresh, no configuration, no `safe.directory`.

mod commit;
mod open;
mod remote;
#[cfg(test)]
mod tests;
mod tree;
mod user;

use crate::record::parts_v1::{Completeness, How, Provenance, Status};
use crate::record::run_v1::Commit;
use git2::{ObjectType, Oid, Repository};
use std::path::Path;
pub(crate) use user::user;

/// A commit object is refused above this many bytes, so that a hostile repository cannot fill the memory.
const COMMIT_BYTES: usize = 4 * 1024 * 1024;

/// What the repository told.
#[derive(Debug)]
pub(crate) struct GitFacts {
    /// The commit asked for, else HEAD's. `None` only when there is none: no commit yet, or no commit id was asked for.
    pub commit: Option<Commit>,
    /// Commit id of HEAD. `None` before the first commit.
    pub head: Option<String>,
    /// Whole commit message (at most [`commit::MESSAGE_CHARS`] characters), for the tickets that it names.
    pub message: Option<String>,
    /// Address of `origin`, credentials removed.
    pub remote_url: Option<String>,
    /// Where each fact came from.
    pub provenance: Vec<Provenance>,
    /// One line for section `commit`.
    pub completeness: Vec<Completeness>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// Why a repository that is there could not be read. The caller records it and goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// A `.git` is there and libgit2 cannot open it.
    #[error("could not open the git repository at `{path}`: {cause}")]
    Open {
        /// Where.
        path: String,
        /// libgit2's words.
        cause: String,
    },
    /// A repository format that libgit2 does not read.
    #[error(
        "could not read the git repository at `{path}`: {what} is not supported by libgit2. Name the commit with \
         the platform's variables or `--commit`; everything else is recorded as usual"
    )]
    Unsupported {
        /// Where.
        path: String,
        /// The format.
        what: String,
    },
    /// An object that must be there is missing or damaged.
    #[error("could not read `{object}` in the git repository at `{path}`: {cause}. `git fsck` tells what is damaged")]
    Object {
        /// Where.
        path: String,
        /// `HEAD` or an object id.
        object: String,
        /// libgit2's words.
        cause: String,
    },
}

/// Reads the repository at or above `dir`; `wanted` is the platform's commit id. `Ok(None)` when there is no repository.
pub(crate) fn read(dir: &Path, wanted: Option<&str>) -> Result<Option<GitFacts>, GitError> {
    let Some(repo) = open::open(dir)? else { return Ok(None) };
    let root = repo.workdir().unwrap_or_else(|| repo.path()).to_path_buf();
    let failed = |object: &str, cause: String| GitError::Object {
        path: root.display().to_string(),
        object: object.to_owned(),
        cause,
    };
    let head = match repo.refname_to_id("HEAD") {
        Ok(oid) => Some(oid),
        // An unborn branch: HEAD names a ref that does not exist yet.
        Err(e) if e.code() == git2::ErrorCode::NotFound && repo.find_reference("HEAD").is_ok() => None,
        Err(e) => return Err(failed("HEAD", e.message().to_owned())),
    };
    let mut facts = GitFacts {
        commit: None,
        head: head.map(|h| h.to_string()),
        message: None,
        remote_url: remote::origin(&repo),
        provenance: Vec::new(),
        completeness: Vec::new(),
        warnings: Vec::new(),
    };
    if facts.remote_url.is_some() {
        facts.told("repository.url", "remote.origin.url");
    }
    let target = match wanted {
        // Buildkite may write the word HEAD where others write an id.
        None | Some("HEAD") => match head {
            Some(head) => head,
            None => {
                facts.section(Status::Unavailable, Some("the repository has no commit yet".into()));
                return Ok(Some(facts));
            }
        },
        Some(text) => match wanted_id(&repo, text, &mut facts) {
            Some(oid) => oid,
            None => return Ok(Some(facts)),
        },
    };
    let (data, id) = match raw_commit(&repo, target) {
        Ok(found) => found,
        Err(cause) => return Err(failed(&target.to_string(), cause)),
    };
    if id != target {
        facts.warnings.push(format!("`{target}` is a tag object; the commit that it names, {id}, was recorded"));
    }
    describe(&repo, id, &data, head, &mut facts);
    Ok(Some(facts))
}

/// The object that `wanted` names, if this clone has it. Otherwise says so in `facts`, with as much of the commit as is known.
fn wanted_id(repo: &Repository, wanted: &str, facts: &mut GitFacts) -> Option<Oid> {
    let wanted = wanted.to_ascii_lowercase();
    let hex = wanted.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex || !matches!(wanted.len(), 40 | 64) {
        let wanted: String = wanted.chars().take(80).collect();
        facts.section(Status::Unavailable, Some(format!("`{wanted}` is not a full commit id (40 or 64 hex digits)")));
        return None;
    }
    // libgit2's ids are 20 bytes: 64 digits can only be an object of another repository.
    let found = Oid::from_str(&wanted)
        .ok()
        .filter(|_| wanted.len() == 40)
        .filter(|oid| repo.odb().is_ok_and(|odb| odb.exists(*oid)));
    if found.is_none() {
        let shallow = tree::is_shallow(repo);
        let head = facts.head.clone().unwrap_or_else(|| "not born yet".into());
        let kind = if shallow { "shallow clone" } else { "clone" };
        facts.section(
            Status::Partial,
            Some(format!(
                "commit {wanted} is not in this {kind} (HEAD is {head}): its tree, parents, author, message and \
                 signature are not known. Fetch it before this step"
            )),
        );
        facts.told("commit.shallow", "shallow");
        facts.commit = Some(Commit { sha: wanted, shallow: Some(shallow), ..Commit::default() });
    }
    found
}

/// The raw bytes of the commit `oid`, from the object database: libgit2's own commit hides a shallow commit's parents.
/// A tag object is followed to its commit, whose id is returned.
fn raw_commit(repo: &Repository, oid: Oid) -> Result<(Vec<u8>, Oid), String> {
    let say = |e: git2::Error| e.message().to_owned();
    let odb = repo.odb().map_err(say)?;
    let (size, kind) = odb.read_header(oid).map_err(say)?;
    let oid = match kind {
        ObjectType::Commit => oid,
        // Peeling is libgit2's loop and bounded by the objects that are there.
        ObjectType::Tag if size <= COMMIT_BYTES => {
            let object = repo.find_object(oid, None).map_err(say)?;
            object.peel(ObjectType::Commit).map_err(say)?.id()
        }
        other => return Err(format!("it is a {}, not a commit", other.str())),
    };
    let (size, _) = odb.read_header(oid).map_err(say)?;
    if size > COMMIT_BYTES {
        return Err(format!("the commit object has {size} bytes; more than {COMMIT_BYTES} are not read"));
    }
    Ok((odb.read(oid).map_err(say)?.data().to_vec(), oid))
}

/// Fills `facts` with all that is known of commit `id`, whose object is `data`.
fn describe(repo: &Repository, id: Oid, data: &[u8], head: Option<Oid>, facts: &mut GitFacts) {
    let raw = commit::parse(data);
    let sha = id.to_string();
    let mut missing = raw.missing();
    facts.warnings.extend(raw.warnings);
    let mut commit = Commit {
        sha: sha.clone(),
        tree: raw.tree.clone(),
        parents: raw.tree.is_some().then_some(raw.parents),
        author: raw.author,
        committer: raw.committer,
        subject: raw.subject,
        signature: Some(raw.signature),
        shallow: Some(tree::is_shallow(repo)),
        ..Commit::default()
    };
    facts.message = raw.message;
    if head == Some(id) {
        // A checkout by CI is usually detached; then the platform's variables name the ref.
        if let Ok(Some(name)) = repo.find_reference("HEAD").as_ref().map(|h| h.symbolic_target().ok().flatten()) {
            commit.branch = name.strip_prefix("refs/heads/").map(str::to_owned);
            commit.git_ref = Some(name.to_owned());
        }
    } else {
        let head = head.map_or_else(|| "not born yet".into(), |h| h.to_string());
        facts.warnings.push(format!("the working folder is at {head}, not at the run's commit {sha}"));
    }
    match tree::tags(repo, id) {
        Ok((tags, warning)) => {
            commit.tags = tags;
            facts.warnings.extend(warning);
        }
        Err(e) => missing.push(format!("tags could not be listed: {}", e.message())),
    }
    match raw.tree.as_deref().map(|tree| tree::dirty(repo, tree)) {
        Some(Ok((dirty, warning))) => {
            commit.dirty = dirty;
            facts.warnings.extend(warning);
        }
        Some(Err(e)) => missing.push(format!("whether files differ from the commit is not known: {}", e.message())),
        None => {}
    }
    facts.sources(&commit);
    facts.commit = Some(commit);
    let why = (!missing.is_empty()).then(|| missing.join("; "));
    facts.section(if why.is_some() { Status::Partial } else { Status::Complete }, why);
}

impl GitFacts {
    fn section(&mut self, status: Status, why: Option<String>) {
        self.completeness.push(Completeness { section: "commit".into(), status, why });
    }

    fn told(&mut self, fact: &str, source: &str) {
        self.provenance.push(Provenance { fact: fact.into(), how: How::Git, source: Some(source.into()) });
    }

    /// One line of provenance for each fact that `commit` holds.
    fn sources(&mut self, commit: &Commit) {
        let object = format!("commit object {}", commit.sha);
        for (fact, source, known) in [
            ("commit.sha", object.as_str(), true),
            ("commit.tree", &object, commit.tree.is_some()),
            ("commit.parents", &object, commit.parents.is_some()),
            ("commit.author", &object, commit.author.is_some()),
            ("commit.committer", &object, commit.committer.is_some()),
            ("commit.subject", &object, commit.subject.is_some()),
            ("commit.signature", &object, commit.signature.is_some()),
            ("commit.ref", "HEAD", commit.git_ref.is_some()),
            ("commit.branch", "HEAD", commit.branch.is_some()),
            ("commit.tags", "refs/tags", !commit.tags.is_empty()),
            ("commit.dirty", "index and working folder", commit.dirty.is_some()),
            ("commit.shallow", "shallow", commit.shallow.is_some()),
        ] {
            if known {
                self.told(fact, source);
            }
        }
    }
}
