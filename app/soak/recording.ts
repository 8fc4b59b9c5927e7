import { createHash } from 'node:crypto'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { envelopeId } from '../../protocol/envelope/envelope.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { Network, NetworkListener } from '../../signaling/network.ts'
import type { ClientStore } from '../store/client-store.ts'
import { envelopeTable } from '../store/records/envelope.ts'
import { failureTable } from '../store/records/failure.ts'
import { heldTable } from '../store/records/held.ts'
import type { Journal } from './journal.ts'

/** 16 bytes: Poly1305's, the end of every sealed body and so of every envelope. */
const tagBytes = 16

/** A message key is used right after the chain step that gave it; a few more are remembered for steps that make several. */
const rememberedKeys = 256

const tagOf = (sealed: Uint8Array): string => toHex(sealed.subarray(-tagBytes))

/** 16 bytes of SHA-256: enough to tell keys apart, and nothing of the key in it. */
const hashOf = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').slice(0, 32)
}

/** The same thing with some of its methods replaced; all others go to it as they are, wherever they are written down. */
export const changed = <T extends object>(thing: T, changes: Partial<T>): T =>
  new Proxy(thing, {
    get: (target, name) => {
      if (Object.hasOwn(changes, name)) return changes[name as keyof T]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

/** Writes down which message key sealed what, before the ciphertext is out of its hands. Keys appear as hashes only. */
export const recordingProvider = (provider: CryptoProvider, sealings: Journal): CryptoProvider => {
  const messageKeys = new Set<string>()
  return {
    ...provider,
    hmacSha256Pair: (key, first, second) => {
      const pair = provider.hmacSha256Pair(key, first, second)
      messageKeys.add(hashOf(pair[0]))
      const [oldest] = messageKeys
      if (messageKeys.size > rememberedKeys && oldest !== undefined) messageKeys.delete(oldest)
      return pair
    },
    xchacha20poly1305Seal: (key, nonce, plaintext, associatedData) => {
      const sealed = provider.xchacha20poly1305Seal(key, nonce, plaintext, associatedData)
      const keyHash = hashOf(key)
      if (messageKeys.has(keyHash)) sealings.write(keyHash, hashOf(key, nonce), tagOf(sealed))
      return sealed
    },
  }
}

/** Writes down what leaves, before it does, and what is acknowledged, before the acknowledgement can leave. */
export const recordingNetwork = (network: Network, left: Journal, acknowledged: Journal): Network => {
  const known = new Set<string>()
  const listen = (listener: NetworkListener): NetworkListener =>
    changed(listener, {
      onEnvelopes: async (source, envelopes) => {
        const answers = await listener.onEnvelopes(source, envelopes)
        for (const [i, { envelope }] of envelopes.entries()) {
          if (answers[i] === true) acknowledged.write(toHex(envelopeId(envelope)))
        }
        return answers
      },
    })
  return changed(network, {
    start: (device, listener) => network.start(device, listen(listener)),
    send: (route, envelope) => {
      const tag = tagOf(envelope)
      if (known.size === known.add(tag).size) return network.send(route, envelope)
      left.write(tag)
      return network.send(route, envelope)
    },
  })
}

/** Of these acknowledged envelopes (hex ids) those that the store knows nothing of, neither as received nor as unreadable. */
export const findUnstored = (store: ClientStore, ids: readonly string[]): Promise<string[]> =>
  store.read(async (tx) => {
    const out: string[] = []
    const elsewhere = [...(await tx.list(failureTable)), ...(await tx.list(heldTable))].map((row) =>
      toHex(row.envelopeId),
    )
    const known = new Set(elsewhere)
    for (const id of ids) {
      if (!known.has(id) && !(await tx.get(envelopeTable, [fromHex(id)]))) out.push(id)
    }
    return out
  })
