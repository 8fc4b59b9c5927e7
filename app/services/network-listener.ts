import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { NetworkListener } from '../../signaling/network.ts'
import type { Attendance } from './attendance.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import { readAccount } from './identity.ts'
import type { Outbox } from './outbox.ts'
import { relayNeedsUpdate } from './problems.ts'
import type { ReceiveEnvelopes } from './receive-envelope.ts'
import type { Receipts } from './receipts.ts'
import type { Signals } from './signals.ts'
import { showConversation } from './show-conversation.ts'
import { relayViews } from './views.ts'

interface Parts {
  readonly receive: ReceiveEnvelopes
  readonly signals: Signals
  readonly attendance: Attendance
  readonly outbox: Outbox
  readonly receipts: Receipts
  /** Everything that was waiting for a relay may go on. */
  readonly wakeAll: () => void
  readonly topUpPrekeys: () => void
}

/** The engine's ear at the network. */
export const createNetworkListener = (
  core: Core,
  { receive, signals, attendance, outbox, receipts, wakeAll, topUpPrekeys }: Parts,
): NetworkListener => {
  const catchingUp = new Set<string>()
  const outdated = new Set<string>()

  const showProgress = (relay: string, waiting: number): void => {
    if (waiting > 0) catchingUp.add(relay)
    else if (!catchingUp.delete(relay)) return
    core.emit({ kind: 'catching-up', waiting })
  }

  const showRelays = async (): Promise<void> => {
    const account = await core.store.read(readAccount)
    if (account) core.emit({ kind: 'relays', relays: relayViews(account, core.presence) })
  }

  return {
    onEnvelopes: async (source, envelopes) => {
      const linked = source.kind === 'link' ? (source.contactId ?? signals.contactOf(source.linkId)) : undefined
      const answers = await receive.receive(envelopes, linked === undefined ? undefined : fromHex(linked))
      if (source.kind === 'mailbox') showProgress(toHex(source.relayKey), source.waiting)
      return answers
    },
    hello: (contactId) => signals.hello(contactId),
    onSignal: (linkId, signal) => signals.receive(linkId, signal),
    onRelayState: (relayKey, state) => {
      core.presence.setRelay(toHex(relayKey), state, core.now())
      void showRelays().catch(core.report)
      if (state === 'connected') wakeAll()
      // Nobody knows how much still waits there; the next batch says it anew.
      else showProgress(toHex(relayKey), 0)
      if (state === 'outdated' && !outdated.has(toHex(relayKey))) {
        outdated.add(toHex(relayKey))
        core.emit({ kind: 'problem', problem: relayNeedsUpdate })
      }
      if (state === 'reconnecting') void note(core, 'relay', 'reconnecting', 'the connection to a relay was lost')
    },
    onPath: (contactId, path) => {
      if (!core.presence.setPath(contactId, path)) return
      // Before it is shown: whoever has no link any more is neither here nor away.
      if (path === 'direct') attendance.greet(contactId)
      else attendance.part(contactId)
      if (path !== 'direct') signals.quiet(contactId)
      void showConversation(core, contactId).catch(core.report)
      if (path === 'none') return
      outbox.wake(contactId)
      if (path === 'direct') receipts.hurry(contactId)
    },
    onDial: (contactId, outcome) => void core.presence.dials.set(contactId, { outcome, atMs: core.now() }),
    onPrekeysLow: () => topUpPrekeys(),
  }
}
