import { spawnSync } from 'node:child_process'
import { inNamespace } from './namespaces.ts'
import type { RelayProcess } from './relay-process.ts'

/** The multiaddrs a relay says about itself at /relay.json, asked from where it runs. */
export const relayAddresses = async (relay: RelayProcess): Promise<string[]> => {
  const read = `fetch('${relay.url}/relay.json').then((r) => r.text()).then((text) => process.stdout.write(text))`
  const [command, ...args] = inNamespace(relay.namespace, [process.execPath, '-e', read])
  const { stdout } = spawnSync(command, args, { encoding: 'utf8' })
  const { addresses } = JSON.parse(stdout) as { addresses: string[] }
  return addresses
}
