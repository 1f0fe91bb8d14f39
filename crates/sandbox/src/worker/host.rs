//! The few functions that a surface is given: all that a script can do to the world, and none of it by itself.

use std::rc::Rc;

use plan::{Fault, FaultKind, LogLevel, ScriptEvent, Text, Value};
use rquickjs::context::EvalOptions;
use rquickjs::{
    Ctx, Exception, Function, Object, Persistent, Result, String as JsString, TypedArray, Value as JsValue,
};

use super::desk::Desk;
use super::encoding::Encoding;
use super::variables::Variable;
use super::{convert, crypto, keys, web};
use crate::speech::{Part, Question, Reach, SyntaxFault};

/// The longest a timer can wait; longer ones run at once, as in ECMAScript hosts.
const TIMER_MS_MAX: f64 = 2_147_483_647.0;

/// Puts a function on the host object.
macro_rules! give {
    ($host:ident, $desk:ident: $name:literal |$ctx:ident $(, $given:ident: $type:ty)*| $body:expr) => {{
        let shared = $desk.clone();
        let called = move |$ctx: rquickjs::Ctx<'js>, $($given: $type),*| {
            let ($ctx, $desk) = (&$ctx, &shared);
            $body
        };
        $host.set($name, rquickjs::Function::new($host.ctx().clone(), called)?)?;
    }};
}

pub(super) use give;

/// The object that a surface is called with.
///
/// A surface first calls `equip` with the prototype that octets shall have. Functions that act for a call take its
/// number first. Every function takes all its arguments, `undefined` where there is nothing to say.
pub(super) fn host<'js>(ctx: &Ctx<'js>, desk: &Rc<Desk>) -> Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    let host = &host;
    give!(host, desk: "equip" |ctx, octets: Object<'js>| {
        desk.equip(convert::Intrinsics::take(ctx, octets)?);
        Result::Ok(())
    });
    speech(desk, host)?;
    questions(desk, host)?;
    time(desk, host)?;
    text(desk, host)?;
    crypto::give(desk, host)?;
    keys::give(desk, host)?;
    Ok(host.clone())
}

/// `send`, `reserve`, `fill`, `fault`, `log`, `status`, `done`, `settle`: what the script says.
fn speech<'js>(desk: &Rc<Desk>, host: &Object<'js>) -> Result<()> {
    give!(host, desk: "send" |ctx, call: f64, outputs: Vec<Vec<JsValue<'js>>>| {
        let outputs = leave_all(desk, ctx, call, &outputs)?;
        say(desk, ctx, call, ScriptEvent::Send(outputs))
    });
    give!(host, desk: "reserve" |ctx, call: f64| {
        desk.reserve(call as u64).map(|place| place as f64).ok_or_else(|| too_much(ctx))
    });
    give!(host, desk: "fill" |ctx, call: f64, place: f64, outputs: Vec<Vec<JsValue<'js>>>| {
        desk.fill(place as usize, ScriptEvent::Send(leave_all(desk, ctx, call, &outputs)?));
        Result::Ok(())
    });
    give!(host, desk: "fault" |ctx, call: f64, told: Object<'js>, message: JsValue<'js>| {
        let fault = fault(desk, ctx, call, &told)?;
        say(desk, ctx, call, ScriptEvent::Fault { fault, message: leave_present(desk, ctx, call, &message)? })
    });
    give!(host, desk: "log" |ctx, call: f64, level: usize, line: JsString<'js>| {
        let levels = [LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
        let level = levels.get(level).copied().unwrap_or(LogLevel::Error);
        let text = desk.exchange(ctx, call as u64)?.text(&line)?;
        say(desk, ctx, call, ScriptEvent::Log { level, text })
    });
    give!(host, desk: "status" |ctx, call: f64, status: JsValue<'js>| {
        let status = leave(desk, ctx, call, &status)?;
        say(desk, ctx, call, ScriptEvent::Status(status))
    });
    give!(host, desk: "done" |ctx, call: f64, message: JsValue<'js>| {
        say(desk, ctx, call, ScriptEvent::Done(leave_present(desk, ctx, call, &message)?))
    });
    give!(host, desk: "settle" |_ctx, call: f64| {
        desk.settle(call as u64);
        Result::Ok(())
    });
    Ok(())
}

