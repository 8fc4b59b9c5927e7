import { toHex } from '../../protocol/wire/bytes.ts'
import type { Network } from '../../signaling/network.ts'
import { fenced, type FencedStore } from '../store/fenced-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { attendAgainMs, createAttendance, type Attendance } from './attendance.ts'
import { refreshLogs } from './contact-logs.ts'
import { createContinuity, type LeadersContinuity } from './continuity.ts'
import type { Core } from './core.ts'
import { createCore, type RunningOptions } from './create-core.ts'
import { workOf, type Chore, type Effects, type Work } from './effects.ts'
import type { EngineEvent } from './engine-api.ts'
import { createNetworkListener } from './network-listener.ts'
import { openHeld } from './held.ts'
import { readAccount } from './identity.ts'
import { createNetworkStart, type NetworkStart } from './network-start.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { createPeers, type PeerNews, type Peers } from './peers.ts'
import { createPresence, nothingPresent } from './presence.ts'
import { topUpPrekeys } from './prekey-upkeep.ts'
import { publishAll } from './publish.ts'
import { encryptAllWaiting } from './resend.ts'
import { createReceipts, type Receipts } from './receipts.ts'
import { createReceiveEnvelopes, type ReceiveEnvelopes } from './receive-envelope.ts'
import { askForFailed } from './repair.ts'
import { createTask, type Task } from './retry.ts'
import { createSendMessage, type SendMessage } from './send-message.ts'
import { createShowing, type Showing } from './showing.ts'
import { createSignals, type Signals } from './signals.ts'
import { createSessionStarter } from './start-session.ts'
import { upkeepStep } from './upkeep.ts'
import { conversationView, messageView, relayViews } from './views.ts'
import { createWaiting, type Waiting } from './waiting.ts'

/** An engine whose store is open: every service, wired to the others. */
export interface Running {
  readonly core: Core
  readonly sendMessage: SendMessage
  /** The person is typing in this conversation. */
  typing(conversationId: string): Promise<void>
  /** This conversation is on screen here; null: none is. */
  show(conversationId: string | null): Promise<void>
  /** Whether the person is at this tab. */
  attend(active: boolean): void
  /** This engine leads from now on: it alone uses a network. @throws StoreError. */
  lead(network: Network): Promise<void>
  /** Another engine leads, or will: the network is stopped and everything else goes on. */
  follow(): Promise<void>
  /** The account has just been made. */
  onboarded(): void
  /** Runs a step that changes this device's keys: the network is ended before it, and begins again after it. */
  withoutNetwork<T>(step: () => Promise<T>): Promise<T>
  /** Resolves after the next turn of a relay in publishing, here or in the tab that leads. */
  published(): Promise<void>
  close(): Promise<void>
}

interface Services {
  readonly outbox: Outbox
  readonly receipts: Receipts
  readonly signals: Signals
  readonly attendance: Attendance
  readonly showing: Showing
  readonly waiting: Waiting
  readonly tasks: Readonly<Record<Chore, Task>>
  /** The person does not want to wait for the next attempt at a session with this contact (hex). */
  readonly hurry: (contact: string) => void
}

/** What a step lets every screen know, in the order in which a screen wants it. */
const eventsOf = (core: Core, effects: Effects): EngineEvent[] => [
  ...[...effects.messages.values()].map(({ row, isNew }) => ({
    kind: 'message' as const,
    message: messageView(row),
    isNew,
  })),
  ...[...effects.conversations.values()].map((row) => ({
    kind: 'conversation' as const,
    conversation: conversationView(row, core.presence),
  })),
  ...effects.events,
]

/** What the leading engine does after a step of any engine. */
const doWork = (core: Core, { outbox, receipts, showing, tasks, hurry }: Services, work: Work): void => {
  for (const contact of work.moved) outbox.reroute(contact)
  for (const [contact, numbers] of work.gone) outbox.forget(contact, numbers)
  for (const [contact, numbers] of work.outbox) outbox.offer(contact, numbers)
  if (work.outbox.size > 0) core.continuity.moved()
  if (work.routes.size > 0) showing.refresh()
  for (const contact of work.receipts) receipts.schedule(contact)
  for (const chore of work.chores) tasks[chore].kick()
  for (const contact of work.hurried) {
    outbox.wake(contact)
    hurry(contact)
  }
}

