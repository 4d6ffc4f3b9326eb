//! A small S3 on loopback that can break in every way that a put must survive. Tests only.
//!
//! It is strict where AWS is: an `x-amz-*` header that is not signed is refused, and a wrong checksum too.

use base64::Engine as _;
use sha2::Digest as _;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How one request goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The connection closes before anything is done.
    DropBefore,
    /// It is done, then the connection closes without an answer.
    DropAfter,
    /// Refused with this status and code before anything is done.
    Before(u16, &'static str),
    /// Done, then answered with this status.
    After(u16, &'static str),
    /// Done, and the answer comes after the client has given up.
    SilentAfter,
    /// Nothing is done and no answer comes before the client has given up.
    SilentBefore,
    /// 200, but lock and tags are forgotten.
    Lie,
    /// Stored and answered, but without an ETag.
    NoEtag,
    /// If-None-Match is not looked at, nor start-after.
    IgnoreCondition,
    /// Half of the body, then the connection closes.
    Truncate,
    /// The body of another object, with a fitting length.
    OtherBytes,
    /// A body far over the limit is announced.
    Huge,
    /// Late, but in time.
    Slow,
    /// A delay that no reader of the body survives: one byte, then nothing.
    Stall,
    /// Not what was asked for at all.
    Garbage,
    /// A listing of long ago: nothing is there yet.
    Stale,
}

/// What is stored: by key, the versions of each.
pub(crate) type Objects = BTreeMap<String, Vec<Version>>;

/// Sees each request before it is answered: may change what is stored, and says how this one goes wrong.
pub(crate) type Script = Box<dyn FnMut(&mut Objects, &Request) -> Option<Fault> + Send>;

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub id: String,
    pub bytes: Vec<u8>,
    pub headers: BTreeMap<String, String>,
    /// A delete marker.
    pub marker: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct State {
    pub objects: Objects,
    pub requests: Vec<Request>,
    /// Method, how many times, what.
    pub faults: Vec<(&'static str, usize, Fault)>,
    /// Answers of sub-resources: query name, status, body.
    pub documents: Vec<(&'static str, u16, &'static str)>,
    /// No object lock on this bucket.
    pub unlocked: bool,
    pub unversioned: bool,
    /// For what `faults` cannot say: the fault of one certain request, and others who write in between.
    pub script: Option<Script>,
    /// Lists in an order of its own.
    pub unsorted: bool,
    /// Anybody may ask.
    pub public: bool,
    /// Rows of a page; 3 unless told, so that every listing has pages.
    pub page: Option<usize>,
    counter: u64,
}

pub(crate) struct FakeS3 {
    pub address: SocketAddr,
    pub state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl FakeS3 {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (state.clone(), stop.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Self { address, state, stop }
    }

    pub(crate) fn with(faults: &[(&'static str, usize, Fault)]) -> Self {
        let fake = Self::start();
        fake.state.lock().unwrap().faults = faults.to_vec();
        fake
    }

    /// Requests by method, without presigned sub-resources.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.state.lock().unwrap().requests.iter().filter(|r| r.method == method).count()
    }

    /// Puts a version that no vault of ours would put, or a delete marker.
    pub(crate) fn plant(&self, key: &str, bytes: Option<&str>) {
        let mut state = self.state.lock().unwrap();
        state.counter += 1;
        let id = format!("v{}", state.counter);
        let version =
            Version { id, bytes: bytes.unwrap_or("").into(), headers: BTreeMap::new(), marker: bytes.is_none() };
        state.objects.entry(key.into()).or_default().push(version);
    }

    /// Versions of all objects.
    pub(crate) fn versions(&self) -> usize {
        self.state.lock().unwrap().objects.values().map(Vec::len).sum()
    }
}

impl Drop for FakeS3 {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'%' {
            out.push(u8::from_str_radix(&text[i + 1..i + 3], 16).unwrap());
            i += 3;
        } else {
            out.push(if bytes[i] == b'+' { b' ' } else { bytes[i] });
            i += 1;
        }
    }
    String::from_utf8(out).unwrap()
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    let mut body = vec![0; headers.get("content-length").map_or(0, |n| n.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    });
    Some(Request { method, path: decode(path), query: query.collect(), headers, body })
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // Head and body are two writes: without this the second waits 40 ms for an acknowledgement (Nagle, delayed ACK).
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (fault, answer) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            let document = state.documents.iter().any(|(name, ..)| request.query.contains_key(*name));
            let at = state.faults.iter().position(|(m, n, _)| *m == request.method && *n > 0 && !document);
            let fault = at.map(|i| {
                state.faults[i].1 -= 1;
                state.faults[i].2
            });
            let scripted = state.script.take().and_then(|mut script| {
                let fault = script(&mut state.objects, &request);
                state.script = Some(script);
                fault
            });
            let fault = scripted.or(fault);
            let untouched = matches!(fault, Some(Fault::DropBefore | Fault::Before(..) | Fault::SilentBefore));
            (fault, if untouched { Answer::error(500, "Untouched") } else { answer(&mut state, &request, fault) })
        };
        let keep = match fault {
            Some(Fault::DropBefore | Fault::DropAfter) => false,
            Some(Fault::SilentBefore | Fault::SilentAfter) => {
                std::thread::sleep(Duration::from_millis(1500));
                false
            }
            Some(Fault::Before(status, code) | Fault::After(status, code)) => Answer::error(status, code).send(stream),
            Some(Fault::Slow) => {
                std::thread::sleep(Duration::from_millis(100));
                answer.send(stream)
            }
            Some(Fault::Truncate) => {
                let half = answer.body.len() / 2;
                let _ = answer.head(stream).and_then(|()| (&*stream).write_all(&answer.body[..half]));
                false
            }
            Some(Fault::Stall) => {
                let _ =
                    answer.head(stream).and_then(|()| (&*stream).write_all(answer.body.get(..1).unwrap_or_default()));
                std::thread::sleep(Duration::from_millis(1500));
                false
            }
            Some(Fault::Garbage) => {
                let _ = (&*stream).write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n");
                false
            }
            _ => answer.send(stream),
        };
        if !keep {
            return;
        }
    }
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    length: Option<u64>,
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let date = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap().to_rfc2822().replace("+0000", "GMT");
        Self { status, headers: vec![("Date".into(), date)], body: body.into(), length: None }
    }

    fn error(status: u16, code: &str) -> Self {
        // Everything below Message is what AWS adds, and what must never be shown.
        let text = match code {
            "InvalidRequest" => "Bucket is missing ObjectLockConfiguration",
            _ => "told by the fake",
        };
        let body = format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{text}</Message>\
             <StringToSign>AWS4-HMAC-SHA256 secret-string</StringToSign><SignatureProvided>beefbeef</SignatureProvided></Error>"
        );
        Self::new(status, body)
    }

    fn head(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} x\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.length.unwrap_or(self.body.len() as u64));
        stream.write_all(head.as_bytes())
    }

    fn send(&self, stream: &TcpStream) -> bool {
        self.head(stream).and_then(|()| (&*stream).write_all(&self.body)).is_ok()
    }
}

