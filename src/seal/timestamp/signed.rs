//! The signature: over what, by which certificate (RFC 5652 section 5.3 to 5.6, RFC 5816).

use super::certificate::Certificate;
use super::der::{self, CONSTRUCTED, CONTEXT, Der, Element};
use super::error::TimestampError;
use super::oid;
use super::token::{Algorithm, Token, algorithm};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;

/// How a `SignerInfo` names its certificate.
enum SignerId<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    SubjectKey(&'a [u8]),
}

struct SignerInfo<'a> {
    id: SignerId<'a>,
    digest: &'static oid::Digest,
    attributes: Element<'a>,
    algorithm: Algorithm<'a>,
    signature: &'a [u8],
}

fn broken(why: &str) -> TimestampError {
    TimestampError::Signature(why.into())
}

/// The certificate that signed `token`, whose signature holds. Whether it is one to believe is another question.
pub(super) fn signer<'a>(token: &Token<'a>) -> Result<Certificate<'a>, TimestampError> {
    let info = SignerInfo::parse(token.signers)?;
    let attributes = Attributes::parse(info.attributes.inside())?;
    let content_type = attributes.content_type.ok_or_else(|| broken("it does not cover the content type"))?;
    if (content_type.tag, content_type.body) != (der::OID, oid::TST_INFO) {
        return Err(broken("it covers another content type"));
    }
    let covered = attributes.message_digest.ok_or_else(|| broken("it does not cover the time"))?;
    let want = digest(info.digest.ring, token.content);
    if (covered.tag, covered.body) != (der::OCTET_STRING, want.as_ref()) {
        return Err(broken("what it says was changed after it was signed"));
    }
    let certificate = attributes.certificate(token)?;
    if !info.id.names(&certificate) {
        return Err(TimestampError::Signer("the signature names two different certificates".into()));
    }
    // signed is the SET, and not the [0] that stands in its place (RFC 5652 section 5.4)
    let mut message = info.attributes.whole.to_vec();
    if let Some(tag) = message.first_mut() {
        *tag = der::SET;
    }
    holds(&info, &certificate, &message)?;
    Ok(certificate)
}

/// Tries what the algorithm can mean: ECDSA with SHA-256 says nothing about the curve, the certificate does.
fn holds(info: &SignerInfo<'_>, certificate: &Certificate<'_>, message: &[u8]) -> Result<(), TimestampError> {
    if let Some(bits @ ..2048) = certificate.rsa_bits() {
        return Err(TimestampError::Unsupported(format!("its RSA key has {bits} bits; 2048 and more are trusted")));
    }
    let der = CertificateDer::from(certificate.der);
    let key = EndEntityCert::try_from(&der).map_err(|e| TimestampError::Signer(format!("its certificate: {e}")))?;
    let rsa: &[&dyn SignatureVerificationAlgorithm] = &[info.digest.rsa];
    let candidates = if info.algorithm.oid == oid::RSA_ENCRYPTION { rsa } else { info.digest.signatures };
    let meant = |a: &&dyn SignatureVerificationAlgorithm| {
        info.algorithm.oid == oid::RSA_ENCRYPTION || a.signature_alg_id().as_ref() == info.algorithm.body
    };
    for candidate in candidates.iter().copied().filter(|a| meant(a)) {
        match key.verify_signature(candidate, message, info.signature) {
            Ok(()) => return Ok(()),
            // another curve, or another kind of key
            Err(webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_)) => {}
            Err(_) => {
                return Err(broken(
                    "the certificate's key did not sign these bytes; they or the signature were changed",
                ));
            }
        }
    }
    let name = der::dotted(info.algorithm.oid).unwrap_or_default();
    Err(TimestampError::Unsupported(format!(
        "its signature algorithm {name} with this digest and key is not known here"
    )))
}

impl<'a> SignerInfo<'a> {
    /// Reads the only one: a token has no signature but its authority's (RFC 3161 section 2.4.2).
    fn parse(mut infos: Der<'a>) -> Result<Self, TimestampError> {
        if infos.is_empty() {
            return Err(broken("there is none"));
        }
        let mut info = infos.sequence("SignerInfo")?;
        if !infos.is_empty() {
            return Err(broken("there are more than one"));
        }
        info.integer("SignerInfo.version")?;
        let id = SignerId::parse(info.next("SignerInfo.sid")?)?;
        let name = algorithm(&mut info, "SignerInfo.digestAlgorithm")?.oid;
        let attributes = info.optional(CONTEXT | CONSTRUCTED, "SignerInfo.signedAttrs")?;
        let algorithm = algorithm(&mut info, "SignerInfo.signatureAlgorithm")?;
        let signature = info.expect(der::OCTET_STRING, "SignerInfo.signature")?.body;
        info.optional(CONTEXT | CONSTRUCTED | 1, "SignerInfo.unsignedAttrs")?;
        info.end("SignerInfo")?;
        let attributes = attributes.ok_or_else(|| broken("it has no signed attributes"))?;
        let digest = oid::digest(name).ok_or_else(|| {
            let name = der::dotted(name).unwrap_or_default();
            TimestampError::Unsupported(format!("its digest {name} is not SHA-256, SHA-384 or SHA-512"))
        })?;
        Ok(Self { id, digest, attributes, algorithm, signature })
    }
}

