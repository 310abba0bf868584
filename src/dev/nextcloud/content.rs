//! What a file holds: the pieces that came off the wire, shared and never copied together.
//!
//! A version, a copy and an assembled upload share their pieces. What is all zeros is only counted, so that a test can send a
//! gigabyte of them without the memory for it.

use bytes::Bytes;

/// Smaller pieces are copied, for each may hold on to a whole read buffer.
const SMALL: usize = 4 * 1024;
/// At most so much is handed out at once.
const BLOCK: u64 = 64 * 1024;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

#[derive(Clone, Debug)]
enum Piece {
    Bytes(Bytes),
    Zeros(u64),
}

/// Bytes in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pieces: Vec<Piece>,
    len: u64,
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        let mut content = Self::default();
        content.push(bytes);
        content
    }
}

// === impl Content ===

impl Content {
    /// How many bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len() as u64;
        let zeros = bytes.len() >= SMALL && bytes.chunks(ZEROS.len()).all(|chunk| ZEROS.starts_with(chunk));
        match (self.pieces.last_mut(), zeros) {
            (Some(Piece::Zeros(count)), true) => *count += bytes.len() as u64,
            (_, true) => self.pieces.push(Piece::Zeros(bytes.len() as u64)),
            _ if bytes.len() < SMALL => self.pieces.push(Piece::Bytes(Bytes::copy_from_slice(&bytes))),
            _ => self.pieces.push(Piece::Bytes(bytes)),
        }
    }

    /// Puts another's pieces behind its own.
    pub(super) fn append(&mut self, mut other: Self) {
        self.len += other.len;
        self.pieces.append(&mut other.pieces);
    }

    /// All of it in one, for what is known to be small.
    pub(super) fn whole(&self) -> Bytes {
        match self.pieces.as_slice() {
            [Piece::Bytes(one)] => one.clone(),
            _ => self.blocks(0, self.len).flatten().collect::<Vec<u8>>().into(),
        }
    }

    /// What stands from `start` to before `end`, in blocks.
    pub(super) fn blocks(&self, start: u64, end: u64) -> impl Iterator<Item = Bytes> + Send + use<> {
        let (mut skip, mut left) = (start, end.min(self.len).saturating_sub(start));
        let mut pieces = self.pieces.clone().into_iter();
        let mut current: Option<Piece> = None;
        std::iter::from_fn(move || {
            while left > 0 {
                let piece = current.take().or_else(|| pieces.next())?;
                let length = piece.len();
                if skip >= length {
                    skip -= length;
                    continue;
                }
                let count = (length - skip).min(left).min(BLOCK);
                let (block, rest) = piece.cut(skip, count);
                (skip, left, current) = (0, left - count, rest);
                return Some(block);
            }
            None
        })
    }
}

// === impl Piece ===

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Zeros(count) => *count,
        }
    }

    /// `count` bytes after the first `skip` (at most a block), and what stands behind them.
    fn cut(self, skip: u64, count: u64) -> (Bytes, Option<Self>) {
        let size = usize::try_from(count).unwrap_or_default();
        match self {
            Self::Zeros(all) => {
                let rest = all - skip - count;
                (Bytes::from_static(&ZEROS).slice(..size), (rest > 0).then_some(Self::Zeros(rest)))
            }
            Self::Bytes(bytes) => {
                let mut rest = bytes.slice(usize::try_from(skip).unwrap_or_default()..);
                let block = rest.split_to(size);
                (block, (!rest.is_empty()).then_some(Self::Bytes(rest)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_is_what_was_put_there() {
        let mut content = Content::default();
        let parts: [&[u8]; 4] = [b"hello ", &[0; 200_000], &[7; 100_000], b" end"];
        parts.iter().for_each(|part| content.push(Bytes::copy_from_slice(part)));
        let flat = parts.concat();
        assert_eq!(content.whole(), flat);
        for (start, end) in [(0, 3), (5, 7), (199_000, 210_000), (6, 300_010), (300_009, 900_000), (400_000, 400_001)] {
            let (from, to) = (flat.len().min(start), flat.len().min(end));
            let read: Vec<u8> = content.blocks(start as u64, end as u64).flatten().collect();
            assert!(read == flat[from..to], "{start} to {end}");
        }
    }

    #[test]
    fn zeros_are_only_counted() {
        let mut content = Content::default();
        (0..3).for_each(|_| content.push(Bytes::from(vec![0; 100_000])));
        assert_eq!((content.len(), content.pieces.len()), (300_000, 1));
    }
}
