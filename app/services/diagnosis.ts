import { toHex } from '../../protocol/wire/bytes.ts'
import type { ReadTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { outboxTable } from '../store/records/outbox.ts'
import type { Core } from './core.ts'
import { stageOf } from './delivery-state.ts'
import type { ContactDiagnosis, Diagnosis, RelayDiagnosis } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { lackingAt } from './publish.ts'
import { wantedHandshakes } from './repair.ts'
import { nextRepairAtMs } from './repair-decision.ts'
import { sendingSession } from './sessions.ts'
import { reasonFor } from './waiting.ts'

const diagnoseContact = async (
  tx: ReadTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
): Promise<ContactDiagnosis> => {
  const name = toHex(contact.contactId)
  const { presence } = core
  const rows = (await tx.list(outboxTable, { prefix: [contact.contactId] })).filter((row) => row.messageId)
  const reason = reasonFor(core, account, contact, rows)
  const [wanted] = await wantedHandshakes(tx, contact.contactId)
  const dial = presence.dials.get(name)
  return {
    conversationId: toHex(contact.conversationId),
    ...(contact.name === undefined ? {} : { name: contact.name }),
    path: presence.path(name),
    ...(contact.heardAtMs === undefined ? {} : { heardAtMs: contact.heardAtMs }),
    waiting: rows.filter((row) => stageOf(row) !== 'taken').length,
    unreceipted: rows.filter((row) => stageOf(row) === 'taken').length,
    ...(reason === undefined ? {} : { reason }),
    hasSession: (await sendingSession(tx, contact, core.now())) !== undefined,
    ...(dial === undefined ? {} : { dial }),
    ...(wanted?.handshake === 'repair' ? { repairAtMs: nextRepairAtMs(wanted, core.pace.repairMs) } : {}),
  }
}

const diagnoseRelay = async (
  tx: ReadTransaction,
  core: Core,
  relay: AccountRow['relays'][number],
): Promise<RelayDiagnosis> => {
  const relayId = toHex(relay.relayKey)
  const sinceMs = core.presence.state.relays.get(relayId)?.sinceMs
  return {
    relayId,
    name: relay.name,
    state: core.presence.relay(relayId),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    lacks: await lackingAt(tx, relay),
  }
}

/** What stands in the store, and what the leading engine knows besides; the same in every tab. */
export const diagnose = (core: Core): Promise<Pick<Diagnosis, 'contacts' | 'relays' | 'confirmed' | 'atMs'>> =>
  core.store.read(async (tx) => {
    const account = await readAccount(tx)
    const contacts: ContactDiagnosis[] = []
    const relays: RelayDiagnosis[] = []
    for (const relay of account?.relays ?? []) relays.push(await diagnoseRelay(tx, core, relay))
    for (const contact of account ? await tx.list(contactTable) : []) {
      const isShown =
        contact.state === 'accepted' && !(await tx.get(conversationTable, [contact.conversationId]))?.hidden
      if (account && isShown) contacts.push(await diagnoseContact(tx, core, account, contact))
    }
    return { contacts, relays, confirmed: core.continuity.confirmed, atMs: core.now() }
  })
