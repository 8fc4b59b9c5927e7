import type { CryptoProvider } from '../crypto/provider.ts'
import { envelopeId } from '../envelope/envelope.ts'
import { testTime, type TestAccount } from '../identity/account.fixture.ts'
import { generatePrekeys, type PrekeyBundle, type PrekeyKind } from '../identity/prekeys.ts'
import type { Random } from '../wire/brand.ts'
import { decodeUtf8, encodeUtf8, toHex } from '../wire/bytes.ts'
import { ProtocolError, type ProtocolErrorCode } from '../wire/error.ts'
import { localOf } from './people.fixture.ts'
import type { ResponderPrekeys } from './responding-device.ts'
import {
  decodeSession,
  decryptMessage,
  encodeSession,
  encryptMessage,
  initiateSession,
  preferredSession,
  readEnvelope,
  respondToHandshake,
  type Session,
} from './session.ts'

/** What is inside an envelope here: a text under an id, and the envelopes that could not be opened, to be sent again. */
interface Letter {
  readonly id: string
  readonly text: string
  readonly failed: readonly string[]
}

/** Everything a device keeps, and so everything that an old backup brings back. Values are never changed in place. */
interface Store {
  readonly sessions: readonly Uint8Array[]
  readonly prekeys: ResponderPrekeys
  readonly bundle: PrekeyBundle
  readonly nextPrekeyId: number
  /** Ids of opened envelopes. */
  readonly known: ReadonlySet<string>
  /** Letters by the ids of the envelopes they went out in. */
  readonly outbox: ReadonlyMap<string, Letter>
  readonly inbox: readonly Letter[]
  /** Envelopes that nothing opened, told to the other until they have answered. */
  readonly failed: readonly string[]
  /** Whether the other asked for something and has had no answer, by which it would know that it was heard. */
  readonly asked: boolean
  /** Letters to be sent again. */
  readonly again: readonly Letter[]
  /** A fresh handshake is due before anything is sent. */
  readonly repair: boolean
}

interface Tools {
  readonly random: Random
  readonly crypto: CryptoProvider
  /** Unix milliseconds. */
  readonly clock: () => number
}

const freshPrekeys = (account: TestAccount, firstId: number, { random }: Tools) => {
  const { accountId, device } = account
  const make = (kind: PrekeyKind, id: number) => {
    const made = generatePrekeys({ accountId, device, kind, firstId: id, count: 1, now: testTime + id, random })
    const [published, secret] = [made.published[0], made.secrets[0]]
    if (published === undefined || secret === undefined) throw new Error('asked for one prekey')
    return { published, secret }
  }
  const [signed, kem] = [make('signed', firstId), make('last-resort-kem', firstId + 1)]
  return {
    prekeys: { signed: signed.secret, kem: kem.secret },
    bundle: { accountId, deviceId: device.deviceId, signedPrekey: signed.published, kemPrekey: kem.published },
    nextPrekeyId: firstId + 2,
  }
}

/**
 * One of two people who follow the rules of `spec/session.md`: send on the preferred session, start a fresh one when
 * something does not open, answer a handshake below a confirmed session by one above it, ask for what did not open. For tests.
 */
export class Participant {
  private readonly account: TestAccount
  private readonly tools: Tools
  private store: Store
  private readonly backups: Store[] = []
  private letters = 0

  constructor(account: TestAccount, tools: Tools) {
    this.account = account
    this.tools = tools
    const prekeys = freshPrekeys(account, 1, tools)
    const none = { sessions: [], known: new Set<string>(), outbox: new Map<string, Letter>() }
    this.store = { ...prekeys, ...none, inbox: [], failed: [], asked: false, again: [], repair: false }
  }

  private get sessions(): Session[] {
    return this.store.sessions.map(decodeSession)
  }

  get inbox(): readonly string[] {
    return this.store.inbox.map(({ text }) => text)
  }

  get preferred(): string {
    return toHex(preferredSession(this.sessions).sessionId)
  }

  /** Whether something is to be sent without anybody asking. */
  get isOwing(): boolean {
    return this.store.repair || this.store.asked || this.store.again.length > 0
  }

  backUp(): void {
    this.backups.push(this.store)
  }

  /**
   * An old state comes back. Whoever `knows` sends on none of its sessions any more and replaces its prekeys, which have perhaps
   * been used since; otherwise it finds out by what does not open.
   */
  restore(pick: number, knows: boolean): void {
    const backup = this.backups[pick % Math.max(1, this.backups.length)]
    if (backup === undefined) return
    // Ids of prekeys never repeat, which a device keeps apart from its backups.
    const { nextPrekeyId } = this.store
    const renewed = knows ? { ...freshPrekeys(this.account, nextPrekeyId, this.tools), repair: true } : {}
    this.store = { ...backup, nextPrekeyId, ...renewed }
  }

