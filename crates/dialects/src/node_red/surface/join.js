// What the `join` node does with each message. Evaluated once for each node with its settings: {auto, named, whole,
// property, key, build, count, inherits, useParts, joiner, accumulate, wait_ms}. Groups that are not complete yet are
// kept from one message to the next.
(function (settings) {
  "use strict";
  /** Messages that one node keeps; a further one is an error. */
  const HELD_MAX = 10000;
  const { getMessageProperty, setMessageProperty } = RED.util;
  const own = (object, name) =>
    object !== null && typeof object === "object" && Object.prototype.hasOwnProperty.call(object, name);
  const groups = new Map();
  let held = 0;

  function drop(id) {
    const group = groups.get(id);
    if (!group) return;
    clearTimeout(group.timer);
    held -= group.taken;
    groups.delete(id);
  }

  /** What the node puts together, and under which group, as the message or the settings have it. */
  function described(msg, property) {
    const { parts } = msg;
    if (settings.auto) {
      const { id, type, count, ch, key, len, index } = parts;
      const place = parts.property || "payload";
      return { id: String(id), type, count, joiner: ch, key, len, index, place, value: getMessageProperty(msg, place) };
    }
    const inherits = settings.inherits && own(msg, "parts");
    return {
      id: inherits && own(parts, "id") ? String(parts.id) : "_",
      type: settings.build,
      count: inherits ? parts.count || 0 : settings.count,
      joiner: settings.octets ? Buffer.from(settings.octets) : settings.joiner,
      key: settings.build === "object" ? getMessageProperty(msg, settings.key) : undefined,
      place: settings.property,
      value: property,
    };
  }

  function opened(told, msg) {
    const isMap = told.type === "object" || told.type === "merged";
    const group = {
      ...{ type: isMap ? "object" : told.type, count: told.count, joiner: told.joiner, len: told.len },
      ...{ place: told.place, msg: { ...msg }, values: isMap ? {} : [], filled: 0, taken: 0 },
      ...{ due: Date.now() + settings.wait_ms, timed: settings.wait_ms > 0 },
    };
    groups.set(told.id, group);
    return group;
  }

  function put(group, { type, key, index, value }, msg, node) {
    if (type === "object") group.values[key] = value;
    else if (type === "merged") {
      if (typeof value === "object" && !Array.isArray(value)) {
        for (const name of Object.keys(value || {})) if (name !== "_msgid") group.values[name] = value[name];
      } else if (!own(msg, "complete")) node.warn("Cannot merge non-object types");
    } else if (!isNaN(index)) {
      if (group.values[index] === undefined || group.values[index] === null) group.filled++;
      group.values[index] = value;
    } else if (value !== undefined) group.filled = group.values.push(value);
    if (group.type === "object") group.filled = Object.keys(group.values).length;
  }

  function joined({ type, values, joiner, len }) {
    if (type === "string") return values.join(joiner.toString());
    if (type === "array" && len > 1) return [].concat(...values.filter(() => true));
    if (type === "array") return [...values];
    if (type !== "buffer") return type === "object" ? { ...values } : values;
    const between = joiner === undefined ? undefined : Buffer.from(joiner);
    const octets = values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(value)));
    return Buffer.concat(octets.flatMap((one, i) => (i > 0 && between ? [between, one] : [one])));
  }

  /** The message that a group becomes. */
  function finish(id) {
    const group = groups.get(id);
    const { msg } = group;
    clearTimeout(group.timer);
    group.timed = false;
    if (settings.auto || !settings.accumulate || own(msg, "complete")) drop(id);
    setMessageProperty(msg, group.place, joined(group), true);
    if (own(msg.parts, "parts")) msg.parts = msg.parts.parts;
    else delete msg.parts;
    delete msg.complete;
    return msg;
  }

  return function (msg, node, setTimeout) {
    /** The group is sent in the name of the message that came last. */
    const arm = (id, group) => {
      clearTimeout(group.timer);
      group.timer = setTimeout(() => node.send(finish(id)), group.due - Date.now());
    };
    let property = msg;
    try {
      if (!settings.whole) property = getMessageProperty(msg, settings.property);
    } catch (_) {
      return void node.warn(`Message property ${settings.property} not found`);
    }
    if (settings.auto && !own(msg.parts, "id")) {
      if (own(msg, "reset")) [...groups.keys()].forEach(drop);
      else node.warn("Message missing msg.parts property - cannot join in 'auto' mode");
      return;
    }
    if (settings.named && own(msg, "parts") && !settings.useParts) {
      if (own(msg.parts, "parts")) msg.parts = { parts: msg.parts.parts };
      else delete msg.parts;
    }
    const told = described(msg, property);
    const { id } = told;
    const before = groups.get(id);
    if (own(msg, "restartTimeout") && before && settings.wait_ms > 0) {
      Object.assign(before, { due: Date.now() + settings.wait_ms, timed: true });
      arm(id, before);
    }
    if (own(msg, "reset")) return void drop(id);
    if (told.type === "object" && (told.key === undefined || told.key === null || told.key === "")) {
      if (settings.auto) return void node.warn("Message missing 'msg.parts.key' property - cannot add to object");
      if (!own(msg, "complete"))
        return void node.warn(`Message missing key property 'msg.${settings.key}' - cannot add to object`);
      if (before) before.msg.complete = msg.complete;
      return before ? finish(id) : null;
    }
    if (held >= HELD_MAX || told.index >= HELD_MAX) throw new Error("too many pending messages in join node");
    const fits = Buffer.isBuffer(told.value) || typeof told.value === "string" || Array.isArray(told.value);
    if (told.type === "buffer" && told.value !== undefined && !fits)
      throw new Error(`Cannot join ${typeof told.value} into a buffer`);
    const group = before || opened(told, msg);
    put(group, told, msg, node);
    group.taken++;
    held++;
    Object.assign(group.msg, msg);
    if (own(msg, "parts")) group.count = group.count || msg.parts.count;
    if ((group.count > 0 && group.filled >= group.count) || own(msg, "complete")) return finish(id);
    if (group.timed) arm(id, group);
  };
})
