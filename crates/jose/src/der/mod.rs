//! The piece of DER (X.690) that keys and certificates need: one strict reader, one writer.

pub(crate) mod oid;
mod write;

pub(crate) use write::{integer, rsa_public_key, sec1_private_key, sequence, tlv};

/// Tags, with class and form bits as they stand in the octet.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const NULL: u8 = 0x05;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const SEQUENCE: u8 = 0x30;

    /// A context tag around other values.
    pub(crate) const fn explicit(number: u8) -> u8 {
        0xA0 | number
    }

    /// A context tag in place of a primitive one.
    pub(crate) const fn implicit(number: u8) -> u8 {
        0x80 | number
    }
}

/// The octets are not the DER that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DerError;

/// Reads the values of one container in turn.
#[derive(Clone, Copy)]
pub(crate) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The next value: its tag and content. Lengths are definite and minimal, tags of one octet.
    pub(crate) fn any(&mut self) -> Result<(u8, &'a [u8]), DerError> {
        let [tag, length, rest @ ..] = self.0 else {
            return Err(DerError);
        };
        if tag & 0x1F == 0x1F {
            return Err(DerError);
        }
        let (octets, rest) = match *length {
            short @ 0..0x80 => (usize::from(short), rest),
            long @ 0x81..=0x84 => long_length(rest, usize::from(long & 0x7F))?,
            0x80 | 0x85.. => return Err(DerError),
        };
        let (content, rest) = rest.split_at_checked(octets).ok_or(DerError)?;
        self.0 = rest;
        Ok((*tag, content))
    }

    pub(crate) fn value(&mut self, tag: u8) -> Result<&'a [u8], DerError> {
        self.optional(tag)?.ok_or(DerError)
    }

    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, DerError> {
        if self.0.first() != Some(&tag) {
            return Ok(None);
        }
        self.any().map(|(_, content)| Some(content))
    }

    pub(crate) fn sequence(&mut self) -> Result<Self, DerError> {
        self.value(tag::SEQUENCE).map(Self)
    }

    /// A whole number that is not negative, big endian, without leading zeros (zero is empty).
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], DerError> {
        match self.value(tag::INTEGER)? {
            [] | [0x80..=0xFF, ..] | [0, 0..0x80, ..] => Err(DerError),
            [0, rest @ ..] => Ok(rest),
            all => Ok(all),
        }
    }

    /// A bit string of whole octets.
    pub(crate) fn bits(&mut self) -> Result<&'a [u8], DerError> {
        self.value(tag::BIT_STRING)?.strip_prefix(&[0]).ok_or(DerError)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn end(&self) -> Result<(), DerError> {
        if self.is_empty() { Ok(()) } else { Err(DerError) }
    }
}

/// The one sequence that `octets` are.
pub(crate) fn whole(octets: &[u8]) -> Result<Der<'_>, DerError> {
    let mut outer = Der::new(octets);
    let inner = outer.sequence()?;
    outer.end()?;
    Ok(inner)
}

fn long_length(rest: &[u8], octets: usize) -> Result<(usize, &[u8]), DerError> {
    let (length, rest) = rest.split_at_checked(octets).ok_or(DerError)?;
    let value = length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
    let minimal = length[0] != 0 && value >= 0x80;
    if minimal { Ok((value, rest)) } else { Err(DerError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_encoding_is_read() {
        let good: &[&[u8]] = &[&[0x02, 1, 0], &[0x02, 2, 0, 0x80], &[0x04, 0x81, 0x80]];
        for octets in &good[..2] {
            assert!(Der::new(octets).unsigned().is_ok(), "{octets:02x?}");
        }
        let mut long = vec![0x04, 0x81, 0x80];
        long.resize(3 + 0x80, 7);
        assert_eq!(Der::new(&long).value(tag::OCTET_STRING).unwrap().len(), 0x80);
        let bad: &[&[u8]] = &[
            &[],
            &[0x02],
            &[0x02, 0],
            &[0x02, 2, 0],
            &[0x02, 1, 0x80],
            &[0x02, 2, 0, 0x7F],
            &[0x02, 0x81, 1, 5],
            &[0x02, 0x82, 0, 1, 5],
            &[0x02, 0x80, 5, 0, 0],
            &[0x02, 0x85, 0, 0, 0, 0, 1, 5],
            &[0x1F, 1, 0],
            &[0x04, 1, 5],
        ];
        for octets in bad {
            assert_eq!(Der::new(octets).unsigned(), Err(DerError), "{octets:02x?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let written = sequence(&[&integer(&[0x80, 1]), &integer(&[]), &tlv(tag::OCTET_STRING, &[&[9; 300]])]);
        let mut read = whole(&written).unwrap();
        assert_eq!(read.unsigned().unwrap(), [0x80, 1]);
        assert!(read.unsigned().unwrap().is_empty());
        assert_eq!(read.value(tag::OCTET_STRING).unwrap(), [9; 300]);
        assert!(read.end().is_ok());
    }
}
