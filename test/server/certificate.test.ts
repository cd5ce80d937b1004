import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createKey, EXPORTER_BYTES, EXPORTER_LABEL, pinOf } from '../../src/identity.ts';
import { selfSigned } from '../../src/server/certificate.ts';

const key = createKey();
const pem = selfSigned(key, { name: 'nas', hosts: ['nas', 'localhost', '127.0.0.1'] });
const certificate = new X509Certificate(pem);

describe('the certificate of a server', () => {
  test('is signed by the key it is for, and its pin is the pin of the key', () => {
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(key)).toBe(true);
    expect(pinOf(certificate)).toEqual(pinOf(key));
  });

  test('says what it is for, and that it cannot sign others', () => {
    expect(certificate.subject).toBe('CN=nas');
    expect(certificate.subjectAltName).toBe('DNS:nas, DNS:localhost, IP Address:127.0.0.1');
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  });

  test('is valid from yesterday on and never ends', () => {
    const early = new X509Certificate(selfSigned(key, { name: 'nas', hosts: [], from: new Date('2030-01-02T03:04:05Z') }));
    expect(new Date(early.validFrom).toISOString()).toBe('2030-01-01T03:04:05.000Z');
    expect(new Date(early.validTo).getUTCFullYear()).toBe(9999);
    expect(early.subjectAltName).toBeUndefined();
  });

  test('has another serial number each time', () => {
    expect(new X509Certificate(selfSigned(key, { name: 'nas', hosts: [] })).serialNumber).not.toBe(certificate.serialNumber);
  });

  test('holds any number of names', () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `host-${index}.example.org`);
    expect(new X509Certificate(selfSigned(key, { name: 'é'.repeat(100), hosts })).subjectAltName?.split(', ')).toHaveLength(100);
  });

  test('carries a TLS 1.3 connection on which the client sees the pin and both ends the same exporter', async () => {
    const server = createServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: pem, minVersion: 'TLSv1.3' });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'secureConnection');
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', minVersion: 'TLSv1.3', rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect');
      const [peer] = (await accepted) as [TLSSocket];
      expect(socket.getProtocol()).toBe('TLSv1.3');
      expect(pinOf(socket.getPeerX509Certificate()!)).toEqual(pinOf(key));
      expect(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))).toEqual(peer.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)));
      peer.destroy();
    } finally {
      socket.destroy();
      server.close();
    }
  });

  test('is trusted by a client that takes it for its authority and dials one of its names', async () => {
    const server = createServer({ key: key.export({ type: 'pkcs8', format: 'pem' }), cert: pem });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ca: pem });
    try {
      await once(socket, 'secureConnect');
      expect(socket.authorized).toBe(true);
    } finally {
      socket.destroy();
      server.close();
    }
  });
});
