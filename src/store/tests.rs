//! Stories about the store.

mod life;
mod support;
mod twin;