/// `read`, `write`, `keys`: what the script asks. The reach is `node`, `section` or `document`.
fn questions<'js>(desk: &Rc<Desk>, host: &Object<'js>) -> Result<()> {
    give!(host, desk: "read" |ctx, call: f64, reach: String, store: String, name: String| {
        let exchange = desk.exchange(ctx, call as u64)?;
        desk.variables.read(&desk.asking(ctx, &exchange, call as u64), variable(&reach, store, name))
    });
    give!(host, desk: "write" |ctx, call: f64, reach: String, store: String, name: String, value: JsValue<'js>| {
        let exchange = desk.exchange(ctx, call as u64)?;
        desk.variables.write(&desk.asking(ctx, &exchange, call as u64), variable(&reach, store, name), &value)
    });
    give!(host, desk: "keys" |ctx, call: f64, reach: String, store: String| {
        let exchange = desk.exchange(ctx, call as u64)?;
        let question = Question::Keys { reach: reached(&reach), store: store.into() };
        exchange.enter(&desk.asking(ctx, &exchange, call as u64).ask(question)?, &[])
    });
    Ok(())
}

/// `timer`, `clear`, `wish`: what the script waits for. A wish calls back with an error text, or undefined and a value.
fn time<'js>(desk: &Rc<Desk>, host: &Object<'js>) -> Result<()> {
    give!(host, desk: "timer" |ctx, call: f64, run: Function<'js>, delay_ms: f64, repeats: bool| {
        let delay_ms = if (1.0..=TIMER_MS_MAX).contains(&delay_ms) { delay_ms as u64 } else { 1 };
        desk.set_timer(call as u64, Persistent::save(ctx, run), delay_ms, repeats)
            .ok_or_else(|| Exception::throw_range(ctx, "the script has 10 000 timers already"))
    });
    give!(host, desk: "wish" |ctx, call: f64, wish: JsValue<'js>, run: Function<'js>| {
        let wish = leave(desk, ctx, call, &wish)?;
        let told = desk.wish(call as u64, wish, Persistent::save(ctx, run));
        told.map_err(|why| Exception::throw_range(ctx, &why))
    });
    give!(host, desk: "clear" |_ctx, id: f64| {
        desk.clear_timer(id as u32);
        Result::Ok(())
    });
    Ok(())
}

/// `compile`, `encode`, `decode`, `url`, `urlWith`: what would be slow, large or impossible in the surface itself.
fn text<'js>(desk: &Rc<Desk>, host: &Object<'js>) -> Result<()> {
    give!(host, desk: "compile" |ctx, part: String, before: String, source: String, after: String| {
        compile(desk, ctx, &part, [&before, &source, &after])
    });
    give!(host, desk: "encode" |ctx, encoding: String, text: JsString<'js>| {
        let exchange = desk.exchange(ctx, 0)?;
        exchange.octets(&encoding_of(ctx, &encoding)?.octets(&exchange.text(&text)?))
    });
    give!(host, desk: "decode" |ctx, encoding: String, octets: TypedArray<'js, u8>| {
        let _ = desk;
        let octets = convert::octets_of(octets.as_object()).unwrap_or_default();
        JsString::from_str(ctx.clone(), &encoding_of(ctx, &encoding)?.text(&octets))
    });
    give!(host, desk: "url" |ctx, text: String, base: Option<String>| {
        let _ = desk;
        web::parse(&text, base.as_deref()).map(|url| web::parts(ctx, &url)).transpose()
    });
    give!(host, desk: "urlWith" |ctx, href: String, part: String, value: String| {
        let _ = desk;
        web::parse(&href, None).map(|url| web::parts(ctx, &web::with(url, &part, &value))).transpose()
    });
    Ok(())
}

fn leave<'js>(desk: &Desk, ctx: &Ctx<'js>, call: f64, value: &JsValue<'js>) -> Result<Value> {
    desk.exchange(ctx, call as u64)?.leave(value)
}

