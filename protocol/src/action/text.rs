//! Bounds of texts, shared by all bodies.

use crate::codec::DecodeError;

/// A one-line text of 1 to `max` bytes without control characters.
///
/// # Errors
/// [`DecodeError::Text`] otherwise.
pub fn line(field: &'static str, text: &str, max: usize) -> Result<(), DecodeError> {
    let fits = (1..=max).contains(&text.len()) && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(DecodeError::Text { field, max }) }
}

/// A one-line text that may be empty.
///
/// # Errors
/// [`DecodeError::Text`] otherwise.
pub fn optional_line(field: &'static str, text: &str, max: usize) -> Result<(), DecodeError> {
    if text.is_empty() { Ok(()) } else { line(field, text, max) }
}

/// A text of at most `max` bytes whose only control character is the line feed.
///
/// # Errors
/// [`DecodeError::Text`] otherwise.
pub fn paragraph(field: &'static str, text: &str, max: usize) -> Result<(), DecodeError> {
    let fits = text.len() <= max && !text.chars().any(|c| c.is_control() && c != '\n');
    if fits { Ok(()) } else { Err(DecodeError::Text { field, max }) }
}

/// Every one of some conditions.
///
/// # Errors
/// [`DecodeError::Value`] if one doesn't hold.
pub fn all<const N: usize>(conditions: [bool; N]) -> Result<(), DecodeError> {
    if conditions.into_iter().all(|holds| holds) { Ok(()) } else { Err(DecodeError::Value) }
}
