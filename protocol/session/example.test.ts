import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  hkdfSync,
} from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { decode, encode } from 'cborg'
import { expect, test } from 'vitest'
import { readVectors } from '../crypto/vectors.fixture.ts'
import { fromHex } from '../wire/bytes.ts'
import { example, type Example } from './example.fixture.ts'
import { decodeSession, encodeSession, readEnvelope } from './session.ts'
import { openSignal } from './signal.ts'

const file = 'sotto-session.json'

test('the example is what this code computes', async () => {
  await expect(`${JSON.stringify(example(), null, 2)}\n`).toMatchFileSnapshot(`../vectors/${file}`)
})

test('its records, envelopes and signal read as they should', () => {
  const { records, steps, signal, handshake, session } = readVectors<Example>(file)
  const bob = decodeSession(fromHex(records.bob))
  expect(Buffer.from(encodeSession(bob)).toString('hex')).toBe(records.bob)
  expect(Buffer.from(bob.associatedData).toString('hex')).toBe(session['associatedData'])
  expect(openSignal(bob, fromHex(signal.bytes), { now: signal.sentAtMs })?.signal).toEqual({
    kind: 'typing',
    active: true,
  })
  const [first, , reply] = steps.map(({ envelope }) => readEnvelope(fromHex(envelope)))
  expect(Buffer.from(first?.handshakeTag ?? []).toString('hex')).toBe(handshake.tag)
  expect(reply?.kind).toBe('session')
})

/*
 * A second reader, written from the specification with OpenSSL and another CBOR library: it opens the first envelope without
 * any of the code above. If it fails after a change, the change is one of the protocol.
 */

const hex = (value: string | undefined) => Buffer.from(value ?? '', 'hex')
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hkdf = (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) =>
  Buffer.from(hkdfSync('sha256', ikm, salt, info, length))
const cbor = (bytes: Uint8Array) => decode(bytes, { useMaps: true, strict: true }) as Map<number, Buffer>

const dh = (secret: Uint8Array, publicKey: Uint8Array) =>
  diffieHellman({
    privateKey: createPrivateKey({
      key: Buffer.concat([hex('302e020100300506032b656e04220420'), secret]),
      format: 'der',
      type: 'pkcs8',
    }),
    publicKey: createPublicKey({
      key: Buffer.concat([hex('302a300506032b656e032100'), publicKey]),
      format: 'der',
      type: 'spki',
    }),
  })

