//! What one script has on its desk: calls that are not at rest, timers, and what it said in this turn.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use plan::{Fault, FaultKind, ScriptEvent, Value};
use rquickjs::{Ctx, Function, Persistent, Result, Value as JsValue};

use super::channel::Channel;
use super::convert::{Exchange, Intrinsics};
use super::keys::Keys;
use super::turn::Budget;
use super::variables::{Asking, Variables};
use crate::speech::SyntaxFault;

/// Timers that one script may have at a time.
pub(super) const TIMERS_MAX: usize = 10_000;
/// Wishes that one script may have open at a time.
pub(super) const WISHES_MAX: usize = 32;
/// Things that one script may say in one turn.
const EVENTS_MAX: usize = 20_000;

/// Shared by a realm and the functions that its script calls the host with.
pub(super) struct Desk {
    pub(super) channel: Rc<Channel>,
    pub(super) budget: Budget,
    pub(super) syntax: RefCell<Option<SyntaxFault>>,
    /// Set when the script has met the end of its memory.
    pub(super) exhausted: Cell<bool>,
    pub(super) variables: Variables,
    pub(super) keys: Keys,
    intrinsics: RefCell<Option<Intrinsics>>,
    calls: RefCell<HashMap<u64, Call>>,
    timers: RefCell<Timers>,
    wishes: RefCell<Wishes>,
    said: RefCell<Vec<(u64, Option<ScriptEvent>)>>,
}

/// A call that is not at rest.
#[derive(Default)]
struct Call {
    settled: bool,
    /// Timers and wishes that it still has.
    timers: usize,
    cells: Vec<CellView>,
}

/// A cell as the script was given it.
struct CellView {
    handle: u32,
    known: Value,
    object: Persistent<JsValue<'static>>,
}

#[derive(Default)]
struct Timers {
    last: u32,
    due: BTreeMap<(u64, u32), Timer>,
    moments: HashMap<u32, u64>,
}

/// What waits for something that takes its time, by the number of its wish.
#[derive(Default)]
struct Wishes {
    last: u32,
    open: HashMap<u32, (u64, Persistent<Function<'static>>)>,
}

struct Timer {
    call: u64,
    every_ms: Option<u64>,
    run: Persistent<Function<'static>>,
}

impl Desk {
    pub(super) fn new(channel: &Rc<Channel>) -> Self {
        Self {
            channel: channel.clone(),
            budget: Budget::default(),
            syntax: RefCell::default(),
            exhausted: Cell::new(false),
            variables: Variables::default(),
            keys: Keys::default(),
            intrinsics: RefCell::default(),
            calls: RefCell::default(),
            timers: RefCell::default(),
            wishes: RefCell::default(),
            said: RefCell::default(),
        }
    }

    pub(super) fn equip(&self, intrinsics: Intrinsics) {
        *self.intrinsics.borrow_mut() = Some(intrinsics);
    }

    /// Lets go of everything that lives in the realm, which is about to end.
    pub(super) fn clear(&self) {
        self.intrinsics.take();
        self.variables.clear();
        self.calls.borrow_mut().clear();
        *self.timers.borrow_mut() = Timers::default();
        self.wishes.borrow_mut().open.clear();
    }

