import type {
  ConversationView,
  EarlierText,
  EngineApi,
  EngineEvent,
  EngineState,
  MessageView,
  Outcome,
  Problem,
  ProfileView,
  SafetyVerdict,
  Settings,
} from '../services/engine-api.ts'

/** What a test or a picture wants the engine to hold and to do. */
export interface FixtureEngine extends EngineApi {
  /** Says something as the engine would. */
  emit(event: EngineEvent): void
  /** Stores a message as if it had just been committed. */
  commit(message: Partial<MessageView> & { readonly text: string }): MessageView
  readonly read: Map<string, number>
  readonly drafts: Map<string, string>
  readonly draftReplies: Map<string, string | undefined>
  readonly sent: string[]
  /** What each of them answered. */
  readonly answered: (string | undefined)[]
  /** What the person said of each conversation, in order. */
  readonly verified: (readonly [conversationId: string, verified: boolean])[]
  /** Conversations a repair was asked for. */
  readonly repaired: string[]
  /** What was said of the person being there, in order. */
  readonly attended: boolean[]
  /** What the next scanned code is found to be. */
  verdict: SafetyVerdict
  /** What every message said before. */
  earlier: EarlierText[]
  /** The next call of `send`, `createAccount`, `createInvite` or `acceptInvite` fails with this. */
  failNext: Problem | null
  /** Pages of messages wait for this before they are answered. */
  gate: Promise<void>
}

export const conversation = (part: Partial<ConversationView> = {}): ConversationView => ({
  conversationId: 'c0',
  contactId: '3a7f',
  name: 'Bob',
  createdAtMs: 1_700_000_000_000,
  unread: 0,
  draft: '',
  messages: 0,
  path: 'relay',
  typing: false,
  ...part,
})

export const relay = {
  relayId: 'r1',
  name: 'Garden relay',
  addresses: ['/dns/relay.example/tcp/443/tls/ws'],
  state: 'connected',
} as const

/** `count` messages a minute apart, the last one at `endMs`, three of five from the other side. */
export const history = (count: number, endMs: number, conversationId = 'c0'): MessageView[] =>
  Array.from({ length: count }, (_, index) => ({
    messageId: `m${index}`,
    conversationId,
    position: index + 1,
    mine: index % 5 > 2,
    text: `message ${index + 1}${index % 7 === 0 ? ' with a second thought that takes a little more room than the others do' : ''}`,
    sentAtMs: endMs - (count - 1 - index) * 60_000,
    ...(index % 5 > 2 ? { status: 'read' as const } : {}),
  }))

/** The code of the safety number, now. */
const safetyCode = new Uint8Array(97).fill(7)

/** Two days: keys that need no replacement yet. */
const madeAtMs = Date.now() - 2 * 86_400_000

const done = <T>(value: T): Outcome<T> => ({ ok: true, value })

const fail = (messageId: string): never => {
  throw new Error(`there is no ${messageId}`)
}

