/**
 * The contract of `Vault` as tests: every store passes all of them. `open` gives an empty vault and is called once a test.
 */
import { describe, test } from 'vitest';
import { ready } from '../../src/digest.ts';
import type { Vault } from '../../src/store/vault.ts';
import { continuing, oneFile } from './contract-files.ts';
import { names } from './contract-names.ts';
import { trees } from './contract-trees.ts';
import { undoing } from './contract-undo.ts';

export function vaultContract(name: string, open: () => Promise<Vault>): void {
  const check = (title: string, body: (vault: Vault) => Promise<void>): void => {
    test(title, async () => {
      await ready();
      await using vault = await open();
      await body(vault);
    });
  };
  describe(`${name}: one file`, () => { oneFile(check); });
  describe(`${name}: continuing`, () => { continuing(check); });
  describe(`${name}: names`, () => { names(check); });
  describe(`${name}: trees`, () => { trees(check); });
  describe(`${name}: undo`, () => { undoing(check); });
}