fn answer(state: &mut State, request: &Request, fault: Option<Fault>) -> Answer {
    if let Some(signed) = request.headers.get("authorization") {
        let signed = signed.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap();
        let signed: Vec<_> = signed.split(';').collect();
        if request.headers.keys().any(|name| name.starts_with("x-amz-") && !signed.contains(&name.as_str())) {
            return Answer::error(403, "AccessDenied");
        }
    } else if !request.query.contains_key("X-Amz-Signature") && !state.public {
        return Answer::error(403, "AccessDenied");
    }
    let path = request.path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket != "vault" {
        return Answer::error(404, "NoSuchBucket");
    }
    match (request.method.as_str(), key) {
        ("PUT", key) => put(state, request, key, fault),
        ("GET", key) => match state.documents.iter().find(|(name, ..)| request.query.contains_key(*name)) {
            Some((_, status, body)) => Answer::new(*status, *body),
            None if key.is_empty() && request.query.contains_key("list-type") => list(state, request, fault),
            None if key.is_empty() && request.query.contains_key("versions") => versions(state, request),
            None => get(state, request, key, fault),
        },
        _ => Answer::error(405, "MethodNotAllowed"),
    }
}

fn put(state: &mut State, request: &Request, key: &str, fault: Option<Fault>) -> Answer {
    let digest = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(&request.body));
    if request.headers.get("x-amz-checksum-sha256") != Some(&digest) {
        return Answer::error(400, "BadDigest");
    }
    let locking = request.headers.contains_key("x-amz-object-lock-mode");
    if locking && state.unlocked {
        return Answer::error(400, "InvalidRequest");
    }
    // As S3 does: a delete marker makes room again.
    let exists = state.objects.get(key).is_some_and(|all| all.last().is_some_and(|v| !v.marker))
        && fault != Some(Fault::IgnoreCondition);
    if exists && request.headers.get("if-none-match").is_some_and(|v| v == "*") {
        return Answer::error(412, "PreconditionFailed");
    }
    state.counter += 1;
    let id = format!("v{}", state.counter);
    let mut headers = BTreeMap::new();
    if fault != Some(Fault::Lie) {
        for (name, value) in request.headers.iter().filter(|(n, _)| n.starts_with("x-amz-object-lock-")) {
            // As Ceph does: nine decimals.
            let value = if name.ends_with("-date") { value.replace('Z', ".000000000Z") } else { value.clone() };
            headers.insert(name.clone(), value);
        }
        if let Some(tags) = request.headers.get("x-amz-tagging") {
            headers.insert("x-amz-tagging-count".into(), tags.split('&').count().to_string());
        }
    }
    let version = Version { id: id.clone(), bytes: request.body.clone(), headers, marker: false };
    state.objects.entry(key.into()).or_default().push(version);
    let mut answer = Answer::new(200, "");
    if fault != Some(Fault::NoEtag) {
        answer.headers.push(("ETag".into(), "\"e\"".into()));
    }
    if !state.unversioned {
        answer.headers.push(("x-amz-version-id".into(), id));
    }
    answer
}

