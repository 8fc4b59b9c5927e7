import { createHash } from 'node:crypto'
import {
  ackParams,
  depositParams,
  mailboxProtocol,
  registerParams,
  revokeLanesParams,
  setLanesParams,
  subscribeParams,
} from '../../protocol/relay/mailbox-calls.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { Caller } from '../../signaling/host/relay.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'
import type { Log } from '../log.ts'
import type { RelayStore } from '../store/relay-store.ts'
import type { Limits } from './limits.ts'
import { handler, ownerKey, reportFailures, yes, type RelayService } from './service.ts'
import { Subscriptions } from './subscriptions.ts'

export interface MailboxServiceOptions {
  readonly store: RelayStore
  readonly limits: Limits
  readonly log: Log
  readonly now: () => number
  /** Milliseconds after which a newcomer may try again; 0 while the relay takes new mailboxes. */
  readonly pressureMs: () => number
}

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest()

/** An envelope's id is computed, so nobody can occupy an id with another envelope (protocol/envelope). */
const envelopeIdOf = (envelope: Uint8Array): Uint8Array => sha256(envelope).subarray(0, 16)

/** `/sotto/mailbox/1`: sealed envelopes wait here until their owner has them. Knows who reads, never who writes. */
export const mailboxService = (options: MailboxServiceOptions): RelayService => {
  const { onFailure, onStoreFailure } = reportFailures(options.log, 'mailbox')
  const subscriptions = new Subscriptions(options.store, (error) => onFailure('subscribe', error))
  return {
    protocol: mailboxProtocol,
    serve: (caller) => ({
      onFailure,
      admit: () => options.limits.mailboxRequest(caller.connectionId),
      handlers: {
        deposit: depositHandler(options, subscriptions, onStoreFailure),
        ...ownerHandlers(options, subscriptions, caller, onStoreFailure),
      },
    }),
  }
}

type OnStoreFailure = ReturnType<typeof reportFailures>['onStoreFailure']

const depositHandler = (
  { store, limits, now }: MailboxServiceOptions,
  subscriptions: Subscriptions,
  onStoreFailure: OnStoreFailure,
) =>
  handler(
    depositParams,
    async ({ envelope, targets }) => {
      if (targets.length === 0) throw new RelayRefusal('bad-request', 'a deposit needs a target')
      const hashed = targets.map(({ mailboxId, lane }) => ({ mailboxId, laneHash: sha256(lane) }))
      limits.deposit(hashed.map(({ mailboxId, laneHash }) => `${toHex(mailboxId)} ${toHex(laneHash)}`))
      const reached = await store.deposit({ envelope, envelopeId: envelopeIdOf(envelope), targets: hashed }, now())
      for (const mailboxId of reached) subscriptions.deposited(mailboxId)
      return yes
    },
    onStoreFailure,
  )

const ownerHandlers = (
  { store, pressureMs }: MailboxServiceOptions,
  subscriptions: Subscriptions,
  caller: Caller,
  onStoreFailure: OnStoreFailure,
) => {
  const requireOwner = (mailboxId: Uint8Array): void => {
    const owner = store.owner(mailboxId)
    // The same answer for a mailbox that does not exist: nobody learns which ids are taken.
    if (!owner || Buffer.compare(owner, ownerKey(caller)) !== 0) {
      throw new RelayRefusal('not-owner', 'this mailbox is not yours, or not here')
    }
  }
  return {
    register: handler(
      registerParams,
      async ({ mailboxId }) => {
        const retryAfterMs = pressureMs()
        if (retryAfterMs > 0 && !store.owner(mailboxId)) {
          throw new RelayRefusal('overloaded', 'the relay takes no new mailboxes just now', retryAfterMs)
        }
        const outcome = await store.register(mailboxId, ownerKey(caller))
        if (outcome === 'limit') throw new RelayRefusal('too-large', 'a device may have 4 mailboxes here')
        if (outcome === 'taken') throw new RelayRefusal('not-owner', 'this mailbox is not yours, or not here')
        return yes
      },
      onStoreFailure,
    ),
    setLanes: handler(
      setLanesParams,
      async ({ mailboxId, lanes }) => {
        requireOwner(mailboxId)
        if (!(await store.setLanes(mailboxId, lanes)))
          throw new RelayRefusal('too-large', 'a mailbox has at most 10,000 lanes')
        return yes
      },
      onStoreFailure,
    ),
    revokeLanes: handler(
      revokeLanesParams,
      async ({ mailboxId, laneHashes }) => {
        requireOwner(mailboxId)
        await store.revokeLanes(mailboxId, laneHashes)
        return yes
      },
      onStoreFailure,
    ),
    subscribe: handler(
      subscribeParams,
      ({ mailboxId, window }, context) => {
        requireOwner(mailboxId)
        if (window === 0) throw new RelayRefusal('bad-request', 'a window holds at least one envelope')
        subscriptions.subscribe(mailboxId, window, context)
        return yes
      },
      onStoreFailure,
    ),
    ack: handler(
      ackParams,
      async ({ mailboxId, sequences }) => {
        requireOwner(mailboxId)
        await store.acknowledge(mailboxId, sequences)
        subscriptions.acknowledged(mailboxId, sequences)
        return yes
      },
      onStoreFailure,
    ),
  }
}
