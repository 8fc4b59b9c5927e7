import { once } from 'node:events'
import { createServer, Socket, type Server } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** What the way does to what passes. */
export type Trouble =
  | { readonly kind: 'none' }
  /** New connections are reset. */
  | { readonly kind: 'refuse' }
  /** Everything is taken and nothing passed on, in both directions. */
  | { readonly kind: 'swallow' }
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** Each piece is held for so long, one after the other. */
  | { readonly kind: 'delay'; readonly delayMs: number }

/** Two sockets that belong together. */
interface Passage {
  readonly near: Socket
  readonly far: Socket
  /** Was half-open once. Bytes are missing, so nothing may pass again: a stream without them would be another one. */
  dead: boolean
}

/** A TCP way to one port of this machine that can be troubled. What has passed while nothing is wrong is not touched. */
export class TcpProxy {
  readonly #server: Server
  readonly #targetPort: number
  readonly #passages = new Set<Passage>()
  #trouble: Trouble = { kind: 'none' }

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#server = createServer((near) => this.#accept(near))
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#passages.size
  }

  /** Begins a trouble, or ends it (`none`). Connections that were half-open stay dead until an end gives them up. */
  set trouble(trouble: Trouble) {
    this.#trouble = trouble
    if (trouble.kind === 'swallow') for (const passage of this.#passages) passage.dead = true
  }

  /** Resets every connection, as a router does that has lost its table. */
  cut(): void {
    for (const { near, far } of this.#passages) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }

  async close(): Promise<void> {
    this.#server.close()
    this.cut()
    await once(this.#server, 'close')
  }

  #accept(near: Socket): void {
    if (this.#trouble.kind === 'refuse') {
      near.on('error', () => undefined)
      near.resetAndDestroy()
      return
    }
    const far = new Socket()
    const passage: Passage = { near, far, dead: this.#trouble.kind === 'swallow' }
    this.#passages.add(passage)
    const end = (): void => {
      this.#passages.delete(passage)
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      // An error is followed by `close`, which ends both.
      socket.on('error', () => undefined)
      socket.on('close', end)
    }
    far.connect(this.#targetPort, '127.0.0.1', () => {
      void this.#pass(passage, near, far)
      void this.#pass(passage, far, near)
    })
  }

  async #pass(passage: Passage, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#hold(chunk)
        if (passage.dead || to.destroyed) continue
        if (!to.write(chunk)) await once(to, 'drain')
      }
      to.end()
    } catch {
      // One of the sockets has ended, and with it both.
    }
  }

  async #hold(chunk: Buffer): Promise<void> {
    const trouble = this.#trouble
    if (trouble.kind === 'delay') await pause(trouble.delayMs)
    else if (trouble.kind === 'slow') await pause((chunk.length / trouble.bytesPerSecond) * 1_000)
  }
}