fn get(state: &State, request: &Request, key: &str, fault: Option<Fault>) -> Answer {
    let wanted = request.query.get("versionId");
    let versions = state.objects.get(key).map(Vec::as_slice).unwrap_or_default();
    let found = versions.iter().rev().find(|v| wanted.is_none_or(|w| *w == v.id));
    let Some(found) = found.filter(|v| !v.marker) else {
        return Answer::error(404, if wanted.is_some() { "NoSuchVersion" } else { "NoSuchKey" });
    };
    let mut bytes = found.bytes.clone();
    if fault == Some(Fault::OtherBytes) {
        bytes.reverse();
        bytes.push(b'!');
    }
    let mut answer = Answer::new(200, bytes);
    answer.headers.push(("ETag".into(), "\"e\"".into()));
    answer.headers.push(("Last-Modified".into(), "Sun, 22 Nov 2026 10:00:00 GMT".into()));
    if !state.unversioned {
        answer.headers.push(("x-amz-version-id".into(), found.id.clone()));
    }
    answer.headers.extend(found.headers.iter().map(|(n, v)| (n.clone(), v.clone())));
    if fault == Some(Fault::Huge) {
        answer.length = Some(super::LIMIT + 1);
    }
    answer
}

/// `encoding-type=url` as AWS does it.
fn encode(request: &Request, key: &str) -> String {
    if !request.query.contains_key("encoding-type") {
        return key.replace('&', "&amp;").replace('<', "&lt;");
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.*/".contains(&b);
    let coded = key.bytes().map(|b| match b {
        b' ' => "+".into(),
        b if plain(b) => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    });
    coded.collect()
}

/// Keys in the order of this store.
fn order<'a>(state: &'a State, request: &Request) -> Vec<(&'a String, &'a Vec<Version>)> {
    let prefix = request.query.get("prefix").cloned().unwrap_or_default();
    let mut keys: Vec<_> = state.objects.iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
    if state.unsorted {
        keys.sort_by_key(|(key, _)| sha2::Sha256::digest(key));
    }
    keys
}

fn page(state: &State, request: &Request) -> usize {
    let asked = request.query.get("max-keys").map_or(usize::MAX, |n| n.parse().unwrap());
    asked.min(state.page.unwrap_or(3))
}

