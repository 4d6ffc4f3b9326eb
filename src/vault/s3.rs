//! `s3://bucket/prefix`: AWS S3 and what speaks like it (MinIO, Ceph RGW).

use super::error::{innermost, scrub};
use super::lock::{Mode, Retention, parse_time};
use super::wire::Connector;
use super::{Observed, Opened, Settings, Vault, VaultError, Words, doctor};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::client::HttpConnector as _;
use object_store::path::Path;
use object_store::{BackoffConfig, Certificate, ClientConfigKey, ClientOptions, RetryConfig};
use std::sync::Arc;
use std::time::Duration;

/// Instance and container credential servers are never behind a proxy.
const METADATA: &str = "169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254,localhost,127.0.0.1,::1";
/// Variables whose values must never stand in a message.
const SECRETS: [&str; 4] =
    ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"];

const WORDS: Words = Words { locks: true, ask, heard, uri, unseen, checks: doctor::s3 };

/// Opens `s3://bucket/prefix`. Asks nothing of the network.
pub(super) fn open(url: &str, settings: &Settings) -> Result<Opened, VaultError> {
    let bad = |why: String| VaultError::Url { url: scrub(url, &[]), why };
    let rest = url.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    if rest.contains(['?', '#', '@']) {
        return Err(bad(
            "it is s3://bucket/prefix and nothing else; keys and endpoints come from AWS_* variables".into()
        ));
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(bad("the bucket is missing, as in s3://bucket/prefix".into()));
    }
    if bucket.len() > 255 || !bucket.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
        return Err(bad("the name of a bucket is made of letters, digits, dots and dashes".into()));
    }
    if prefix.starts_with('/') {
        return Err(bad("a prefix has no empty part, as in s3://bucket//x".into()));
    }
    let root = Path::parse(prefix).map_err(|e| bad(e.to_string()))?;
    if root.as_ref().chars().any(|c| c.is_control() || c == '\\') || root.as_ref().len() > 100 {
        return Err(bad("a prefix has no backslash or control character and at most 100 bytes".into()));
    }

    let get = |name: &str| settings.env.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"].into_iter().find_map(get);
    let loopback = match endpoint {
        Some(text) => check_endpoint(text, get("AWS_ALLOW_HTTP"))
            .map_err(|why| bad(format!("endpoint `{}`: {why}", scrub(text, &[]))))?,
        None => false,
    };
    has_credentials(settings, &format!("s3://{rest}"))?;

    let options = client_options(settings, loopback).map_err(&bad)?;
    let mut builder = builder(settings, bucket, endpoint, options.clone());
    let secrets: Vec<String> = SECRETS.iter().filter_map(|name| get(name)).map(str::to_owned).collect();
    let region = builder.get_config_value(&AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".into());
    let anonymous = builder.get_config_value(&AmazonS3ConfigKey::SkipSignature).as_deref() == Some("true");
    if anonymous {
        // Signs nothing that is sent: the URL of a listing is presigned and then stripped (presigned.rs).
        builder = builder.with_access_key_id("anonymous").with_secret_access_key("anonymous");
    }
    let connector = Connector::default();
    let failed = |e: object_store::Error| bad(scrub(&innermost(&e), &secrets));
    let store = Arc::new(builder.with_http_connector(connector.clone()).build().map_err(failed)?);
    let http = connector.connect(&options).map_err(failed)?;
    let credentials = store.credentials().clone();
    connector.sign_with((!anonymous).then(|| (credentials.clone(), region)));
    let admit = move || -> BoxFuture<'static, object_store::Result<()>> {
        let credentials = credentials.clone();
        Box::pin(async move { credentials.get_credential().await.map(|_| ()) })
    };
    Ok(Opened {
        store: store.clone(),
        location: format!("s3://{bucket}{}{root}", if root.as_ref().is_empty() { "" } else { "/" }),
        root,
        folder: None,
        beside: None,
        presigned: Some((store as _, http)),
        anonymous,
        admit: (!anonymous).then(|| Box::new(admit) as _),
        secrets,
        words: WORDS,
        #[cfg(test)]
        requests: connector.requests.clone(),
    })
}

/// The configured store. Our own choices come last: no variable may switch off write-once, checksum or certificates.
fn builder(settings: &Settings, bucket: &str, endpoint: Option<&str>, options: ClientOptions) -> AmazonS3Builder {
    let mut builder = AmazonS3Builder::new().with_client_options(options);
    for (name, value) in &settings.env {
        let name = name.to_ascii_lowercase();
        let Ok(key) = name.parse::<AmazonS3ConfigKey>() else { continue };
        let ours = matches!(
            key,
            AmazonS3ConfigKey::Client(_)
                | AmazonS3ConfigKey::Endpoint
                | AmazonS3ConfigKey::S3Endpoint
                | AmazonS3ConfigKey::S3Express
                | AmazonS3ConfigKey::UnsignedPayload
        );
        if name.starts_with("aws_") && !value.is_empty() && !ours {
            builder = builder.with_config(key, value);
        }
    }
    // object_store speaks path style unless told; AWS wants the bucket in the host, whose certificate has no room for dots.
    builder = match endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint.trim_end_matches('/')),
        None => builder.with_virtual_hosted_style_request(!bucket.contains('.')),
    };
    // Every retry is ours, see patience.rs.
    let retry = RetryConfig { max_retries: 0, retry_timeout: Duration::ZERO, backoff: BackoffConfig::default() };
    builder
        .with_bucket_name(bucket)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(retry)
}