    /// Conversion on behalf of a call.
    pub(super) fn exchange<'js>(&self, ctx: &Ctx<'js>, call: u64) -> Result<Exchange<'js>> {
        let intrinsics = self.intrinsics.borrow();
        intrinsics.as_ref().ok_or(rquickjs::Error::Unknown)?.exchange(ctx, call)
    }

    /// Asks the server on behalf of a call.
    pub(super) fn asking<'a, 'js>(
        &'a self,
        ctx: &'a Ctx<'js>,
        exchange: &'a Exchange<'js>,
        call: u64,
    ) -> Asking<'a, 'js> {
        Asking { channel: &self.channel, ctx, exchange, call }
    }

    pub(super) fn open(&self, call: u64) {
        self.calls.borrow_mut().entry(call).or_default();
    }

    /// The objects that the message's handles become, remembered so that changes to them can be told.
    pub(super) fn open_cells<'js>(
        &self,
        ctx: &Ctx<'js>,
        exchange: &Exchange<'js>,
        call: u64,
        cells: Vec<Value>,
    ) -> Result<Vec<JsValue<'js>>> {
        let mut objects = Vec::with_capacity(cells.len());
        let mut views = Vec::with_capacity(cells.len());
        for (handle, known) in (0..).zip(cells) {
            let object = exchange.enter_cell(handle, &known)?;
            views.push(CellView { handle, known, object: Persistent::save(ctx, object.clone()) });
            objects.push(object);
        }
        self.calls.borrow_mut().entry(call).or_default().cells = views;
        Ok(objects)
    }

    /// Tells the cells of this call that have changed, before what else was said in this turn.
    pub(super) fn tell_cells<'js>(&self, ctx: &Ctx<'js>, exchange: &Exchange<'js>, call: u64) -> Result<()> {
        let mut calls = self.calls.borrow_mut();
        let Some(open) = calls.get_mut(&call) else { return Ok(()) };
        for view in &mut open.cells {
            let now = exchange.leave_cell(&view.object.clone().restore(ctx)?)?;
            if now != view.known {
                self.channel.say(call, ScriptEvent::Cell { handle: view.handle, value: now.clone() });
                view.known = now;
            }
        }
        Ok(())
    }

    pub(super) fn settle(&self, call: u64) {
        if let Some(open) = self.calls.borrow_mut().get_mut(&call) {
            open.settled = true;
        }
    }

    /// Ends a call whatever it still has: its timers, its wishes, its promise.
    pub(super) fn abandon(&self, call: u64) {
        self.settle(call);
        self.wishes.borrow_mut().open.retain(|_, (wishing, _)| *wishing != call);
        let mut timers = self.timers.borrow_mut();
        let Timers { due, moments, .. } = &mut *timers;
        due.retain(|(_, id), timer| {
            let kept = timer.call != call;
            if !kept {
                moments.remove(id);
            }
            kept
        });
        if let Some(open) = self.calls.borrow_mut().get_mut(&call) {
            open.timers = 0;
        }
    }

    /// Forgets a call that nobody listens to.
    pub(super) fn forget(&self, call: u64) {
        self.calls.borrow_mut().remove(&call);
    }

    /// Every call that is not at rest.
    pub(super) fn open_calls(&self) -> Vec<u64> {
        self.calls.borrow().keys().copied().collect()
    }

    /// Notes what the script did. Whether there was room for it.
    pub(super) fn say(&self, call: u64, event: ScriptEvent) -> bool {
        self.place(call, Some(event)).is_some()
    }

    /// Keeps a place in the order of what is said, to be filled by the end of the turn.
    pub(super) fn reserve(&self, call: u64) -> Option<usize> {
        self.place(call, None)
    }

    pub(super) fn fill(&self, place: usize, event: ScriptEvent) {
        if let Some(slot) = self.said.borrow_mut().get_mut(place) {
            slot.1 = Some(event);
        }
    }

    /// Notes a fault of the host's own making.
    pub(super) fn fault(&self, call: u64, kind: FaultKind, text: &str, message: Option<Value>) {
        self.channel.say(call, ScriptEvent::Fault { fault: Fault::new(kind, text), message });
    }

    /// Tells what was said in this turn, in order.
    pub(super) fn tell_said(&self) {
        for (call, event) in self.said.borrow_mut().drain(..) {
            if !self.channel.has_room() {
                self.fault(call, FaultKind::Script, "the script said more than 64 MiB in one turn", None);
                break;
            }
            if let Some(event) = event {
                self.channel.say(call, event);
            }
        }
    }

    /// Tells which calls came to rest.
    pub(super) fn tell_rests(&self) {
        self.calls.borrow_mut().retain(|call, open| {
            let live = !open.settled || open.timers > 0;
            if !live {
                self.channel.say(*call, ScriptEvent::Rest);
            }
            live
        });
    }

    /// Sets a timer; none if there are too many.
    pub(super) fn set_timer(
        &self,
        call: u64,
        run: Persistent<Function<'static>>,
        delay_ms: u64,
        repeats: bool,
    ) -> Option<u32> {
        let mut timers = self.timers.borrow_mut();
        if timers.due.len() >= TIMERS_MAX {
            return None;
        }
        timers.last = timers.last.wrapping_add(1);
        let (id, due_ms) = (timers.last, self.channel.now_ms() + delay_ms);
        timers.due.insert((due_ms, id), Timer { call, every_ms: repeats.then_some(delay_ms), run });
        timers.moments.insert(id, due_ms);
        self.calls.borrow_mut().entry(call).or_default().timers += 1;
        Some(id)
    }

    pub(super) fn clear_timer(&self, id: u32) {
        let mut timers = self.timers.borrow_mut();
        let Some(due_ms) = timers.moments.remove(&id) else { return };
        if let Some(timer) = timers.due.remove(&(due_ms, id)) {
            self.count_off(timer.call);
        }
    }

    /// Tells a wish, whose callback is kept until it is fulfilled.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub(super) fn wish(
        &self,
        call: u64,
        wish: Value,
        run: Persistent<Function<'static>>,
    ) -> std::result::Result<(), String> {
        let mut wishes = self.wishes.borrow_mut();
        if wishes.open.len() >= WISHES_MAX || !self.channel.has_room() {
            return Err(format!("the script waits for {WISHES_MAX} things already"));
        }
        wishes.last = wishes.last.wrapping_add(1);
        let id = wishes.last;
        self.channel.wish(call, id, wish).map_err(|fault| format!("what is asked for cannot be passed on: {fault}"))?;
        wishes.open.insert(id, (call, run));
        self.calls.borrow_mut().entry(call).or_default().timers += 1;
        Ok(())
    }

    /// What waits for this wish of the call, if it still does.
    pub(super) fn take_wish(&self, call: u64, id: u32) -> Option<Persistent<Function<'static>>> {
        let mut wishes = self.wishes.borrow_mut();
        wishes.open.get(&id).filter(|(wishing, _)| *wishing == call)?;
        let (_, run) = wishes.open.remove(&id)?;
        self.count_off(call);
        Some(run)
    }

    /// When the next timer is due, on the worker's clock.
    pub(super) fn due(&self) -> Option<u64> {
        self.timers.borrow().due.first_key_value().map(|((due_ms, _), _)| *due_ms)
    }

    /// The timer that is due, with the call it was set under; set again if it repeats.
    pub(super) fn take_due(&self) -> Option<(u64, Persistent<Function<'static>>)> {
        let mut timers = self.timers.borrow_mut();
        let entry = timers.due.first_entry()?;
        let (due_ms, id) = *entry.key();
        let now_ms = self.channel.now_ms();
        if due_ms > now_ms {
            return None;
        }
        let timer = entry.remove();
        let due = (timer.call, timer.run.clone());
        if let Some(every_ms) = timer.every_ms {
            timers.moments.insert(id, now_ms + every_ms);
            timers.due.insert((now_ms + every_ms, id), timer);
        } else {
            timers.moments.remove(&id);
            self.count_off(timer.call);
        }
        Some(due)
    }

    fn count_off(&self, call: u64) {
        if let Some(open) = self.calls.borrow_mut().get_mut(&call) {
            open.timers = open.timers.saturating_sub(1);
        }
    }

    fn place(&self, call: u64, event: Option<ScriptEvent>) -> Option<usize> {
        // A call that is gone has nobody who listens; its late words are lost.
        if !self.calls.borrow().contains_key(&call) {
            return Some(usize::MAX);
        }
        let mut said = self.said.borrow_mut();
        if said.len() >= EVENTS_MAX {
            return None;
        }
        said.push((call, event));
        Some(said.len() - 1)
    }
}
