import { openDB } from 'idb'
import { afterEach, expect, it } from 'vitest'
import { encodeUtf8, fromBase64Url, fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { openDeviceLock } from '../store/device-lock.ts'
import { rawStoreNames } from '../store/indexed-db-store.ts'
import { Person, random } from './person.fixture.ts'
import { referenceOf } from './views.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 10_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const utf16 = (text: string): Uint8Array => {
  const out = new Uint8Array(text.length * 2)
  for (let i = 0; i < text.length; i++) new DataView(out.buffer).setUint16(2 * i, text.charCodeAt(i), true)
  return out
}

/** Every byte string and text of a stored value, however deep, as hex. */
const collect = (value: unknown, out: string[]): void => {
  if (typeof value === 'string') out.push(toHex(encodeUtf8(value)), toHex(utf16(value)))
  else if (value instanceof ArrayBuffer) out.push(toHex(new Uint8Array(value)))
  else if (ArrayBuffer.isView(value)) out.push(toHex(new Uint8Array(value.buffer)))
  else if (value !== null && typeof value === 'object') {
    for (const [name, part] of Object.entries(value)) {
      collect(name, out)
      collect(part, out)
    }
  }
}

/** Stores in which a canary stands readable, by name of the canary. */
const scan = async (database: string, canaries: Record<string, Uint8Array>): Promise<string[]> => {
  const raw = await openDB(database)
  const hits: string[] = []
  for (const store of rawStoreNames) {
    const bytes: string[] = []
    collect(await raw.getAllKeys(store), bytes)
    collect(await raw.getAll(store), bytes)
    for (const [name, canary] of Object.entries(canaries)) {
      if (bytes.some((stored) => stored.includes(toHex(canary)))) hits.push(`${store}: ${name}`)
    }
  }
  raw.close()
  return hits
}

it('stores nothing readable: texts, names, drafts, ids, keys and the invite are nowhere in the database', async () => {
  const world = new TestWorld()
  const alice = new Person({ world, name: 'Canary-Alice-7Q' })
  const bob = new Person({ world, name: 'Canary-Bob-9Z' })
  people.push(alice, bob)
  await Promise.all([alice.onboard(), bob.onboard()])
  const invite = await alice.invite()
  const id = await bob.accept(invite)
  await bob.send(id, 'canary text of Bob 4711')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  await alice.send(id, 'canary text of Alice 0815')
  await alice.engine.saveDraft(id, 'canary draft 1234')
  await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(2)
  const canaries: Record<string, Uint8Array> = {
    'relay key': world.relayKey,
    'account of Alice': fromHex(alice.accountId ?? ''),
    'account of Bob': fromHex(bob.accountId ?? ''),
    conversation: fromHex(id),
    'secret of the invite': fromBase64Url(invite).slice(-32),
  }
  for (const text of [
    'Canary-Alice',
    'Canary-Bob',
    'canary text',
    'canary draft',
    'relay.test',
    'Test relay',
    invite.slice(0, 40),
  ]) {
    canaries[`${text} (UTF-8)`] = encodeUtf8(text)
    canaries[`${text} (UTF-16)`] = utf16(text)
  }
  for (const message of await alice.messages(id)) {
    canaries[`message id ${message.messageId}`] = referenceOf(message.messageId).messageId
  }
  const opened = await openDB(alice.database)
  const vaultKey = await openDeviceLock(opened, random)
  opened.close()
  canaries['vault key, first half'] = vaultKey.slice(0, 32)
  canaries['vault key, second half'] = vaultKey.slice(32)
  for (const { database } of [alice, bob]) expect(await scan(database, canaries)).toEqual([])

  // The same search finds what somebody does write: in a value as text, in a value as bytes, and in a key.
  const raw = await openDB(alice.database)
  await raw.put('messages', { v: 'canary text in the clear' }, [1])
  await raw.put('outbox', { v: utf16('canary draft') }, [1])
  await raw.put('contacts', { v: new Uint8Array(1) }, [encodeUtf8('xx canary text').slice()])
  raw.close()
  expect(await scan(alice.database, canaries)).toEqual([
    'contacts: canary text (UTF-8)',
    'messages: canary text (UTF-8)',
    'messages: canary text (UTF-16)',
    'outbox: canary draft (UTF-16)',
  ])
})
