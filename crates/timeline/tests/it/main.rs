//! The engine through its boundary: the port, the files it leaves, and what happens when they are damaged or cut short.

// `cfg(test)` tells clippy that helpers beside the tests are test code too.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod ground;
#[cfg(test)]
mod housekeeping;
#[cfg(test)]
mod old_formats;
#[cfg(test)]
mod sample;
mod windows;
