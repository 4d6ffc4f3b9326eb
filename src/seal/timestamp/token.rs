//! A `TimeStampResp` in its parts (RFC 3161 section 2.4.2; the CMS around it: RFC 5652 section 5).

use super::der::{self, CONSTRUCTED, CONTEXT, Der, Element};
use super::error::TimestampError;
use super::{Stamp, oid};
use crate::seal::error::shown;
use chrono::{DateTime, NaiveDate, Utc};
use std::time::Duration;

/// A granted answer.
pub(super) struct Token<'a> {
    /// What is stamped, as signed.
    pub(super) content: &'a [u8],
    /// What it says.
    pub(super) info: TstInfo<'a>,
    /// The certificates it brings, in no order; among them may be other things, which nobody asks for.
    pub(super) certificates: Vec<Element<'a>>,
    /// The `SignerInfo`s, unread.
    pub(super) signers: Der<'a>,
}

/// What the authority signed.
pub(super) struct TstInfo<'a> {
    policy: String,
    /// OID of the digest.
    pub(super) algorithm: &'a [u8],
    /// The digest.
    pub(super) imprint: &'a [u8],
    serial: &'a [u8],
    /// `genTime`.
    pub(super) on: DateTime<Utc>,
    accuracy: Option<Duration>,
    /// Contents of the INTEGER.
    pub(super) nonce: Option<&'a [u8]>,
}

impl<'a> Token<'a> {
    /// Reads all but the signer. Nothing may follow the response.
    pub(super) fn parse(response: &'a [u8]) -> Result<Self, TimestampError> {
        let mut outer = Der::new(response);
        let mut answer = outer.sequence("TimeStampResp")?;
        outer.end("TimeStampResp")?;
        granted(answer.sequence("PKIStatusInfo")?)?;
        let mut content_info = answer.sequence("TimeStampToken")?;
        answer.end("TimeStampResp")?;
        named(&mut content_info, oid::SIGNED_DATA, "TimeStampToken.contentType")?;
        let mut explicit = content_info.expect(CONTEXT | CONSTRUCTED, "TimeStampToken.content")?.inside();
        content_info.end("TimeStampToken")?;
        let signed = explicit.sequence("SignedData")?;
        explicit.end("TimeStampToken.content")?;
        Self::signed_data(signed)
    }

    fn signed_data(mut signed: Der<'a>) -> Result<Self, TimestampError> {
        signed.integer("SignedData.version")?;
        signed.expect(der::SET, "SignedData.digestAlgorithms")?;
        let mut encapsulated = signed.sequence("SignedData.encapContentInfo")?;
        named(&mut encapsulated, oid::TST_INFO, "SignedData.encapContentInfo.eContentType")?;
        let mut explicit = encapsulated.expect(CONTEXT | CONSTRUCTED, "eContent")?.inside();
        encapsulated.end("SignedData.encapContentInfo")?;
        let octets = explicit.expect(der::OCTET_STRING, "eContent")?;
        explicit.end("eContent")?;
        let mut inner = octets.inside();
        let info = TstInfo::parse(inner.sequence("TSTInfo")?)?;
        inner.end("TSTInfo")?;
        let mut certificates = Vec::new();
        if let Some(set) = signed.optional(CONTEXT | CONSTRUCTED, "SignedData.certificates")? {
            let mut set = set.inside();
            while !set.is_empty() {
                certificates.push(set.next("SignedData.certificates")?);
            }
        }
        signed.optional(CONTEXT | CONSTRUCTED | 1, "SignedData.crls")?;
        let signers = signed.expect(der::SET, "SignedData.signerInfos")?.inside();
        signed.end("SignedData")?;
        Ok(Self { content: octets.body, info, certificates, signers })
    }
}