impl<'a> SignerId<'a> {
    fn parse(element: Element<'a>) -> Result<Self, TimestampError> {
        let mut inside = element.inside();
        match element.tag {
            der::SEQUENCE => {
                let issuer = inside.expect(der::SEQUENCE, "SignerInfo.sid.issuer")?.whole;
                let serial = inside.integer("SignerInfo.sid.serialNumber")?;
                inside.end("SignerInfo.sid")?;
                Ok(Self::IssuerAndSerial { issuer, serial })
            }
            CONTEXT => Ok(Self::SubjectKey(element.body)),
            _ => Err(inside.bad("SignerInfo.sid", "something else stands there")),
        }
    }

    fn names(&self, certificate: &Certificate<'_>) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => certificate.issuer == *issuer && certificate.serial == *serial,
            Self::SubjectKey(id) => certificate.subject_key() == Some(*id),
        }
    }
}

/// The signed attributes that count here, each at most once and with one value.
#[derive(Default)]
struct Attributes<'a> {
    content_type: Option<Element<'a>>,
    message_digest: Option<Element<'a>>,
    signing_certificate: Option<Element<'a>>,
    signing_certificate_v2: Option<Element<'a>>,
}

impl<'a> Attributes<'a> {
    fn parse(mut set: Der<'a>) -> Result<Self, TimestampError> {
        let mut known = Self::default();
        while !set.is_empty() {
            let here = set;
            let mut attribute = set.sequence("SignerInfo.signedAttrs")?;
            let place = match attribute.expect(der::OID, "attrType")?.body {
                oid::CONTENT_TYPE => &mut known.content_type,
                oid::MESSAGE_DIGEST => &mut known.message_digest,
                oid::SIGNING_CERTIFICATE => &mut known.signing_certificate,
                oid::SIGNING_CERTIFICATE_V2 => &mut known.signing_certificate_v2,
                _ => continue,
            };
            let mut values = attribute.expect(der::SET, "attrValues")?.inside();
            attribute.end("SignerInfo.signedAttrs")?;
            let value = values.next("attrValues")?;
            values.end("attrValues")?;
            if place.replace(value).is_some() {
                return Err(here.bad("SignerInfo.signedAttrs", "an attribute stands there twice"));
            }
        }
        Ok(known)
    }

    /// The certificate whose hash was signed (RFC 5816 section 2.2.1): no other one with the same key can stand in for it.
    fn certificate(&self, token: &Token<'a>) -> Result<Certificate<'a>, TimestampError> {
        let v1 = self.signing_certificate.map(first_of_v1).transpose()?;
        let v2 = self.signing_certificate_v2.map(first_of_v2).transpose()?;
        if v1.is_none() && v2.is_none() {
            return Err(TimestampError::Signer("the signature does not say which certificate it is made with".into()));
        }
        // SHA-1 is enough to point: a second certificate with the hash of a given one cannot be made
        let matches = |der: &[u8]| {
            v1.is_none_or(|hash| digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref() == hash)
                && v2.is_none_or(|(by, hash)| digest(by.ring, der).as_ref() == hash)
        };
        let named = token.certificates.iter().find(|c| matches(c.whole)).ok_or_else(|| {
            TimestampError::Signer("the certificate that the signature names is not in the answer".into())
        })?;
        Certificate::parse(named.whole)
    }
}

/// certHash of the first ESSCertID: the signer's; others may follow for its issuers.
fn first_of_v1(value: Element<'_>) -> Result<&[u8], TimestampError> {
    let mut list = one(value)?;
    let mut id = list.sequence("ESSCertID")?;
    Ok(id.expect(der::OCTET_STRING, "ESSCertID.certHash")?.body)
}

/// Digest and certHash of the first ESSCertIDv2. SHA-256 is not spelled out.
fn first_of_v2(value: Element<'_>) -> Result<(&'static oid::Digest, &[u8]), TimestampError> {
    let mut list = one(value)?;
    let mut id = list.sequence("ESSCertIDv2")?;
    let here = id;
    let name = match id.next("ESSCertIDv2")?.tag {
        der::SEQUENCE => {
            id = here;
            algorithm(&mut id, "ESSCertIDv2.hashAlgorithm")?.oid
        }
        _ => {
            id = here;
            oid::ID_SHA256
        }
    };
    let by = oid::digest(name).ok_or_else(|| {
        let name = der::dotted(name).unwrap_or_default();
        TimestampError::Unsupported(format!("it names its certificate by the digest {name}"))
    })?;
    Ok((by, id.expect(der::OCTET_STRING, "ESSCertIDv2.certHash")?.body))
}

/// The list in a SigningCertificate or SigningCertificateV2.
fn one(value: Element<'_>) -> Result<Der<'_>, TimestampError> {
    let mut inside = value.inside();
    if value.tag != der::SEQUENCE {
        return Err(inside.bad("SigningCertificate", "something else stands there"));
    }
    inside.sequence("SigningCertificate.certs")
}
