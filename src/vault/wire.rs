//! The HTTP connector under `object_store`: adds headers to one request and signs it again, keeps what the store answered.
//!
//! `object_store` 0.14 has no option for object lock and no public error for a refusal. Both fit through its connector:
//! a request that carries [`Ask`] gets those headers and a fresh signature, and its refusal comes back as [`Answer`].

use async_trait::async_trait;
use bytes::BytesMut;
use futures::StreamExt as _;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};
use std::sync::{Arc, OnceLock};

/// A store's error document is small; more than this of it is not read.
const MOST_OF_AN_ERROR: usize = 16 * 1024;

/// On a request: it is ours (not one to a credential server), and these headers go with it, signed.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask(pub HeaderMap);

/// On a response: its headers, which `object_store` keeps to itself.
#[derive(Clone, Debug)]
pub(super) struct Heard(pub HeaderMap);

/// A refusal, as the store worded it. Only status, code and message are kept: the rest of an S3 error document may hold
/// the string to sign and the signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub(super) struct Answer {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Where the bucket is, when we asked in the wrong region.
    pub region: Option<String>,
}

impl Answer {
    /// Reads an error document (S3 API reference, "REST error responses"). HEAD and proxies send none.
    pub(super) fn read(status: u16, headers: &HeaderMap, body: &str) -> Self {
        let element = |name: &str| {
            let (_, rest) = body.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.trim().replace("&quot;", "\"").replace("&amp;", "&"))
        };
        let region = headers.get("x-amz-bucket-region").and_then(|v| v.to_str().ok()).map(str::to_owned);
        Self {
            status,
            code: element("Code").unwrap_or_default(),
            message: element("Message").unwrap_or_default(),
            region: region.or_else(|| element("Region")).filter(|r| r.len() < 40),
        }
    }
}

type Signing = Option<(AwsCredentialProvider, String)>;

/// Makes services that share one signer, set once the store is built.
#[derive(Clone, Debug, Default)]
pub(super) struct Connector {
    signing: Arc<OnceLock<Signing>>,
    #[cfg(test)]
    pub(super) requests: Requests,
}

/// How many requests went out, for tests that state their number.
#[cfg(test)]
pub(super) type Requests = Arc<std::sync::atomic::AtomicUsize>;

impl Connector {
    /// Gives the credentials and region to sign with; `None` for an anonymous store.
    pub(super) fn sign_with(&self, signing: Signing) {
        // Set twice only by a bug of ours; the first one stays.
        let _ = self.signing.set(signing);
    }
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Service { inner, connector: self.clone() }))
    }
}

#[derive(Debug)]
struct Service {
    inner: HttpClient,
    connector: Connector,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        #[cfg(test)]
        self.connector.requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let Some(Ask(extra)) = request.extensions().get::<Ask>().cloned() else {
            return self.inner.execute(request).await;
        };
        if !extra.is_empty() {
            for (name, value) in &extra {
                request.headers_mut().insert(name, value.clone());
            }
            if let Some(Some((credentials, region))) = self.connector.signing.get() {
                let credential = credentials.get_credential().await.map_err(broken)?;
                // 0.14.2: `HttpRequestBody::is_empty()` is inverted for put payloads, so `None` here would sign the
                // empty digest. The digest is already in the header, put there by the first signature.
                let digest = payload_digest(request.headers());
                request.headers_mut().remove(AUTHORIZATION);
                let signer = AwsAuthorizer::new(&credential, "s3", region).with_sign_payload(digest.is_some());
                signer.try_authorize(&mut request, digest.as_deref()).map_err(broken)?;
            }
        }
        let mut response = self.inner.execute(request).await?;
        let headers = response.headers().clone();
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let body = bounded(response.into_body(), MOST_OF_AN_ERROR).await.unwrap_or_default();
            let answer = Answer::read(status, &headers, &String::from_utf8_lossy(&body));
            return Err(HttpError::new(HttpErrorKind::Unknown, answer));
        }
        response.extensions_mut().insert(Heard(headers));
        Ok(response)
    }
}

fn broken(error: object_store::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

fn payload_digest(headers: &HeaderMap) -> Option<Vec<u8>> {
    let hex = headers.get("x-amz-content-sha256")?.to_str().ok()?;
    crate::record::digest::Sha256Digest::parse(hex).map(|d| d.as_bytes().to_vec())
}

/// At most `most` bytes of a body; what follows is not read.
pub(super) async fn bounded(body: HttpResponseBody, most: usize) -> Result<BytesMut, HttpError> {
    let mut out = BytesMut::new();
    let mut blocks = body.bytes_stream();
    while let Some(block) = blocks.next().await {
        let block = block?;
        let room = most.saturating_sub(out.len()).min(block.len());
        out.extend_from_slice(block.get(..room).unwrap_or_default());
        if out.len() >= most {
            break;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_code_and_message_only() {
        let body = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>The &quot;x&quot; does not match</Message>\
                    <StringToSign>AWS4-HMAC-SHA256 SECRET</StringToSign><SignatureProvided>deadbeef</SignatureProvided></Error>";
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-bucket-region", http::HeaderValue::from_static("eu-west-1"));
        let answer = Answer::read(403, &headers, body);
        assert_eq!(answer.to_string(), "403 SignatureDoesNotMatch: The \"x\" does not match");
        assert_eq!(answer.region.as_deref(), Some("eu-west-1"));
        for odd in ["", "<Code>", "<Code>x", "<html>502 Bad Gateway</html>", "<Message></Message><Code"] {
            let a = Answer::read(502, &HeaderMap::new(), odd);
            assert_eq!((a.code.as_str(), a.message.as_str(), a.region), ("", "", None), "{odd}");
        }
    }
}
