import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runSessions } from './conversation.fixture.ts'
import { hasPython, PythonPeer, pythonMissing } from './python-peer.fixture.ts'

/** 2 s: forty times what a session takes where nothing else runs; only a hanging peer should end a test. */
const timeoutPerSessionMs = 2_000

/**
 * Sotto and the Python packages talk in `sessions` sessions, each side calling in half of them, with a one-time prekey in half
 * of them. The same for the same seed.
 */
export const talkWithPython = ({ sessions, seed }: { readonly sessions: number; readonly seed: number }): void => {
  describe.skipIf(!hasPython)(`python-x3dh and python-doubleratchet as the other party${pythonMissing}`, () => {
    let peer: PythonPeer
    beforeAll(() => {
      peer = new PythonPeer()
    })
    afterAll(async () => {
      expect(await peer.end(), 'what Python wrote to standard error').toBe('')
    })

    test(
      `agree and understand each other: ${sessions} sessions, seed ${seed}`,
      async () => {
        const tally = await runSessions(peer, seed, sessions)
        expect(tally).toMatchObject({ sessions, withOneTimePrekey: sessions / 2, sottoCalled: sessions / 2 })
        expect(tally.sent).toBe(tally.opened + tally.lost)
        // What the schedules are for has happened: on average in every session, disorder and loss several times.
        expect(tally.opened).toBeGreaterThan(10 * sessions)
        for (const what of ['lost', 'overtaken', 'turns', 'refused'] as const) {
          expect(tally[what], what).toBeGreaterThan(sessions)
        }
      },
      sessions * timeoutPerSessionMs,
    )
  })
}
