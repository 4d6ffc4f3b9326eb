//! Archives as a whole: real ones meet the verdict in their name, made ones the limits, damaged ones are refused.

use super::*;
use crate::record::test_run_v1::{TestRun, Verdict};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::io::{Cursor, Write as _};

const GREEN: &[u8] = b"<testsuite name='u'><testcase name='a'/></testsuite>";
const RED: &[u8] = b"<testsuite name='u'><testcase name='a'><failure/></testcase></testsuite>";

/// Limits that fit on a page.
const SMALL: Limits =
    Limits { packed: 1 << 20, unpacked: 1 << 20, ratio: 20, free: 1 << 16, members: 10, name: 200, report: 1 << 20 };

/// A member of a zip that may lie about itself.
#[derive(Clone)]
struct Member {
    name: Vec<u8>,
    local_name: Vec<u8>,
    data: Vec<u8>,
    packed: Vec<u8>,
    method: u16,
    flags: u16,
    size: u32,
    attributes: u32,
    /// Take the place of an earlier member.
    at: Option<u32>,
}

fn stored(name: &str, data: &[u8]) -> Member {
    let name = name.as_bytes().to_vec();
    let (local_name, size) = (name.clone(), data.len() as u32);
    Member {
        name,
        local_name,
        data: data.to_vec(),
        packed: data.to_vec(),
        method: 0,
        flags: 0,
        size,
        attributes: 0,
        at: None,
    }
}

fn deflated(name: &str, data: &[u8]) -> Member {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    Member { packed: encoder.finish().unwrap(), method: 8, ..stored(name, data) }
}