impl<'a> TstInfo<'a> {
    fn parse(mut info: Der<'a>) -> Result<Self, TimestampError> {
        let here = info;
        if info.integer("TSTInfo.version")? != [1] {
            return Err(here.bad("TSTInfo.version", "only version 1 is known"));
        }
        let here = info;
        let policy = der::dotted(info.expect(der::OID, "TSTInfo.policy")?.body)
            .ok_or_else(|| here.bad("TSTInfo.policy", "it is no object identifier"))?;
        let mut imprint = info.sequence("TSTInfo.messageImprint")?;
        let algorithm = algorithm(&mut imprint, "TSTInfo.messageImprint.hashAlgorithm")?.oid;
        let hash = imprint.expect(der::OCTET_STRING, "TSTInfo.messageImprint.hashedMessage")?.body;
        imprint.end("TSTInfo.messageImprint")?;
        let serial = info.integer("TSTInfo.serialNumber")?;
        let here = info;
        let on = time(info.expect(der::GENERALIZED_TIME, "TSTInfo.genTime")?.body)
            .ok_or_else(|| here.bad("TSTInfo.genTime", "it is no time in UTC with seconds"))?;
        let accuracy = info.optional(der::SEQUENCE, "TSTInfo.accuracy")?.map(|e| accuracy(e.inside())).transpose()?;
        info.flag("TSTInfo.ordering")?;
        let here = info;
        let nonce = info.optional(der::INTEGER, "TSTInfo.nonce")?.map(|e| e.body);
        if nonce.is_some_and(|body| !der::minimal(body)) {
            return Err(here.bad("TSTInfo.nonce", "the integer is not minimal"));
        }
        // a hint; the certificate that the signature names is what counts
        info.optional(CONTEXT | CONSTRUCTED, "TSTInfo.tsa")?;
        if let Some(extensions) = info.optional(CONTEXT | CONSTRUCTED | 1, "TSTInfo.extensions")? {
            no_critical(extensions.inside())?;
        }
        info.end("TSTInfo")?;
        Ok(Self { policy, algorithm, imprint: hash, serial, on, accuracy, nonce })
    }

    /// As callers see it.
    pub(super) fn stamp(&self, signer: Option<String>) -> Stamp {
        let zeros = self.serial.iter().take(self.serial.len().saturating_sub(1)).take_while(|b| **b == 0).count();
        let serial = self.serial.iter().skip(zeros).map(|b| format!("{b:02x}")).collect();
        Stamp { on: self.on, accuracy: self.accuracy, policy: self.policy.clone(), serial, signer }
    }
}

/// An AlgorithmIdentifier.
pub(super) struct Algorithm<'a> {
    pub(super) oid: &'a [u8],
    /// OID and parameters, as received.
    pub(super) body: &'a [u8],
}

/// The next AlgorithmIdentifier. The parameters of a digest are NULL or absent and mean nothing (RFC 5754 section 2).
pub(super) fn algorithm<'a>(from: &mut Der<'a>, what: &'static str) -> Result<Algorithm<'a>, TimestampError> {
    let element = from.expect(der::SEQUENCE, what)?;
    let mut inside = element.inside();
    let oid = inside.expect(der::OID, what)?.body;
    if !inside.is_empty() {
        inside.next(what)?;
    }
    inside.end(what)?;
    Ok(Algorithm { oid, body: element.body })
}

fn named(from: &mut Der<'_>, want: &[u8], what: &'static str) -> Result<(), TimestampError> {
    let here = *from;
    let got = from.expect(der::OID, what)?.body;
    if got == want { Ok(()) } else { Err(here.bad(what, "it is of another type")) }
}

fn granted(mut info: Der<'_>) -> Result<(), TimestampError> {
    let status = info.integer("PKIStatusInfo.status")?;
    let mut why = Vec::new();
    if let Some(texts) = info.optional(der::SEQUENCE, "PKIStatusInfo.statusString")? {
        let mut texts = texts.inside();
        while !texts.is_empty() {
            why.push(shown(&String::from_utf8_lossy(texts.next("PKIStatusInfo.statusString")?.body)));
        }
    }
    if let Some(bits) = info.optional(der::BIT_STRING, "PKIStatusInfo.failInfo")? {
        let set = |bit: usize| bits.body.get(1 + bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
        why.splice(0..0, FAIL_INFO.iter().filter(|(bit, _)| set(*bit)).map(|(_, name)| (*name).to_owned()));
    }
    info.end("PKIStatusInfo")?;
    let word = match status {
        [0 | 1] => return Ok(()),
        [2] => "rejection",
        [3] => "waiting",
        [4] => "revocationWarning",
        [5] => "revocationNotification",
        _ => "an unknown status",
    };
    why.truncate(8);
    let why = if why.is_empty() { "it does not say why".into() } else { why.join(", ") };
    Err(TimestampError::Rejected(format!("{word}: {why}")))
}

/// PKIFailureInfo, RFC 3161 section 2.4.2.
const FAIL_INFO: &[(usize, &str)] = &[
    (0, "badAlg"),
    (2, "badRequest"),
    (5, "badDataFormat"),
    (14, "timeNotAvailable"),
    (15, "unacceptedPolicy"),
    (16, "unacceptedExtension"),
    (17, "addInfoNotAvailable"),
    (25, "systemFailure"),
];

/// `YYYYMMDDhhmmss[.f…]Z`, at least seconds and always UTC (RFC 3161 section 2.4.2). Digits after the ninth are dropped.
fn time(text: &[u8]) -> Option<DateTime<Utc>> {
    let text = str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || fraction.is_some_and(|f| !digits(f)) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to)?.parse::<u32>().ok();
    let nanos: String = fraction.unwrap_or_default().chars().chain("000000000".chars()).take(9).collect();
    let day = NaiveDate::from_ymd_opt(i32::try_from(part(0, 4)?).ok()?, part(4, 6)?, part(6, 8)?)?;
    let time = day.and_hms_nano_opt(part(8, 10)?, part(10, 12)?, part(12, 14)?, nanos.parse().ok()?)?;
    Some(time.and_utc())
}

