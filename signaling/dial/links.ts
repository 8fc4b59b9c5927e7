import type { Connection, Stream } from '@libp2p/interface'
import { minuteMs, secondMs } from '../../protocol/wire/limits.ts'
import type { NetworkListener } from '../network.ts'
import { abortConnection } from '../stream/end-connection.ts'
import { linkProtocol } from '../stream/link-frame.ts'
import { LinkStream } from '../stream/link-stream.ts'

/** The hello is answered by a worker nearby, over a connection that is already there. */
const bindWithinMs = 5 * secondMs

/** Links from callers that have not shown who they are. */
const maxUnboundLinks = 16

/** Signals of one link with the engine at once; more come only from a peer that floods. */
const maxSignalsUnderWay = 8

/** A link we dialled and nobody used or looked at for 5 minutes is given back. */
const idleMs = 5 * minuteMs

export interface LinksOptions {
  readonly listener: Pick<NetworkListener, 'hello' | 'onSignal' | 'onEnvelopes'>
  /** A first link is bound to the contact, or a newer one. */
  readonly onUp: (contactId: string) => void
  /** The contact's last bound link ended. */
  readonly onDown: (contactId: string) => void
  /** Whether the contact's conversation is on screen. */
  readonly isWanted: (contactId: string) => boolean
}

interface Link {
  readonly linkId: number
  readonly stream: LinkStream
  readonly dialled: boolean
  /** Settles once: the contact whose session opened the first signal, or undefined at the link's end. */
  readonly bound: PromiseWithResolvers<string | undefined>
  contactId?: string
  signals: number
  bindTimer?: ReturnType<typeof setTimeout>
  idleTimer?: ReturnType<typeof setTimeout>
}

/**
 * The open links, and whose they are.
 *
 * 1. A link belongs to a contact only after the engine opened a sealed signal that came over it; before that no envelope of
 *    it is handed on, and none of ours is sent.
 * 2. A link that is not bound in time, or whose signals turn out to be of another contact, is ended.
 * 3. With several bound links to one contact the newest is used.
 */
export class Links {
  readonly #options: LinksOptions
  readonly #links = new Map<number, Link>()
  #nextId = 1

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** Somebody opened a link to us. */
  accept(stream: Stream, connection: Connection): void {
    const unbound = [...this.#links.values()].filter(({ contactId }) => contactId === undefined)
    if (unbound.length >= maxUnboundLinks) {
      abortConnection(connection, 'too many links that do not say whose they are')
      return
    }
    this.#add(stream, connection, false)
  }

  /** Opens a link over a fresh direct connection. Resolves once it is bound to `contactId`; rejects otherwise. */
  async open(contactId: string, connection: Connection, signal: AbortSignal): Promise<void> {
    let link: Link | undefined
    try {
      const stream = await connection.newStream(linkProtocol, { signal })
      link = this.#add(stream, connection, true)
      const hello = await this.#options.listener.hello(contactId)
      if (hello === null) throw new Error('no session to say hello with')
      link.stream.signal(hello)
      if ((await link.bound.promise) !== contactId) throw new Error('the link was not theirs')
    } catch (error) {
      if (link === undefined) abortConnection(connection, 'no link')
      else link.stream.end()
      throw error
    }
  }

  /** The newest bound link to a contact. */
  current(contactId: string): LinkStream | undefined {
    return this.#boundTo(contactId)?.stream
  }

  /** Sends a sealed signal; false without a link. */
  signal(contactId: string, signal: Uint8Array): boolean {
    const link = this.#boundTo(contactId)
    if (link === undefined) return false
    this.#used(link)
    link.stream.signal(signal)
    return true
  }

  /** An envelope over the newest bound link: true once acknowledged. */
  send(contactId: string, envelope: Uint8Array): Promise<boolean> {
    const link = this.#boundTo(contactId)
    if (link === undefined) return Promise.resolve(false)
    this.#used(link)
    return link.stream.send(envelope)
  }

  /** Whether the contact's conversation is on screen has changed. */
  attend(contactId: string): void {
    for (const link of this.#links.values()) {
      if (link.contactId === contactId) link.stream.attentive = this.#options.isWanted(contactId)
    }
  }

  /** Says bye on every link. */
  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ stream }) => stream.close()))
  }

  #boundTo(contactId: string): Link | undefined {
    return [...this.#links.values()].findLast((link) => link.contactId === contactId && link.stream.open)
  }

  #add(stream: Stream, connection: Connection, dialled: boolean): Link {
    const linkId = this.#nextId++
    const handlers = {
      onSignal: (signal: Uint8Array): void => void this.#onSignal(link, signal),
      onEnvelopes: (envelopes: readonly Uint8Array[]): Promise<boolean[]> => this.#onEnvelopes(link, envelopes),
      onEnd: (): void => this.#onEnd(link),
    }
    const opened = new LinkStream(stream, connection, handlers)
    const link: Link = { linkId, stream: opened, dialled, bound: Promise.withResolvers(), signals: 0 }
    link.bindTimer = setTimeout(() => opened.end(), bindWithinMs)
    this.#links.set(linkId, link)
    return link
  }

  async #onSignal(link: Link, signal: Uint8Array): Promise<void> {
    if (link.signals >= maxSignalsUnderWay) return
    link.signals++
    const answer = await this.#options.listener.onSignal(link.linkId, signal).catch(() => null)
    link.signals--
    if (!link.stream.open) return
    if (answer === null) {
      // Once bound, an expired or repeated signal is only dropped.
      if (link.contactId === undefined) link.stream.end()
      return
    }
    if (link.contactId !== undefined && link.contactId !== answer.contactId) {
      link.stream.end()
      return
    }
    if (answer.reply !== undefined) link.stream.signal(answer.reply)
    if (link.contactId === undefined) this.#bind(link, answer.contactId)
    this.#used(link)
  }

  #bind(link: Link, contactId: string): void {
    clearTimeout(link.bindTimer)
    link.contactId = contactId
    // Newest by binding, not by arrival: the order of the map is the order of use.
    this.#links.delete(link.linkId)
    this.#links.set(link.linkId, link)
    link.stream.attentive = this.#options.isWanted(contactId)
    link.bound.resolve(contactId)
    this.#options.onUp(contactId)
  }

  async #onEnvelopes(link: Link, envelopes: readonly Uint8Array[]): Promise<boolean[]> {
    // The peer may send as soon as it has bound the link; our engine may still be opening its answer.
    const contactId = await link.bound.promise
    if (contactId === undefined) return []
    this.#used(link)
    const source = { kind: 'link', linkId: link.linkId, contactId } as const
    const received = envelopes.map((envelope) => ({ envelope }))
    return this.#options.listener.onEnvelopes(source, received)
  }

  #onEnd(link: Link): void {
    clearTimeout(link.bindTimer)
    clearTimeout(link.idleTimer)
    this.#links.delete(link.linkId)
    link.bound.resolve(undefined)
    const { contactId } = link
    if (contactId !== undefined && this.#boundTo(contactId) === undefined) this.#options.onDown(contactId)
  }

  #used(link: Link): void {
    if (!link.dialled || link.contactId === undefined) return
    const { contactId } = link
    clearTimeout(link.idleTimer)
    link.idleTimer = setTimeout(() => {
      if (this.#options.isWanted(contactId)) this.#used(link)
      else void link.stream.close()
    }, idleMs)
  }
}
