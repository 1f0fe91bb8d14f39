//! The master key: where it comes from, and how the same one is found again.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;
use jose::Random;
use zeroize::Zeroizing;

use crate::{Error, Secret, hex};

/// The shortest passphrase that a new store takes, in characters.
pub const MASTER_PASSPHRASE_CHARS_MIN: usize = 12;

const KEY_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// The cost of a new passphrase, RFC 9106 section 4, second recommendation: 64 MiB, three passes, four lanes.
const COST: Cost = Cost { memory_kib: 65_536, passes: 3, lanes: 4 };
/// The most that a stored root may ask of this machine, in KiB, passes and lanes.
const COST_MAX: Cost = Cost { memory_kib: 1 << 20, passes: 16, lanes: 16 };

/// The one place where the master key comes from.
pub enum MasterSource {
    /// A file of its own, mode 0400 or 0600, with 64 hexadecimal digits.
    File(PathBuf),
    /// A passphrase, stretched with Argon2id.
    Passphrase(Secret),
    /// An environment variable, by name and value: 64 hexadecimal digits. Whoever read it unsets it and warns, since
    /// other processes of the same user may read the environment that this one was started with.
    Environment {
        /// The variable.
        name: String,
        /// What it held.
        value: Secret,
    },
}

/// The master key, and how the store names it.
pub(crate) struct MasterKey {
    pub(crate) key: Zeroizing<[u8; KEY_BYTES]>,
    /// `key:` and a fingerprint, or `argon2id:` with cost and salt.
    pub(crate) root_id: String,
}

#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl MasterSource {
    /// The only one of the sources that a user named.
    ///
    /// # Errors
    /// [`Error::NoMasterKey`] for none, [`Error::SeveralMasterKeys`] for more than one.
    pub fn only(named: impl IntoIterator<Item = Self>) -> Result<Self, Error> {
        let mut named = named.into_iter();
        let only = named.next().ok_or(Error::NoMasterKey)?;
        match named.next() {
            Some(second) => Err(Error::SeveralMasterKeys { first: only.kind(), second: second.kind() }),
            None => Ok(only),
        }
    }

    /// What a user calls this source.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "a file",
            Self::Passphrase(_) => "a passphrase",
            Self::Environment { .. } => "an environment variable",
        }
    }

    /// The master key of a new store. A file that is not there is written.
    pub(crate) fn first(&self, random: &mut dyn Random) -> Result<MasterKey, Error> {
        match self {
            Self::File(path) if !path.exists() => write_new(path, random),
            Self::File(path) => read_file(path),
            Self::Passphrase(passphrase) => stretch_new(passphrase, random),
            Self::Environment { name, value } => from_digits(value.expose(), || format!("the variable {name}")),
        }
    }

    /// The master key of a store that names it `root_id`.
    pub(crate) fn again(&self, root_id: &str) -> Result<MasterKey, Error> {
        let stretched = parse_stretched(root_id)?;
        let key = match (self, stretched) {
            (Self::Passphrase(passphrase), Some((cost, salt))) => stretch(passphrase, cost, &salt)?,
            (Self::File(path), None) => read_file(path)?,
            (Self::Environment { name, value }, None) => {
                from_digits(value.expose(), || format!("the variable {name}"))?
            }
            (Self::Passphrase(_), None) => return Err(wrong("the store was not made with a passphrase")),
            (Self::File(_) | Self::Environment { .. }, Some(_)) => {
                return Err(wrong("the store was made with a passphrase"));
            }
        };
        if key.root_id != root_id {
            return Err(wrong(&format!("the store was sealed under `{root_id}`, this is `{}`", key.root_id)));
        }
        Ok(key)
    }
}

impl MasterKey {
    /// A key that nobody else will ever have, for a store in memory.
    pub(crate) fn draw(random: &mut dyn Random) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random.fill(&mut *key)?;
        Ok(Self::from_octets(key))
    }

    fn from_octets(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*key), b"chancery-root-id-1");
        let root_id = format!("key:{}", hex::encode(&mac.as_ref()[..8]));
        Self { key, root_id }
    }
}

