import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { createEngine } from './engine.ts'

/** Records every key and nonce that a message was sealed with. */
export const recordingProvider = (): { provider: CryptoProvider; keys: string[] } => {
  const keys: string[] = []
  const provider: CryptoProvider = {
    ...noble,
    chacha20poly1305Seal: (key, nonce, plaintext, associatedData) => {
      keys.push(`${toHex(key)} ${toHex(nonce)}`)
      return noble.chacha20poly1305Seal(key, nonce, plaintext, associatedData)
    },
  }
  return { provider, keys }
}

/** What the worker is told to do: send `count` texts in a conversation of a database. */
export interface RaceOrder {
  readonly database: string
  readonly conversationId: string
  readonly prefix: string
  readonly count: number
}

export interface RaceResult {
  readonly keys: string[]
  readonly failures: number
}

const run = async ({ database, conversationId, prefix, count }: RaceOrder): Promise<RaceResult> => {
  const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
  const { provider, keys } = recordingProvider()
  const engine = createEngine({
    openStore: () => openIndexedDbStore({ name: database, random }),
    now: () => Date.now(),
    random,
    crypto: provider,
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
  return { keys, failures }
}

// In a page this module only lends its recorder; in a worker it waits for its order.
if (!('document' in globalThis)) {
  globalThis.addEventListener('message', (event: MessageEvent<RaceOrder>) => {
    void run(event.data).then((result) => globalThis.postMessage(result))
  })
}
