//! What one thread needs to work through a partition.

use super::persons::Member;
use super::piece::{Piece, Stretch};

/// A thinned piece hands over the rows between as well: they are masked again.
pub(crate) fn member(person: u32, piece: &Piece, stretch: &Stretch) -> Member {
    let (first_row, end_row) = (piece.row(stretch.start) as u32, piece.row(stretch.end - 1) as u32 + 1);
    Member { person, source: piece.source as u32, chunk: piece.chunk as u32, first_row, end_row, hash: stretch.hash }
}

/// Where a visitor's rows begin in the partition; they end where the next one's begin.
#[derive(Clone, Copy)]
pub(crate) struct RunStart {
    pub hash: u64,
    pub start: u32,
    pub piece: u32,
}

/// Where a source stands among the partition's runs.
pub(crate) struct Cursor {
    pub next: usize,
    pub end: usize,
}

/// What one thread needs for a partition; kept from one to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    pub mask: Vec<u8>,
    pub pieces: Vec<Piece>,
    /// Source after source, each closed by an entry of its own.
    pub runs: Vec<RunStart>,
    pub cursors: Vec<Cursor>,
    pub heads: Vec<u64>,
    pub stretches: Vec<Stretch>,
    /// Visitors to be brought together with others of the same person; kept over all partitions.
    pub members: Vec<Member>,
}

impl Scratch {
    pub fn clear(&mut self) {
        self.mask.clear();
        self.pieces.clear();
        self.runs.clear();
        self.cursors.clear();
        self.stretches.clear();
    }
}