fn write_new(path: &Path, random: &mut dyn Random) -> Result<MasterKey, Error> {
    let master = MasterKey::draw(random)?;
    let digits = Zeroizing::new(hex::encode(&*master.key));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
        file.write_all(digits.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written.map_err(file_error("write", path))?;
    Ok(master)
}

fn read_file(path: &Path) -> Result<MasterKey, Error> {
    let file = File::open(path).map_err(file_error("open", path))?;
    let mode = file.metadata().map_err(file_error("examine", path))?.mode() & 0o7777;
    if mode != 0o400 && mode != 0o600 {
        return Err(Error::MasterKeyOpenToOthers { path: path.to_owned(), mode });
    }
    // One octet more than the digits and a line end, so that a longer file is seen to be longer.
    let mut digits = Zeroizing::new(Vec::with_capacity(2 * KEY_BYTES + 3));
    file.take(2 * KEY_BYTES as u64 + 3).read_to_end(&mut digits).map_err(file_error("read", path))?;
    from_digits(&digits, || path.display().to_string())
}

fn from_digits(digits: &[u8], place: impl FnOnce() -> String) -> Result<MasterKey, Error> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    if !hex::decode(digits.trim_ascii_end(), &mut *key) {
        return Err(Error::MasterKeyForm { place: place() });
    }
    Ok(MasterKey::from_octets(key))
}

fn stretch_new(passphrase: &Secret, random: &mut dyn Random) -> Result<MasterKey, Error> {
    let found = String::from_utf8_lossy(passphrase.expose()).chars().count();
    if found < MASTER_PASSPHRASE_CHARS_MIN {
        return Err(Error::PassphraseTooShort { found, min: MASTER_PASSPHRASE_CHARS_MIN });
    }
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt)?;
    stretch(passphrase, COST, &salt)
}

fn stretch(passphrase: &Secret, cost: Cost, salt: &[u8; SALT_BYTES]) -> Result<MasterKey, Error> {
    const UNUSABLE: Error = Error::Root { why: "its Argon2id cost is out of range" };
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_BYTES)).map_err(|_| UNUSABLE)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose(), salt, &mut *key)
        .map_err(|_| UNUSABLE)?;
    let Cost { memory_kib, passes, lanes } = cost;
    let root_id = format!("argon2id:m={memory_kib},t={passes},p={lanes}:{}", hex::encode(salt));
    Ok(MasterKey { key, root_id })
}

/// The cost and salt of a stretched root, or nothing for a plain key.
fn parse_stretched(root_id: &str) -> Result<Option<(Cost, [u8; SALT_BYTES])>, Error> {
    if root_id.starts_with("key:") {
        return Ok(None);
    }
    let parsed = root_id.strip_prefix("argon2id:").and_then(|rest| {
        let (cost, digits) = rest.split_once(':')?;
        let mut salt = [0; SALT_BYTES];
        hex::decode(digits.as_bytes(), &mut salt).then_some((parse_cost(cost)?, salt))
    });
    parsed.map(Some).ok_or(Error::Root { why: "its root_id is of no kind known here" })
}