/// Time-outs, certificates and proxies, from the settings alone.
fn client_options(settings: &Settings, loopback: bool) -> Result<ClientOptions, String> {
    let get = |name: &str| settings.env.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let mut options = ClientOptions::new()
        .with_timeout(settings.patience.request)
        .with_connect_timeout(settings.patience.connect)
        .with_allow_http(loopback || get("AWS_ALLOW_HTTP").is_some_and(|v| v.eq_ignore_ascii_case("true")))
        .with_default_content_type("application/json")
        .with_config(ClientConfigKey::RandomizeAddresses, "false");
    if let Some(file) = get("AWS_CA_BUNDLE") {
        let told = |e: String| format!("could not read the certificates in AWS_CA_BUNDLE `{file}`: {e}");
        let pem = std::fs::read(settings.cwd.join(file)).map_err(|e| told(e.to_string()))?;
        for certificate in Certificate::from_pem_bundle(&pem).map_err(|e| told(innermost(&e)))? {
            options = options.with_root_certificate(certificate);
        }
    }
    // reqwest would read the process's variables; naming a proxy, if only one that is never used, keeps it from that.
    let proxy =
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(get).filter(|_| !loopback);
    let excluded = ["NO_PROXY", "no_proxy"].into_iter().find_map(get).map(|n| format!("{n},{METADATA}"));
    Ok(match proxy {
        Some(proxy) => options.with_proxy_url(proxy).with_proxy_excludes(excluded.unwrap_or_else(|| METADATA.into())),
        None => options.with_proxy_url("http://127.0.0.1:9").with_proxy_excludes("*,0.0.0.0/0,::/0"),
    })
}

/// Whether the endpoint is this machine; an error when it would send evidence over a network in the clear.
fn check_endpoint(text: &str, allow_http: Option<&str>) -> Result<bool, String> {
    let url = url::Url::parse(text).map_err(|e| format!("{e}; it is http(s)://host:port"))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err("it is http(s)://host:port and nothing else".into());
    }
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => return Err("it has no host".into()),
    };
    match url.scheme() {
        "https" => Ok(loopback),
        "http" if loopback || allow_http.is_some_and(|v| v.eq_ignore_ascii_case("true")) => Ok(loopback),
        "http" => Err("plain http is only for this machine; use https, or AWS_ALLOW_HTTP=true if you must".into()),
        other => Err(format!("`{other}` is neither http nor https")),
    }
}

/// Refuses at once where nothing could give credentials, instead of asking an instance server that is switched off.
fn has_credentials(settings: &Settings, location: &str) -> Result<(), VaultError> {
    let has = |name: &str| settings.env.get(name).is_some_and(|v| !v.is_empty());
    let missing = |why: &str| Err(VaultError::Credentials { location: location.to_owned(), why: why.to_owned() });
    match (has("AWS_ACCESS_KEY_ID"), has("AWS_SECRET_ACCESS_KEY")) {
        (true, false) => return missing("AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"),
        (false, true) => return missing("AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not"),
        _ => {}
    }
    let off = settings.env.get("AWS_EC2_METADATA_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    let others = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ];
    if off && !others.into_iter().any(has) {
        return missing("no AWS_* variable names any, and AWS_EC2_METADATA_DISABLED is true");
    }
    Ok(())
}

/// Headers of a create: S3 demands the checksum's name beside it on locked puts (moto says so; others accept it).
fn ask(lock: Option<&Retention>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-sdk-checksum-algorithm", HeaderValue::from_static("SHA256"));
    if let Some(lock) = lock {
        let mode = match lock.mode {
            Mode::Compliance => "COMPLIANCE",
            Mode::Governance => "GOVERNANCE",
        };
        headers.insert("x-amz-object-lock-mode", HeaderValue::from_static(mode));
        if let Ok(until) = HeaderValue::from_str(&lock.until_text()) {
            headers.insert("x-amz-object-lock-retain-until-date", until);
        }
        if lock.legal_hold {
            headers.insert("x-amz-object-lock-legal-hold", HeaderValue::from_static("ON"));
        }
    }
    headers
}

fn heard(headers: &HeaderMap) -> Observed {
    let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let mode = get("x-amz-object-lock-mode").and_then(Mode::parse);
    let until = get("x-amz-object-lock-retain-until-date").and_then(parse_time);
    let legal_hold = get("x-amz-object-lock-legal-hold").is_some_and(|v| v.eq_ignore_ascii_case("on"));
    Observed {
        lock: mode.zip(until).map(|(mode, until)| Retention { mode, until, legal_hold }),
        tags: get("x-amz-tagging-count").and_then(|v| v.parse().ok()),
    }
}

fn uri(opened: &Opened, place: &Path, version: Option<&str>) -> String {
    let bucket = opened.location.strip_prefix("s3://").unwrap_or_default();
    let bucket = bucket.split('/').next().unwrap_or_default();
    let version = version.map(|v| format!("?versionId={v}")).unwrap_or_default();
    format!("s3://{bucket}/{place}{version}")
}

/// S3 leaves the lock headers out for who may not read them, so ask for the lock itself.
fn unseen<'a>(vault: &'a Vault, place: &'a Path, version: Option<&'a str>) -> BoxFuture<'a, String> {
    Box::pin(async move {
        let mut query = vec![("retention", "")];
        query.extend(version.map(|v| ("versionId", v)));
        match vault.document(place, &query).await {
            Ok((403, ..)) => "and the lock may not be read: grant s3:GetObjectRetention and s3:GetObjectLegalHold".into(),
            _ => "the object has none: the store ignored it. Do not use this store for evidence; `vouchsafe doctor` tells more".into(),
        }
    })
}
