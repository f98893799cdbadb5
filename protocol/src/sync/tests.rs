//! Sessions against members that lie, flood, tease and loop, and strangers that probe.

mod bounds;
mod liars;
mod strangers;
mod tree;
mod turns;
mod up;
mod world;
