import { ownVersions } from '../../protocol/wire/versions.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { heldForNobody, heldTable, type HeldRow } from '../store/records/held.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import type { Problem } from './engine-api.ts'
import type { Origin } from './origin.ts'

/**
 * 64 per contact, at most 4 MiB: some days of a conversation, and not a disk full of what a relay made up. Beyond, nothing is
 * lost either: its sender offers it again until the receipt comes.
 */
const maxHeld = 64

const updateNeeded = (name: string): Problem => ({
  code: 'version',
  message: `${name} writes with a newer version of Sotto. Reload the page to get it; what was sent is kept until then.`,
})

/** Keeps an envelope of a newer version as it came; the first one of each contact is told. */
export const holdEnvelope = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { id, envelope, origin }: { id: Uint8Array; envelope: Uint8Array; origin: Origin },
): Promise<void> => {
  const known = await tx.get(heldTable, [id])
  // Tried again after an update, and still too new: the way it came by is not known any more, and nobody is told twice.
  if (known) return tx.put(heldTable, { ...known, triedVersion: ownVersions.newest })
  const { contactId, inviteSecret } = origin
  if (!contactId && !inviteSecret) return
  const held = await tx.findAll(heldTable, contactId ?? heldForNobody)
  const contact = contactId && (await tx.get(contactTable, [contactId]))
  if (held.length >= maxHeld) return
  tx.put(heldTable, {
    envelopeId: id,
    envelope,
    ...(contactId ? { contactId } : {}),
    triedVersion: ownVersions.newest,
    atMs: core.now(),
  })
  if (held.length > 0 || contact?.state === 'request') return
  const name = contact ? (contact.name ?? 'A contact') : 'Somebody you invited'
  effects.events.push({ kind: 'problem', problem: updateNeeded(name) })
}

/** `ReceiveEnvelopes.receive`. */
type Receive = (envelopes: readonly { envelope: Uint8Array }[], contactId?: Uint8Array) => Promise<boolean[]>

/** One held envelope, as if it had just come; it is let go unless it is still too new. */
const retry = async (core: Core, receive: Receive, { envelopeId, envelope, contactId }: HeldRow) => {
  const [done] = await receive([{ envelope }], contactId)
  if (!done) return
  await core.commit(async (tx) => {
    const row = await tx.get(heldTable, [envelopeId])
    if (row && row.triedVersion < ownVersions.newest) tx.delete(heldTable, [envelopeId])
  })
}

/** After an update: opens what an older version could not, in the order in which it came. */
export const openHeld = async (core: Core, receive: Receive): Promise<void> => {
  const rows = await core.store.read((tx) => tx.list(heldTable))
  const fresh = rows.filter((row) => row.triedVersion < ownVersions.newest)
  for (const row of fresh.toSorted((a, b) => a.atMs - b.atMs)) await retry(core, receive, row)
}
