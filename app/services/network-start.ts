import type { Network, NetworkListener, OwnMailboxes } from '../../signaling/network.ts'
import type { AccountRow } from '../store/records/account.ts'
import type { Core } from './core.ts'
import type { Problem } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { createTask, type Task } from './retry.ts'

const notStarted: Problem = {
  code: 'relay-unreachable',
  message: 'The connection could not be started; it is tried again by itself. If this stays so, reload the page.',
}

export interface NetworkStart extends Task {
  readonly started: boolean
  /** Ends the network, runs the step, and starts again with whatever keys there are then. */
  without<T>(step: () => Promise<T>): Promise<T>
  /** Lets a network that runs collect the mailboxes that there are now. True: nothing is left to do. */
  follow(): Promise<boolean>
}

const ownMailboxes = ({ relays, left = [] }: AccountRow): OwnMailboxes => ({ mailboxes: relays, left })

const ownDevice = ({ retired = [], ...account }: AccountRow): Parameters<Network['start']>[0] => ({
  deviceSeed: account.device.deviceSeed,
  ...ownMailboxes(account),
  retired: retired.map((earlier) => ({ deviceSeed: earlier.device.deviceSeed, mailboxes: earlier.mailboxes })),
})

/** Starts the network for the account, once there are both; tried again while it fails, which is told once. */
export const createNetworkStart = (core: Core, listener: NetworkListener, onStarted: () => void): NetworkStart => {
  let started = false
  let told = false
  const task = createTask(core, async () => {
    const account = await core.store.read(readAccount)
    const network = core.network()
    if (!account || !network || started) return true
    started = true
    try {
      await network.start(ownDevice(account), listener)
    } catch (cause) {
      started = false
      if (!told) core.emit({ kind: 'problem', problem: notStarted })
      told = true
      throw cause
    }
    onStarted()
    return true
  })
  return {
    kick: task.kick,
    without: async (step) => {
      // Marked as started until the step has ended, so that nothing starts it in between with the keys of before.
      started = true
      try {
        await core.network()?.stop()
        return await step()
      } finally {
        started = false
        task.kick()
      }
    },
    follow: async () => {
      const account = await core.store.read(readAccount)
      const network = core.network()
      if (account && network && started) await network.collect(ownMailboxes(account))
      return true
    },
    get started() {
      return started
    },
  }
}
