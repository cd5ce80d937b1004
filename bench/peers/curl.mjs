/**
 * curl and nginx over https, HTTP/1.1 and TLS 1.3 with AES-128-GCM: what two programs in C do with one file. PUT is nginx's
 * own WebDAV method. Nothing is verified beyond TLS, and nothing flushed. A folder is a list of files, 64 at once.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { find, freePort, lacking, startServer, versionOf } from '../servers.mjs';

/** @param {string} work @param {string} host @param {number} port @param {string} folder */
function configure(work, host, port, folder) {
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=bench',
    '-addext', `subjectAltName=IP:${host}`, '-keyout', join(work, 'key.pem'), '-out', join(work, 'cert.pem')]);
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${work}/temp-${kind};`).join(' ');
  writeFileSync(join(work, 'nginx.conf'), `
    ${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${work}/nginx.pid; error_log stderr;
    events { worker_connections 1024; }
    http {
      access_log off; sendfile on; ${temps}
      server {
        listen ${host}:${port} ssl; root ${folder};
        ssl_certificate ${work}/cert.pem; ssl_certificate_key ${work}/key.pem;
        ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
        client_max_body_size 0; dav_methods PUT; create_full_put_path on;
      }
    }`);
}

/** Files below a path, as their names seen from the folder above it. @param {string} path @returns {string[]} */
function filesBelow(path) {
  if (!statSync(path).isDirectory()) return [relative(dirname(path), path)];
  return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(dirname(path), join(entry.parentPath, entry.name)));
}

/** @type {import('../measure.mjs').Open} */
export const open = async (work, place) => {
  const no = lacking(['curl', 'nginx', 'openssl']);
  if (no !== undefined) return no;
  const folder = join(work, 'served');
  mkdirSync(folder);
  const listening = await freePort();
  const port = await place.door(listening);
  configure(work, place.host, listening, folder);
  const server = await startServer(place, [find('nginx') ?? '', '-e', 'stderr', '-c', join(work, 'nginx.conf')], listening, join(work, 'log'));
  if ('skipped' in server) return server;
  const curl = ['curl', '--disable', '-sS', '--fail', '--http1.1', '--tls13-ciphers', 'TLS_AES_128_GCM_SHA256', '--cacert', join(work, 'cert.pem')];
  /** @param {string[]} names @param {(name: string) => string[]} lines What curl is told of one file. @returns {import('../measure.mjs').Command} */
  const all = (names, lines) => {
    const list = join(work, 'list');
    writeFileSync(list, names.map((name) => [`url = "https://${place.host}:${port}/${encodeURI(name)}"`, ...lines(name)].join('\n')).join('\nnext\nfail\n'));
    return { argv: place.near([...curl, ...(names.length > 1 ? ['-Z', '--parallel-max', '64'] : []), '-K', list]) };
  };
  return {
    name: 'curl', version: `${versionOf(['curl', '--version']).split(' (')[0] ?? ''}, ${versionOf(['nginx', '-v'])}`, remark: 'nginx over https; verifies nothing', folder, ...server,
    put: (source) => all(filesBelow(source), (name) => [`upload-file = "${join(dirname(source), name)}"`]),
    get: (name, into) => all(filesBelow(join(folder, name)), (file) => [`output = "${join(into, file)}"`, 'create-dirs']),
  };
};
