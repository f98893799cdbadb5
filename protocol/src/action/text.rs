//! Bounds of texts, shared by all bodies.

use crate::codec::DecodeError;

/// A one-line text of 1 to `max` bytes without control characters.
///
/// # Errors
/// [`DecodeError::Value`] otherwise.
pub fn line(text: &str, max: usize) -> Result<(), DecodeError> {
    all([(1..=max).contains(&text.len()), !text.chars().any(char::is_control)])
}

/// A one-line text that may be empty.
///
/// # Errors
/// [`DecodeError::Value`] otherwise.
pub fn optional_line(text: &str, max: usize) -> Result<(), DecodeError> {
    if text.is_empty() { Ok(()) } else { line(text, max) }
}

/// A text of at most `max` bytes whose only control character is the line feed.
///
/// # Errors
/// [`DecodeError::Value`] otherwise.
pub fn paragraph(text: &str, max: usize) -> Result<(), DecodeError> {
    all([text.len() <= max, !text.chars().any(|c| c.is_control() && c != '\n')])
}

/// Every one of some conditions.
///
/// # Errors
/// [`DecodeError::Value`] if one doesn't hold.
pub fn all<const N: usize>(conditions: [bool; N]) -> Result<(), DecodeError> {
    if conditions.into_iter().all(|holds| holds) { Ok(()) } else { Err(DecodeError::Value) }
}
