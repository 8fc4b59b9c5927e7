import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { Network } from '../../signaling/network.ts'
import type { ClientStore } from '../store/client-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { createAccount, setName } from './account.ts'
import { deleteForEveryone, editMessage, react, readEarlierTexts } from './change-messages.ts'
import type { Core } from './core.ts'
import { createCryptoChoice, type CryptoChoice } from './crypto-choice.ts'
import { diagnose } from './diagnosis.ts'
import { note, readDiagnostics } from './diagnostics.ts'
import { saveDraft } from './drafts.ts'
import type { EngineApi, EngineEvent, EngineState, Outcome, ProfileView, Settings } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { acceptInvite, createInvite, previewInvite } from './invites.ts'
import { problemOf, refuse } from './problems.ts'
import { addRelay, moveRelay, removeRelay } from './own-relays.ts'
import { isReadyForInvite } from './publish.ts'
import { markRead } from './read-marks.ts'
import { readMessage, readMessages } from './read-messages.ts'
import { removeMessages } from './remove-messages.ts'
import { repairNow } from './repair-now.ts'
import { replaceKeysStep } from './replace-keys.ts'
import type { RunningOptions } from './create-core.ts'
import { startRunning, type Running } from './running.ts'
import { changeSettings, readSettings } from './settings.ts'
import { acceptKeys, compareSafety, readSafetyNumber, setVerified } from './verification.ts'
import { untilMs } from './timers.ts'
import { conversationView, profileView, relayViews } from './views.ts'

export interface EngineOptions extends Omit<RunningOptions, 'store' | 'emit' | 'crypto'> {
  /**
   * Opens this device's database; it calls `onClosed` when it is taken away, and seals with what `crypto` gives.
   * @throws StoreError.
   */
  readonly openStore: (onClosed: () => void, crypto: () => CryptoProvider) => Promise<ClientStore>
  /** The provider that is there at once. @default noble */
  readonly crypto?: CryptoProvider
  /** Loads a faster one, which takes over; called when the engine has been connected, so that it delays nothing. */
  readonly loadCrypto?: () => Promise<CryptoProvider>
  /** What the browser says of this origin's storage. */
  readonly storage?: () => Promise<{ persisted: boolean; usageBytes: number; quotaBytes: number }>
}

const readState = (core: Core): Promise<EngineState> =>
  core.store.read(async (tx) => {
    const account = await readAccount(tx)
    const rows = await tx.list(conversationTable)
    return {
      profile: account ? profileView(account) : null,
      settings: await readSettings(tx),
      relays: account ? relayViews(account, core.presence) : [],
      conversations: rows.filter((row) => !row.hidden).map((row) => conversationView(row, core.presence)),
    }
  })

const pause = (core: Core, delayMs: number): Promise<undefined> =>
  new Promise((resolve) => void core.timers.after(delayMs, () => resolve(undefined)))

