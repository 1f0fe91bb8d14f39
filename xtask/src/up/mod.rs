//! Up: from a fresh clone to a token, with nothing to know beforehand.

mod example;
mod http;
mod server;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Outcome};
use example::Example;
use server::Server;

/// The throw-away data folder: it may be deleted whenever nothing runs in it.
const FOLDER: &str = "target/up";
const LOG: &str = "target/up.log";
const SECRET_BYTES: usize = 32;

/// What the caller of the task asks for.
struct Wish<'a> {
    /// Check the printed line, then stop.
    once: bool,
    /// Build without optimising: the way for tests.
    debug: bool,
    address: &'a str,
}

/// Builds Chancery, serves the example flow, gives it a secret made for this trial and says how to get a token.
pub(crate) fn command(root: &Path, arguments: &[&str]) -> Outcome {
    let wish = read(arguments)?;
    let example = Example::read(root)?;
    let binary = build(root, wish.debug)?;
    let mut server = Server::start(root, &binary, wish.address, &example)?;
    server.wait_for_answer()?;
    server.supply(&make_secret()?)?;
    server.expect_token()?;
    println!("{}", greeting(&wish, &example, &binary, root));
    if wish.once {
        return Ok(());
    }
    server.wait()
}

fn read<'a>(arguments: &[&'a str]) -> Outcome<Wish<'a>> {
    let mut wish = Wish { once: false, debug: false, address: "127.0.0.1:8080" };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--once" => wish.once = true,
            "--debug" => wish.debug = true,
            "--runtime" => wish.address = rest.next().ok_or_else(|| unknown("--runtime without an address"))?,
            other => return Err(unknown(other)),
        }
    }
    Ok(wish)
}

fn unknown(argument: &str) -> Failure {
    Failure::new(
        format!("`up` does not know `{argument}`"),
        "use `cargo xtask up [--once] [--debug] [--runtime ADDRESS:PORT]`",
    )
}

fn build(root: &Path, debug: bool) -> Outcome<PathBuf> {
    let profile = if debug { "debug" } else { "release" };
    println!("Building Chancery ({profile}; the first time takes some minutes) ...");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "cli"])
        .args((!debug).then_some("--release"))
        .current_dir(root)
        .status();
    match status {
        Ok(status) if status.success() => Ok(root.join("target").join(profile).join("chancery")),
        Ok(_) => Err(Failure::new(
            "Chancery does not build",
            "the compiler's words above name the place; a C compiler (`cc`) must be installed",
        )),
        Err(error) => {
            Err(Failure::new(format!("cargo cannot be started: {error}"), "install Rust from https://rustup.rs"))
        }
    }
}

/// A new random secret, as text.
fn make_secret() -> Outcome<String> {
    let mut octets = [0_u8; SECRET_BYTES];
    match File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut octets)) {
        Ok(()) => Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect()),
        Err(error) => Err(Failure::new(format!("no random octets: {error}"), "make /dev/urandom readable")),
    }
}

fn greeting(wish: &Wish<'_>, example: &Example, binary: &Path, root: &Path) -> String {
    let binary = binary.strip_prefix(root).unwrap_or(binary).display();
    format!(
        "
Chancery is up and serves {document}.

  {url}

  curl {url}

The flow came without a secret for its {kind} node `{name}`, as every export does.
A random one was made for this trial. To use your own, from the next request on:

  {binary} secret set {id} {field} --data {FOLDER}

Log: {LOG}. Stop with Ctrl-C.",
        document = example.document,
        url = format_args!("http://{}{}", wish.address, example.route),
        kind = example.secret.kind,
        name = example.secret.name,
        id = example.secret.id,
        field = example.secret.field,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let wish = read(&["--once", "--runtime", "127.0.0.1:9", "--debug"]).unwrap();
        assert!(wish.once && wish.debug);
        assert_eq!(wish.address, "127.0.0.1:9");
        assert!(read(&["--twice"]).is_err());
        assert!(read(&["--runtime"]).is_err());
    }

    #[test]
    fn a_secret_is_new_each_time() {
        let secret = make_secret().unwrap();
        assert_eq!(secret.len(), 2 * SECRET_BYTES);
        assert_ne!(secret, make_secret().unwrap());
    }
}
