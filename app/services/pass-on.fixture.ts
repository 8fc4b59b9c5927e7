import type { NetworkListener } from '../../signaling/network.ts'

/** Hands a signal over; answers go back over the same link, and so on. */
export const passOn = async (
  linkId: number,
  signal: Uint8Array,
  to: NetworkListener,
  from: NetworkListener | undefined,
): Promise<void> => {
  const answer = await to.onSignal(linkId, signal)
  if (answer?.reply && from) await passOn(linkId, answer.reply, from, to)
}
