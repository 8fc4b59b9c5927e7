import { openSignal, sealSignal, type Signal } from '../../protocol/session/signal.ts'
import type { Session } from '../../protocol/session/session.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { sessionTable } from '../store/records/session.ts'
import type { Attendance } from './attendance.ts'
import type { Core } from './core.ts'
import { createReplayMemory } from './replay-memory.ts'
import { sealFor, signalTo } from './seal-signal.ts'
import { readSettings } from './settings.ts'
import { showConversation } from './show-conversation.ts'
import { sinceMs } from './timers.ts'
import { isHeld } from './trust.ts'

/** At most one typing signal in this time leaves (FEATURES 2.5). */
const typingIntervalMs = 3 * secondMs
/** After this long without another, nobody is typing any more. */
const typingShownMs = 5 * secondMs

/** Links whose contact is remembered, the latest heard of: far more than are ever open at once. */
const maxLinks = 256

/** What passes over direct links and is never stored: hello, typing and presence. */
export interface Signals {
  /** The sealed hello for a fresh link; null without a session. */
  hello(contactId: string): Promise<Uint8Array | null>
  /** Whose signal it was, with an answer if it wants one; null: nobody's, too old or repeated. */
  receive(linkId: number, signal: Uint8Array): Promise<{ contactId: string; reply?: Uint8Array } | null>
  /** The contact (hex) that a link has shown to be. */
  contactOf(linkId: number): string | undefined
  /** The person is typing in this conversation. */
  typing(conversationId: string): Promise<void>
  /** The contact is not typing any more: its message has come. */
  quiet(contactId: string): void
}

interface Opened {
  readonly contact: ContactRow
  readonly session: Session
  readonly signal: Signal
  readonly nonce: Uint8Array
}

/** A contact's clock may be off: its own time, as measured by its messages, counts as well as ours. */
const openFor = (core: Core, contact: ContactRow, session: Session, data: Uint8Array): Opened | null => {
  const moments = [core.now(), core.now() - (contact.clockOffsetMs ?? 0)]
  for (const now of moments) {
    const opened = openSignal(session, data, { now: Math.max(0, now), crypto: core.crypto })
    if (opened) return { contact, session, ...opened }
  }
  return null
}

const openAny = (core: Core, data: Uint8Array, first: string | undefined): Promise<Opened | null> =>
  core.store.read(async (tx) => {
    const contacts = (await tx.list(contactTable)).filter((contact) => contact.state === 'accepted' && !isHeld(contact))
    contacts.sort((a, b) => Number(toHex(b.contactId) === first) - Number(toHex(a.contactId) === first))
    for (const contact of contacts) {
      for (const { state } of await tx.list(sessionTable, { prefix: [contact.contactId] })) {
        const opened = openFor(core, contact, state, data)
        if (opened) return opened
      }
    }
    return null
  })

export const createSignals = (core: Core, attendance: Attendance): Signals => {
  const isFresh = createReplayMemory(core.now)
  const links = new Map<number, string>()
  const ends = new Map<string, () => void>()
  const lastSent = new Map<string, number>()

  const setTyping = async (contact: ContactRow, active: boolean): Promise<void> => {
    const contactId = toHex(contact.contactId)
    ends.get(contactId)?.()
    ends.delete(contactId)
    if (active && !(await core.store.read(readSettings)).shareTyping) return
    if (active)
      ends.set(
        contactId,
        core.timers.after(typingShownMs, () => void setTyping(contact, false).catch(core.report)),
      )
    if (!core.presence.typing.set(contactId, active ? true : undefined)) return
    await showConversation(core, contactId)
  }

  const answerTo = async (contact: ContactRow, linkId: number, signal: Signal): Promise<Signal | undefined> => {
    if (signal.kind === 'presence') return attendance.receive(contact, linkId, signal.state)
    return signal.kind === 'hello' ? { kind: 'hello-reply' } : undefined
  }

  return {
    hello: (contactId) => sealFor(core, contactId, { kind: 'hello' }),
    receive: async (linkId, data) => {
      const opened = await openAny(core, data, links.get(linkId))
      if (!opened) return null
      const contactId = toHex(opened.contact.contactId)
      if (!isFresh(contactId, opened.nonce, opened.contact.clockOffsetMs ?? 0)) return null
      links.delete(linkId)
      links.set(linkId, contactId)
      for (const eldest of links.keys()) if (links.size > maxLinks) links.delete(eldest)
      const { session, signal } = opened
      if (signal.kind === 'typing') await setTyping(opened.contact, signal.active)
      const answer = await answerTo(opened.contact, linkId, signal)
      if (!answer) return { contactId }
      const { random, crypto } = core
      return { contactId, reply: sealSignal(session, answer, { now: core.now(), random, crypto }) }
    },
    contactOf: (linkId) => links.get(linkId),
    typing: async (conversationId) => {
      const now = core.now()
      const last = lastSent.get(conversationId)
      if (last !== undefined && sinceMs(now, last) < typingIntervalMs) return
      // Before anything is read: whoever types fast calls again before the answer is there.
      lastSent.set(conversationId, now)
      const [row, { shareTyping }] = await core.store.read((tx) =>
        Promise.all([tx.get(conversationTable, [fromHex(conversationId)]), readSettings(tx)]),
      )
      const contactId = row && toHex(row.contactId)
      if (!contactId || !shareTyping || core.presence.path(contactId) !== 'direct') return
      await signalTo(core, contactId, { kind: 'typing', active: true })
    },
    quiet: (contactId) => {
      ends.get(contactId)?.()
      ends.delete(contactId)
      core.presence.typing.set(contactId, undefined)
    },
  }
}
