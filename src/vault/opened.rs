//! The parts by which stores differ, as a scheme's `open` hands them over. All else is common.

use super::lock::Retention;
use super::{Vault, doctor};
use futures::future::BoxFuture;
use http::HeaderMap;
use object_store::client::HttpClient;
use object_store::signer::Signer;
use object_store::{ObjectStore, local::LocalFileSystem};
use std::path::PathBuf;
use std::sync::Arc;

/// The lock and tags that an answer tells of.
#[derive(Default)]
pub(super) struct Observed {
    pub lock: Option<Retention>,
    pub tags: Option<usize>,
}

/// What a scheme's `open` hands over: the parts by which stores differ. All else is common.
pub(super) struct Opened {
    pub store: Arc<dyn ObjectStore>,
    /// Prefix of every key.
    pub root: object_store::path::Path,
    /// For people and messages, without secrets: `s3://bucket/prefix`, `file:///folder`.
    pub location: String,
    /// The folder, for a local vault.
    pub folder: Option<PathBuf>,
    /// Where tags go as a file of their own: a folder has no tags.
    pub beside: Option<LocalFileSystem>,
    /// Listings, and sub-resources of bucket and objects, by presigned URL.
    pub presigned: Option<(Arc<dyn Signer>, HttpClient)>,
    /// Nothing is signed, see presigned.rs.
    pub anonymous: bool,
    /// Fetches the credentials, so that their failure is told apart from the store's.
    pub admit: Option<Box<dyn Fn() -> BoxFuture<'static, object_store::Result<()>> + Send + Sync>>,
    /// What must never stand in a message.
    pub secrets: Vec<String>,
    pub words: Words,
    #[cfg(test)]
    pub requests: super::wire::Requests,
}

/// How a kind of store says things.
pub(super) struct Words {
    /// Whether it keeps versions and locks at all.
    pub locks: bool,
    /// Headers that a create needs, lock included.
    pub ask: fn(Option<&Retention>) -> HeaderMap,
    /// Lock and tags in the headers of a read.
    pub heard: fn(&HeaderMap) -> Observed,
    /// The place in the world of a key and version.
    pub uri: fn(&Opened, &object_store::path::Path, Option<&str>) -> String,
    /// Why no lock was seen on an object.
    pub unseen: for<'a> fn(&'a Vault, &'a object_store::path::Path, Option<&'a str>) -> BoxFuture<'a, String>,
    /// What `doctor` looks at.
    pub checks: fn(&Vault, &doctor::Ask) -> Vec<doctor::Check>,
}
