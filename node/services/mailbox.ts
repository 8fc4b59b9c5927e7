import { createHash } from 'node:crypto'
import {
  ackParams,
  advanceParams,
  advanceResult,
  depositParams,
  mailboxProtocol,
  registerParams,
  revokeLanesParams,
  setLanesParams,
  subscribeParams,
} from '../../protocol/relay/mailbox-calls.ts'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { StructCodec } from '../../protocol/wire/codec.ts'
import type { Caller } from '../../signaling/host/relay.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'
import type { RequestContext } from '../../signaling/stream/serve-requests.ts'
import type { Log } from '../log.ts'
import type { RelayStore } from '../store/relay-store.ts'
import type { Limits } from './limits.ts'
import { nodeCrypto } from './node-crypto.ts'
import { refuseUnderPressure } from './pressure.ts'
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
  const shared: Shared = { ...options, subscriptions }
  return {
    protocol: mailboxProtocol,
    serve: (caller) => ({
      onFailure,
      admit: () => options.limits.mailboxRequest(caller.connectionId),
      handlers: {
        deposit: handler(depositParams, (params) => deposit(shared, caller, params), onStoreFailure),
        register: handler(registerParams, (params) => register(options, caller, params), onStoreFailure),
        setLanes: handler(setLanesParams, (params) => setLanes(options, caller, params), onStoreFailure),
        revokeLanes: handler(revokeLanesParams, (params) => revokeLanes(options, caller, params), onStoreFailure),
        subscribe: handler(
          subscribeParams,
          (params, context) => subscribe(shared, caller, params, context),
          onStoreFailure,
        ),
        advance: handler(advanceParams, (params) => advance(shared, caller, params), onStoreFailure),
        ack: handler(ackParams, (params) => acknowledge(shared, caller, params), onStoreFailure),
      },
    }),
  }
}

interface Shared extends MailboxServiceOptions {
  readonly subscriptions: Subscriptions
}

type Params<C> = C extends StructCodec<infer P> ? P : never

const deposit = async (
  { store, limits, now, subscriptions }: Shared,
  { connectionId }: Caller,
  { envelope, targets }: Params<typeof depositParams>,
): Promise<Uint8Array> => {
  if (targets.length === 0) throw new RelayRefusal('bad-request', 'a deposit needs a target')
  const hashed = targets.map(({ mailboxId, lane }) => ({ mailboxId, laneHash: sha256(lane) }))
  const lanes = hashed.map(({ mailboxId, laneHash }) => `${toHex(mailboxId)} ${toHex(laneHash)}`)
  limits.deposit(connectionId, lanes)
  const reached = await store.deposit({ envelope, envelopeId: envelopeIdOf(envelope), targets: hashed }, now())
  for (const mailboxId of reached) subscriptions.deposited(mailboxId)
  return yes
}

/** The same for a mailbox that does not exist: nobody learns which ids are taken. */
const notOwner = (): RelayRefusal => new RelayRefusal('not-owner', 'this mailbox is not yours, or not here')

const requireOwner = ({ store }: MailboxServiceOptions, caller: Caller, mailboxId: Uint8Array): void => {
  const owner = store.owner(mailboxId)
  if (!owner || Buffer.compare(owner, ownerKey(caller)) !== 0) throw notOwner()
}

const register = async (
  { store, pressureMs }: MailboxServiceOptions,
  caller: Caller,
  { mailboxSecret }: Params<typeof registerParams>,
): Promise<Uint8Array> => {
  const mailboxId = mailboxIdOf(mailboxSecret, nodeCrypto)
  if (!store.owner(mailboxId)) refuseUnderPressure(pressureMs, 'mailboxes')
  const outcome = await store.register(mailboxId, ownerKey(caller))
  if (outcome === 'limit') throw new RelayRefusal('too-large', 'a device may have 4 mailboxes here')
  if (outcome === 'taken') throw notOwner()
  return yes
}

const setLanes = async (
  options: MailboxServiceOptions,
  caller: Caller,
  { mailboxId, lanes }: Params<typeof setLanesParams>,
): Promise<Uint8Array> => {
  requireOwner(options, caller, mailboxId)
  const room = await options.store.setLanes(mailboxId, lanes)
  if (!room) throw new RelayRefusal('too-large', 'a mailbox has at most 10,000 lanes')
  return yes
}

const revokeLanes = async (
  options: MailboxServiceOptions,
  caller: Caller,
  { mailboxId, laneHashes }: Params<typeof revokeLanesParams>,
): Promise<Uint8Array> => {
  requireOwner(options, caller, mailboxId)
  await options.store.revokeLanes(mailboxId, laneHashes)
  return yes
}

const subscribe = (
  shared: Shared,
  caller: Caller,
  { mailboxId, window }: Params<typeof subscribeParams>,
  context: RequestContext,
): Uint8Array => {
  requireOwner(shared, caller, mailboxId)
  if (window === 0) throw new RelayRefusal('bad-request', 'a window holds at least one envelope')
  shared.subscriptions.subscribe(mailboxId, window, context)
  return yes
}

const advance = async (
  shared: Shared,
  caller: Caller,
  { mailboxId, counter }: Params<typeof advanceParams>,
): Promise<Uint8Array> => {
  requireOwner(shared, caller, mailboxId)
  return advanceResult.encode({ before: await shared.store.advance(mailboxId, counter) })
}

const acknowledge = async (
  shared: Shared,
  caller: Caller,
  { mailboxId, sequences }: Params<typeof ackParams>,
): Promise<Uint8Array> => {
  requireOwner(shared, caller, mailboxId)
  await shared.store.acknowledge(mailboxId, sequences)
  shared.subscriptions.acknowledged(mailboxId, sequences)
  return yes
}
