//! One script, built: its own engine, its surface and its source, run one turn at a time within its bounds.

use std::rc::Rc;

use plan::{Fault, FaultKind, Map, Text, Value};
use rquickjs::context::{ContextBuilder, EvalOptions, intrinsic};
use rquickjs::{Context, Ctx, Error, Function, Object, Persistent, Result, Runtime, Value as JsValue};

use super::channel::Channel;
use super::convert::Exchange;
use super::desk::Desk;
use super::turn::SCRIPT_JOBS_MAX;
use super::{Entry, host};
use crate::frame::Program;
use crate::speech::SyntaxFault;

/// The most memory a script may hold (security contract, section 5).
pub(super) const SCRIPT_HEAP_BYTES_MAX: usize = 64 << 20;
/// How deep a script may call (security contract, section 5).
pub(super) const SCRIPT_STACK_BYTES_MAX: usize = 256 << 10;
/// Processor time for reading a surface and a source.
const BUILD_CPU_MS: u32 = 2_000;
/// Processor time for handing out what a turn left to its end.
const FLUSH_CPU_MS: u32 = 100;
/// Ways out of the realm, and shared memory, which no script gets.
const WITHHELD: [&str; 6] = ["Atomics", "SharedArrayBuffer", "queueMicrotask", "navigator", "gc", "print"];

/// All that ECMAScript has, without the clocks of `performance`.
type Language = (
    (intrinsic::Date, intrinsic::Eval, intrinsic::RegExpCompiler, intrinsic::RegExp, intrinsic::Json, intrinsic::Proxy),
    (intrinsic::MapSet, intrinsic::TypedArrays, intrinsic::Promise, intrinsic::WeakRef),
);

/// Fields end in this order: what lives in the engine before the engine.
pub(super) struct Realm {
    hooks: Hooks,
    desk: Rc<Desk>,
    context: Context,
    cpu_ms: u32,
}

/// What a surface answers to.
struct Hooks {
    begin: Persistent<Function<'static>>,
    enter: Persistent<Function<'static>>,
    end: Persistent<Function<'static>>,
    flush: Persistent<Function<'static>>,
}

/// Why a script could not be built.
pub(super) enum Broken {
    /// One of its sources is no program.
    Syntax(SyntaxFault),
    /// Anything else.
    Other(Text),
}

/// How a turn ended.
enum Verdict {
    Paused,
    TimeUp,
    TooManyJobs,
    Exhausted,
    /// The surface told of it already, and the realm is of no more use.
    Spoiled,
    Threw(String),
}

impl Broken {
    /// As each message must hear of it.
    pub(super) fn fault(&self) -> Fault {
        let text = match self {
            Self::Syntax(fault) => format!("SyntaxError: {} (line {})", fault.message, fault.line),
            Self::Other(text) => text.to_string(),
        };
        Fault::new(FaultKind::ScriptUnavailable, text)
    }
}

