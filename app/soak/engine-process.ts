import { registerHooks } from 'node:module'
import { cureDialRace } from '../../signaling/host/dial-race-plugin.ts'
import type { EngineOrder } from './engine-calls.ts'
import { sourceChanges } from './mutants.ts'

/**
 * One account in a process of its own, forked by `engine-account.ts`: the real engine and the real network, on SQLite. Its
 * argument is an `EngineOrder`. What the build does to a dependency, and what a mutant does to a source, happens as they load.
 */
const order = JSON.parse(process.argv[2] ?? '') as EngineOrder

/** The text with one change. @throws Error when there is not exactly one place for it. */
const changed = (text: string, from: string, to: string): string => {
  if (text.split(from).length !== 2) throw new Error('the source has changed: a mutant does not apply any more')
  return text.replace(from, () => to)
}

const changes = sourceChanges(order.mutant)

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context)
    const edits = changes.filter(({ file }) => url.endsWith(`/${file}`))
    const cured = url.endsWith('@libp2p/webrtc/dist/src/private-to-private/initiate-connection.js')
    if (edits.length === 0 && !cured) return loaded
    const text = Buffer.from(loaded.source as Uint8Array).toString('utf8')
    const source = edits.reduce((edited, { from, to }) => changed(edited, from, to), text)
    return { ...loaded, source: cured ? cureDialRace(source) : source }
  },
})

const { runEngine } = await import('./engine-host.ts')
await runEngine(order)
