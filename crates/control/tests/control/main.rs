//! The control plane at its public boundary, in scratch folders, with a clock that stands still.

#[cfg(test)]
mod ads;
#[cfg(test)]
mod ads_imported;
#[cfg(test)]
mod ads_sums;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod conversions;
#[cfg(test)]
mod currency_rates;
#[cfg(test)]
mod installation;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod saved;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod workspaces;
#[cfg(test)]
mod world;
