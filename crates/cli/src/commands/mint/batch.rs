//! `mint --batch`: a token for each line, in order, on all cores, in constant memory.

mod interrupt;
mod lines;
mod progress;
mod workers;

use std::io::Read;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use self::interrupt::Interrupt;
use self::lines::Lines;
use self::progress::Progress;
use self::workers::{Minting, Next, Outcome};
use super::kind::Kind;
use crate::args::mint::BatchArguments;
use crate::exit::{ExitCode, Failure};
use crate::time::Clock;
use crate::voice::{Heard, Voice};

/// The longest wait before signals and the progress are looked at again.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// Mints a token for each line of `source`, whose size is known if it is a file.
pub(super) fn run(
    kind: Kind,
    (source, octets_total): (Box<dyn Read + Send>, Option<u64>),
    arguments: &BatchArguments,
    clock: Clock,
    voice: Voice,
) -> Result<ExitCode, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = arguments.jobs.map_or(cores, |jobs| jobs.get().min(cores));
    let interrupt = Interrupt::watch()?;
    let kind = Arc::new(kind);
    let mut minting = Minting::start(&kind, Lines::new(source), jobs, clock);
    let mut output = Output {
        kind: &kind,
        voice,
        fail_fast: arguments.fail_fast,
        minted: 0,
        refused: 0,
        octets_read: 0,
        progress: Progress::new(arguments.progress, voice, octets_total),
    };
    let ended = loop {
        if interrupt.came() {
            break Ended::Interrupted;
        }
        match minting.next(WAIT_MAX) {
            Next::Outcomes(outcomes, octets_read) => {
                output.octets_read = octets_read;
                if let Some(ended) = output.write(outcomes)? {
                    break ended;
                }
            }
            Next::Nothing => {}
            Next::End => break Ended::Whole,
            Next::Failed(failure) => return Err(failure),
        }
        output.progress.tick(output.minted + output.refused, output.octets_read);
    };
    Ok(output.close(ended))
}

/// How a batch ends.
enum Ended {
    /// With its last line.
    Whole,
    /// At a bad line.
    FailedFast,
    /// By a signal.
    Interrupted,
    /// Because nobody reads any more.
    PipeClosed,
}

/// Writes outcomes and counts them.
struct Output<'k> {
    kind: &'k Kind,
    voice: Voice,
    fail_fast: bool,
    minted: u64,
    refused: u64,
    octets_read: u64,
    progress: Progress,
}

impl Output<'_> {
    /// Writes whole lines; says how the batch ends, if it does here.
    fn write(&mut self, outcomes: Vec<Outcome>) -> Result<Option<Ended>, Failure> {
        let mut text = Vec::new();
        let mut ended = None;
        for outcome in outcomes {
            let failed = outcome.minted.is_err();
            self.line(outcome, &mut text);
            if failed && self.fail_fast {
                ended = Some(Ended::FailedFast);
                break;
            }
        }
        match self.voice.octets(&[&text])? {
            Heard::Whole => Ok(ended),
            Heard::PipeClosed => Ok(Some(Ended::PipeClosed)),
        }
    }

    /// A token, an empty line, or an object that tells of either.
    fn line(&mut self, outcome: Outcome, text: &mut Vec<u8>) {
        let line = outcome.line;
        match outcome.minted {
            Ok(minted) => {
                self.minted += 1;
                super::warn_of_cut(&minted, Some(line), self.voice);
                if self.voice.is_json() {
                    let mut told = super::as_json(self.kind, &minted);
                    told["line"] = json!(line);
                    text.extend_from_slice(told.to_string().as_bytes());
                } else {
                    text.extend_from_slice(minted.token.as_bytes());
                }
            }
            Err(failure) => {
                self.refused += 1;
                if self.voice.is_json() {
                    let told = json!({ "line": line, "code": failure.code, "message": failure.message });
                    text.extend_from_slice(told.to_string().as_bytes());
                } else {
                    self.progress.clear();
                    self.voice.warn(format!("line {line}: {}", failure.message));
                }
            }
        }
        text.push(b'\n');
    }

    fn close(mut self, ended: Ended) -> ExitCode {
        self.progress.clear();
        let (minted, refused) = (self.minted, self.refused);
        let took = self.progress.elapsed_secs();
        match ended {
            Ended::PipeClosed => return ExitCode::Done,
            Ended::Interrupted => {
                self.voice.say(format!("interrupted after {} lines", minted + refused));
                return ExitCode::Interrupted;
            }
            Ended::Whole | Ended::FailedFast => {}
        }
        self.voice.say(format!("{} lines, {minted} tokens, {refused} refused, in {took:.1} s", minted + refused));
        if refused > 0 { ExitCode::Refused } else { ExitCode::Done }
    }
}