/** Tasks that repeat until nothing is left; `afterPublishing` runs after each relay's turn and each round of publishing. */
const createTasks = (
  core: Core,
  continuity: LeadersContinuity,
  followMailboxes: () => Promise<boolean>,
  afterPublishing: () => void,
): Pick<Services, 'tasks' | 'hurry'> => {
  const starter = createSessionStarter(core, () => sessions.kick())
  const sessions: Task = createTask(core, starter.work)
  const tasks = {
    continuity: createTask(core, () => continuity.check()),
    publish: createTask(core, async () => {
      try {
        return await publishAll(core, afterPublishing)
      } finally {
        afterPublishing()
      }
    }),
    mailboxes: createTask(core, followMailboxes),
    sessions,
    repairs: createTask(core, () => askForFailed(core)),
    prekeys: createTask(core, () => topUpPrekeys(core)),
    contacts: createTask(core, () => refreshLogs(core)),
  }
  return { tasks, hurry: starter.hurry }
}

/** Every contact's conversation as it is reached now, and every relay, for a screen that does not know yet. */
const showPresence = async (core: Core, contacts: readonly string[], emit: (event: EngineEvent) => void) => {
  const { account, rows } = await core.store.read(async (tx) => ({
    account: await readAccount(tx),
    rows: contacts.length > 0 ? await tx.list(conversationTable) : [],
  }))
  if (account) emit({ kind: 'relays', relays: relayViews(account, core.presence) })
  for (const row of rows) {
    if (row.hidden || !contacts.includes(toHex(row.contactId))) continue
    emit({ kind: 'conversation', conversation: conversationView(row, core.presence) })
  }
}

export const startRunning = (options: RunningOptions): Running => new WiredEngine(options)

class WiredEngine implements Running {
  readonly core: Core
  readonly sendMessage: SendMessage
  readonly #options: RunningOptions
  readonly #store: FencedStore
  readonly #peers: Peers
  readonly #services: Services
  readonly #starter: NetworkStart
  readonly #receive: ReceiveEnvelopes
  /** Tells this tab's wishes from those of others. */
  readonly #tab: string
  #network: Network | undefined
  #shown: string | null = null
  #active = false
  #cancelAttending: () => void = () => undefined
  #waiting: (() => void)[] = []
  #cancelUpkeep: () => void = () => undefined

