import type { DialOutcome } from '../network.ts'

/** A direct link did not come about; `outcome` is all that is told of it: no address, no description of a session. */
export class DialFailure extends Error {
  override readonly name = 'DialFailure'
  readonly outcome: Exclude<DialOutcome, 'linked'>

  constructor(outcome: DialFailure['outcome'], cause?: unknown) {
    super(`no direct link: ${outcome}`, { cause })
    this.outcome = outcome
  }
}

/** What to tell of any error that ended a dial. */
export const outcomeOf = (error: unknown): DialFailure['outcome'] =>
  error instanceof DialFailure ? error.outcome : 'failed'

/** How far a dial has come; what ends it there says why. */
export type DialStage = 'relay' | 'circuit' | 'offer' | 'answered'

/** The progress events of @libp2p/webrtc that begin a stage. */
export const stages: Readonly<Record<string, DialStage>> = {
  'webrtc:open-signaling-stream': 'offer',
  'webrtc:read-ice-candidates': 'answered',
}

/** Why a dial that ended in `stage` did; `timedOut`: nobody said no, it was given up. */
export const reasonAt = (stage: DialStage, timedOut: boolean): DialFailure['outcome'] => {
  switch (stage) {
    case 'relay':
      return 'relay-unreachable'
    case 'circuit':
      // A relay says at once that it does not have the device; silence is the device's.
      return timedOut ? 'no-answer' : 'not-there'
    case 'offer':
      return 'no-answer'
    case 'answered':
      return 'no-way-through'
  }
}
