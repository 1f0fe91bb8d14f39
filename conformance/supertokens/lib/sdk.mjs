// A process of its own for each SDK, since each keeps one state for its whole process. Values go over as they are: NaN and
// undefined, too.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Every major that is tried, by the name that package.json gives it, with the version of the interface it speaks. */
export const MAJORS = { st13: '2.20', st14: '3.0', st16: '4.0', st20: '5.1', st23: '5.3', st24: '5.4' };

export class Sdk {
  #child;
  #open = new Map();
  #count = 0;

  /** Starts `supertokens-node` with these options of `init`. */
  static async start(name, options) {
    const sdk = new Sdk();
    const driver = fileURLToPath(new URL('./sdk-process.mjs', import.meta.url));
    sdk.#child = fork(driver, [name], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    sdk.#child.on('message', ({ id, value, error }) => {
      const { resolve, reject } = sdk.#open.get(id);
      sdk.#open.delete(id);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    });
    await sdk.call('init', options);
    return sdk;
  }

  /** Calls one of the driver's functions. */
  call(what, ...args) {
    const id = (this.#count += 1);
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#child.send({ id, what, args });
    });
  }

  createJWT(...args) {
    return this.call('createJWT', ...args);
  }

  stop() {
    this.#child.disconnect();
  }
}
