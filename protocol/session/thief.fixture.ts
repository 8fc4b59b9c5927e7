import type { CryptoProvider } from '../crypto/provider.ts'
import { equalBytes } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { decryptMessage, encryptMessage, type Session } from './session.ts'

/** A message as it passed the network. */
export interface Seen {
  readonly by: 'victim' | 'peer'
  /** Counts the chains of both: they are opened in turn. */
  readonly chain: number
  readonly envelope: Uint8Array
}

/** A sending chain that the victim opened after the theft, with what stands in its headers: a thief has their key. */
export interface LaterChain {
  /** Its X25519 secret, where it is given away. */
  readonly secret?: Uint8Array
  readonly kemKey?: Uint8Array
  readonly kemCiphertext?: Uint8Array
}

/** What the victim sends can be read like anything received, with the chain it sends in. */
const mirrored = (session: Session): Session | undefined => {
  const { ratchet } = session
  const { sending } = ratchet
  if (sending === undefined) return undefined
  const { headerKey, chainKey, next } = sending
  const { own: _, ...rest } = ratchet
  const { handshake: _handshake, ...unsent } = session
  return {
    ...unsent,
    role: 'responder',
    confirmed: true,
    ratchet: { ...rest, receiving: [{ headerKey, chainKey, next }] },
  }
}

/** The keys of receiving chains taken for those of their first messages: right, if a chain key did not change. */
const rewound = (session: Session): Session => {
  const receiving = session.ratchet.receiving.map(({ skipped: _, ...chain }) => ({ ...chain, next: 0 }))
  return { ...session, ratchet: { ...session.ratchet, receiving } }
}

/**
 * Somebody who copied the whole session of the victim and sees all that passes, but changes nothing. Reads what the victim
 * receives as the victim would, and what it sends by its sending chain; tries chain keys for earlier messages; follows the
 * victim into later chains with the X25519 secrets that are given, and with guesses for all that is not. For tests only.
 */
export class Thief {
  private session: Session
  private readonly now: number
  private readonly crypto: CryptoProvider
  private readonly noise = seededRandom(666)
  readonly read = new Set<Seen>()

  /** What it guesses, and the KEM key that the victim really offered. */
  private guess: { readonly seed: Uint8Array; readonly key: Uint8Array } | undefined

  constructor(stolen: Session, now: number, provider: CryptoProvider) {
    this.session = stolen
    this.now = now
    // The private half of a KEM key it only saw is a guess; everything else that goes into the root step is right.
    this.crypto = {
      ...provider,
      mlkem768Keygen: (seed) =>
        this.guess !== undefined && equalBytes(seed, this.guess.seed)
          ? { encapsulationKey: this.guess.key, decapsulationKey: new Uint8Array(0) }
          : provider.mlkem768Keygen(seed),
      mlkem768Decapsulate: (key, ciphertext) =>
        key.length === 0 ? this.noise(32) : provider.mlkem768Decapsulate(key, ciphertext),
    }
  }

  private tryWith(session: Session, message: Seen): Session | undefined {
    try {
      const next = decryptMessage(session, message.envelope, { now: this.now, crypto: this.crypto }).session
      this.read.add(message)
      return next
    } catch (error) {
      if (error instanceof ProtocolError) return undefined
      throw error
    }
  }

  /** Whatever opens, in any order. */
  private readAll(start: Session, messages: readonly Seen[]): Session {
    let session = start
    for (let progress = true; progress;) {
      progress = false
      for (const message of messages) {
        const next = this.read.has(message) ? undefined : this.tryWith(session, message)
        if (next === undefined) continue
        session = next
        progress = true
      }
    }
    return session
  }

  /** Opens the victim's next sending chain as the victim did, as far as it knows how. */
  private follow({ secret, kemKey, kemCiphertext }: LaterChain): boolean {
    const { sending, remoteRatchetKey } = this.session.ratchet
    if (sending !== undefined || remoteRatchetKey === undefined) return false
    const given = secret === undefined ? [] : [secret]
    const random = (length: number) => (length === 32 ? given.shift()?.slice() : undefined) ?? this.noise(length)
    const chainKeys: Uint8Array[] = []
    const crypto: CryptoProvider = {
      ...this.crypto,
      mlkem768Encapsulate: (key, randomness) => {
        const { ciphertext, sharedSecret } = this.crypto.mlkem768Encapsulate(key, randomness)
        return { ciphertext: kemCiphertext?.slice() ?? ciphertext, sharedSecret }
      },
      hmacSha256Pair: (key, first, second) => {
        chainKeys.push(key.slice())
        return this.crypto.hmacSha256Pair(key, first, second)
      },
    }
    const { ratchet, ...rest } = encryptMessage(this.session, new Uint8Array(0), {
      now: this.now,
      random,
      crypto,
    }).session
    const { own, sending: opened } = ratchet
    const [chainKey] = chainKeys
    if (own === undefined || opened === undefined || chainKey === undefined) return false
    const { kemSeed: _, ...pair } = own
    const seed = this.noise(64) as NonNullable<typeof own.kemSeed>
    this.guess = kemKey && { seed, key: kemKey }
    this.session = {
      ...rest,
      ratchet: {
        ...ratchet,
        own: { ...pair, ...(kemKey && { kemSeed: seed }) },
        // From its first message on, which is the victim's, not the thief's.
        sending: { ...opened, chainKey: chainKey as typeof opened.chainKey, next: 0 },
      },
    }
    return true
  }

  /** Reads all that can be read of `seen`. `later`: the victim's chains after the theft, in order. */
  run(seen: readonly Seen[], later: readonly LaterChain[]): void {
    const fromPeer = seen.filter(({ by }) => by === 'peer')
    const fromVictim = seen.filter(({ by }) => by === 'victim')
    const readNow = (): void => {
      const mirror = mirrored(this.session)
      if (mirror !== undefined) this.readAll(mirror, fromVictim)
      if (mirror !== undefined) this.readAll(rewound(mirror), fromVictim)
      const before = this.session
      this.session = this.readAll(before, fromPeer)
      // Rewound states are dead ends: only what they open counts.
      for (const session of [before, this.session]) this.readAll(rewound(session), fromPeer)
    }
    readNow()
    for (const next of later) {
      const before = this.read.size
      if (!this.follow(next)) return
      readNow()
      // A wrong guess leads nowhere.
      if (next.secret === undefined && this.read.size === before) return
    }
  }
}
