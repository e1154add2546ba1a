//! The engine through its boundary: the port, the files it leaves, and what happens when they are damaged or cut short.

mod answers;
mod crash;
mod damage;
mod ground;
mod housekeeping;
mod sample;
