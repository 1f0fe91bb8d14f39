//! Messages between the plan's values and the engine's: what a script gets in its hands, and what it hands out.

use std::sync::Arc;

use plan::{Date, Handle, Map, Number, Text, Unencodable, Value};
use rquickjs::function::{Constructor, This};
use rquickjs::object::{Filter, Property};
use rquickjs::{
    Array, Atom, Coerced, Ctx, Error, Exception, Function, Object, Persistent, Result, String as JsString, TypedArray,
    Value as JsValue, qjs,
};

use crate::frame::{FRAME_VALUES_MAX, VALUE_DEPTH_MAX};

/// Handles that one call can tell apart; the mark of a handle is its call times this, plus its number.
const HANDLES_MAX: u64 = 4096;
/// Integers beyond this are not exact as doubles.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// What conversion needs of a realm, taken before any script could change it.
pub(super) struct Intrinsics {
    octets: Persistent<Object<'static>>,
    date: Persistent<Constructor<'static>>,
    pattern: Persistent<Constructor<'static>>,
    get_time: Persistent<Function<'static>>,
    big_int: Persistent<Function<'static>>,
    well_formed: Persistent<Function<'static>>,
    mark: Persistent<JsValue<'static>>,
}

/// Converts for one call in one realm.
pub(super) struct Exchange<'js> {
    ctx: Ctx<'js>,
    octets: Object<'js>,
    date: Constructor<'js>,
    pattern: Constructor<'js>,
    get_time: Function<'js>,
    big_int: Function<'js>,
    well_formed: Function<'js>,
    mark: Atom<'js>,
    call: u64,
}

impl Intrinsics {
    /// Takes them from a fresh realm; octets come to scripts as instances of that prototype.
    pub(super) fn take<'js>(ctx: &Ctx<'js>, octets: Object<'js>) -> Result<Self> {
        let globals = ctx.globals();
        let date: Constructor = globals.get("Date")?;
        let get_time: Function = date.get::<_, Object>("prototype")?.get("getTime")?;
        let pattern: Constructor = globals.get("RegExp")?;
        let big_int: Function = globals.get("BigInt")?;
        let text: Object = globals.get::<_, Object>("String")?.get("prototype")?;
        let well_formed: Function = text.get("toWellFormed")?;
        let mark: JsValue = ctx.eval("Symbol('handle')")?;
        Ok(Self {
            octets: Persistent::save(ctx, octets),
            date: Persistent::save(ctx, date),
            pattern: Persistent::save(ctx, pattern),
            get_time: Persistent::save(ctx, get_time),
            big_int: Persistent::save(ctx, big_int),
            well_formed: Persistent::save(ctx, well_formed),
            mark: Persistent::save(ctx, mark),
        })
    }

    pub(super) fn exchange<'js>(&self, ctx: &Ctx<'js>, call: u64) -> Result<Exchange<'js>> {
        Ok(Exchange {
            ctx: ctx.clone(),
            octets: self.octets.clone().restore(ctx)?,
            date: self.date.clone().restore(ctx)?,
            pattern: self.pattern.clone().restore(ctx)?,
            get_time: self.get_time.clone().restore(ctx)?,
            big_int: self.big_int.clone().restore(ctx)?,
            well_formed: self.well_formed.clone().restore(ctx)?,
            mark: Atom::from_value(ctx.clone(), &self.mark.clone().restore(ctx)?)?,
            call,
        })
    }
}

