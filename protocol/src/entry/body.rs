//! The plaintext of an entry: a fixed head, a payload, zeros up to a bucket (E-9 … E-11).

use crate::codec::{DecodeError, Reader};

/// Longest payload in bytes; larger things are attachments.
pub const MAX_PAYLOAD: usize = 48 * 1024;

/// Kind 2, schema 1, time 4, language 1, length 2.
const HEAD: usize = 10;
/// Up to here buckets are multiples of [`STEP`].
const LINEAR: usize = 512;
const STEP: usize = 64;

/// A language as one byte: an index in the spec's table, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Language(pub u8);

/// The table of E-10: only ever appended to.
const LANGUAGES: [&str; 15] =
    ["", "en", "fr", "es", "pt-BR", "it", "de", "hi", "ar", "bn", "ur", "zh-Hans", "tr", "sw", "mg"];

impl Language {
    /// The language of a BCP 47 tag in the table.
    pub fn from_tag(tag: &str) -> Option<Self> {
        LANGUAGES.iter().position(|known| *known == tag).and_then(|i| u8::try_from(i).ok()).map(Self)
    }

    /// The BCP 47 tag, empty for none or for a language of a newer table.
    pub fn tag(self) -> &'static str {
        LANGUAGES.get(usize::from(self.0)).copied().unwrap_or("")
    }
}

/// An opened body.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// What the payload is (spec actions).
    pub kind: u16,
    /// Version of the payload's schema.
    pub schema: u8,
    /// The author's clock in seconds since 1970: shown, never believed.
    pub time: u32,
    /// The language of the texts in the payload.
    pub language: Language,
    /// Canonical CBOR; at most [`MAX_PAYLOAD`] bytes.
    pub payload: Vec<u8>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body(kind {}, {} B)", self.kind, self.payload.len())
    }
}

impl Body {
    /// The padded plaintext.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] over [`MAX_PAYLOAD`].
    pub(super) fn pad(&self) -> Result<Vec<u8>, DecodeError> {
        let length = u16::try_from(self.payload.len()).map_err(|_| DecodeError::TooLarge)?;
        if self.payload.len() > MAX_PAYLOAD {
            return Err(DecodeError::TooLarge);
        }
        let size = bucket(HEAD + self.payload.len());
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(&self.kind.to_be_bytes());
        out.push(self.schema);
        out.extend_from_slice(&self.time.to_be_bytes());
        out.push(self.language.0);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&self.payload);
        out.resize(size, 0);
        Ok(out)
    }

    /// Reads a padded plaintext; the padding must be the shortest that fits, and zero.
    pub(super) fn unpad(padded: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(padded);
        let kind = reader.u16()?;
        let schema = reader.u8()?;
        let time = reader.u32()?;
        let language = Language(reader.u8()?);
        let length = usize::from(reader.u16()?);
        if length > MAX_PAYLOAD {
            return Err(DecodeError::TooLarge);
        }
        let payload = reader.bytes(length)?.to_vec();
        if bucket(HEAD + length) != padded.len() || reader.rest().iter().any(|byte| *byte != 0) {
            return Err(DecodeError::NotCanonical);
        }
        Ok(Self { kind, schema, time, language, payload })
    }
}

/// The padded size of `len` bytes: multiples of 64 to 512, then Padmé (PURBs, 2019, §4; E-11).
fn bucket(len: usize) -> usize {
    if len <= LINEAR {
        return len.div_ceil(STEP).max(1) * STEP;
    }
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1usize << exponent.saturating_sub(kept)) - 1;
    (len + mask) & !mask
}

/// Whether some plaintext is padded to this size.
pub(super) fn is_bucket(size: usize) -> bool {
    size > 0 && bucket(size) == size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_300_byte_text_lies_in_a_320_byte_bucket() {
        assert_eq!(bucket(HEAD + 300), 320);
    }

    #[test]
    fn buckets_are_fixed_points_and_waste_at_most_an_eighth() {
        for len in 1..70_000 {
            let size = bucket(len);
            assert!(size >= len && is_bucket(size), "{len} -> {size}");
            assert!(len <= LINEAR || (size - len) * 100 <= len * 12, "{len} -> {size}");
        }
    }

    #[test]
    fn padding_has_one_form() {
        let body = Body { kind: 1, schema: 1, time: 2, language: Language(1), payload: vec![9; 20] };
        let padded = body.pad().unwrap();
        assert_eq!(Body::unpad(&padded), Ok(body));
        let mut dirty = padded.clone();
        *dirty.last_mut().unwrap() = 1;
        assert_eq!(Body::unpad(&dirty), Err(DecodeError::NotCanonical));
        let mut longer = padded;
        longer.resize(128, 0);
        assert_eq!(Body::unpad(&longer), Err(DecodeError::NotCanonical));
    }
}
