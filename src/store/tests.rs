//! Stories about the store.

mod crash;
mod damage;
mod erase;
mod life;
mod places;
mod support;
mod twin;