  constructor(options: RunningOptions) {
    this.#options = options
    this.#tab = toHex(options.random(8))
    this.#store = fenced(options.store, () => options.emit({ kind: 'superseded' }))
    const presence = createPresence(() => {
      this.#tellPresence()
      if (this.#network) this.#services.waiting.look()
    })
    const continuity = createContinuity(
      () => this.core,
      () => this.#confirmed(),
    )
    this.core = createCore(options, {
      store: this.#store,
      presence,
      continuity,
      network: () => this.#network,
      after: (effects) => this.#after(effects),
      emit: (event) => this.#publish([event], null),
    })
    const { core } = this
    const attendance = createAttendance(core)
    this.#services = {
      attendance,
      outbox: createOutbox(core),
      receipts: createReceipts(core),
      signals: createSignals(core, attendance),
      showing: createShowing(core),
      waiting: createWaiting(core),
      ...createTasks(
        core,
        continuity,
        () => this.#starter.follow(),
        () => this.#answerWaiting(),
      ),
    }
    const { signals, outbox, receipts, tasks } = this.#services
    this.#receive = createReceiveEnvelopes(core)
    const listener = createNetworkListener(core, {
      ...{ receive: this.#receive, signals, attendance, outbox, receipts },
      wakeAll: () => this.#wakeAll(),
      topUpPrekeys: () => tasks.prekeys.kick(),
    })
    this.#starter = createNetworkStart(core, listener, () => {
      this.#services.showing.resume()
      this.#wakeAll()
    })
    this.sendMessage = createSendMessage(core)
    this.#peers = createPeers(
      options.peers,
      (message) => this.#hear(message),
      () => this.#tellPresence(),
    )
  }

  async lead(network: Network): Promise<void> {
    await this.#store.lead()
    const { core } = this
    const changed = core.presence.replace(nothingPresent)
    this.#network = network
    // What the tab that led before knew is not known here.
    showPresence(core, changed, this.#options.emit).catch(core.report)
    this.#peers.tell({ kind: 'leading' })
    this.#tellPresence()
    this.#starter.kick()
    void this.#services.showing.show(this.#shown, this.#tab).catch(core.report)
    this.attend(this.#active)
    this.#services.outbox.resume().catch(core.report)
    this.#services.receipts.resume().catch(core.report)
    this.#services.waiting.resume().catch(core.report)
    openHeld(core, this.#receive.receive).catch(core.report)
    this.#startUpkeep()
  }

  async follow(): Promise<void> {
    this.#cancelUpkeep()
    try {
      if (this.#network) await this.#starter.without(async () => void (this.#network = undefined))
    } finally {
      // A network that does not stop must not leave this engine with a lead that it has lost.
      this.#network = undefined
      this.#store.follow()
    }
    if (this.#active) this.attend(true)
  }

  async typing(conversationId: string): Promise<void> {
    if (this.#network) await this.#services.signals.typing(conversationId)
    else this.#peers.tell({ kind: 'typing', conversationId })
  }

  async show(conversationId: string | null): Promise<void> {
    this.#shown = conversationId
    if (this.#network) await this.#services.showing.show(conversationId, this.#tab)
    else this.#peers.tell({ kind: 'show', tab: this.#tab, conversationId })
  }

  attend(active: boolean): void {
    this.#active = active
    this.#cancelAttending()
    if (this.#network) this.#services.attendance.attend(this.#tab, active)
    else this.#peers.tell({ kind: 'attend', tab: this.#tab, active })
    // The tab that leads forgets those that have ended without a word.
    if (active) this.#cancelAttending = this.core.timers.after(attendAgainMs, () => this.attend(this.#active))
  }

  onboarded(): void {
    this.#starter.kick()
  }

  withoutNetwork<T>(step: () => Promise<T>): Promise<T> {
    return this.#starter.without(step)
  }

  published(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  async close(): Promise<void> {
    this.core.timers.close()
    this.#answerWaiting()
    this.#peers.tell({ kind: 'show', tab: this.#tab, conversationId: null })
    this.#peers.tell({ kind: 'attend', tab: this.#tab, active: false })
    this.#peers.close()
    // A network that does not stop must not keep the store from the next tab.
    if (this.#starter.started) await this.#network?.stop().catch(() => undefined)
    this.#store.close()
  }

  #after(effects: Effects): void {
    for (const contact of effects.quiet) this.#services.signals.quiet(contact)
    const work = workOf(effects)
    this.#publish(eventsOf(this.core, effects), work)
    if (this.#network) doWork(this.core, this.#services, work)
  }

  /** What waited for it may be encrypted now. */
  #confirmed(): void {
    const { core } = this
    this.#tellPresence()
    if (!this.#network) return
    core.commit((tx, effects) => encryptAllWaiting(tx, core, effects)).catch(core.report)
    this.#services.receipts.resume().catch(core.report)
    this.#services.waiting.look()
    this.#wakeAll()
  }

  #publish(events: readonly EngineEvent[], work: Work | null): void {
    for (const event of events) this.#options.emit(event)
    this.#peers.tell({ kind: 'step', events, work })
    if (this.#network) this.#heed(events)
  }

  /** What the leader concludes from a step of any tab. */
  #heed(events: readonly EngineEvent[]): void {
    this.#services.waiting.heed(events)
    if (events.some(({ kind }) => kind === 'settings')) this.#services.attendance.reconsider()
  }

  #hear(message: PeerNews): void {
    const { core } = this
    switch (message.kind) {
      case 'step':
        for (const event of message.events) this.#options.emit(event)
        if (this.#network) this.#heed(message.events)
        if (this.#network && message.work) doWork(core, this.#services, message.work)
        this.#answerWaiting()
        return
      case 'presence': {
        if (this.#network) return
        if (message.confirmed) core.continuity.confirm()
        const changed = core.presence.replace(message.state)
        showPresence(core, changed, this.#options.emit).catch(core.report)
        return
      }
      case 'typing':
        if (this.#network) this.#services.signals.typing(message.conversationId).catch(core.report)
        return
      case 'show':
        if (this.#network) this.#services.showing.show(message.conversationId, message.tab).catch(core.report)
        return
      case 'attend':
        if (this.#network) this.#services.attendance.attend(message.tab, message.active)
        return
      case 'leading':
        if (this.#active) this.attend(true)
        if (this.#shown !== null) void this.show(this.#shown).catch(core.report)
    }
  }

  #tellPresence(): void {
    const { presence, continuity } = this.core
    if (this.#network) this.#peers.tell({ kind: 'presence', state: presence.state, confirmed: continuity.confirmed })
  }

  #wakeAll(): void {
    for (const task of Object.values(this.#services.tasks)) task.kick()
    this.#services.outbox.wake()
  }

  #answerWaiting(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #startUpkeep(): void {
    const { core } = this
    this.#cancelUpkeep()
    core.commit((tx, effects) => upkeepStep(tx, core, effects)).catch(core.report)
    this.#services.tasks.prekeys.kick()
    this.#cancelUpkeep = core.timers.after(core.pace.upkeepMs, () => this.#startUpkeep())
  }
}
