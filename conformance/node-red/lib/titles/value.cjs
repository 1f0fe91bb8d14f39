//! Values of messages as the probe's lines have them: an object with the member `$` is what JSON has no word for.
'use strict';

const KINDS = {
  undefined: () => undefined,
  bytes: of => Buffer.from(of),
  date: of => new Date(of ?? NaN),
  number: of => Number(of === 'inf' ? 'Infinity' : of === '-inf' ? '-Infinity' : of),
  bigint: of => BigInt(of),
  map: of => members(of, exports.read),
  function: () => () => {},
  circular: () => { const itself = {}; itself.itself = itself; return itself; },
  handle: () => ({}),
};

/** A value from a line. */
exports.read = json => {
  if (Array.isArray(json)) return json.map(exports.read);
  if (json === null || typeof json !== 'object') return json;
  return '$' in json ? KINDS[json.$](json.of) : members(json, exports.read);
};

/** A value for a line. */
exports.write = (value, around = []) => {
  if (value === undefined || typeof value === 'symbol') return { $: 'undefined' };
  if (typeof value === 'function') return { $: 'function' };
  if (typeof value === 'bigint') return { $: 'bigint', of: String(value) };
  if (typeof value === 'number') return writeNumber(value);
  if (value === null || typeof value !== 'object') return value;
  if (around.includes(value)) return { $: 'circular' };
  if (value instanceof Uint8Array) return { $: 'bytes', of: [...value] };
  if (value instanceof Date) return { $: 'date', of: value.getTime() };
  const inner = item => exports.write(item, [...around, value]);
  if (Array.isArray(value)) return Array.from(value, inner);
  const written = members(value, inner);
  return '$' in value ? { $: 'map', of: written } : written;
};

function writeNumber(number) {
  const isPlain = Number.isFinite(number) && !Object.is(number, -0);
  return isPlain ? number : { $: 'number', of: Object.is(number, -0) ? '-0' : String(number) };
}

const members = (object, change) => Object.fromEntries(Object.entries(object).map(([name, member]) => [name, change(member)]));
