//! The connectors at their public boundary: files in, batches and problems out.

#[cfg(test)]
mod export;
#[cfg(test)]
mod own_rows;
#[cfg(test)]
mod seeds;
