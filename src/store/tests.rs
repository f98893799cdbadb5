//! Stories about the store.

mod crash;
mod damage;
mod duress;
mod erase;
mod golden;
mod life;
mod places;
#[cfg(unix)]
mod power;
mod reading;
#[cfg(unix)]
mod recorder;
mod support;
mod twin;
