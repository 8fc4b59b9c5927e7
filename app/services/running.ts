import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import type { Network } from '../../signaling/network.ts'
import type { ClientStore, WriteTransaction } from '../store/client-store.ts'
import { StoreError } from '../store/store-error.ts'
import { refreshLogs } from './contact-logs.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import { createEffects, type Chore, type Effects } from './effects.ts'
import type { EngineEvent } from './engine-api.ts'
import { createNetworkListener } from './network-listener.ts'
import { openHeld } from './held.ts'
import { createNetworkStart } from './network-start.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { defaultPace, type Pace } from './pace.ts'
import { createPresence } from './presence.ts'
import { topUpPrekeys } from './prekey-upkeep.ts'
import { problemOf } from './problems.ts'
import { publishAll } from './publish.ts'
import { createReceipts, type Receipts } from './receipts.ts'
import { createReceiveEnvelopes } from './receive-envelope.ts'
import { askForFailed } from './repair.ts'
import { createTask, type Task } from './retry.ts'
import { createSendMessage, type SendMessage } from './send-message.ts'
import { createShowing, type Showing } from './showing.ts'
import { createSignals, type Signals } from './signals.ts'
import { createSessionStarter } from './start-session.ts'
import { createTimers } from './timers.ts'
import { upkeepStep } from './upkeep.ts'
import { conversationView, messageView } from './views.ts'

export interface RunningOptions {
  readonly store: ClientStore
  readonly emit: (event: EngineEvent) => void
  /** Unix milliseconds. */
  readonly now: () => number
  readonly random: Random
  /** The provider that computes now. */
  readonly crypto: () => CryptoProvider
  /** @default defaultPace */
  readonly pace?: Partial<Pace>
}

/** An engine whose store is open: every service, wired to the others. */
export interface Running {
  readonly core: Core
  readonly sendMessage: SendMessage
  readonly signals: Signals
  readonly showing: Showing
  /** Starts network work; once. */
  connect(network: Network): void
  /** The account has just been made. */
  onboarded(): void
  /** Runs a step that changes this device's keys: the network is ended before it, and begins again after it. */
  withoutNetwork<T>(step: () => Promise<T>): Promise<T>
  /** Resolves after the next turn of a relay in publishing. */
  published(): Promise<void>
  close(): Promise<void>
}

/** What each service gets to see; effects of a commit go out from here, in one place. */
const createCore = (
  options: RunningOptions,
  network: () => Network | undefined,
  after: (effects: Effects) => void,
): Core => {
  const { store, emit, now, random, crypto } = options
  const timers = createTimers()
  const core: Core = {
    store,
    get crypto() {
      return crypto()
    },
    random,
    now,
    timers,
    network,
    emit,
    pace: { ...defaultPace, ...options.pace },
    presence: createPresence(),
    commit: async <T>(step: (tx: WriteTransaction, effects: Effects) => Promise<T>): Promise<T> => {
      const effects = createEffects()
      const result = await store.write((tx) => step(tx, effects))
      after(effects)
      return result
    },
    report: (cause) => {
      if (timers.closed || (cause instanceof StoreError && cause.code === 'closed')) return
      if (cause instanceof StoreError) emit({ kind: 'problem', problem: problemOf(cause) })
      const [code, detail] =
        cause instanceof StoreError ? [cause.code, cause.message] : ['bug', 'a step failed unexpectedly']
      void note(core, 'storage', code, detail)
    },
  }
  return core
}

interface Services {
  readonly outbox: Outbox
  readonly receipts: Receipts
  readonly signals: Signals
  readonly showing: Showing
  readonly tasks: Readonly<Record<Chore, Task>>
}

/** Events in the order in which a screen wants them, then the work that follows. */
const applyEffects = (core: Core, { outbox, receipts, signals, showing, tasks }: Services, effects: Effects): void => {
  for (const contact of effects.quiet) signals.quiet(contact)
  for (const { row, isNew } of effects.messages.values())
    core.emit({ kind: 'message', message: messageView(row), isNew })
  for (const row of effects.conversations.values()) {
    core.emit({ kind: 'conversation', conversation: conversationView(row, core.presence) })
  }
  for (const event of effects.events) core.emit(event)
  for (const [contact, numbers] of effects.outbox) outbox.offer(contact, numbers)
  for (const contact of effects.routes) showing.refresh(contact)
  for (const contact of effects.receipts) receipts.schedule(contact)
  for (const chore of effects.chores) tasks[chore].kick()
}

/** Tasks that repeat until nothing is left; `afterPublishing` runs after each relay's turn and each round of publishing. */
const createTasks = (
  core: Core,
  followMailboxes: () => Promise<boolean>,
  afterPublishing: () => void,
): Readonly<Record<Chore, Task>> => {
  const sessions: Task = createTask(
    core,
    createSessionStarter(core, () => sessions.kick()),
  )
  return {
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
}

const startUpkeep = (core: Core, tasks: Services['tasks']): void => {
  core.commit((tx, effects) => upkeepStep(tx, core, effects)).catch(core.report)
  tasks.prekeys.kick()
  core.timers.after(core.pace.upkeepMs, () => startUpkeep(core, tasks))
}

export const startRunning = (options: RunningOptions): Running => {
  let network: Network | undefined
  const waiting: (() => void)[] = []
  const answerWaiting = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  const core = createCore(
    options,
    () => network,
    (effects) => applyEffects(core, services, effects),
  )
  const [outbox, receipts, signals, showing] = [
    createOutbox(core),
    createReceipts(core),
    createSignals(core),
    createShowing(core),
  ]
  const tasks = createTasks(core, () => starter.follow(), answerWaiting)
  const services: Services = { outbox, receipts, signals, showing, tasks }
  const wakeAll = (): void => {
    for (const task of Object.values(tasks)) task.kick()
    outbox.wake()
  }
  const receive = createReceiveEnvelopes(core)
  const starter = createNetworkStart(
    core,
    createNetworkListener(core, {
      ...{ receive, signals, outbox, receipts, wakeAll },
      topUpPrekeys: () => tasks.prekeys.kick(),
    }),
    () => {
      showing.resume()
      wakeAll()
    },
  )

  return {
    core,
    signals,
    showing,
    sendMessage: createSendMessage(core),
    connect: (handed) => {
      network = handed
      starter.kick()
      outbox.resume().catch(core.report)
      receipts.resume().catch(core.report)
      openHeld(core, receive.receive).catch(core.report)
      startUpkeep(core, tasks)
    },
    onboarded: () => starter.kick(),
    withoutNetwork: starter.without,
    published: () => new Promise((resolve) => void waiting.push(resolve)),
    close: async () => {
      core.timers.close()
      answerWaiting()
      // A network that does not stop must not keep the store from the next tab.
      if (starter.started) await network?.stop().catch(() => undefined)
      core.store.close()
    },
  }
}
