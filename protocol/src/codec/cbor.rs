//! Bodies as canonical CBOR: size, then form, then meaning (D-1).

use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};

use super::{DecodeError, check_canonical};
use crate::id::{DeviceKey, EntryId, EpochId, GroupId, MemberId};

/// Encodes a body. Derived encodings of this crate are canonical: integer keys, ascending.
pub fn to_cbor<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing to a vector can't fail.
    minicbor::to_vec(value).unwrap_or_default()
}

/// Decodes a body of at most `max` bytes; unknown fields are skipped.
///
/// # Errors
/// The first of size, form and meaning that doesn't hold.
pub fn from_cbor<T: for<'b> Decode<'b, ()>>(bytes: &[u8], max: usize) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLarge);
    }
    check_canonical(bytes)?;
    minicbor::decode(bytes).map_err(|_| DecodeError::Value)
}

macro_rules! as_bytes {
    ($($name:ident)*) => {$(
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
                e.bytes(self.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
                let bytes: [u8; 32] = d.bytes()?.try_into().map_err(|_| decode::Error::message("length"))?;
                Ok(Self(bytes))
            }
        }
    )*};
}

as_bytes! { DeviceKey EntryId EpochId GroupId MemberId }
