import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { createEngine } from './engine.ts'
import { nothingPresent } from './presence.ts'

/** One message that was encrypted: its message key, and its ciphertext by which the envelope is known again. Both hex. */
export interface SealedMessage {
  readonly messageKey: string
  readonly ciphertext: string
}

/** Records the message key of everything that is encrypted: the ratchet's own, before the envelope's nonce goes into it. */
export const recordingProvider = (): { provider: CryptoProvider; sealed: SealedMessage[] } => {
  const sealed: SealedMessage[] = []
  const messageKeys = new Set<string>()
  const provider: CryptoProvider = {
    ...noble,
    hmacSha256Pair: (key, first, second) => {
      const pair = noble.hmacSha256Pair(key, first, second)
      messageKeys.add(toHex(pair[0]))
      return pair
    },
    xchacha20poly1305Seal: (key, nonce, plaintext, associatedData) => {
      const ciphertext = noble.xchacha20poly1305Seal(key, nonce, plaintext, associatedData)
      const messageKey = toHex(key)
      if (messageKeys.has(messageKey)) sealed.push({ messageKey, ciphertext: toHex(ciphertext) })
      return ciphertext
    },
  }
  return { provider, sealed }
}

/** What the worker is told to do: send `count` texts in a conversation of a database. */
export interface RaceOrder {
  readonly database: string
  readonly conversationId: string
  readonly prefix: string
  readonly count: number
}

export interface RaceResult {
  readonly sealed: SealedMessage[]
  readonly failures: number
}

const run = async ({ database, conversationId, prefix, count }: RaceOrder): Promise<RaceResult> => {
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
  const { provider, sealed } = recordingProvider()
  const engine = createEngine({
    openStore: () => openIndexedDbStore({ name: database, random }),
    now: () => Date.now(),
    random,
    crypto: provider,
    // As if a third tab led, and its relay had confirmed.
    peers: {
      post: () => undefined,
      onMessage: (listener) => listener({ kind: 'presence', state: nothingPresent, confirmed: true }),
      close: () => undefined,
    },
  })
  await engine.open(() => undefined)
  let failures = 0
  const sending: Promise<void>[] = []
  for (let i = 0; i < count; i++) {
    sending.push(engine.send(conversationId, `${prefix}${i}`).then((outcome) => void (failures += outcome.ok ? 0 : 1)))
    // A few per transaction, so that the two workers take turns many times.
    if (i % 3 === 0) await sending.at(-1)
  }
  await Promise.all(sending)
  await engine.close()
  return { sealed, failures }
}

// In a page this module only lends its recorder; in a worker it waits for its order.
if (!('document' in globalThis)) {
  globalThis.addEventListener('message', (event: MessageEvent<RaceOrder>) => {
    void run(event.data).then((result) => globalThis.postMessage(result))
  })
}