fn zip(members: &[Member]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for m in members {
        let at = m.at.unwrap_or(out.len() as u32);
        let mut crc = flate2::Crc::new();
        crc.update(&m.data);
        let mut common = Vec::new();
        for n in [20, m.flags, m.method, 0, 0] {
            common.extend(n.to_le_bytes());
        }
        for n in [crc.sum(), m.packed.len() as u32, m.size] {
            common.extend(n.to_le_bytes());
        }
        if m.at.is_none() {
            out.extend(b"PK\x03\x04");
            out.extend(&common);
            out.extend((m.local_name.len() as u16).to_le_bytes());
            out.extend([0, 0]);
            out.extend(&m.local_name);
            out.extend(&m.packed);
        }
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend((m.name.len() as u16).to_le_bytes());
        directory.extend([0; 8]);
        directory.extend(m.attributes.to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(&m.name);
    }
    let (at, n) = (out.len() as u32, (members.len() as u16).to_le_bytes());
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([n, n].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A header and its body, in whole blocks.
fn block(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut head = vec![0; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
    head[148..156].fill(b' ');
    head[156] = kind;
    head[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u64 = head.iter().map(|&b| u64::from(b)).sum();
    head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    head.extend(data);
    head.resize(head.len().next_multiple_of(512), 0);
    head
}

fn tar(blocks: &[Vec<u8>]) -> Vec<u8> {
    [blocks.concat(), vec![0; 1024]].concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn read_with(limits: Limits, bytes: &[u8], shown: &str) -> Vec<TestRun> {
    let mut reports = Reports::default();
    let head = &bytes[..bytes.len().min(super::super::HEAD)];
    let ask = Ask::default();
    let mut quiet = |_: &str, _: u64, _: Option<u64>| {};
    read_within(limits, &mut Cursor::new(bytes), head, shown, &ask, true, &mut reports, &mut quiet);
    reports.finish().0
}

fn read(bytes: &[u8]) -> Vec<TestRun> {
    read_with(SMALL, bytes, "ci.zip")
}

fn files(runs: &[TestRun]) -> Vec<(&str, Verdict)> {
    runs.iter().map(|run| (run.file.as_str(), run.verdict)).collect()
}

/// Asserts that all of it is one refused report, and why.
#[track_caller]
fn refuses(limits: Limits, bytes: &[u8], why: &str) {
    let runs = read_with(limits, bytes, "ci.zip");
    assert_eq!(files(&runs), [("ci.zip", Verdict::Refused)], "{why}");
    let error = runs[0].error.as_deref().unwrap();
    assert!(error.contains(why), "{error}");
    assert!(error.starts_with("could not read `ci.zip` as a"), "{error}");
}

#[test]
fn archives_of_real_tools_meet_the_verdict_in_their_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archives");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        let runs = read_with(LIMITS, &std::fs::read(entry.path()).unwrap(), &name);
        let worst = runs.iter().map(|run| run.verdict).max_by_key(|&v| (v == Verdict::Refused, v == Verdict::Failed));
        let want = match name.split('_').next().unwrap() {
            "good" => Verdict::Passed,
            "fail" => Verdict::Failed,
            "refused" => Verdict::Refused,
            other => panic!("{other}"),
        };
        assert_eq!(worst, Some(want), "{name}: {runs:?}");
        assert!(runs.iter().all(|run| run.sha256.is_some()), "{name}");
        let long = runs.iter().find(|run| run.file.contains("deeply"));
        assert!(long.is_none_or(|run| run.file.ends_with("deeply/long.xml") && run.file.len() > 160), "{long:?}");
        let counted: u64 = runs.iter().filter_map(|run| run.counts).map(|c| c.total).sum();
        assert_eq!(counted, if want == Verdict::Refused { 0 } else { 2 * runs.len() as u64 }, "{name}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn each_member_is_a_report_with_a_digest_of_its_own() {
    let mixed = zip(&[stored("a.xml", GREEN), deflated("d/b.xml", RED), stored("d/", b""), stored("run.log", b"x")]);
    let runs = read(&mixed);
    assert_eq!(files(&runs), [("ci.zip!a.xml", Verdict::Passed), ("ci.zip!d/b.xml", Verdict::Failed)]);
    assert_eq!(runs[1].sha256, Some(Sha256Digest::of(RED)));
    let packed = tar(&[block("./d/b.xml", b'0', RED), block("d", b'5', b""), block("a.xml", 0, GREEN)]);
    for bytes in [packed.clone(), gzip(&packed)] {
        let runs = read(&bytes);
        assert_eq!(files(&runs), [("ci.zip!d/b.xml", Verdict::Failed), ("ci.zip!a.xml", Verdict::Passed)]);
        assert_eq!(runs[0].sha256, Some(Sha256Digest::of(RED)));
    }
    let alone = read_with(SMALL, &gzip(RED), "out/a.xml.gz");
    assert_eq!(files(&alone), [("out/a.xml.gz!a.xml", Verdict::Failed)]);
}

#[test]
fn nothing_that_was_cut_short_is_read_by_half() {
    let members = [stored("a.xml", GREEN), deflated("b.xml", RED)];
    let blocks = tar(&[block("a.xml", b'0', GREEN), block("b.xml", b'0', RED)]);
    // the end mark is two blocks of zeros; the first of them is enough
    for (whole, enough) in [(zip(&members), 0), (gzip(&blocks), 0), (gzip(GREEN), 0), (blocks.clone(), 512)] {
        assert!(read(&whole).iter().all(|run| run.verdict != Verdict::Refused));
        for end in 4..whole.len() - enough {
            let runs = read(&whole[..end]);
            assert_eq!(files(&runs), [("ci.zip", Verdict::Refused)], "{end} of {}", whole.len());
        }
        let after = read(&[&whole[..], b"more"].concat());
        assert_eq!(files(&after), [("ci.zip", Verdict::Refused)], "something behind it");
    }
}

#[test]
fn no_flipped_bit_passes_for_another_report() {
    let blocks = tar(&[block("a.xml", b'0', GREEN)]);
    for whole in [zip(&[stored("a.xml", GREEN)]), zip(&[deflated("a.xml", GREEN)]), gzip(&blocks), gzip(GREEN)] {
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            for run in read(&bytes) {
                let same = run.sha256 == Some(Sha256Digest::of(GREEN));
                assert!(run.verdict == Verdict::Refused || same, "bit {bit}: {run:?}");
            }
        }
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let many = |n: usize| (0..n).map(|i| stored(&format!("{i}.xml"), GREEN)).collect::<Vec<_>>();
    let blocks = |n: usize| tar(&(0..n).map(|i| block(&format!("{i}.xml"), b'0', GREEN)).collect::<Vec<_>>());
    assert_eq!(read(&zip(&many(10))).len(), 10);
    assert_eq!(read(&blocks(10)).len(), 10);
    refuses(SMALL, &zip(&many(11)), "more than 10 members");
    refuses(SMALL, &blocks(11), "more than 10 members");
    refuses(SMALL, &gzip(&blocks(11)), "more than 10 members");
    // headers that are no members count as well
    let globals: Vec<_> = (0..41).map(|_| block("g", b'g', b"")).collect();
    refuses(SMALL, &tar(&globals), "more than 10 members");

    let name = "n".repeat(SMALL.name);
    assert_eq!(read(&zip(&[stored(&name, GREEN)])).len(), 1);
    refuses(SMALL, &zip(&[stored(&format!("{name}n"), GREEN)]), "longer than 200 bytes");
    let long = |name: &str| tar(&[block("l", b'L', name.as_bytes()), block("x", b'0', GREEN)]);
    assert_eq!(read(&long(&name))[0].file, format!("ci.zip!{name}"));
    refuses(SMALL, &long(&format!("{name}n")), "longer than 200 bytes");
    refuses(SMALL, &long(&format!("{name}nn")), "longer than 200 bytes");

    let bytes = zip(&[stored("a.xml", GREEN)]);
    let size = bytes.len() as u64;
    assert_eq!(read_with(Limits { packed: size, ..SMALL }, &bytes, "x")[0].verdict, Verdict::Passed);
    refuses(Limits { packed: size - 1, ..SMALL }, &bytes, "larger than");

    let total = 2 * GREEN.len() as u64;
    let two = zip(&[stored("a.xml", GREEN), deflated("b.xml", GREEN)]);
    assert_eq!(read_with(Limits { unpacked: total, ..SMALL }, &two, "x").len(), 2);
    refuses(Limits { unpacked: total - 1, ..SMALL }, &two, "unpacks to more than 103 bytes");
    let packed = blocks(1);
    let all = packed.len() as u64;
    assert_eq!(read_with(Limits { unpacked: all, ..SMALL }, &gzip(&packed), "x").len(), 1);
    refuses(Limits { unpacked: all - 1, ..SMALL }, &gzip(&packed), "unpacks to more than");

    // one report that is too large is refused alone
    let limits = Limits { report: GREEN.len() as u64, ..SMALL };
    let runs = read_with(limits, &zip(&[stored("a.xml", GREEN), stored("b.xml", RED)]), "ci.zip");
    assert_eq!(files(&runs), [("ci.zip!a.xml", Verdict::Passed), ("ci.zip!b.xml", Verdict::Refused)]);
}

#[test]
fn bombs_are_refused_by_their_ratio() {
    let report = |n: usize| [GREEN, &vec![b' '; n]].concat();
    for pack in [|data: &[u8]| zip(&[deflated("a.xml", data)]), gzip] {
        assert_eq!(read(&pack(&report(SMALL.free as usize - GREEN.len())))[0].verdict, Verdict::Passed);
        refuses(SMALL, &pack(&report(500_000)), "more than 20 times its size, as bombs do");
    }
    // the same in a member that is no report: its bytes are not even unpacked
    let limits = Limits { free: 1 << 17, ..SMALL };
    let runs = read_with(limits, &zip(&[deflated("a.xml", GREEN), deflated("xs", &vec![b'x'; 500_000])]), "ci.zip");
    assert_eq!(runs[0].verdict, Verdict::Passed);
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    let a = stored("a.xml", GREEN);
    let b = stored("b.xml", RED);
    let same = [block("a.xml", b'0', RED), block("./a.xml", b'0', GREEN)];
    let cases = [
        (zip(&[a.clone(), stored("a.xml", RED)]), "two members called `a.xml`"),
        (tar(&same), "two members called `a.xml`"),
        (zip(&[Member { local_name: b"b.xml".to_vec(), ..a.clone() }]), "not what the directory says"),
        (zip(&[Member { flags: 1, ..a.clone() }]), "encrypted"),
        (zip(&[Member { flags: 0x2000, ..a.clone() }]), "encrypted"),
        (zip(&[Member { method: 99, ..a.clone() }]), "method 99"),
        (zip(&[Member { size: 51, ..a.clone() }]), "longer than the directory says"),
        (zip(&[Member { size: 53, ..a.clone() }]), "shorter than the directory says"),
        (zip(&[Member { data: RED.to_vec(), ..a.clone() }]), "not what its checksum says"),
        // "a better zip bomb": many names for the same bytes
        (zip(&[a.clone(), Member { at: Some(0), name: b"a.xml".to_vec(), ..a.clone() }]), "overlap"),
        (zip(&[Member { at: Some(9), ..a.clone() }, b.clone()]), "not what the directory says"),
        (zip(&[Member { name: b"d/".to_vec(), local_name: b"d/".to_vec(), ..a.clone() }]), "folder `d/` has contents"),
        ([zip(&[]), zip(std::slice::from_ref(&a))].concat(), "not where its end says"),
        (zip(&[]), "none of its 0 files is a report"),
        (zip(&[stored("a.txt", b"hello")]), "it holds `a.txt`: it is in no report format"),
        (zip(&[stored("a.txt", b"hello"), stored("b.txt", b"hello")]), "none of its 2 files is a report"),
        (gzip(b"hello"), "it holds `content`: it is in no report format"),
        (gzip(b""), "the file is empty"),
        (tar(&[block("a", b'1', b"data")]), "a link or a device with contents"),
        (tar(&[block("a", b'S', b"")]), "sparse"),
        (tar(&[block("a", b'V', b"")]), "not known here (V)"),
        (tar(&[block("a", b'x', b"20 GNU.sparse.major=1\n"), block("a", b'0', b"")]), "cannot be read"),
        (tar(&[block("a", b'x', b"22 GNU.sparse.major=1\n"), block("a", b'0', b"")]), "sparse"),
        (tar(&[block("a", b'x', b"11 path=b\n"), block("a", b'0', b"")]), "cannot be read"),
        (tar(&[block("a", b'x', b"99999999 path=b\n")]), "cannot be read"),
        (tar(&[block("a", b'g', b"10 path=b\n"), block("a", b'0', GREEN)]), "for all of its members"),
        (tar(&[block("a.xml", b'0', GREEN), block("a", b'x', b"10 path=b\n")]), "after the name of a member"),
        (tar(&[block("a", b'x', b"10 size=9\n"), block("a.xml", b'0', GREEN)]), "has two sizes"),
    ];
    for (bytes, why) in cases {
        refuses(SMALL, &bytes, why);
    }
    let two_ends = {
        let mut inner = zip(std::slice::from_ref(&a));
        let outer = zip(&[a]);
        inner.truncate(inner.len() - 22);
        let comment = &outer[outer.len() - 22..];
        [&inner[..], &comment[..20], &22u16.to_le_bytes(), comment].concat()
    };
    refuses(SMALL, &two_ends, "two ends");
}

#[test]
fn an_archive_in_an_archive_is_refused_and_a_program_or_a_log_is_not() {
    let inner = zip(&[stored("b.xml", RED)]);
    for nested in [inner.clone(), gzip(RED), tar(&[block("b.xml", b'0', RED)]), gzip(&tar(&[block("b", b'0', RED)]))] {
        for outer in [zip(&[stored("a.xml", GREEN), stored("n", &nested)]), tar(&[block("n", b'0', &nested)])] {
            let runs = read(&outer);
            let last = runs.last().unwrap();
            assert_eq!((last.file.as_str(), last.verdict), ("ci.zip!n", Verdict::Refused));
        }
    }
    let jar = zip(&[stored("META-INF/", b""), stored("META-INF/MANIFEST.MF", b"x"), stored("b.xml", RED)]);
    let harmless = zip(&[stored("a.xml", GREEN), stored("app.jar", &jar), stored("log.gz", &gzip(b"hello"))]);
    assert_eq!(files(&read(&harmless)), [("ci.zip!a.xml", Verdict::Passed)]);
}

#[test]
fn a_member_whose_writer_did_not_finish_is_refused() {
    let hopes =
        [("e.xml", &b""[..]), ("n.xml", b"\0\0"), ("h.xml", b"<testsu"), ("j.json", b" \n"), ("z.xml", b"PK\x03\x04")];
    for (name, data) in hopes {
        let runs = read(&zip(&[stored("a.xml", GREEN), stored(name, data)]));
        assert_eq!(runs[1].verdict, Verdict::Refused, "{name}");
        assert_eq!((runs.len(), runs[0].verdict), (2, Verdict::Passed));
    }
    let others = [("e.txt", &b""[..]), ("pom.xml", b"<project/>"), ("j.json", b"{\"a\":1}"), ("README", b"x")];
    for (name, data) in others {
        assert_eq!(read(&zip(&[stored("a.xml", GREEN), stored(name, data)])).len(), 1, "{name}");
    }
}

#[test]
fn hostile_names_are_kept_and_go_nowhere() {
    let names =
        ["../../etc/x.xml", "/abs/x.xml", "..\\x.xml", "C:\\x.xml", "a\u{1b}[2J.xml", "a\u{202e}lmx.xml", "\n.xml"];
    for name in names {
        let runs = read(&zip(&[stored(name, GREEN)]));
        assert_eq!(files(&runs), [(format!("ci.zip!{name}").as_str(), Verdict::Passed)]);
    }
    let latin = Member { name: b"caf\xE9.xml".to_vec(), local_name: b"caf\xE9.xml".to_vec(), ..stored("", GREEN) };
    assert_eq!(read(&zip(&[latin]))[0].file, "ci.zip!caf\\xE9.xml");
    let link = Member { attributes: 0o120_777 << 16, ..stored("link.xml", b"/etc/passwd") };
    assert_eq!(read(&zip(&[stored("a.xml", GREEN), link])).len(), 1, "a link is not followed");
    let links = [block("a.xml", b'0', GREEN), block("l", b'2', b""), block("h", b'1', b""), block("p", b'6', b"")];
    assert_eq!(read(&tar(&links)).len(), 1);
    // Go writes the long name before the long target, GNU behind it
    for order in [[b'L', b'K'], [b'K', b'L']] {
        let long = order.map(|kind| block("@", kind, b"long/name.xml\0"));
        let runs = read(&tar(&[long[0].clone(), long[1].clone(), block("x", b'0', GREEN)]));
        assert_eq!(files(&runs), [("ci.zip!long/name.xml", Verdict::Passed)]);
    }
}

#[test]
fn a_refused_archive_takes_back_what_was_read() {
    let mut reports = Reports::default();
    let bytes = zip(&[stored("a.xml", GREEN), Member { data: GREEN.to_vec(), ..stored("b.xml", RED) }]);
    let mut quiet = |_: &str, _: u64, _: Option<u64>| {};
    let archive =
        super::read(&mut Cursor::new(&bytes), &bytes, "ci.zip", &Ask::default(), true, &mut reports, &mut quiet);
    assert_eq!(archive.sha256, Some(Sha256Digest::of(&bytes)));
    assert_eq!(files(&reports.finish().0), [("ci.zip", Verdict::Refused)]);
}

#[test]
fn damaged_archives_of_real_tools_keep_the_laws() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archives");
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        // xorshift64: the same in every run
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % below.max(1)
    };
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for whole in files.iter().map(|path| std::fs::read(path).unwrap()) {
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes[at] = [0, 1, 0x7F, 0xFF][random(4)],
                    1 => bytes.truncate(at),
                    2 => drop(bytes.splice(at..at, whole[random(whole.len())..].iter().copied().take(64))),
                    _ => bytes[at..].iter_mut().take(4).for_each(|b| *b = 0xFF),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            fuzz(&bytes);
        }
    }
}
