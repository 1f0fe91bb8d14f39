//! Specifications look at what came of a message some milliseconds later; here that time begins when all is quiet.
'use strict';

/** Waits up to this long count as looking at what came; longer ones are left as they are. */
const LOOK_MAX_MS = 100;
const QUIET_MS = 300;
const NOISE_MAX_MS = 1500;
const setTimer = globalThis.setTimeout;
let lastSound = 0;

/** Something was asked or told. */
exports.sound = () => { lastSound = Date.now(); };

/** Lets short timers of specifications wait until the probe has fallen silent. */
exports.extend = () => {
  globalThis.setTimeout = (run, waitMs = 0, ...given) => {
    if (waitMs === 0 || waitMs > LOOK_MAX_MS) return setTimer(run, waitMs, ...given);
    const begun = Date.now();
    const look = () => {
      const isQuiet = Date.now() - lastSound >= QUIET_MS || Date.now() - begun > NOISE_MAX_MS;
      if (isQuiet) run(...given);
      else setTimer(look, 10);
    };
    return setTimer(look, waitMs);
  };
};