const open = (key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, data: Uint8Array) => {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  decipher.setAAD(data, { plaintextLength: sealed.length - 16 })
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

const field = (map: Map<number, Buffer>, key: number): Buffer => map.get(key) ?? expect.fail(`no field ${key}`)

/** spec/handshake.md: SK and AD from Bob's secrets and the handshake of an envelope. */
const answer = ({ bob, prekeys, handshake }: Example, encoded: Buffer) => {
  const message = cbor(encoded)
  const [ephemeral, ciphertext] = [field(message, 3), field(message, 4)]
  const key = ({ id, public: publicKey }: { id: number; public: string }) => [id, hex(publicKey), false]
  const T = sha256(
    encode([
      'Sotto/2',
      ...[bob['accountId'], bob['deviceId'], bob['identityKey']].map(hex),
      ...[key(prekeys.signed), key(prekeys.oneTime), key(prekeys.kem)],
      ephemeral,
      ciphertext,
    ]),
  )
  const secrets = [bob['identitySecret'], prekeys.signed.secret, prekeys.oneTime.secret].map(hex)
  const seed = hex(prekeys.kem.secret).toString('base64url')
  const pub = hex(prekeys.kem.public).toString('base64url')
  const kemKey = createPrivateKey({ key: { kty: 'AKP', alg: 'ML-KEM-768', priv: seed, pub }, format: 'jwk' } as never)
  const shared = [...secrets.map((secret) => dh(secret, ephemeral)), decapsulate(kemKey, ciphertext)]
  const F = Buffer.alloc(32, 0xff)
  const none = Buffer.alloc(0)
  const identityKey = hkdf(
    Buffer.concat([F, ...shared]),
    none,
    Buffer.concat([Buffer.from('Sotto_PQXDH_identity'), T]),
    32,
  )
  expect(identityKey.toString('hex')).toBe(handshake.derived['Sotto_PQXDH_identity'])
  const initiator = cbor(open(identityKey, Buffer.alloc(12), field(message, 5), T))
  const [accountId, deviceId, IK] = [field(initiator, 0), field(initiator, 2), field(initiator, 3)]
  const label = Buffer.from('Sotto_PQXDH_X25519_SHA-256_ML-KEM-768')
  const SK = hkdf(
    Buffer.concat([F, dh(hex(prekeys.signed.secret), IK), ...shared]),
    none,
    Buffer.concat([label, T, accountId, deviceId, IK]),
    32,
  )
  const tag = sha256(Buffer.from('Sotto_handshake_tag'), encoded)
  const responder = [bob['identityKey'], bob['accountId'], bob['deviceId']].map(hex)
  const AD = sha256(encode(['Sotto/2', IK, accountId, deviceId, ...responder, T, tag]))
  return { SK, AD, generation: initiator.get(4) as unknown as number }
}

test('a second reader opens the first envelope by the specification', () => {
  const vectors = readVectors<Example>(file)
  const [first] = vectors.steps
  const envelope = hex(first?.envelope)
  // spec/envelope.md: version 2, kind prekey, a header with a KEM key.
  expect(envelope[0]).toBe(0b0010_00_10)
  const nonce = envelope.subarray(1, 25)
  const headerAt = 27 + envelope.readUInt16BE(25)
  const header = envelope.subarray(headerAt, headerAt + 56 + 1_184)
  const ciphertext = envelope.subarray(headerAt + 56 + 1_184)
  const { SK, AD, generation } = answer(vectors, envelope.subarray(27, headerAt))
  expect([AD.toString('hex'), generation]).toEqual([vectors.session['associatedData'], vectors.handshake.generation])
  const none = Buffer.alloc(0)
  const init = hkdf(SK, none, Buffer.from('Sotto_init'), 96)
  // spec/ratchet.md: header, root step, chain step, body.
  const plain = xchacha20poly1305(init.subarray(32, 64), nonce).decrypt(header)
  expect(Buffer.from(plain.subarray(32, 40)).toString('hex')).toBe('0000000000000000')
  const step = hkdf(
    dh(hex(vectors.prekeys.signed.secret), plain.slice(0, 32)),
    init.subarray(0, 32),
    Buffer.from('Sotto_root'),
    96,
  )
  const messageKey = createHmac('sha256', step.subarray(32, 64)).update(Uint8Array.of(1)).digest()
  const bound = Buffer.concat([AD, Uint8Array.of(0b0010_00_10), header])
  const padded = Buffer.from(xchacha20poly1305(messageKey, nonce, bound).decrypt(ciphertext))
  expect(padded.subarray(0, padded.lastIndexOf(0x80)).toString()).toBe(first?.plaintext)
  const id = sha256(hex(first?.envelope)).subarray(0, 16)
  expect(id.toString('hex')).toBe(first?.envelopeId)
})

test('a second reader follows the KEM step of the first reply', () => {
  const vectors = readVectors<Example>(file)
  const [first, , reply] = vectors.steps
  const opening = hex(first?.envelope)
  const headerAt = 27 + opening.readUInt16BE(25)
  const { SK } = answer(vectors, opening.subarray(27, headerAt))
  const init = hkdf(SK, Buffer.alloc(0), Buffer.from('Sotto_init'), 96)
  const offer = xchacha20poly1305(init.subarray(32, 64), opening.subarray(1, 25)).decrypt(
    opening.subarray(headerAt, headerAt + 56 + 1_184),
  )
  const [aliceKey, kemKey] = [offer.slice(0, 32), offer.slice(40)]
  const afterFirst = hkdf(
    dh(hex(vectors.prekeys.signed.secret), aliceKey),
    init.subarray(0, 32),
    Buffer.from('Sotto_root'),
    96,
  )
  // Bob's reply: his ratchet secret and ML-KEM randomness are in the example, in the order in which they were drawn.
  const envelope = hex(reply?.envelope)
  expect(envelope[0]).toBe(0b0010_01_01)
  const nonce = envelope.subarray(1, 25)
  const header = envelope.subarray(25, 25 + 56 + 1_088)
  const [nonceDrawn, ratchetSecret, randomness] = (reply?.random ?? []).map(hex)
  expect(nonceDrawn).toEqual(nonce)
  const plain = xchacha20poly1305(init.subarray(64, 96), nonce).decrypt(header)
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(kemKey, randomness ?? expect.fail('drawn'))
  expect(Buffer.from(plain.subarray(40))).toEqual(Buffer.from(cipherText))
  const step = hkdf(
    Buffer.concat([dh(ratchetSecret ?? expect.fail('drawn'), aliceKey), sharedSecret]),
    afterFirst.subarray(0, 32),
    Buffer.concat([Buffer.from('Sotto_kem_root'), sha256(kemKey, cipherText)]),
    96,
  )
  const messageKey = createHmac('sha256', step.subarray(32, 64)).update(Uint8Array.of(1)).digest()
  const bound = Buffer.concat([hex(vectors.session['associatedData']), Uint8Array.of(0b0010_01_01), header])
  const padded = Buffer.from(xchacha20poly1305(messageKey, nonce, bound).decrypt(envelope.subarray(25 + 56 + 1_088)))
  expect(padded.subarray(0, padded.lastIndexOf(0x80)).toString()).toBe(reply?.plaintext)
})
