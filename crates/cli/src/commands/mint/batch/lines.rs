//! Lines of a file or pipe, handed on as they come and never longer than a bound.

use std::io::{self, Read};

use crate::exit::{ExitCode, Failure};

/// The longest line, in octets.
const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Octets asked for at a time: so many lines are one piece of work.
const READ_BYTES: usize = 16 * 1024;

/// Cuts what is read into lines.
pub(super) struct Lines<R> {
    source: R,
    /// The beginning of a line whose end was not read yet.
    begun: Line,
    next_number: u64,
    octets_read: u64,
    ended: bool,
}

/// Lines that were read together.
pub(super) struct Piece {
    /// The number of the first one, counted from 1.
    pub(super) first_number: u64,
    /// The lines, without their ends.
    pub(super) lines: Vec<Line>,
    /// Octets read so far.
    pub(super) octets_read: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its octets.
    Whole(Vec<u8>),
    /// It is longer than 2 MiB.
    TooLong,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, begun: Line::Whole(Vec::new()), next_number: 1, octets_read: 0, ended: false }
    }

    /// The lines that are there by now; waits for one at least. `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Piece, Failure>> {
        let mut lines = Vec::new();
        let mut octets = vec![0; READ_BYTES];
        while lines.is_empty() && !self.ended {
            match self.source.read(&mut octets) {
                Ok(0) => {
                    self.ended = true;
                    let last = std::mem::replace(&mut self.begun, Line::Whole(Vec::new()));
                    lines.extend((last != Line::Whole(Vec::new())).then_some(last));
                }
                Ok(count) => self.cut(&octets[..count], &mut lines),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    let told = format!("cannot read on after {} octets: {error}", self.octets_read);
                    return Some(Err(Failure::new(ExitCode::Missing, "file_missing", told)));
                }
            }
        }
        let first_number = self.next_number;
        self.next_number += lines.len() as u64;
        (!lines.is_empty()).then_some(Ok(Piece { first_number, lines, octets_read: self.octets_read }))
    }

    fn cut(&mut self, octets: &[u8], lines: &mut Vec<Line>) {
        self.octets_read += octets.len() as u64;
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            let text = part.strip_suffix(b"\n");
            self.begun.push(text.unwrap_or(part));
            if text.is_some() {
                lines.push(std::mem::replace(&mut self.begun, Line::Whole(Vec::new())));
            }
        }
    }
}

impl Line {
    fn push(&mut self, more: &[u8]) {
        if let Self::Whole(octets) = self {
            if octets.len() + more.len() > LINE_BYTES_MAX {
                *self = Self::TooLong;
            } else {
                octets.extend_from_slice(more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives at most so many octets a time, as a pipe does.
    struct Drops<'t>(&'t [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(text: &[u8], at_a_time: usize) -> Vec<(u64, Line)> {
        let mut lines = Lines::new(Drops(text, at_a_time));
        let mut all = Vec::new();
        while let Some(piece) = lines.next() {
            let piece = piece.unwrap();
            all.extend((piece.first_number..).zip(piece.lines));
        }
        all
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let line = |text: &str| Line::Whole(text.into());
        for at_a_time in [1, 2, 3, 100] {
            let expected = vec![(1, line("one")), (2, line("")), (3, line("three"))];
            assert_eq!(read(b"one\n\nthree", at_a_time), expected);
            assert_eq!(read(b"one\n\nthree\n", at_a_time), expected, "a last line end is no line of its own");
            assert_eq!(read(b"", at_a_time), vec![]);
        }
    }

    #[test]
    fn a_long_line_is_passed_over_and_costs_no_memory() {
        let exact = vec![b'x'; LINE_BYTES_MAX];
        let text = [exact.as_slice(), b"\nx", exact.as_slice(), b"\nshort\n"].concat();
        let lines = read(&text, READ_BYTES);
        assert_eq!(lines[0], (1, Line::Whole(exact)));
        assert_eq!(lines[1..], [(2, Line::TooLong), (3, Line::Whole(b"short".to_vec()))]);
    }
}