/** An engine without a store or a network, for component tests and pictures. */
export const createFixtureEngine = (state: EngineState, stored: readonly MessageView[] = []): FixtureEngine => {
  let listener: (event: EngineEvent) => void = () => undefined
  let messages = [...stored]
  let next = stored.length
  let { relays } = state

  const outcome = <T>(value: () => T): Promise<Outcome<T>> => {
    const problem = engine.failNext
    engine.failNext = null
    return Promise.resolve(problem === null ? done(value()) : { ok: false, problem })
  }

  const commit: FixtureEngine['commit'] = (part) => {
    next += 1
    const message: MessageView = {
      messageId: `new-${next}`,
      conversationId: 'c0',
      position: (messages.at(-1)?.position ?? 0) + 1,
      mine: false,
      sentAtMs: Date.now(),
      ...part,
    }
    messages = [...messages, message]
    listener({ kind: 'message', message, isNew: true })
    return message
  }

  const replace = (
    messageId: string,
    { text, ...part }: { [K in keyof MessageView]?: MessageView[K] | undefined },
  ): MessageView => {
    const { text: before, ...known } = messages.find((one) => one.messageId === messageId) ?? fail(messageId)
    const words = part.deleted ? undefined : (text ?? before)
    const changed = { ...known, ...part, ...(words === undefined ? {} : { text: words }) } as MessageView
    messages = messages.map((one) => (one.messageId === messageId ? changed : one))
    listener({ kind: 'message', message: changed, isNew: false })
    return changed
  }
  const change = (messageId: string, part: Partial<MessageView>) => outcome(() => replace(messageId, part))

  const engine: FixtureEngine = {
    earlier: [],
    read: new Map(),
    drafts: new Map(),
    draftReplies: new Map(),
    sent: [],
    answered: [],
    verified: [],
    repaired: [],
    attended: [],
    verdict: 'match',
    failNext: null,
    gate: Promise.resolve(),
    emit: (event) => listener(event),
    commit,
    open: (onEvent) => {
      listener = onEvent
      return Promise.resolve(state)
    },
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    close: () => Promise.resolve(),
    createAccount: (name) => outcome<ProfileView>(() => ({ accountId: 'a0', name, keysSinceMs: madeAtMs })),
    setName: (name) => outcome<ProfileView>(() => ({ accountId: 'a0', name, keysSinceMs: madeAtMs })),
    setSettings: (part) => Promise.resolve<Settings>({ ...state.settings, ...part }),
    addRelay: (addresses) =>
      outcome(() => {
        relays = [
          ...relays,
          { ...relay, relayId: `r${relays.length + 1}`, name: 'New relay', addresses, state: 'connecting' },
        ]
        listener({ kind: 'relays', relays })
        return relays
      }),
    removeRelay: (relayId) =>
      outcome(() => {
        relays = relays.filter((one) => one.relayId !== relayId)
        listener({ kind: 'relays', relays })
        return relays
      }),
    moveRelay: (relayId, addresses) =>
      outcome(() => {
        relays = relays.map((one) =>
          one.relayId === relayId ? { ...relay, relayId: 'r9', name: 'New relay', addresses } : one,
        )
        listener({ kind: 'relays', relays })
        return relays
      }),
    createInvite: () => outcome(() => ({ fragment: 'Ab3_-'.repeat(60) })),
    previewInvite: () => outcome(() => ({ accountId: 'b0', relayAddresses: relay.addresses })),
    acceptInvite: () => outcome(() => ({ conversationId: 'c0' })),
    messages: async (conversationId, { before = Infinity, limit }) => {
      await engine.gate
      return messages.filter((m) => m.conversationId === conversationId && m.position < before).slice(-limit)
    },
    message: (conversationId, messageId) =>
      Promise.resolve(messages.find((m) => m.conversationId === conversationId && m.messageId === messageId)),
    send: (conversationId, text, replyTo) => {
      engine.sent.push(text)
      engine.answered.push(replyTo)
      const answered = replyTo === undefined ? {} : { replyTo }
      return outcome(() => commit({ conversationId, text, mine: true, status: 'waiting', ...answered }))
    },
    edit: (_conversationId, messageId, text) => change(messageId, { text, editedAtMs: Date.now() }),
    earlierTexts: () => Promise.resolve(engine.earlier),
    react: (_conversationId, messageId, emoji) =>
      change(messageId, { reactions: emoji === null ? {} : { mine: emoji } }),
    deleteForEveryone: (_conversationId, messageIds) =>
      outcome(() => {
        for (const messageId of messageIds) replace(messageId, { text: undefined, deleted: true })
        return null
      }),
    removeMessages: (conversationId, messageIds) =>
      outcome(() => {
        messages = messages.filter(({ messageId }) => !messageIds.includes(messageId))
        listener({ kind: 'removed', conversationId, messageIds })
        return null
      }),
    markRead: (conversationId, position) => {
      engine.read.set(conversationId, position)
      return Promise.resolve()
    },
    saveDraft: (conversationId, text, replyTo) => {
      engine.drafts.set(conversationId, text)
      engine.draftReplies.set(conversationId, replyTo)
      return Promise.resolve()
    },
    attend: (active) => {
      engine.attended.push(active)
      return Promise.resolve()
    },
    typing: () => Promise.resolve(),
    show: () => Promise.resolve(),
    safetyNumber: () =>
      Promise.resolve({
        digits: '012345678901234567890123456789012345678901234567890123456789',
        qr: safetyCode,
      }),
    compareSafety: () => Promise.resolve(engine.verdict),
    acceptKeys: (conversationId) => {
      engine.verified.push([conversationId, false])
      return Promise.resolve()
    },
    setVerified: (conversationId, shown) => {
      engine.verified.push([conversationId, shown !== null])
      return Promise.resolve(shown === null || shown[0] === safetyCode[0])
    },
    replaceKeys: () => outcome<ProfileView>(() => ({ accountId: 'a0', name: 'Alice', keysSinceMs: Date.now() })),
    diagnostics: () =>
      Promise.resolve({
        lines: [
          { atMs: Date.now() - 60_000, area: 'relay', code: 'reconnected', detail: 'after 3.2 s, second attempt' },
          {
            atMs: Date.now() - 5_000,
            area: 'envelope',
            code: 'duplicate',
            detail: 'known envelope acknowledged again',
          },
        ],
        atMs: Date.now(),
        confirmed: true,
        contacts: state.conversations.map(({ conversationId, name, path, waiting }) => ({
          conversationId,
          ...(name === undefined ? {} : { name }),
          path,
          heardAtMs: Date.now() - 300_000,
          waiting: waiting === undefined ? 0 : 2,
          ...(waiting === undefined ? {} : { reason: waiting }),
          unreceipted: 1,
          hasSession: true,
          dial: { outcome: 'no-way-through', atMs: Date.now() - 120_000 },
        })),
        relays: relays.map(({ relayId, name, state: relayState }) => ({
          relayId,
          name,
          state: relayState,
          sinceMs: Date.now() - 7_200_000,
          lacks: relayState === 'connected' ? [] : ['log', 'prekeys'],
        })),
        persisted: false,
        usageBytes: 8_400_000,
        quotaBytes: 12_000_000_000,
      }),
    repair: (conversationId) => {
      engine.repaired.push(conversationId)
      return Promise.resolve({ kind: 'begun' })
    },
    wipe: () => Promise.resolve(),
  }
  return engine
}

/** A profile with two relays' worth of calm. */
export const readyState = (conversations: readonly ConversationView[]): EngineState => ({
  profile: { accountId: 'a0', name: 'Alice', keysSinceMs: madeAtMs },
  settings: { theme: 'system', sendReadReceipts: true, shareTyping: true, sharePresence: true },
  relays: [relay],
  conversations,
})
