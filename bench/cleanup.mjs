/**
 * What must not stay behind: servers, namespaces, folders of gigabytes. Each is registered when it is made, and whoever
 * removes it in good order takes it off the list; what is still there when this process ends, by whatever signal, is
 * removed then, newest first. That runs while the process exits, so it has to be synchronous.
 */

/** @type {Set<() => void>} */
const leavings = new Set();

/** Registers how something is removed. @param {() => void} remove @returns {() => void} Call it when that has been done. */
export function leave(remove) {
  leavings.add(remove);
  return () => { leavings.delete(remove); };
}

process.on('exit', () => {
  for (const remove of [...leavings].reverse()) {
    try {
      remove();
    } catch (error) {
      process.stderr.write(`could not clear up: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
});

/** The codes a shell gives to programs ended by these. */
for (const [signal, code] of /** @type {const} */ ([['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]])) {
  process.on(signal, () => process.exit(code));
}
