import { openDB } from 'idb'
import { expect } from 'vitest'
import { encodeContent, type Content } from '../../protocol/content/content.ts'
import { envelopeId } from '../../protocol/envelope/envelope.ts'
import { encryptMessage, preferredSession, readEnvelope } from '../../protocol/session/session.ts'
import { sendableSessions } from '../../protocol/session/which-session.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { ReceivedEnvelope } from '../../signaling/network.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { openIndexedDbStore, rawStoreNames } from '../store/indexed-db-store.ts'
import { accountTable } from '../store/records/account.ts'
import { contactTable } from '../store/records/contact.ts'
import { laneTable } from '../store/records/lane.ts'
import { sessionTable } from '../store/records/session.ts'
import { random, type Person } from './person.fixture.ts'
import type { TestWorld } from './test-network.fixture.ts'

/** One step on a person's database, whether or not their engine runs. For tests only. */
export const inStore = async <T>({ database }: Person, step: (tx: WriteTransaction) => Promise<T>): Promise<T> => {
  const store = await openIndexedDbStore({ name: database, random })
  try {
    return await store.write(step)
  } finally {
    store.close()
  }
}

/** Every session is gone while the browser is closed. */
export const loseSessions = async (person: Person): Promise<void> => {
  await person.close()
  await inStore(person, async (tx) => {
    for (const row of await tx.list(sessionTable)) tx.delete(sessionTable, [row.contactId, row.sessionId])
  })
  await person.open()
}

/** The database as it lies on the disk, and the way back to it. */
export const backUp = async ({ database }: Person): Promise<() => Promise<void>> => {
  const raw = await openDB(database)
  const stores = await Promise.all(
    rawStoreNames.map(async (name) => ({ name, keys: await raw.getAllKeys(name), values: await raw.getAll(name) })),
  )
  raw.close()
  return async () => {
    const target = await openDB(database)
    for (const { name, keys, values } of stores) {
      await target.clear(name)
      for (const [i, key] of keys.entries()) await target.put(name, values[i], key)
    }
    target.close()
  }
}

/** Handshakes that left a person since `from`, by their tags. */
export const handshakesOf = ({ seen }: TestWorld, { accountId }: Person, from = 0): number => {
  const own = seen.slice(from).filter((one) => one.from === accountId)
  const tags = own.map(({ envelope }) => readEnvelope(envelope).handshakeTag)
  return new Set(tags.filter((tag) => tag !== undefined).map(toHex)).size
}

/** Hands an envelope to a person as their relay would, through the lane they gave to a contact. */
export const deliverTo = async (
  world: TestWorld,
  to: Person,
  contact: Person,
  envelopes: readonly Uint8Array[],
): Promise<boolean[]> => {
  const connected = () => [...world.connections.values()].find((one) => one.accountOf() === to.accountId)
  await expect.poll(connected, { timeout: 20_000, interval: 20 }).toBeDefined()
  const connection = connected()
  const [lane] = await inStore(to, (tx) => tx.findAll(laneTable, fromHex(contact.accountId ?? '')))
  if (!connection || !lane) throw new Error('a lane was given')
  const source = { kind: 'mailbox', relayKey: world.relayKey, waiting: 0 } as const
  const received: ReceivedEnvelope[] = envelopes.map((envelope) => ({ envelope, laneHash: lane.laneHash }))
  return connection.listener.onEnvelopes(source, received)
}

/** What a contact seals to a person by itself, with any body, on the session it would send on. */
export const sealedBy = (sender: Person, to: Person, said: Pick<Content, 'body' | 'sequence'>): Promise<Uint8Array> =>
  inStore(sender, async (tx) => {
    const contactId = fromHex(to.accountId ?? '')
    const account = await tx.get(accountTable, [0])
    const contact = await tx.get(contactTable, [contactId])
    const rows = await tx.list(sessionTable, { prefix: [contactId] })
    if (!account || !contact) throw new Error('the two have met')
    const session = preferredSession(rows.map((row) => row.state))
    const plaintext = encodeContent({
      ...said,
      messageId: random(16),
      conversationId: contact.conversationId,
      sentAtMs: Date.now(),
      head: account.head,
    })
    const next = encryptMessage(session, plaintext, { now: Date.now(), random })
    const row = rows.find((one) => one.state === session)
    if (row) tx.put(sessionTable, { ...row, state: next.session })
    return next.envelope
  })

/** A contact asks for what was in an envelope. */
export const repairBy = (sender: Person, to: Person, envelope: Uint8Array): Promise<Uint8Array> =>
  sealedBy(sender, to, { sequence: 0, body: { kind: 'repair', envelopeIds: [envelopeId(envelope)] } })

/** The session (hex) a person sends to a contact on. */
const sendingSessionOf = (person: Person, contact: Person): Promise<string | undefined> =>
  inStore(person, async (tx) => {
    const rows = await tx.list(sessionTable, { prefix: [fromHex(contact.accountId ?? '')] })
    const sessions = sendableSessions(
      rows.map((row) => row.state),
      Date.now(),
    )
    return sessions.length === 0 ? undefined : toHex(preferredSession(sessions).sessionId)
  })

/** Both send on one and the same session. */
export const agree = async (a: Person, b: Person): Promise<void> => {
  await expect
    .poll(
      async () => {
        const [ours, theirs] = [await sendingSessionOf(a, b), await sendingSessionOf(b, a)]
        return ours !== undefined && ours === theirs
      },
      { timeout: 20_000, interval: 20 },
    )
    .toBe(true)
}