impl Realm {
    pub(super) fn build(channel: &Rc<Channel>, program: &Program) -> std::result::Result<Self, Broken> {
        let desk = Rc::new(Desk::new(channel));
        desk.budget.start(BUILD_CPU_MS);
        let other = |error: Error| Broken::Other(error.to_string().into());
        let runtime = Runtime::new().map_err(other)?;
        runtime.set_memory_limit(SCRIPT_HEAP_BYTES_MAX);
        runtime.set_max_stack_size(SCRIPT_STACK_BYTES_MAX);
        let watched = desk.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || watched.budget.check())));
        let context = ContextBuilder::default().with::<Language>().build(&runtime).map_err(other)?;
        let hooks = context.with(|ctx| {
            furnish(&ctx, &desk, program).map_err(|error| {
                let told = told(&ctx, error);
                desk.clear();
                desk.syntax
                    .take()
                    .map_or_else(|| Broken::Other(told.unwrap_or_else(out_of_memory).into()), Broken::Syntax)
            })
        })?;
        Ok(Self { hooks, desk, context, cpu_ms: program.cpu_ms })
    }

    /// When the next timer of the script is due.
    pub(super) fn due(&self) -> Option<u64> {
        self.desk.due()
    }

    /// Runs one turn of a call. Whether the realm can go on.
    pub(super) fn turn(&mut self, call: u64, fresh: bool, entry: Entry) -> bool {
        self.desk.open(call);
        let hooks = &self.hooks;
        let verdict = self.run(call, |ctx, desk, exchange| {
            let begins = matches!(entry, Entry::Begin);
            if fresh {
                hooks.begin.clone().restore(ctx)?.call::<_, ()>((call as f64, begins))?;
            }
            match entry {
                Entry::Begin if fresh => Ok(()),
                Entry::Begin => {
                    desk.settle(call);
                    Ok(())
                }
                Entry::Message(message, cells) => {
                    let cells = desk.open_cells(ctx, exchange, call, cells)?;
                    let message = exchange.enter(&message, &cells)?;
                    hooks.enter.clone().restore(ctx)?.call((call as f64, message))
                }
                Entry::End => hooks.end.clone().restore(ctx)?.call((call as f64,)),
            }
        });
        self.conclude(call, verdict, None)
    }

    /// Runs the timer that is due, if one is. Whether the realm can go on.
    pub(super) fn tick(&mut self) -> bool {
        let Some((call, run)) = self.desk.take_due() else { return true };
        let verdict = self.run(call, |ctx, _, _| run.restore(ctx)?.call(()));
        self.conclude(call, verdict, Some(Map::new().into()))
    }

    /// Calls back what waits for this wish, if it still does. Whether the realm can go on.
    pub(super) fn fulfil(&mut self, call: u64, id: u32, outcome: std::result::Result<Value, Text>) -> bool {
        let Some(run) = self.desk.take_wish(call, id) else { return true };
        let verdict = self.run(call, |ctx, _, exchange| {
            let run = run.restore(ctx)?;
            match &outcome {
                Ok(value) => run.call(((), exchange.enter(value, &[])?)),
                Err(why) => run.call((&**why,)),
            }
        });
        self.conclude(call, verdict, Some(Map::new().into()))
    }

    /// Ends a call that nobody listens to.
    pub(super) fn abandon(&mut self, call: u64) {
        self.desk.abandon(call);
        self.desk.forget(call);
    }

    fn run(&self, call: u64, start: impl for<'js> FnOnce(&Ctx<'js>, &Desk, &Exchange<'js>) -> Result<()>) -> Verdict {
        self.desk.budget.start(self.cpu_ms);
        self.context.with(|ctx| {
            let verdict = match self.desk.exchange(&ctx, call) {
                Ok(exchange) => match start(&ctx, &self.desk, &exchange) {
                    Ok(()) => self.work_off(&ctx),
                    Err(error) => told(&ctx, error).map_or(Verdict::Exhausted, Verdict::Threw),
                },
                Err(_) => Verdict::Exhausted,
            };
            let verdict = if self.desk.budget.is_spent() { Verdict::TimeUp } else { verdict };
            self.hand_out(&ctx, call);
            if self.desk.exhausted.get() { Verdict::Spoiled } else { verdict }
        })
    }

    /// Runs the promise jobs that are pending, and those that these bring up.
    fn work_off(&self, ctx: &Ctx<'_>) -> Verdict {
        for _ in 0..SCRIPT_JOBS_MAX {
            if !ctx.execute_pending_job() {
                return Verdict::Paused;
            }
            if self.desk.budget.is_spent() {
                return Verdict::TimeUp;
            }
        }
        Verdict::TooManyJobs
    }

    /// Takes what was sent without a copy, and the variables and cells that changed, as they are at the turn's end.
    fn hand_out(&self, ctx: &Ctx<'_>, call: u64) {
        self.desk.budget.start(FLUSH_CPU_MS);
        let handed = self.hooks.flush.clone().restore(ctx).and_then(|flush| flush.call::<_, ()>(()));
        let told_back = self.desk.exchange(ctx, call).and_then(|exchange| {
            self.desk.variables.write_back(&self.desk.asking(ctx, &exchange, call))?;
            self.desk.tell_cells(ctx, &exchange, call)
        });
        for error in [handed, told_back].into_iter().filter_map(std::result::Result::err) {
            let text = told(ctx, error).unwrap_or_else(out_of_memory);
            self.desk.fault(call, FaultKind::Script, &text, None);
        }
    }

    /// Tells how the turn ended. Whether the realm can go on.
    fn conclude(&self, call: u64, verdict: Verdict, message: Option<Value>) -> bool {
        let fault = match &verdict {
            Verdict::Paused | Verdict::Spoiled => None,
            Verdict::Threw(text) => Some((FaultKind::Script, text.clone())),
            Verdict::TimeUp => {
                Some((FaultKind::ScriptTimeout, format!("Script execution timed out after {}ms", self.cpu_ms)))
            }
            Verdict::TooManyJobs => {
                Some((FaultKind::ScriptTimeout, "the script ran 10 000 promise jobs in one turn".to_owned()))
            }
            Verdict::Exhausted => Some((FaultKind::ScriptMemory, out_of_memory())),
        };
        self.desk.tell_said();
        if let Some((kind, text)) = fault {
            self.desk.fault(call, kind, &text, message);
            self.desk.abandon(call);
        }
        let goes_on = matches!(verdict, Verdict::Paused | Verdict::Threw(_) | Verdict::TimeUp);
        if !goes_on {
            self.end_others(call);
        }
        self.desk.tell_rests();
        goes_on
    }

    /// The realm ends, and with it every call that waits in it.
    fn end_others(&self, ended: u64) {
        for call in self.desk.open_calls() {
            if call != ended {
                let text = "another call of the same script used up what they share";
                self.desk.fault(call, FaultKind::ScriptUnavailable, text, None);
            }
            self.desk.abandon(call);
        }
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        self.desk.clear();
    }
}

