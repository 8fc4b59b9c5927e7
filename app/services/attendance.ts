import type { Signal } from '../../protocol/session/signal.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { minuteMs } from '../../protocol/wire/limits.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { signalTo } from './seal-signal.ts'
import { readSettings } from './settings.ts'
import { showConversation } from './show-conversation.ts'
import { sinceMs } from './timers.ts'

/** A tab says this often that somebody is at it. */
export const attendAgainMs = minuteMs

/** A tab that has said nothing for two and a half times that long was closed without a word. */
const attendedMs = 2.5 * minuteMs

type PresenceSignal = Extract<Signal, { kind: 'presence' }>

/**
 * Who is here: what contacts tell over direct links, and what is told to them. Nobody is told, and nothing is shown, while the
 * setting is off. A contact is here only as long as there is a link; then it was last seen.
 */
export interface Attendance {
  /** Whether the person is at a tab: it is visible, and was touched lately. */
  attend(tab: string, active: boolean): void
  /** A link to this contact (hex) stands: each tells the other. */
  greet(contact: string): void
  /** There is no link to this contact (hex) any more. */
  part(contact: string): void
  /** What came over a link; the answer is to go back over it. */
  receive(contact: ContactRow, linkId: number, state: PresenceSignal['state']): Promise<PresenceSignal | undefined>
  /** The settings were changed. */
  reconsider(): void
}

class LinkAttendance implements Attendance {
  readonly #core: Core
  /** Tabs where the person is, and when each said so. */
  readonly #tabs = new Map<string, number>()
  /** By contact (hex): the link that last told, and since when the contact has been away. */
  readonly #links = new Map<string, number>()
  readonly #awaySince = new Map<string, number>()
  #told: 'online' | 'away' = 'away'
  /** As the contacts that are linked know it. */
  #shared: boolean | undefined
  #cancel: (() => void) | undefined

  constructor(core: Core) {
    this.#core = core
  }

  attend(tab: string, active: boolean): void {
    if (active) this.#tabs.set(tab, this.#core.now())
    else this.#tabs.delete(tab)
    this.#tellChange()
    this.#cancel?.()
    if (this.#tabs.size > 0) this.#cancel = this.#core.timers.after(attendedMs, () => this.#forgetSilentTabs())
  }

  greet(contact: string): void {
    void this.#tell(contact).catch(this.#core.report)
  }

  part(contact: string): void {
    const { presence, now } = this.#core
    const state = presence.here.get(contact)
    const seenAtMs = state === 'away' ? this.#awaySince.get(contact) : now()
    this.#forget(contact)
    if (state && seenAtMs !== undefined) void this.#remember(contact, seenAtMs).catch(this.#core.report)
  }

  async receive(
    { contactId }: ContactRow,
    linkId: number,
    state: PresenceSignal['state'],
  ): Promise<PresenceSignal | undefined> {
    const { presence, now } = this.#core
    if (!(await this.#shares())) return undefined
    const contact = toHex(contactId)
    const before = presence.here.get(contact)
    const isNews = before === undefined || this.#links.get(contact) !== linkId
    if (state === 'untold') {
      this.#forget(contact)
      await this.#remember(contact, undefined)
      return undefined
    }
    this.#links.set(contact, linkId)
    if (state === 'online') this.#awaySince.delete(contact)
    else if (before !== 'away') this.#awaySince.set(contact, now())
    presence.here.set(contact, state)
    // Also written now: nobody may be there to do it when the link ends.
    if (before === undefined) await this.#remember(contact, now())
    else if (before !== state) await showConversation(this.#core, contact)
    // Whoever has only just begun, or forgotten, has not heard from us either.
    return isNews ? { kind: 'presence', state: this.#state() } : undefined
  }

  reconsider(): void {
    void this.#reconsider().catch(this.#core.report)
  }

  async #reconsider(): Promise<void> {
    const { sharePresence } = await this.#core.store.read(readSettings)
    if (this.#shared === sharePresence) return
    this.#shared = sharePresence
    if (sharePresence) return this.#tellAll({ kind: 'presence', state: this.#state() })
    for (const contact of [...this.#core.presence.state.here.keys()]) {
      this.#forget(contact)
      await showConversation(this.#core, contact)
    }
    await this.#tellAll({ kind: 'presence', state: 'untold' })
  }

  async #shares(): Promise<boolean> {
    const { sharePresence } = await this.#core.store.read(readSettings)
    this.#shared ??= sharePresence
    return sharePresence
  }

  #state(): 'online' | 'away' {
    return this.#tabs.size > 0 ? 'online' : 'away'
  }

  #tellChange(): void {
    if (this.#told === this.#state()) return
    this.#told = this.#state()
    for (const contact of this.#linked()) this.greet(contact)
  }

  #linked(): string[] {
    return [...this.#core.presence.state.paths].flatMap(([contact, path]) => (path === 'direct' ? [contact] : []))
  }

  async #tell(contact: string): Promise<void> {
    if (await this.#shares()) await signalTo(this.#core, contact, { kind: 'presence', state: this.#state() })
  }

  async #tellAll(signal: PresenceSignal): Promise<void> {
    for (const contact of this.#linked()) await signalTo(this.#core, contact, signal)
  }

  #forget(contact: string): void {
    this.#links.delete(contact)
    this.#awaySince.delete(contact)
    this.#core.presence.here.set(contact, undefined)
  }

  /** Writes down when the contact was last seen; undefined: they do not tell. */
  #remember(contact: string, seenAtMs: number | undefined): Promise<void> {
    return this.#core.commit(async (tx, effects) => {
      const { sharePresence } = await readSettings(tx)
      const known = await tx.get(contactTable, [fromHex(contact)])
      const row = known && (await tx.get(conversationTable, [known.conversationId]))
      if (!row) return
      const { seenAtMs: _, ...unseen } = row
      putConversation(tx, effects, seenAtMs === undefined || !sharePresence ? unseen : { ...unseen, seenAtMs })
    })
  }

  #forgetSilentTabs(): void {
    const now = this.#core.now()
    for (const [tab, saidAtMs] of this.#tabs) if (sinceMs(now, saidAtMs) >= attendedMs) this.#tabs.delete(tab)
    this.#tellChange()
    if (this.#tabs.size > 0) this.#cancel = this.#core.timers.after(attendedMs, () => this.#forgetSilentTabs())
  }
}

export const createAttendance = (core: Core): Attendance => new LinkAttendance(core)