fn parse_cost(text: &str) -> Option<Cost> {
    let mut numbers = text.split(',');
    let mut number = |name| numbers.next()?.strip_prefix(name)?.parse().ok();
    let cost = Cost { memory_kib: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
    let bounded =
        cost.memory_kib <= COST_MAX.memory_kib && cost.passes <= COST_MAX.passes && cost.lanes <= COST_MAX.lanes;
    (bounded && numbers.next().is_none()).then_some(cost)
}

fn wrong(why: &str) -> Error {
    Error::WrongMasterKey { why: why.to_owned() }
}

fn file_error(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::MasterKeyFile { doing, path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::RandomPool;

    fn file(path: &Path) -> MasterSource {
        MasterSource::File(path.to_owned())
    }

    fn code(result: Result<MasterKey, Error>) -> &'static str {
        result.err().map_or("fine", |error| error.code())
    }

    #[test]
    fn a_file_is_written_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let first = file(&path).first(&mut RandomPool::new()).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        let second = file(&path).first(&mut RandomPool::new()).unwrap();
        let third = file(&path).again(&first.root_id).unwrap();
        assert!(first.key == second.key && first.key == third.key);
    }

    #[test]
    fn a_file_must_be_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let root_id = file(&path).first(&mut RandomPool::new()).unwrap().root_id;
        for (mode, expected) in [
            (0o400, "fine"),
            (0o600, "fine"),
            (0o640, "master_key_open_to_others"),
            (0o604, "master_key_open_to_others"),
            (0o700, "master_key_open_to_others"),
        ] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(code(file(&path).again(&root_id)), expected, "{mode:o}");
        }
    }

    #[test]
    fn only_sixty_four_digits_are_a_key() {
        let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
        for (value, expected) in [
            (digits.clone(), "fine"),
            (digits.clone() + "\n", "fine"),
            (digits.clone() + "0", "master_key_form"),
            (digits[1..].to_owned(), "master_key_form"),
            (digits.replace('0', "g"), "master_key_form"),
            (String::new(), "master_key_form"),
            ("correct horse battery staple".to_owned(), "master_key_form"),
        ] {
            let value = Secret::new(value.into_bytes());
            let source = MasterSource::Environment { name: "CHANCERY_MASTER_KEY".to_owned(), value };
            assert_eq!(code(source.first(&mut RandomPool::new())), expected);
        }
    }

    #[test]
    fn a_passphrase_is_stretched_under_the_stored_salt() {
        let source = |text: &str| MasterSource::Passphrase(Secret::new(text.into()));
        let first = source("correct horse").first(&mut RandomPool::new()).unwrap();
        let second = source("correct horse").first(&mut RandomPool::new()).unwrap();
        assert!(first.key != second.key, "each store has its own salt");
        assert!(source("correct horse").again(&first.root_id).unwrap().key == first.key);
        assert!(source("correct house").again(&first.root_id).unwrap().key != first.key);
        assert_eq!(code(source("eleven char").first(&mut RandomPool::new())), "passphrase_too_short");
    }

    #[test]
    fn a_source_of_another_kind_or_key_is_the_wrong_one() {
        let environment = |digit: &str| MasterSource::Environment {
            name: "KEY".to_owned(),
            value: Secret::new(digit.repeat(64).into_bytes()),
        };
        let passphrase = MasterSource::Passphrase(Secret::new(b"correct horse".to_vec()));
        let one = environment("1").first(&mut RandomPool::new()).unwrap().root_id;
        let stretched = passphrase.first(&mut RandomPool::new()).unwrap().root_id;
        assert_eq!(code(environment("2").again(&one)), "wrong_master_key");
        assert_eq!(code(environment("1").again(&stretched)), "wrong_master_key");
        assert_eq!(code(passphrase.again(&one)), "wrong_master_key");
    }

    #[test]
    fn a_root_that_asks_too_much_is_refused() {
        let passphrase = MasterSource::Passphrase(Secret::new(b"correct horse".to_vec()));
        let salt = "00".repeat(SALT_BYTES);
        for root_id in [
            format!("argon2id:m=4294967295,t=3,p=4:{salt}"),
            format!("argon2id:m=65536,t=17,p=4:{salt}"),
            format!("argon2id:m=65536,t=3,p=4,x=1:{salt}"),
            format!("argon2id:m=65536,t=0,p=4:{salt}"),
            "argon2id:m=65536,t=3,p=4:00".to_owned(),
            "scrypt:n=1".to_owned(),
        ] {
            assert_eq!(code(passphrase.again(&root_id)), "root_unreadable", "{root_id}");
        }
    }

    #[test]
    fn exactly_one_source_is_named() {
        let sources = |count| (0..count).map(|_| MasterSource::File("key".into()));
        assert!(MasterSource::only(sources(1)).is_ok());
        assert_eq!(MasterSource::only(sources(0)).err().unwrap().code(), "no_master_key");
        assert_eq!(MasterSource::only(sources(2)).err().unwrap().code(), "several_master_keys");
    }
}
