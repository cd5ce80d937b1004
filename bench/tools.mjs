/** The tools of one case: opened in folders of their own, skipped by name with the reason when they cannot be, closed together. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS } from './peers/index.mjs';

/** @typedef {import('./measure.mjs').Peer} Peer @typedef {import('./measure.mjs').Purpose} Purpose @typedef {import('./places.mjs').Place} Place */
/** @typedef {{ subject: Peer | undefined, peers: Peer[], close: () => Promise<void> }} Tools */
/** @typedef {(what: string, why: string) => void} Skip */

/** Opens one tool, or says why not. @param {string} name @param {string} work @param {Place} place @param {Purpose} purpose @param {Skip} skip @returns {Promise<Peer | undefined>} */
async function openTool(name, work, place, purpose, skip) {
  const open = PEERS[name];
  if (open === undefined) throw new Error(`no such tool: ${name}; there are ${Object.keys(PEERS).join(', ')}`);
  // A case may open the same tool twice, one after the other, for different purposes.
  const peer = await open(mkdtempSync(join(work, `${name}-`)), place, purpose);
  if (!('skipped' in peer)) return peer;
  skip(name, peer.skipped);
  return undefined;
}

/** @param {{ subject: string, peers: readonly string[] }} names @param {string} work @param {Place} place @param {Purpose} purpose @param {Skip} skip @returns {Promise<Tools>} */
export async function openTools(names, work, place, purpose, skip) {
  /** @type {Peer[]} */
  const opened = [];
  const close = async () => { for (const one of opened) await one.close(); };
  try {
    const subject = await openTool(names.subject, work, place, purpose, skip);
    if (subject === undefined) return { subject, peers: [], close };
    opened.push(subject);
    for (const name of names.peers) {
      const peer = await openTool(name, work, place, purpose, skip);
      if (peer !== undefined) opened.push(peer);
    }
    return { subject, peers: opened.slice(1), close };
  } catch (error) {
    await close();
    throw error;
  }
}