/// Takes away what no script gets, runs the surface, and has it read the script's sources.
fn furnish(ctx: &Ctx<'_>, desk: &Rc<Desk>, program: &Program) -> Result<Hooks> {
    for name in WITHHELD {
        ctx.globals().remove(name)?;
    }
    let mut options = EvalOptions::default();
    options.filename = Some("surface".into());
    let surface: Function = ctx.eval_with_options(&*program.surface, options)?;
    let script = Object::new(ctx.clone())?;
    script.set("facts", ctx.json_parse(&*program.facts)?)?;
    script.set("source", &*program.source)?;
    script.set("initialize", &*program.initialize)?;
    script.set("finalize", &*program.finalize)?;
    script.set("outputs", program.outputs)?;
    let host = host::host(ctx, desk)?;
    let hooks: Object = surface.call((host, script))?;
    let hook = |name| -> Result<_> { Ok(Persistent::save(ctx, hooks.get::<_, Function>(name)?)) };
    Ok(Hooks { begin: hook("begin")?, enter: hook("enter")?, end: hook("end")?, flush: hook("flush")? })
}

/// What an error says; none if there was no memory left to say it.
fn told(ctx: &Ctx<'_>, error: Error) -> Option<String> {
    if !matches!(error, Error::Exception) {
        return Some(error.to_string());
    }
    let thrown: JsValue = ctx.catch();
    if thrown.is_null() {
        return None;
    }
    let named = thrown.as_object().and_then(|error| {
        let name: String = error.get("name").ok()?;
        Some(format!("{name}: {}", error.get::<_, String>("message").ok()?))
    });
    if named.is_none() {
        ctx.catch();
    }
    Some(named.unwrap_or_else(|| "the script threw what cannot be shown".to_owned()))
}

fn out_of_memory() -> String {
    "the script used up its memory of 64 MiB".to_owned()
}