impl<'js> Exchange<'js> {
    /// A message as a script sees it; its handles become the objects of `cells`.
    pub(super) fn enter(&self, value: &Value, cells: &[JsValue<'js>]) -> Result<JsValue<'js>> {
        let ctx = self.ctx.clone();
        Ok(match value {
            Value::Undefined | Value::Unencodable(Unencodable::Function) => JsValue::new_undefined(ctx),
            Value::Null => JsValue::new_null(ctx),
            Value::Bool(truth) => JsValue::new_bool(ctx, *truth),
            Value::Number(Number::Float(float)) => JsValue::new_float(ctx, *float),
            Value::Number(Number::Integer(integer)) => JsValue::new_number(ctx, *integer as f64),
            Value::Number(Number::Literal(literal)) => JsValue::new_number(ctx, literal.parse().unwrap_or(f64::NAN)),
            Value::Text(text) => JsString::from_str(ctx, text)?.into_value(),
            Value::Bytes(octets) => self.octets(octets)?,
            Value::Date(date) => self.date.construct((date.epoch_ms,))?,
            Value::List(items) => {
                let array = Array::new(ctx)?;
                for (place, item) in items.iter().enumerate() {
                    array.set(place, self.enter(item, cells)?)?;
                }
                array.into_value()
            }
            Value::Map(map) => self.object(map, cells)?.into_value(),
            Value::Handle(handle) => {
                cells.get(handle.0 as usize).cloned().unwrap_or_else(|| JsValue::new_undefined(ctx))
            }
            Value::Unencodable(Unencodable::Circular) => {
                let object = Object::new(ctx)?;
                object.set("self", object.clone())?;
                object.into_value()
            }
            Value::Unencodable(Unencodable::BigInt(digits)) => self.big_int.call((&**digits,))?,
            Value::Unencodable(Unencodable::Pattern(regexp)) => match self.pattern(&regexp.source, &regexp.flags) {
                Some(pattern) => pattern,
                None => Object::new(ctx)?.into_value(),
            },
        })
    }

    /// What a cell holds, as the one object that all its handles become.
    pub(super) fn enter_cell(&self, handle: u32, content: &Value) -> Result<JsValue<'js>> {
        let entered = self.enter(content, &[])?;
        if let Some(object) = entered.as_object() {
            let mark = self.call * HANDLES_MAX + u64::from(handle);
            object.prop(self.mark.clone(), Property::from(mark as f64))?;
        }
        Ok(entered)
    }

    /// Octets as a script sees them.
    pub(super) fn octets(&self, octets: &[u8]) -> Result<JsValue<'js>> {
        let array = TypedArray::<u8>::new_copy(self.ctx.clone(), octets)?;
        array.as_object().set_prototype(Some(&self.octets))?;
        Ok(array.into_value())
    }

    /// What a script hands out, as data: what is no data becomes a leaf that says so.
    pub(super) fn leave(&self, value: &JsValue<'js>) -> Result<Value> {
        Leaving { exchange: self, around: Vec::new(), values: 0 }.value(value)
    }

    /// The content of a cell's object.
    pub(super) fn leave_cell(&self, value: &JsValue<'js>) -> Result<Value> {
        let mut leaving = Leaving { exchange: self, around: Vec::new(), values: 0 };
        match value.as_object() {
            Some(object) if !value.is_array() => leaving.members(object),
            Some(_) | None => leaving.value(value),
        }
    }

    /// A text of a script; halves of surrogate pairs become U+FFFD.
    pub(super) fn text(&self, text: &JsString<'js>) -> Result<Text> {
        let plain = match text.to_string() {
            Ok(plain) => plain,
            Err(Error::Utf8(_)) => self.well_formed.call::<_, JsString>((This(text.clone()),))?.to_string()?,
            Err(error) => return Err(error),
        };
        Ok(plain.into())
    }

