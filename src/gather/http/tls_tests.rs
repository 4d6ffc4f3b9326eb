//! TLS and proxies, against servers on this machine. Certificates: `fixtures/tls/make.sh`.

use super::loopback::{Answer, Server};
use super::*;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

/// A server that shows this certificate.
fn server(certificate: &str) -> Server {
    let chain = CertificateDer::pem_file_iter(fixture(certificate)).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(fixture("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let tls = move |stream| rustls::StreamOwned::new(rustls::ServerConnection::new(config.clone()).unwrap(), stream);
    Server::start_over(tls, |_, _| Answer::With(200, vec![], b"hello".to_vec()))
}

fn url(server: &Server, path: &str) -> String {
    format!("https://{}{path}", server.other_host())
}

fn options(authority: Option<&str>) -> Options {
    let ca = authority.map(|name| std::fs::read(fixture(name)).unwrap());
    Options { tries: 1, whole: Duration::from_secs(10), ca, ..Options::default() }
}

fn get(options: Options, url: &str) -> Result<Vec<u8>, String> {
    let token = Secret::new("Bearer S3CRET".into());
    let headers = [(::http::header::AUTHORIZATION, Header::Secret(&token))];
    let answer = Http::new(options).get(url, &headers, Limits::default());
    answer.map(|a| a.body).map_err(|e| {
        let error = format!("{e} {e:?}");
        assert!(!error.contains("S3CRET") && !error.contains("UzNDUkVU"), "{error}");
        e.to_string()
    })
}

#[test]
fn an_authority_of_ones_own_is_believed_when_it_is_named() {
    let server = server("good_localhost.pem");
    assert_eq!(get(options(Some("good_authority.pem")), &url(&server, "/x")).unwrap(), b"hello");
    for other in [None, Some("fail_authority.pem")] {
        let error = get(options(other), &url(&server, "/x?S3CRET")).unwrap_err();
        assert!(error.contains("UnknownIssuer") && error.contains("--ca-file"), "{error}");
    }
    let seen = server.asked();
    assert_eq!(seen.len(), 1, "nothing is said to whom is not believed: {seen:?}");
}

#[test]
fn certificates_that_are_not_good_are_refused() {
    let table = [
        ("fail_expired.pem", "expired", false),
        ("fail_early.pem", "not valid yet", false),
        ("fail_name.pem", "not valid for name", false),
        ("fail_self.pem", "invalid peer certificate", true),
    ];
    for (certificate, wanted, ca_would_help) in table {
        let server = server(certificate);
        let start = std::time::Instant::now();
        let error = get(Options { tries: 3, ..options(Some("good_authority.pem")) }, &url(&server, "/x")).unwrap_err();
        assert!(error.contains(wanted), "{certificate}: {error}");
        assert_eq!(error.contains("--ca-file"), ca_would_help, "{certificate}: {error}");
        assert!(server.asked().is_empty());
        assert!(start.elapsed() < Duration::from_secs(1), "a bad certificate is not asked again");
    }
}

#[test]
fn a_file_of_authorities_that_holds_none_is_told() {
    let server = server("good_localhost.pem");
    for bad in ["", "S3CRET", "-----BEGIN CERTIFICATE-----\nS3CRET\n-----END CERTIFICATE-----\n"] {
        let error = get(Options { ca: Some(bad.into()), ..options(None) }, &url(&server, "/x")).unwrap_err();
        assert!(error.contains("authorit"), "{error}");
    }
}

/// A proxy that connects to `to`, whatever it is asked for, or refuses. What it was told is kept.
fn proxy(to: Option<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|n| n > 0) {}
            kept.lock().unwrap().push(head);
            tunnel(client, to.as_deref());
        }
    });
    (host, told)
}

fn tunnel(mut client: TcpStream, to: Option<&str>) -> Option<()> {
    let Some(to) = to else {
        return client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").ok();
    };
    let mut server = TcpStream::connect(to).ok()?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let ways =
        [(client.try_clone().ok()?, server.try_clone().ok()?), (server.try_clone().ok()?, client.try_clone().ok()?)];
    for (mut from, mut into) in ways {
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n @ 1..) = from.read(&mut piece) {
                if into.write_all(&piece[..n]).is_err() {
                    break;
                }
            }
            let _ = into.shutdown(std::net::Shutdown::Write);
        });
    }
    server.flush().ok()
}

#[test]
fn https_goes_through_the_proxy_that_learns_no_token() {
    let server = server("good_localhost.pem");
    let (host, told) = proxy(Some(server.host()));
    for proxy in [format!("http://user:S3CRET@{host}"), host.clone()] {
        let by = Options { https_proxy: Some(proxy), ..options(Some("good_authority.pem")) };
        assert_eq!(get(by, &url(&server, "/x")).unwrap(), b"hello");
    }
    let told = told.lock().unwrap();
    assert!(told[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.other_host())), "{told:?}");
    assert!(told[0].to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjptm0nsrvq="), "{told:?}");
    assert!(told.iter().all(|head| !head.contains("Bearer")), "{told:?}");
    assert!(!told[1].to_ascii_lowercase().contains("authorization"), "{told:?}");
    assert!(server.asked().iter().all(|a| a.header("authorization") == Some("Bearer S3CRET")));
    assert!(server.asked().iter().all(|a| a.header("proxy-authorization").is_none()));
}

#[test]
fn hosts_beside_the_proxy_are_asked_directly() {
    let server = server("good_localhost.pem");
    let (host, told) = proxy(None);
    for no_proxy in ["localhost", "LOCALHOST", "other.example, localhost", "*"] {
        let by = Options {
            https_proxy: Some(format!("http://{host}")),
            no_proxy: Some(no_proxy.into()),
            ..options(Some("good_authority.pem"))
        };
        assert_eq!(get(by, &url(&server, "/x")).unwrap(), b"hello", "{no_proxy}");
    }
    assert!(told.lock().unwrap().is_empty());
    // a server without TLS is one of ours: it is asked directly
    let plain = Server::start(|_, _| Answer::With(200, vec![], b"plain".to_vec()));
    assert_eq!(get(Options { https_proxy: Some(host), ..options(None) }, &plain.url("/")).unwrap(), b"plain");
    assert!(told.lock().unwrap().is_empty());
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named_without_its_password() {
    let server = server("good_localhost.pem");
    let (refuses, _) = proxy(None);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for host in [refuses, nobody] {
        let by =
            Options { https_proxy: Some(format!("http://user:S3CRET@{host}")), ..options(Some("good_authority.pem")) };
        let error = get(by, &url(&server, "/x")).unwrap_err();
        assert!(error.contains(&format!("HTTPS_PROXY names `http://{host}/`")), "{error}");
    }
    for bad in ["http://user:S3CRET@[", "S3CRET://proxy", "socks5://u:S3CRET@127.0.0.1:1", "ftp://u:S3CRET@127.0.0.1:1"]
    {
        let error = get(Options { https_proxy: Some(bad.into()), ..options(None) }, &url(&server, "/x")).unwrap_err();
        assert!(error.to_ascii_lowercase().contains("proxy"), "{bad}: {error}");
    }
    assert!(server.asked().is_empty());
}