fn leave_all<'js>(desk: &Desk, ctx: &Ctx<'js>, call: f64, outputs: &[Vec<JsValue<'js>>]) -> Result<Vec<Vec<Value>>> {
    let exchange = desk.exchange(ctx, call as u64)?;
    outputs.iter().map(|messages| messages.iter().map(|message| exchange.leave(message)).collect()).collect()
}

fn leave_present<'js>(desk: &Desk, ctx: &Ctx<'js>, call: f64, value: &JsValue<'js>) -> Result<Option<Value>> {
    if value.is_undefined() { Ok(None) } else { leave(desk, ctx, call, value).map(Some) }
}

fn say(desk: &Desk, ctx: &Ctx<'_>, call: f64, event: ScriptEvent) -> Result<()> {
    if desk.say(call as u64, event) { Ok(()) } else { Err(too_much(ctx)) }
}

fn too_much(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_range(ctx, "the script says too much in one turn")
}

/// A fault as a surface tells it: `{message, code, stack, cause, thrown, exhausted}`.
fn fault<'js>(desk: &Desk, ctx: &Ctx<'js>, call: f64, told: &Object<'js>) -> Result<Fault> {
    let exhausted: bool = told.get("exhausted")?;
    if exhausted {
        desk.exhausted.set(true);
    }
    let exchange = desk.exchange(ctx, call as u64)?;
    let text = |name| -> Result<Option<Text>> {
        told.get::<_, Option<JsString>>(name)?.map(|text| exchange.text(&text)).transpose()
    };
    Ok(Fault {
        kind: if exhausted { FaultKind::ScriptMemory } else { FaultKind::Script },
        code: text("code")?,
        message: text("message")?.unwrap_or_default(),
        stack: text("stack")?,
        cause: exchange.leave(&told.get("cause")?)?,
        thrown: exchange.leave(&told.get("thrown")?)?,
    })
}

fn variable(reach: &str, store: String, name: String) -> Variable {
    Variable { reach: reached(reach), store: store.into(), name: name.into() }
}

fn reached(reach: &str) -> Reach {
    match reach {
        "document" => Reach::Document,
        "section" => Reach::Section,
        _ => Reach::Node,
    }
}

fn encoding_of(ctx: &Ctx<'_>, name: &str) -> Result<Encoding> {
    Encoding::named(name).ok_or_else(|| Exception::throw_type(ctx, &format!("Unknown encoding: {name}")))
}

/// Evaluates a source of the author's between one line before it and one behind it, and remembers where it is none.
fn compile<'js>(desk: &Desk, ctx: &Ctx<'js>, part: &str, [before, source, after]: [&str; 3]) -> Result<JsValue<'js>> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(part.into());
    ctx.eval_with_options(format!("{before}\n{source}\n{after}"), options).inspect_err(|_| {
        let thrown = ctx.catch();
        *desk.syntax.borrow_mut() = Some(syntax_fault(part, source, &thrown));
        ctx.throw(thrown);
    })
}

fn syntax_fault(part: &str, source: &str, thrown: &JsValue<'_>) -> SyntaxFault {
    let told = thrown.as_object().map(|error| {
        let message = error.get::<_, String>("message").unwrap_or_default();
        let line = error.get::<_, String>("stack").ok().and_then(|stack| line_in(&stack, part));
        (message, line.unwrap_or(1))
    });
    let (message, line) = told.unwrap_or_default();
    // What is missing at the end is only missed behind it.
    let last = u32::try_from(source.lines().count()).unwrap_or(u32::MAX).max(1);
    let part = match part {
        "initialize" => Part::Initialize,
        "finalize" => Part::Finalize,
        _ => Part::Source,
    };
    SyntaxFault { part, line: line.saturating_sub(1).clamp(1, last), message: message.into() }
}

/// The line of the first frame of a stack that lies in this part.
fn line_in(stack: &str, part: &str) -> Option<u32> {
    let (_, behind) = stack.split_once(&format!("{part}:"))?;
    behind.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}
