//! The signer's certificate: may it stamp time, and does it lead to a root (RFC 3161 section 2.3, RFC 5280).

use super::der::{self, CONSTRUCTED, CONTEXT, Der};
use super::error::TimestampError;
use super::oid;
use super::token::{Token, algorithm};
use crate::seal::error::shown;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage};

/// The parts of a certificate that webpki does not tell.
pub(super) struct Certificate<'a> {
    /// The whole, as received.
    pub(super) der: &'a [u8],
    /// Contents of the INTEGER.
    pub(super) serial: &'a [u8],
    /// The issuer's Name, whole.
    pub(super) issuer: &'a [u8],
    subject: Der<'a>,
    public_key: Der<'a>,
    extensions: Vec<Extension<'a>>,
}

struct Extension<'a> {
    oid: &'a [u8],
    critical: bool,
    value: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads one (RFC 5280 section 4.1).
    pub(super) fn parse(whole: &'a [u8]) -> Result<Self, TimestampError> {
        let mut outer = Der::new(whole);
        let mut tbs = outer.sequence("Certificate")?.sequence("TBSCertificate")?;
        tbs.optional(CONTEXT | CONSTRUCTED, "TBSCertificate.version")?;
        let serial = tbs.integer("TBSCertificate.serialNumber")?;
        tbs.sequence("TBSCertificate.signature")?;
        let issuer = tbs.expect(der::SEQUENCE, "TBSCertificate.issuer")?.whole;
        tbs.sequence("TBSCertificate.validity")?;
        let subject = tbs.sequence("TBSCertificate.subject")?;
        let public_key = tbs.sequence("TBSCertificate.subjectPublicKeyInfo")?;
        tbs.optional(CONTEXT | 1, "TBSCertificate.issuerUniqueID")?;
        tbs.optional(CONTEXT | 2, "TBSCertificate.subjectUniqueID")?;
        let mut extensions = Vec::new();
        if let Some(explicit) = tbs.optional(CONTEXT | CONSTRUCTED | 3, "TBSCertificate.extensions")? {
            let mut list = explicit.inside().sequence("TBSCertificate.extensions")?;
            while !list.is_empty() {
                let mut extension = list.sequence("Extension")?;
                let oid = extension.expect(der::OID, "Extension.extnID")?.body;
                let critical = extension.flag("Extension.critical")?;
                let value = extension.expect(der::OCTET_STRING, "Extension.extnValue")?.body;
                extensions.push(Extension { oid, critical, value });
            }
        }
        Ok(Self { der: whole, serial, issuer, subject, public_key, extensions })
    }

    fn extension(&self, oid: &[u8]) -> Result<Option<&Extension<'a>>, TimestampError> {
        let mut found = self.extensions.iter().filter(|e| e.oid == oid);
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(_) => Err(TimestampError::Signer("its certificate has an extension twice".into())),
        }
    }

    /// The subject key identifier.
    pub(super) fn subject_key(&self) -> Option<&'a [u8]> {
        let value = self.extension(oid::SUBJECT_KEY_IDENTIFIER).ok()??.value;
        Some(Der::new(value).expect(der::OCTET_STRING, "subjectKeyIdentifier").ok()?.body)
    }

    /// Bits of its modulus, if its key is an RSA key.
    pub(super) fn rsa_bits(&self) -> Option<usize> {
        let mut info = self.public_key;
        algorithm(&mut info, "algorithm").ok().filter(|a| a.oid == oid::RSA_ENCRYPTION)?;
        let bits = info.expect(der::BIT_STRING, "subjectPublicKey").ok()?.body;
        let modulus = Der::new(bits.get(1..)?).sequence("RSAPublicKey").ok()?.integer("modulus").ok()?;
        let zeros = modulus.iter().take_while(|b| **b == 0).count();
        let first = modulus.get(zeros)?.leading_zeros() as usize;
        Some((modulus.len() - zeros) * 8 - first)
    }

    /// What to call it in a message: its common name, else its organisation; escaped and short.
    pub(super) fn name(&self) -> Option<String> {
        [oid::COMMON_NAME, oid::ORGANIZATION].iter().find_map(|oid| {
            let mut names = self.subject;
            while let Ok(mut set) = names.expect(der::SET, "RDN").map(|e| e.inside()) {
                while let Ok(mut pair) = set.sequence("AttributeTypeAndValue") {
                    if pair.expect(der::OID, "type").is_ok_and(|e| e.body == *oid) {
                        let text = pair.next("value").ok()?;
                        return Some(shown(&String::from_utf8_lossy(text.body)));
                    }
                }
            }
            None
        })
    }

    fn shown(&self) -> String {
        self.name().map_or_else(|| "its certificate".into(), |name| format!("the certificate `{name}`"))
    }
}

