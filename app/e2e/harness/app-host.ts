import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { inNamespace } from './namespaces.ts'

const script = fileURLToPath(new URL('./serve-app.mjs', import.meta.url))

/**
 * Serves the built app from localhost inside a namespace: any host will do for the app, and browsers grant it keys and locks
 * only where it comes from localhost or by https.
 */
export class AppHost {
  readonly url = 'http://localhost:8000'
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(namespace: string): Promise<AppHost> {
    const [command, ...args] = inNamespace(namespace, [process.execPath, script, '8000'])
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    return new AppHost(child)
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
