import type { Plugin } from 'vite'

/**
 * Cures a race in @libp2p/webrtc 6: the recipient of a /webrtc dial may close the `init` data channel before the initiator
 * has seen it open. The initiator then waits for `open` (or for a `close` that has already happened) until its deadline,
 * which ends about one dial in six. With the cure it also accepts `close` while connecting, and does not wait for a close
 * that is past.
 */

interface Replacement {
  readonly from: string
  readonly to: string
}

const replacements: readonly Replacement[] = [
  {
    from: `if (channel.readyState !== 'open') {
            log.trace('wait for init channel to open');
            await pEvent(channel, 'open', {
                signal
            });
        }`,
    to: `if (channel.readyState === 'connecting') {
            await pEvent(channel, ['open', 'close'], { signal });
        }`,
  },
  {
    from: `await pEvent(channel, 'close', {
            signal
        });`,
    to: `if (channel.readyState !== 'closed') await pEvent(channel, 'close', { signal });`,
  },
]

/** The module that dials. */
const patched = '@libp2p/webrtc/dist/src/private-to-private/initiate-connection.js'
/** The module that imports it: where this one is bundled, the other must have been cured. */
const importer = '@libp2p/webrtc/dist/src/private-to-private/transport.js'

const plainId = (id: string): string => id.replaceAll('\\', '/').replace(/\?.*$/, '')

/** The module's code with the cure. @throws Error when an anchor is not there exactly once: the dependency has changed. */
export const cureDialRace = (code: string): string =>
  replacements.reduce((cured, { from, to }) => {
    if (cured.split(from).length !== 2) {
      throw new Error('@libp2p/webrtc has changed: the cure of its dial race does not apply; see signaling/host')
    }
    return cured.replace(from, () => to)
  }, code)

/** Vite and Rolldown plugin that applies the cure, and fails a build that holds the uncured code. */
export const dialRaceCure = (): Plugin => {
  let applied = false
  return {
    name: 'dial-race-cure',
    enforce: 'pre',
    transform(code, id) {
      if (!plainId(id).endsWith(patched)) return null
      applied = true
      return { code: cureDialRace(code), map: null }
    },
    buildEnd(error) {
      if (error !== undefined || applied) return
      if ([...this.getModuleIds()].some((id) => plainId(id).endsWith(importer))) {
        throw new Error('@libp2p/webrtc was bundled without the cure of its dial race')
      }
    },
  }
}
