import { expect } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { encodeCanonical } from '../wire/codec.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { ratchetDecrypt, ratchetEncrypt, type BodyCipher } from './double-ratchet.ts'
import { sealedHeader, type RatchetHeader } from './header.ts'
import type { HeaderKey, RatchetKey, RatchetSecret, RootKey } from './keys.ts'
import { initiatorState, ratchetState, responderState, type RatchetState } from './state.ts'
import { defaultSuite, type RatchetSuite } from './suite.ts'

/** Two ends of a ratchet without sessions around them. For tests only. */
export const random = seededRandom(1)
export const noData = new Uint8Array(0)
export const start = 1_000_000

/** The body of message n is its key's seal of nothing: it opens under its own key alone. */
export const seal: BodyCipher = (key) => noble.chacha20poly1305Seal(key, new Uint8Array(12), noData, noData)
export const openWith =
  (body: Uint8Array): BodyCipher =>
  (key) =>
    noble.chacha20poly1305Open(key, new Uint8Array(12), body, noData)

export interface Message {
  readonly nonce: Uint8Array
  readonly header: Uint8Array
  readonly body: Uint8Array
}

/** One end of a ratchet that remembers nothing but its state. */
export class End {
  state: RatchetState
  readonly suite: RatchetSuite
  constructor(state: RatchetState, suite = defaultSuite) {
    this.state = state
    this.suite = suite
  }
  /** `source`: where the secrets of a new chain come from, the X25519 secret first. */
  send(now = start, source = random): Message {
    const nonce = random(24)
    const tools = { now, random: source, nonce }
    const { state, sealedHeader: header, body } = ratchetEncrypt(this.suite, this.state, seal, tools)
    this.state = state
    return { nonce, header, body }
  }
  sendMany(count: number): Message[] {
    return Array.from({ length: count }, () => this.send())
  }
  receive({ nonce, header, body }: Message, now = start): void {
    this.state = ratchetDecrypt(this.suite, this.state, header, openWith(body), { now, nonce }).state
  }
  refuses(message: Message, now = start): string {
    const before = encodeCanonical(ratchetState.toMap(this.state))
    const { nonce, header, body } = message
    const code = refusal(() => ratchetDecrypt(this.suite, this.state, header, openWith(body), { now, nonce }))
    expect(encodeCanonical(ratchetState.toMap(this.state))).toEqual(before)
    return code
  }
  get skipped(): number {
    return this.state.receiving.reduce((sum, { skipped = [] }) => sum + skipped.length, 0)
  }
}

export const ends = (suite = defaultSuite): { alice: End; bob: End } => {
  const keys = {
    rootKey: random(32) as RootKey,
    initiatorHeaderKey: random(32) as HeaderKey,
    responderHeaderKey: random(32) as HeaderKey,
  }
  const secret = random(32) as RatchetSecret
  const key = noble.x25519PublicKey(secret) as RatchetKey
  return {
    alice: new End(initiatorState(keys, key, start), suite),
    bob: new End(responderState(keys, { secret, key }, start), suite),
  }
}

/** Both have sent and received once. */
export const talking = (suite = defaultSuite): { alice: End; bob: End } => {
  const { alice, bob } = ends(suite)
  bob.receive(alice.send())
  alice.receive(bob.send())
  return { alice, bob }
}

/** `message` with another header under the key and nonce it was sealed with; `end` is its receiver. */
export const withHeader = (end: End, message: Message, change: (header: RatchetHeader) => RatchetHeader): Message => {
  const tools = { crypto: noble, nonce: message.nonce }
  const key = end.state.nextReceivingHeaderKey
  const header = sealedHeader.open(message.header, key, tools) ?? expect.fail('the header opens')
  return { ...message, header: sealedHeader.seal(change(header), key, tools) }
}