    /// A regular expression; none if these words make none.
    fn pattern(&self, source: &str, flags: &str) -> Option<JsValue<'js>> {
        let made = self.pattern.construct((source, flags));
        made.inspect_err(|_| drop(self.ctx.catch())).ok()
    }

    fn object(&self, map: &Map, cells: &[JsValue<'js>]) -> Result<Object<'js>> {
        let object = Object::new(self.ctx.clone())?;
        for (name, value) in map.iter() {
            let value = self.enter(value, cells)?;
            if &**name == "__proto__" {
                // Setting it would change what the object inherits; as data it is a member like any other.
                object.prop(&**name, Property::from(value).configurable().enumerable().writable())?;
            } else {
                object.set(&**name, value)?;
            }
        }
        Ok(object)
    }
}

/// One value on its way out: where it stands, so that circles are seen, and how much it is.
struct Leaving<'e, 'js> {
    exchange: &'e Exchange<'js>,
    around: Vec<JsValue<'js>>,
    values: u32,
}

impl<'js> Leaving<'_, 'js> {
    fn value(&mut self, value: &JsValue<'js>) -> Result<Value> {
        self.values += 1;
        if self.values > FRAME_VALUES_MAX {
            return Err(self.too_much("a message holds more than 500 000 values"));
        }
        if let Some(text) = value.as_string() {
            return Ok(Value::Text(self.exchange.text(text)?));
        }
        if let Some(number) = value.as_number() {
            return Ok(Value::Number(number_of(number)));
        }
        if let Some(truth) = value.as_bool() {
            return Ok(Value::Bool(truth));
        }
        if let Some(object) = value.as_object() {
            return self.object(value, object);
        }
        if value.is_null() {
            return Ok(Value::Null);
        }
        if value.is_big_int() {
            let Coerced::<String>(digits) = value.get()?;
            return Ok(Value::Unencodable(Unencodable::BigInt(digits.into())));
        }
        if value.is_symbol() {
            return Ok(Value::Unencodable(Unencodable::Function));
        }
        Ok(Value::Undefined)
    }

    fn object(&mut self, value: &JsValue<'js>, object: &Object<'js>) -> Result<Value> {
        if value.is_function() {
            return Ok(Value::Unencodable(Unencodable::Function));
        }
        if self.around.contains(value) {
            return Ok(Value::Unencodable(Unencodable::Circular));
        }
        match self.said_of_itself(object)? {
            None => self.structure(value, object),
            Some(said) => {
                self.around.push(value.clone());
                // What an object says of itself is not asked again, as in ECMAScript.
                let left = match said.as_object() {
                    Some(object) if !said.is_function() => self.structure(&said, object),
                    Some(_) | None => self.value(&said),
                };
                self.around.pop();
                left
            }
        }
    }

    /// What an object says of itself as data, if it has the function that ECMAScript calls for that. Octets and dates have
    /// one, too, but are leaves here.
    fn said_of_itself(&self, object: &Object<'js>) -> Result<Option<JsValue<'js>>> {
        if object.as_typed_array::<u8>().is_some() || is_date(object.as_value()) {
            return Ok(None);
        }
        let told: JsValue = object.get("toJSON")?;
        let Some(tell) = told.as_function() else { return Ok(None) };
        Ok(Some(tell.call((This(object.clone()),))?))
    }

    fn structure(&mut self, value: &JsValue<'js>, object: &Object<'js>) -> Result<Value> {
        if let Some(octets) = octets_of(object) {
            return Ok(Value::Bytes(octets));
        }
        if is_date(value) {
            return Ok(Value::Date(Date { epoch_ms: self.exchange.get_time.call((This(value.clone()),))? }));
        }
        if is_pattern(value) {
            return self.pattern(object);
        }
        if let Some(handle) = self.handle(object)? {
            return Ok(Value::Handle(handle));
        }
        if self.around.len() >= VALUE_DEPTH_MAX as usize {
            return Err(self.too_much("a message is more than 200 lists and objects deep"));
        }
        self.around.push(value.clone());
        let left = if let Some(array) = value.as_array() { self.list(array) } else { self.members(object) };
        self.around.pop();
        left
    }

    /// A regular expression; one that says of itself what is none has no members either.
    fn pattern(&self, object: &Object<'js>) -> Result<Value> {
        let [source, flags]: [JsString; 2] = [object.get("source")?, object.get("flags")?];
        let (source, flags) = (self.exchange.text(&source)?, self.exchange.text(&flags)?);
        let is_one = self.exchange.pattern(&source, &flags).is_some();
        Ok(if is_one { plan::Regexp { source, flags }.into() } else { Map::new().into() })
    }

    fn list(&mut self, array: &Array<'js>) -> Result<Value> {
        let length = array.len();
        if length > FRAME_VALUES_MAX as usize {
            return Err(self.too_much("a message holds a list of more than 500 000 places"));
        }
        let mut items = Vec::with_capacity(length);
        for place in 0..length {
            let item = array.get(place)?;
            items.push(self.value(&item)?);
        }
        Ok(Value::list(items))
    }

    fn members(&mut self, object: &Object<'js>) -> Result<Value> {
        let mut map = Map::new();
        for member in object.own_props::<String, JsValue>(Filter::new().string().enum_only()) {
            let (name, value) = member?;
            map.insert(name.into(), self.value(&value)?);
        }
        Ok(map.into())
    }

    /// The handle that the object stands for, if this call was given it as one.
    fn handle(&self, object: &Object<'js>) -> Result<Option<Handle>> {
        let mark: JsValue = object.get(self.exchange.mark.clone())?;
        let Some(mark) = mark.as_number() else { return Ok(None) };
        let mark = mark as u64;
        let own = mark / HANDLES_MAX == self.exchange.call;
        Ok(own.then_some(Handle((mark % HANDLES_MAX) as u32)))
    }

    fn too_much(&self, what: &str) -> Error {
        Exception::throw_range(&self.exchange.ctx, what)
    }
}

pub(super) fn number_of(double: f64) -> Number {
    let negative_zero = double == 0.0 && double.is_sign_negative();
    if double.fract() == 0.0 && double.abs() <= EXACT_MAX && !negative_zero {
        Number::Integer(double as i64)
    } else {
        Number::Float(double)
    }
}

fn is_date(value: &JsValue<'_>) -> bool {
    // SAFETY: the value is alive for as long as the reference, and this only looks at its class.
    unsafe { qjs::JS_IsDate(value.as_raw()) }
}

fn is_pattern(value: &JsValue<'_>) -> bool {
    // SAFETY: the value is alive for as long as the reference, and this only looks at its class.
    unsafe { qjs::JS_IsRegExp(value.as_raw()) }
}

pub(super) fn octets_of(object: &Object<'_>) -> Option<Arc<[u8]>> {
    let octets = object.as_typed_array::<u8>()?.as_raw()?;
    // SAFETY: the octets stay where they are until the engine runs again; they are copied before that.
    Some(Arc::from(unsafe { octets.as_ref() }))
}