fn accuracy(mut accuracy: Der<'_>) -> Result<Duration, TimestampError> {
    let here = accuracy;
    let what = "TSTInfo.accuracy";
    let parts = [der::INTEGER, CONTEXT, CONTEXT | 1].map(|tag| accuracy.optional(tag, what));
    accuracy.end(what)?;
    let mut numbers = [0u64; 3];
    for (number, part) in numbers.iter_mut().zip(parts) {
        let Some(element) = part? else { continue };
        let negative = element.body.first().is_some_and(|b| b & 0x80 != 0);
        if negative || element.body.len() > 5 || !der::minimal(element.body) {
            return Err(here.bad(what, "it is no number of seconds"));
        }
        *number = element.body.iter().fold(0, |n, b| n << 8 | u64::from(*b));
    }
    let [seconds, millis, micros] = numbers;
    if millis > 999 || micros > 999 {
        return Err(here.bad(what, "milliseconds and microseconds end at 999"));
    }
    Ok(Duration::from_secs(seconds) + Duration::from_millis(millis) + Duration::from_micros(micros))
}

/// Who does not know a critical extension must not take the time-stamp (RFC 3161 section 2.4.1). We know none.
fn no_critical(mut extensions: Der<'_>) -> Result<(), TimestampError> {
    while !extensions.is_empty() {
        let mut extension = extensions.sequence("TSTInfo.extensions")?;
        let oid = extension.expect(der::OID, "TSTInfo.extensions")?.body;
        if extension.flag("TSTInfo.extensions")? {
            let oid = der::dotted(oid).unwrap_or_default();
            return Err(TimestampError::Unsupported(format!("it has a critical extension {oid}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_seconds() {
        for (text, want) in [
            ("20261123034513Z", Some("2026-11-23T03:45:13Z")),
            ("20261123034513.5Z", Some("2026-11-23T03:45:13.500Z")),
            ("20261123034513.1234567899Z", Some("2026-11-23T03:45:13.123456789Z")),
            ("20240229000000Z", Some("2024-02-29T00:00:00Z")),
            ("20250229000000Z", None),
            ("20261123034513", None),
            ("20261123034513+0100", None),
            ("202611230345Z", None),
            ("20261123034513.Z", None),
            ("20261123034513,5Z", None),
            ("20261123034560Z", None),
            ("2026112303451\u{0663}Z", None),
            ("+0261123034513Z", None),
            ("Z", None),
            ("", None),
        ] {
            let got = time(text.as_bytes());
            assert_eq!(got, want.map(|w| w.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn accuracy_is_a_sum_of_three() {
        let read = |bytes: &[u8]| accuracy(Der::new(bytes));
        assert_eq!(read(&[2, 1, 1, 0x80, 2, 1, 0xf4, 0x81, 1, 100]).unwrap(), Duration::from_micros(1_500_100));
        assert_eq!(read(&[]).unwrap(), Duration::ZERO);
        for bad in
            [&[2, 1, 0x80][..], &[0x80, 2, 0x03, 0xe8], &[2, 0], &[2, 6, 1, 0, 0, 0, 0, 0], &[4, 1, 1], &[2, 2, 0, 1]]
        {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
