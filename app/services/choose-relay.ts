import type { RelayInfo } from '../../protocol/relay/info-calls.ts'
import { maxAddressesPerRelay } from '../../protocol/wire/limits.ts'
import { isServed, ownVersions } from '../../protocol/wire/versions.ts'
import type { Network } from '../../signaling/network.ts'
import type { Outcome } from './engine-api.ts'
import { refuse } from './problems.ts'

/** A relay that somebody wants to live at, and that has answered. */
export interface ChosenRelay {
  readonly relayKey: Uint8Array
  readonly info: RelayInfo
  /** Those that were given and have just worked, then those that it says of itself. */
  readonly addresses: readonly string[]
}

/** Asks at these addresses who is there, and whether it serves this version. */
export const chooseRelay = async (network: Network, addresses: readonly string[]): Promise<Outcome<ChosenRelay>> => {
  const relay = await network.identifyRelay(addresses)
  if (!relay.ok) {
    return refuse(
      'relay-unreachable',
      `The relay cannot be reached now (${relay.message}). Check your connection or try another relay.`,
    )
  }
  const { relayKey, info } = relay.value
  if (!isServed(ownVersions, info.oldestClient)) {
    return refuse('version', 'This relay needs a newer Sotto. Reload the page to get it, or try another relay.')
  }
  const all = [...new Set([...addresses, ...info.addresses])].slice(0, maxAddressesPerRelay)
  return { ok: true, value: { relayKey, info, addresses: all } }
}
