import { createMemoryVault } from '../../src/store/memory.ts';
import { vaultContract } from './contract.ts';

vaultContract('memory', () => Promise.resolve(createMemoryVault()));
