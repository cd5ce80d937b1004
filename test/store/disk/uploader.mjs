/** Run as a process to be killed: writes 3 MiB of an upload to `cut` in the folder `argv[3]` with the build `argv[2]`, says so, and waits. */
const [, , build, root] = process.argv;
const { openDisk } = await import(build);
const vault = await openDisk(root);
const upload = await vault.receive('cut', { size: 8 << 20, mtime: 1e15, mode: 0o644, level: 'durable', condition: 'any', owner: 'ann', reuseOld: false });
await upload.write([new Uint8Array(3 << 20).fill(7)], 0);
process.stdout.write('written\n');
setInterval(() => upload.basis, 1000);