/// That the certificate is for stamping time, for nothing else, and says so critically: the key is for this alone, and who
/// issued it meant that.
pub(super) fn may_stamp_time(certificate: &Certificate<'_>) -> Result<(), TimestampError> {
    let refuse = |why: &str| Err(TimestampError::Signer(format!("{} {why}", certificate.shown())));
    let Some(purposes) = certificate.extension(oid::EXTENDED_KEY_USAGE)? else {
        return refuse("is not issued for time-stamping (it has no extended key usage)");
    };
    let mut list = Der::new(purposes.value).sequence("extKeyUsage")?;
    let first = list.expect(der::OID, "extKeyUsage")?.body;
    if first != oid::TIME_STAMPING || !list.is_empty() {
        return refuse("is not issued for time-stamping alone (extended key usage)");
    }
    if !purposes.critical {
        return refuse("does not mark its extended key usage as critical");
    }
    if let Some(usage) = certificate.extension(oid::KEY_USAGE)? {
        // digitalSignature (bit 0) or nonRepudiation (bit 1) and nothing else, as OpenSSL asks too
        let bits = Der::new(usage.value).expect(der::BIT_STRING, "keyUsage")?.body;
        let [_, first, more @ ..] = bits else { return refuse("has an empty key usage") };
        if first & 0xc0 == 0 || first & 0x3f != 0 || more.iter().any(|b| *b != 0) {
            return refuse("has a key that is for other things (key usage)");
        }
    }
    Ok(())
}

/// That the certificate leads to one of the roots, over the certificates in the answer, all valid when it was signed.
pub(super) fn chain(certificate: &Certificate<'_>, token: &Token<'_>, roots_pem: &str) -> Result<(), TimestampError> {
    let roots = roots(roots_pem)?;
    let anchors = roots.iter().map(|der| webpki::anchor_from_trusted_cert(der).map(|a| a.to_owned()));
    let anchors: Vec<TrustAnchor<'static>> =
        anchors.collect::<Result<_, _>>().map_err(|e| TimestampError::Roots(format!("one is no certificate ({e})")))?;
    let between: Vec<_> = token.certificates.iter().map(|c| CertificateDer::from(c.whole)).collect();
    let der = CertificateDer::from(certificate.der);
    let end = EndEntityCert::try_from(&der).map_err(|e| TimestampError::Signer(format!("its certificate: {e}")))?;
    let seconds = u64::try_from(token.info.on.timestamp())
        .map_err(|_| TimestampError::Untrusted("it is dated before 1970".into()))?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // an issuer need not have the purpose, but what it has must allow it
    let purpose = KeyUsage::required_if_present(oid::TIME_STAMPING);
    let path = end.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &between, time, purpose, None, None);
    path.map(|_| ()).map_err(|e| TimestampError::Untrusted(format!("{}: {}", certificate.shown(), why(&e))))
}

fn roots(pem: &str) -> Result<Vec<CertificateDer<'static>>, TimestampError> {
    let roots: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| TimestampError::Roots(e.to_string()))?;
    if roots.is_empty() { Err(TimestampError::Roots("there is no certificate in them".into())) } else { Ok(roots) }
}

fn why(error: &Error) -> String {
    match error {
        Error::UnknownIssuer => {
            "none of the given roots leads to it. If you believe its authority, give that one's root".into()
        }
        Error::CertExpired { .. } => "a certificate of its chain had expired when it was signed".into(),
        Error::CertNotValidYet { .. } => "a certificate of its chain was not valid yet when it was signed".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict over a certificate with these extensions only.
    fn verdict(extensions: &[(&[u8], &[u8])]) -> Result<(), TimestampError> {
        let extensions = extensions.iter().map(|(oid, value)| Extension { oid, critical: true, value }).collect();
        let none = Der::new(&[]);
        may_stamp_time(&Certificate {
            der: &[],
            serial: &[1],
            issuer: &[],
            subject: none,
            public_key: none,
            extensions,
        })
    }

    fn purpose() -> Vec<u8> {
        der::write(der::SEQUENCE, &der::write(der::OID, oid::TIME_STAMPING))
    }

    #[test]
    fn purposes_said_twice_are_not_picked_from() {
        let purpose = purpose();
        let said = (oid::EXTENDED_KEY_USAGE, &purpose[..]);
        assert!(verdict(&[said]).is_ok());
        assert!(matches!(verdict(&[]), Err(TimestampError::Signer(_))));
        assert!(matches!(verdict(&[said, said]), Err(TimestampError::Signer(_))));
    }

    #[test]
    fn the_key_signs_and_does_nothing_else() {
        let purpose = purpose();
        for (bits, good) in [
            (&[7, 0x80][..], true),    // digitalSignature
            (&[6, 0x40], true),        // nonRepudiation
            (&[6, 0xc0], true),        // both
            (&[5, 0xa0], false),       // and keyEncipherment
            (&[1, 0x06], false),       // keyCertSign, cRLSign
            (&[7, 0x80, 0x80], false), // and decipherOnly
            (&[0, 0x00], false),       // nothing
            (&[0], false),
            (&[], false),
        ] {
            let usage = der::write(der::BIT_STRING, bits);
            let got = verdict(&[(oid::EXTENDED_KEY_USAGE, &purpose), (oid::KEY_USAGE, &usage)]);
            assert_eq!(got.is_ok(), good, "{bits:?}");
        }
    }
}
