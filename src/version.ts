/** The version of this software, from its package, and what it calls itself on the wire. */
import { createRequire } from 'node:module';

export const SOFTWARE_VERSION = (createRequire(import.meta.url)('wherry/package.json') as { version: string }).version;
export const AGENT = `wherry/${SOFTWARE_VERSION}`;
