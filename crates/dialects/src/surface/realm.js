// What keeps a realm that serves many calls the same for each of them: the language's own objects are frozen, and what a program
// leaves behind in its global scope goes into an object that ends with the call.
//
// Evaluated to a function of the program's source and of the names that stand in every global scope.
(function (source, fixed) {
  "use strict";
  const own = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const isText = (value) => typeof value === "string";

  /** The global scope of one call: it takes what a program leaves there, and falls back to the language's own. */
  function globalsOf() {
    const kept = { __proto__: null, ...fixed };
    const isAsked = (name) => new RegExp("typeof\\s*\\(?\\s*" + name.replace(/\$/g, "\\$") + "\\b").test(source);
    const scope = new Proxy(kept, {
      has: (_, name) =>
        isText(name) && name !== "$globals" && (name === "globalThis" || own(kept, name) || !(name in globalThis)),
      get(_, name) {
        if (own(kept, name)) return kept[name];
        if (name === "globalThis" || name === "global") return scope;
        if (name === Symbol.unscopables || name in globalThis || isAsked(String(name))) return globalThis[name];
        throw new ReferenceError(`${String(name)} is not defined`);
      },
      set(_, name, value) {
        kept[name] = value;
        return true;
      },
    });
    return scope;
  }

  /** Prototypes whose members a program may still give objects of its own, by assignment. */
  const OFTEN_SHADOWED = [Object.prototype, Error.prototype, Function.prototype];
  function freeze(value, done = new Set()) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || done.has(value)) return;
    done.add(value);
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      for (const part of [property.value, property.get, property.set]) freeze(part, done);
      if (OFTEN_SHADOWED.includes(value) && property.configurable && "value" in property) shadowable(value, key, property);
    }
    freeze(Object.getPrototypeOf(value), done);
    Object.freeze(value);
  }
  /** Frozen, a plain member would keep every object below from having one of that name: an accessor does not. */
  function shadowable(holder, key, property) {
    Object.defineProperty(holder, key, {
      get: () => property.value,
      set(value) {
        if (this === holder) return;
        Object.defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true });
      },
      enumerable: property.enumerable,
      configurable: false,
    });
  }
  /** Freezes the realm, and takes away what makes programs of texts. */
  function seal() {
    for (const name of ["eval", "Function"]) delete globalThis[name];
    for (const make of [function () {}, async function () {}, function* () {}, async function* () {}])
      Object.defineProperty(Object.getPrototypeOf(make), "constructor", { value: undefined });
    freeze(globalThis);
  }

  return { globalsOf, seal };
})
