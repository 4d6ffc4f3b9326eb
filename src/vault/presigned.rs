//! One GET by presigned URL: what `object_store` has no verb for (listings with versions, a bucket's documents).

use super::Vault;
use super::error::{innermost, scrub};
use super::wire;
use http::{HeaderMap, Method};
use object_store::path::Path;
use object_store::signer::SignedUrlOptions;
use std::time::Duration;

/// How long a URL is good for: a clock that is as far behind passes, as it does for a signature in a header
/// (S3 API reference, "Authenticating Requests": 15 minutes).
const GOOD_FOR: Duration = Duration::from_secs(15 * 60);
/// Where the signature begins: it comes after everything that was asked for.
const SIGNATURE: &str = "X-Amz-Algorithm=";

/// An answer, whatever its status.
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Vault {
    /// A sub-resource of an object, or of the bucket for the empty path, and at most `most` bytes of it. The error says
    /// why there was no answer.
    pub(super) async fn ask(&self, place: &Path, query: &[(&str, &str)], most: usize) -> Result<Reply, String> {
        let told = |e: &(dyn std::error::Error + 'static)| scrub(&innermost(e), &self.opened.secrets);
        let Some((signer, http)) = &self.opened.presigned else {
            return Err("this store has no such question".into());
        };
        let options = SignedUrlOptions::default().with_query(query.iter().copied());
        let url = signer.signed_url_opts(Method::GET, place, GOOD_FOR, &options).await.map_err(|e| told(&e))?;
        let url = match url.as_str().split_once(SIGNATURE) {
            Some((bare, _)) if self.opened.anonymous => bare.trim_end_matches(['?', '&']),
            _ => url.as_str(),
        };
        let request = http::Request::get(url).body(String::new().into()).map_err(|e| told(&e))?;
        let answer = http.execute(request).await.map_err(|e| told(&e))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = wire::bounded(answer.into_body(), most).await.map_err(|e| told(&e))?;
        Ok(Reply { status, headers, body: body.to_vec() })
    }
}
