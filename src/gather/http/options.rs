//! How the client behaves.

use super::HttpError;
use super::address::place;
use super::error::{DISTRUST, bad_authority, chain};
use std::time::Duration;
use url::Url;

/// How the client behaves. `Default` is right for everything but tests and unusual networks.
#[derive(Clone)]
pub(crate) struct Options {
    /// Time to connect.
    pub connect: Duration,
    /// Time for one call, with its retries and redirects.
    pub whole: Duration,
    /// Tries of one request, the first included.
    pub tries: u32,
    /// Proxy for https (`HTTPS_PROXY`). May hold a password, hence no `Debug` here.
    pub https_proxy: Option<String>,
    /// Hosts that are asked directly (`NO_PROXY`).
    pub no_proxy: Option<String>,
    /// Certificate authorities (PEM) that are believed beside the system's.
    pub ca: Option<Vec<u8>>,
    /// `host` or `host:port` that may be asked without TLS. Loopback may always be.
    pub plain_http: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(30),
            tries: 3,
            https_proxy: None,
            no_proxy: None,
            ca: None,
            plain_http: Vec::new(),
        }
    }
}

impl Options {
    /// With proxies by the variables that every such tool reads.
    pub(crate) fn proxied(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |a: &str, b: &str| get(a).or_else(|| get(b)).filter(|v| !v.is_empty());
        Self {
            https_proxy: either("HTTPS_PROXY", "https_proxy"),
            no_proxy: either("NO_PROXY", "no_proxy"),
            ..Self::default()
        }
    }

    /// The proxy, as it may be told. A scheme is not always said, and then it is http.
    pub(super) fn proxy(&self) -> Option<String> {
        let told = self.https_proxy.as_deref().filter(|p| !p.is_empty())?;
        let url = Url::parse(told).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("http://{told}")).ok());
        Some(place(&url?))
    }

    /// A client that behaves so. A provider of cryptography must be installed.
    pub(super) fn client(&self) -> Result<reqwest::Client, HttpError> {
        let failed = |e: &dyn std::error::Error| HttpError::Client(chain(e));
        // `no_proxy` also turns off reqwest's own look at the environment, which is not ours to read here.
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.connect)
            .user_agent(concat!("vouchsafe/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = self.https_proxy.as_deref().filter(|p| !p.is_empty()) {
            let proxy = reqwest::Proxy::https(proxy).map_err(|_| {
                // The address may hold a password.
                HttpError::Settings("the address of the proxy in HTTPS_PROXY cannot be used".into())
            })?;
            let direct = self.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
            builder = builder.proxy(proxy.no_proxy(direct));
        }
        if let Some(pem) = &self.ca {
            let all = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| bad_authority())?;
            if all.is_empty() {
                let why = "the file of certificate authorities (--ca-file) holds none; it holds certificates as PEM";
                return Err(HttpError::Settings(why.into()));
            }
            builder = all.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        builder.build().map_err(|e| match failed(&e) {
            HttpError::Client(why) if why.contains(DISTRUST) => bad_authority(),
            other => other,
        })
    }
}