  private initiate(remote: Participant): Session {
    const { random, crypto, clock } = this.tools
    const known = this.sessions.reduce((most, { generation }) => Math.max(most, generation), 0)
    return initiateSession({
      local: localOf(this.account),
      remoteAccountId: remote.account.accountId,
      remoteDevice: remote.account.device,
      bundle: remote.store.bundle,
      generation: Math.max(known + 1, Math.floor(clock() / 1_000)),
      now: clock(),
      random,
      crypto,
    })
  }

  private put(session: Session): readonly Uint8Array[] {
    const id = toHex(session.sessionId)
    const others = this.sessions.filter(({ sessionId }) => toHex(sessionId) !== id)
    return [session, ...others].map(encodeSession)
  }

  /** One letter in one envelope, on a fresh session if one is due. */
  private seal(letter: Letter, remote: Participant): Uint8Array {
    const { random, crypto, clock } = this.tools
    const fresh = this.store.repair || this.store.sessions.length === 0
    const session = fresh ? this.initiate(remote) : preferredSession(this.sessions)
    const text = encodeUtf8(JSON.stringify({ ...letter, failed: this.store.failed }))
    const sealed = encryptMessage(session, text, { now: clock(), random, crypto })
    const outbox = new Map(this.store.outbox).set(toHex(envelopeId(sealed.envelope, crypto)), letter)
    // Until the other side has answered, any of our messages may be the first it sees.
    const failed = session.confirmed ? [] : this.store.failed
    this.store = { ...this.store, sessions: this.put(sealed.session), outbox, failed, asked: false, repair: false }
    return sealed.envelope
  }

  /** A text, and whatever is to be sent again. */
  send(text: string, remote: Participant): Uint8Array[] {
    const { again } = this.store
    this.store = { ...this.store, again: [] }
    const id = `${toHex(this.account.accountId.subarray(0, 4))} ${this.letters++} ${toHex(this.tools.random(4))}`
    return [...again, { id, text, failed: [] }].map((letter) => this.seal(letter, remote))
  }

  receive(envelope: Uint8Array): void {
    const id = toHex(envelopeId(envelope, this.tools.crypto))
    if (this.store.known.has(id)) return
    const opened = this.openKnown(envelope) ?? this.answer(envelope)
    const { store } = this
    if (opened === undefined) {
      this.store = { ...store, failed: [...new Set([...store.failed, id])], repair: true }
      return
    }
    const { session, plaintext } = opened
    const letter = JSON.parse(decodeUtf8(plaintext)) as Letter
    const isKnown = store.inbox.some((other) => other.id === letter.id)
    const asked = letter.failed.flatMap((failed) => store.outbox.get(failed) ?? [])
    const queued = new Set(store.again.map((other) => other.id))
    this.store = {
      ...store,
      sessions: this.put(session),
      known: new Set(store.known).add(id),
      inbox: isKnown ? store.inbox : [...store.inbox, letter],
      asked: store.asked || letter.failed.length > 0,
      again: [...store.again, ...asked.filter((other) => !queued.has(other.id))],
      // What has been asked for once is asked for again only if it fails again.
      outbox: new Map([...store.outbox].filter(([sent]) => !letter.failed.includes(sent))),
      repair: store.repair || this.isOutdone(session),
    }
  }

  /** A handshake below a confirmed session: its sender lost that one, and is to be answered by one above it. */
  private isOutdone({ generation, role, confirmed, sessionId }: Session): boolean {
    if (role === 'initiator' || confirmed || this.holds(sessionId)) return false
    return this.sessions.some((other) => other.confirmed && other.generation > generation)
  }

  private holds(sessionId: Uint8Array): boolean {
    return this.sessions.some((other) => toHex(other.sessionId) === toHex(sessionId))
  }

  private openKnown(envelope: Uint8Array): { session: Session; plaintext: Uint8Array } | undefined {
    const { crypto, clock } = this.tools
    for (const session of this.sessions) {
      const opened = orRefused(() => decryptMessage(session, envelope, { now: clock(), crypto }))
      if (typeof opened !== 'string') return opened
    }
    return undefined
  }

  private answer(envelope: Uint8Array): { session: Session; plaintext: Uint8Array } | undefined {
    const { crypto, clock } = this.tools
    const { handshakeTag } = readEnvelope(envelope, crypto)
    const isNew =
      handshakeTag !== undefined && !this.sessions.some((s) => toHex(s.handshakeTag) === toHex(handshakeTag))
    if (!isNew) return undefined
    const { prekeys } = this.store
    const local = localOf(this.account)
    const opened = orRefused(() => respondToHandshake({ local, envelope, prekeys, now: clock(), crypto }))
    return typeof opened === 'string' ? undefined : opened
  }
}

const orRefused = <T>(run: () => T): T | ProtocolErrorCode => {
  try {
    return run()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}
