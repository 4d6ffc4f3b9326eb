//! One PEM block out of a text (RFC 7468), lenient in white space only.
//!
//! CI systems hand keys over in variables, and lose line breaks on the way: spaces, `\r\n` or the two characters `\n`
//! may stand for them.

use super::key_error::KeyError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A key file is under a kilobyte; this is room for comments around it.
const MAX_BYTES: usize = 64 << 10;

/// The label and the DER bytes of the only PEM block in `text`. Text around the block is allowed, as OpenSSL does.
pub(super) fn block(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), KeyError> {
    let malformed = |what: &str| KeyError::Malformed(what.to_owned());
    if text.trim().is_empty() {
        return Err(KeyError::Empty);
    }
    if text.len() > MAX_BYTES {
        return Err(malformed("it is larger than any key"));
    }
    let (_, rest) = text.split_once("-----BEGIN ").ok_or(KeyError::NotPem)?;
    let (label, rest) = rest.split_once("-----").ok_or(KeyError::NotPem)?;
    let end = format!("-----END {label}-----");
    let (body, after) =
        rest.split_once(end.as_str()).ok_or_else(|| malformed("its END line is missing; is it cut off?"))?;
    if after.contains("-----BEGIN ") {
        return Err(malformed("it holds more than one PEM block; keep the one that is meant"));
    }
    let mut packed = Zeroizing::new(String::with_capacity(body.len()));
    for piece in body.split("\\n") {
        packed.extend(piece.chars().filter(|c| !c.is_ascii_whitespace()));
    }
    if packed.contains(':') {
        // RFC 1421 headers: `Proc-Type: 4,ENCRYPTED`, the encryption that came before PKCS#8
        return Err(KeyError::Unsupported(
            "an old encrypted key; convert it: openssl pkcs8 -topk8 -in OLD -out NEW".into(),
        ));
    }
    // decoding into a buffer of the right size leaves no copy behind in memory that was let go
    let mut der = Zeroizing::new(vec![0u8; packed.len() / 4 * 3 + 3]);
    let n = STANDARD.decode_slice(packed.as_bytes(), &mut der).map_err(|_| malformed("its base64 is damaged"))?;
    der.truncate(n);
    Ok((label, der))
}