/** An invite is handed out only when the relays have what its first use needs. */
const makeInvite = async (running: Running): Promise<Outcome<{ fragment: string }>> => {
  const { core } = running
  try {
    const made = await createInvite(core)
    if (!made) return refuse('unknown', 'There is no account on this device yet.')
    const deadline = core.now() + core.pace.patienceMs
    for (;;) {
      const round = running.published()
      if (await isReadyForInvite(core)) return { ok: true, value: { fragment: made.fragment } }
      const left = untilMs(core.now(), deadline, core.pace.patienceMs)
      if (left <= 0 || core.timers.closed) break
      await Promise.race([round, pause(core, left)])
    }
    return refuse(
      'relay-unreachable',
      'Your relay cannot be reached now, and it must know of the invite. Try again when you are connected.',
    )
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}

const replaceKeys = async (running: Running): Promise<Outcome<ProfileView>> => {
  const { core } = running
  try {
    return await running.withoutNetwork(() => core.commit((tx, effects) => replaceKeysStep(tx, core, effects)))
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}

const unknownStorage = async (): Promise<{ persisted: boolean; usageBytes: number; quotaBytes: number }> => ({
  persisted: false,
  usageBytes: 0,
  quotaBytes: 0,
})

type ConversationCall =
  | 'messages'
  | 'message'
  | 'send'
  | 'edit'
  | 'earlierTexts'
  | 'react'
  | 'deleteForEveryone'
  | 'removeMessages'
  | 'markRead'
  | 'saveDraft'
  | 'typing'
  | 'show'
  | 'safetyNumber'
  | 'compareSafety'
  | 'setVerified'
  | 'acceptKeys'
  | 'repair'

/** The calls that are about one conversation. */
const conversationCalls = (open: () => Running): Pick<EngineApi, ConversationCall> => ({
  messages: async (conversationId, page) => readMessages(open().core, conversationId, page),
  message: async (conversationId, messageId) => readMessage(open().core, conversationId, messageId),
  send: async (conversationId, text, replyTo) => open().sendMessage.send(conversationId, text, replyTo),
  edit: async (conversationId, messageId, text) => editMessage(open().core, conversationId, messageId, text),
  earlierTexts: async (conversationId, messageId) => readEarlierTexts(open().core, conversationId, messageId),
  react: async (conversationId, messageId, emoji) => react(open().core, conversationId, messageId, emoji),
  deleteForEveryone: async (conversationId, messageIds) => deleteForEveryone(open().core, conversationId, messageIds),
  removeMessages: async (conversationId, messageIds) => removeMessages(open().core, conversationId, messageIds),
  markRead: async (conversationId, position) => markRead(open().core, conversationId, position),
  saveDraft: async (conversationId, text, replyTo) => saveDraft(open().core, conversationId, text, replyTo),
  typing: async (conversationId) => open().typing(conversationId),
  show: async (conversationId) => open().show(conversationId),
  safetyNumber: async (conversationId) => readSafetyNumber(open().core, conversationId),
  compareSafety: async (conversationId, code) => compareSafety(open().core, conversationId, code),
  setVerified: async (conversationId, shown) => setVerified(open().core, conversationId, shown),
  acceptKeys: async (conversationId) => acceptKeys(open().core, conversationId),
  repair: async (conversationId) => repairNow(open().core, conversationId),
})

type RelayCalls = Pick<EngineApi, 'addRelay' | 'removeRelay' | 'moveRelay'>

/** Calls about where this account lives. */
const relayCalls = (open: () => Running): RelayCalls => ({
  addRelay: async (addresses) => addRelay(open().core, addresses),
  removeRelay: async (relayId) => removeRelay(open().core, relayId),
  moveRelay: async (relayId, addresses) => moveRelay(open().core, relayId, addresses),
})

/** Calls about the person, where they live and whom they meet. */
const personalCalls = (
  open: () => Running,
): Pick<EngineApi, 'setName' | 'setSettings' | 'replaceKeys' | 'createInvite' | 'previewInvite' | 'acceptInvite'> &
  RelayCalls => ({
  ...relayCalls(open),
  setName: async (name) => setName(open().core, name),
  setSettings: async (settings: Partial<Settings>) => changeSettings(open().core, settings),
  replaceKeys: async () => replaceKeys(open()),
  createInvite: async () => makeInvite(open()),
  previewInvite: async (fragment) => previewInvite(open().core, fragment),
  acceptInvite: async (fragment) => acceptInvite(open().core, fragment),
})

/** Changes to the faster provider. Without it everything works, only slower: a line for whoever wonders why. */
const improveCrypto = async (core: Core, choice: CryptoChoice): Promise<void> => {
  try {
    await choice.improve()
  } catch {
    await note(core, 'engine', 'slow-crypto', 'WebAssembly was refused or did not load; the slower code stays')
  }
}

const onboard = async (
  running: Running,
  whenConnected: Promise<Network>,
  name: string,
  relayAddresses: readonly string[],
): Promise<Outcome<ProfileView>> => {
  const { core } = running
  // The page hands the network over after its first paint, which may be later than the first click.
  const network = await Promise.race([whenConnected, pause(core, core.pace.patienceMs)])
  if (!network) return refuse('relay-unreachable', 'The network did not start. Reload the page and try again.')
  const outcome = await createAccount(core, network, name, relayAddresses)
  if (outcome.ok) running.onboarded()
  return outcome
}

/**
 * The engine: everything the app does, over one database. Several engines may work on the same database at once; none keeps
 * state of its own between steps.
 */
export const createEngine = ({
  openStore,
  storage = unknownStorage,
  crypto = noble,
  loadCrypto,
  ...options
}: EngineOptions): EngineApi => {
  const choice = createCryptoChoice(crypto, loadCrypto)
  let running: Running | undefined
  let networkGiven: (network: Network) => void = () => undefined
  const whenConnected = new Promise<Network>((resolve) => (networkGiven = resolve))

  const open = (): Running => {
    if (!running) throw new Error('the engine is not open')
    return running
  }

  const start = async (onEvent: (event: EngineEvent) => void): Promise<EngineState> => {
    const fail = (cause: unknown): never => {
      onEvent({ kind: 'problem', problem: problemOf(cause) })
      throw new Error(problemOf(cause).message, { cause })
    }
    const onClosed = (): void => {
      void running?.close()
      const message = 'Sotto was opened elsewhere, or its data was removed.'
      onEvent({ kind: 'problem', problem: { code: 'storage-failed', message } })
    }
    const store = await openStore(onClosed, choice.current).catch(fail)
    running = startRunning({ ...options, crypto: choice.current, store, emit: onEvent })
    return readState(running.core).catch(fail)
  }

  return {
    open: start,
    connect: async (network) => {
      networkGiven(network)
      const leading = open()
      await leading.lead(network)
      void improveCrypto(leading.core, choice)
    },
    disconnect: async () => open().follow(),
    attend: async (active) => open().attend(active),
    close: async () => {
      await running?.close()
      running = undefined
    },
    createAccount: async (name, relayAddresses) => onboard(open(), whenConnected, name, relayAddresses),
    ...personalCalls(open),
    ...conversationCalls(open),
    diagnostics: async () => {
      const { core } = open()
      return { ...(await diagnose(core)), lines: await readDiagnostics(core), ...(await storage()) }
    },
    wipe: async () => {
      const { core } = open()
      await open().close()
      await core.store.destroy()
      running = undefined
    },
  }
}
