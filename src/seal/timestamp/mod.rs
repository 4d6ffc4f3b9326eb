//! RFC 3161 time: an authority's signed word that some bytes existed at a time. Here: what is asked, and what its answer proves.
//!
//! The answer is kept as it came, a whole `TimeStampResp` in DER: anybody can check it with
//! `openssl ts -verify -data FILE -in FILE.tsr -CAfile ROOTS`. A time-stamp proves "not later than", nothing about order
//! or completeness. **Revocation is not checked**: that needs the network, and the answer of that day.

mod certificate;
mod der;
mod error;
mod oid;
mod signed;
#[cfg(test)]
mod tests;
mod token;

use chrono::{DateTime, Utc};
pub(crate) use error::TimestampError;
use ring::digest::{SHA256, digest};
use std::time::Duration;
use token::Token;

/// A time-stamp with its certificates has 1 to 8 KiB.
pub(crate) const MAX_BYTES: usize = 64 << 10;

/// What a time-stamp says. After [`read`] it is only claimed; after [`verify`] it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// `genTime`: the data existed then.
    pub(crate) on: DateTime<Utc>,
    /// How far the authority's clock may be off, either way. Absent: it does not say.
    pub(crate) accuracy: Option<Duration>,
    /// The authority's policy, a dotted OID.
    pub(crate) policy: String,
    /// The authority's number for this time-stamp, in lower-case hex.
    pub(crate) serial: String,
    /// Common name (or organisation) of the certificate that signed. Absent after [`read`]: nobody has vouched for it.
    pub(crate) signer: Option<String>,
}

/// The DER of a `TimeStampReq` for sha256(`data`), with a nonce, and with the wish to get the certificates (RFC 3161
/// section 2.4.1): without them nobody could check the answer later.
pub(crate) fn request(data: &[u8], nonce: [u8; 8]) -> Vec<u8> {
    let algorithm =
        der::write(der::SEQUENCE, &[der::write(der::OID, oid::ID_SHA256), der::write(der::NULL, &[])].concat());
    let hash = der::write(der::OCTET_STRING, digest(&SHA256, data).as_ref());
    let imprint = der::write(der::SEQUENCE, &[algorithm, hash].concat());
    let version = der::write_unsigned(&[1]);
    let certificates = der::write(der::BOOLEAN, &[0xff]);
    der::write(der::SEQUENCE, &[version, imprint, der::write_unsigned(&nonce), certificates].concat())
}

/// Reads an answer on the way in: granted, for sha256(`data`), and with our nonce if `nonce` is given.
///
/// Says nothing about who signed; [`verify`] does. Cheap: no signature is computed.
pub(crate) fn read(response: &[u8], data: &[u8], nonce: Option<[u8; 8]>) -> Result<Stamp, TimestampError> {
    let token = checked(response, data)?;
    if nonce.is_some_and(|sent| token.info.nonce != Some(&der::unsigned(&sent))) {
        return Err(TimestampError::Nonce);
    }
    Ok(token.info.stamp(None))
}

/// Whether an answer proves that `data` existed at the time it says; offline.
///
/// The signature covers the time and `data`'s sha256 (RFC 5652 section 5.4), names its certificate (RFC 5816), and that
/// one may stamp time and nothing else and leads to one of `roots_pem` **at that time** (RFC 3161 section 2.3, RFC 5280).
pub(crate) fn verify(response: &[u8], data: &[u8], roots_pem: &str) -> Result<Stamp, TimestampError> {
    let token = checked(response, data)?;
    let signer = signed::signer(&token)?;
    certificate::may_stamp_time(&signer)?;
    certificate::chain(&signer, &token, roots_pem)?;
    Ok(token.info.stamp(signer.name()))
}

fn checked<'a>(response: &'a [u8], data: &[u8]) -> Result<Token<'a>, TimestampError> {
    if response.len() > MAX_BYTES {
        return Err(TimestampError::TooLarge(response.len()));
    }
    let token = Token::parse(response)?;
    if token.info.algorithm != oid::ID_SHA256 {
        // sha256 is what we ask for; a stamp over another digest answers somebody else
        let other = der::dotted(token.info.algorithm).unwrap_or_default();
        return Err(TimestampError::Imprint(format!("a digest by {other}, where sha256 was asked for")));
    }
    if token.info.imprint != digest(&SHA256, data).as_ref() {
        return Err(TimestampError::Imprint("its digest is not the one of this file".into()));
    }
    Ok(token)
}
