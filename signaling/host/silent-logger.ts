import type { ComponentLogger, Logger } from '@libp2p/interface'

const nothing = (): void => {}

const silent: Logger = Object.assign(nothing, {
  error: nothing,
  trace: nothing,
  enabled: false,
  newScope: (): Logger => silent,
})

/**
 * libp2p's own log lines carry peer ids, addresses and session descriptions, and anybody can switch them on from a console.
 * Clients write none.
 */
export const silentLogger: ComponentLogger = { forComponent: () => silent }
