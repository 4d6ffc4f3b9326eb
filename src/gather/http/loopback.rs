//! A server for tests: answers what a closure says, on a free loopback port, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request as it came in; header names in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|h| h.0 == name).map(|h| h.1.as_str())
    }
}

/// What to answer.
pub(crate) enum Answer {
    /// Status, headers, body.
    With(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Nothing, for as long as the client waits.
    Hang,
    /// A body without an end and without a length.
    Endless,
    /// A body that comes a byte at a time, for as long as the client waits.
    Drip,
    /// The connection is closed.
    Close,
}

pub(crate) struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `answer` is told the request and how many came before it.
    pub(crate) fn start(answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_over(|stream| stream, answer)
    }

    /// The same over what `wrap` makes of a connection.
    pub(crate) fn start_over<S: Read + Write>(
        wrap: impl Fn(TcpStream) -> S + Send + Sync + 'static,
        answer: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer, wrap) = (asked.clone(), Arc::new(answer), Arc::new(wrap));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer, wrap) = (seen.clone(), answer.clone(), wrap.clone());
                std::thread::spawn(move || serve(wrap(stream), &seen, &*answer));
            }
        });
        Self { port, asked }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same server under another origin.
    pub(crate) fn other_host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host())
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: impl Read + Write, seen: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked, usize) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|h| h.0 == "content-length").and_then(|h| h.1.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked = Asked { path, headers, body: String::from_utf8_lossy(&body).into_owned() };
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(asked.clone());
        seen.len() - 1
    };
    let stream = reader.get_mut();
    match answer(&asked, before) {
        Answer::With(status, headers, body) => {
            let mut head =
                format!("HTTP/1.1 {status} Whatever\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            headers.iter().for_each(|(n, v)| head.push_str(&format!("{n}: {v}\r\n")));
            stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
            stream.write_all(&body).ok()?;
            stream.flush().ok()
        }
        Answer::Hang => reader.read_to_end(&mut Vec::new()).ok().map(|_| ()),
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").ok()?;
            while stream.write_all(&[b'x'; 65536]).is_ok() {}
            None
        }
        Answer::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n").ok()?;
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            None
        }
        Answer::Close => None,
    }
}