fn list(state: &State, request: &Request, fault: Option<Fault>) -> Answer {
    let ask = |name: &str| request.query.get(name).cloned().unwrap_or_default();
    let (prefix, token, after) = (ask("prefix"), ask("continuation-token"), ask("start-after"));
    let mut names: Vec<(String, Option<usize>)> = Vec::new();
    for (key, versions) in order(state, request).into_iter().filter(|(_, v)| !v.last().unwrap().marker) {
        match key[prefix.len()..].split_once('/').filter(|_| !ask("delimiter").is_empty()) {
            Some((folder, _)) => names.push((format!("{prefix}{folder}/"), None)),
            None => names.push((key.clone(), Some(versions.last().unwrap().bytes.len()))),
        }
    }
    let mut met = std::collections::BTreeSet::new();
    names.retain(|(name, _)| met.insert(name.clone()) && fault != Some(Fault::Stale));
    let from = match (token.as_str(), after.as_str()) {
        ("", "") => 0,
        ("", _) if fault == Some(Fault::IgnoreCondition) => 0,
        ("", after) => names.iter().position(|(name, _)| name.as_str() > after).unwrap_or(names.len()),
        (token, _) => names.iter().position(|(name, _)| name == token).map_or(names.len(), |at| at + 1),
    };
    let most = page(state, request);
    let more = names.len() > from + most;
    let mut body = format!(
        "<ListBucketResult xmlns=\"x\"><Name>vault</Name><EncodingType>{}</EncodingType><IsTruncated>{more}</IsTruncated>",
        ask("encoding-type")
    );
    for (name, size) in names.iter().skip(from).take(most) {
        let name = encode(request, name);
        body += &match size {
            Some(size) => format!(
                "<Contents><Key>{name}</Key><LastModified>2026-11-22T10:00:00.000Z</LastModified><ETag>\"e\"</ETag><Size>{size}</Size></Contents>"
            ),
            None => format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
        };
    }
    if more {
        let last = names[from + most - 1].0.replace('&', "&amp;").replace('<', "&lt;");
        body += &format!("<NextContinuationToken>{last}</NextContinuationToken>");
    }
    Answer::new(200, body + "</ListBucketResult>")
}

fn versions(state: &State, request: &Request) -> Answer {
    let ask = |name: &str| request.query.get(name).cloned();
    if ask("version-id-marker").is_some_and(|v| v.is_empty()) {
        return Answer::error(400, "InvalidArgument");
    }
    let mut rows = Vec::new();
    for (key, versions) in order(state, request) {
        let kept = if state.unversioned { 1 } else { versions.len() };
        let all = versions.iter().rev().take(kept).enumerate();
        rows.extend(all.map(|(age, v)| (key, if state.unversioned { "null" } else { &v.id }, age == 0, v)));
    }
    let from = match (ask("key-marker"), ask("version-id-marker")) {
        (None, _) => 0,
        (Some(key), Some(id)) => rows.iter().position(|(k, i, ..)| **k == key && **i == id).unwrap() + 1,
        (Some(key), None) => rows.iter().rposition(|(k, ..)| **k == key).unwrap() + 1,
    };
    let most = page(state, request);
    let more = rows.len() > from + most;
    let mut body = format!(
        "<?xml version=\"1.0\"?>\n<ListVersionsResult><KeyMarker/><EncodingType>url</EncodingType><IsTruncated>{more}</IsTruncated>"
    );
    for (key, id, latest, version) in rows.iter().skip(from).take(most) {
        let head = format!(
            "<Key>{}</Key><VersionId>{id}</VersionId><IsLatest>{latest}</IsLatest><LastModified>2026-11-22T10:00:00.000Z</LastModified>\
             <Owner><ID>me</ID><Size>7</Size></Owner>",
            encode(request, key)
        );
        body += &match version.marker {
            true => format!("<DeleteMarker>{head}</DeleteMarker>"),
            false => format!("<Version>{head}<Size>{}</Size></Version>", version.bytes.len()),
        };
    }
    if more {
        let (key, id, ..) = rows[from + most - 1];
        body += &format!(
            "<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{id}</NextVersionIdMarker>",
            encode(request, key)
        );
    }
    Answer::new(200, body + "</ListVersionsResult>")
}
