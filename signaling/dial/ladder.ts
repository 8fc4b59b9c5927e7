/**
 * How one contact's envelopes travel: decisions only. State and event in, new state and the next rungs out; `dialer.ts`
 * does them. The diagram is in `signaling/README.md`.
 *
 * 1. Every envelope settles exactly once, and none is forgotten: while it is unsettled it is on the link, being deposited,
 *    or waiting for a dial under way.
 * 2. A dial never holds up a deposit: without an open link both begin in the same step.
 * 3. An envelope given to the link is deposited as well once its acknowledgement is late (the link was silent for
 *    1.5 s, or it waits for 10), refused or lost with the link.
 * 4. It settles with the first acknowledgement or deposit, and as failed only when nothing is left to wait for.
 * 5. At most one dial is under way, never while a link is up, never unless dialling is allowed, never before the time that
 *    the last failure or loss set, and only while something wants it: an unsettled envelope or a conversation on screen.
 * 6. Where nothing is wanted nothing happens: no dial, and no timer asked for.
 * 7. Envelopes go to the link and to the mailboxes in the order in which they were given.
 */

/** Where one unsettled envelope is. */
interface EnvelopePlace {
  readonly onLink: boolean
  readonly deposit: 'not-tried' | 'under-way' | 'failed'
}

export interface LadderState {
  readonly link: 'down' | 'dialling' | 'up'
  /** Only accepted contacts are dialled. */
  readonly mayDial: boolean
  /** Their conversation is on screen. */
  readonly wanted: boolean
  /** Milliseconds, by the clock of `climb`, before which no dial begins. */
  readonly notBeforeMs: number
  /** Unsettled envelopes by ascending id. */
  readonly envelopes: ReadonlyMap<number, EnvelopePlace>
}

export type LadderEvent =
  | { readonly kind: 'send'; readonly id: number }
  /** What the app says about the contact. */
  | { readonly kind: 'route'; readonly mayDial: boolean }
  | { readonly kind: 'want'; readonly wanted: boolean }
  /** A link is bound to the contact, whoever dialled it. */
  | { readonly kind: 'link-up' }
  /** The last bound link is gone. */
  | { readonly kind: 'link-down'; readonly retryAtMs: number }
  | { readonly kind: 'dial-failed'; readonly retryAtMs: number }
  | { readonly kind: 'acknowledged'; readonly id: number }
  /** The peer refused it, or the link ended with it. */
  | { readonly kind: 'unacknowledged'; readonly id: number }
  /** Its acknowledgement should have come by now. */
  | { readonly kind: 'late'; readonly id: number }
  | { readonly kind: 'deposited'; readonly id: number }
  | { readonly kind: 'deposit-failed'; readonly id: number }
  /** A time asked for with `wake` has come. */
  | { readonly kind: 'time' }
  /** The way to the outside came back: earlier failures say nothing any more. */
  | { readonly kind: 'encouraged' }

export type Rung =
  | { readonly kind: 'transmit'; readonly id: number }
  | { readonly kind: 'deposit'; readonly id: number }
  | { readonly kind: 'settle'; readonly id: number; readonly as: 'direct' | 'deposited' | 'failed' }
  | { readonly kind: 'dial' }
  | { readonly kind: 'wake'; readonly atMs: number }

export interface Step {
  readonly state: LadderState
  readonly rungs: readonly Rung[]
}

export const initialLadder: LadderState = {
  link: 'down',
  mayDial: false,
  wanted: false,
  notBeforeMs: 0,
  envelopes: new Map(),
}

const without = (state: LadderState, id: number): LadderState => {
  const envelopes = new Map(state.envelopes)
  envelopes.delete(id)
  return { ...state, envelopes }
}

const placed = (state: LadderState, id: number, place: EnvelopePlace): LadderState => ({
  ...state,
  envelopes: new Map(state.envelopes).set(id, place),
})

const settle = (state: LadderState, id: number, as: 'direct' | 'deposited'): Step =>
  state.envelopes.has(id) ? { state: without(state, id), rungs: [{ kind: 'settle', id, as }] } : { state, rungs: [] }

const begin = (state: LadderState, id: number): Step =>
  state.link === 'up'
    ? { state: placed(state, id, { onLink: true, deposit: 'not-tried' }), rungs: [{ kind: 'transmit', id }] }
    : { state: placed(state, id, { onLink: false, deposit: 'under-way' }), rungs: [{ kind: 'deposit', id }] }

/** Everything unsettled goes to the fresh link too: whichever answers first counts. */
const transmitAll = (state: LadderState): Step => {
  const waiting = [...state.envelopes].filter(([, { onLink }]) => !onLink)
  const onLink = waiting.map(([id, place]) => [id, { ...place, onLink: true }] as const)
  return {
    state: { ...state, link: 'up', envelopes: new Map([...state.envelopes, ...onLink]) },
    rungs: waiting.map(([id]) => ({ kind: 'transmit', id })),
  }
}

/** The deposit that was not needed so far. */
const depositToo = (state: LadderState, id: number, onLink: boolean): Step => {
  const place = state.envelopes.get(id)
  if (place === undefined) return { state, rungs: [] }
  if (place.deposit !== 'not-tried') return { state: placed(state, id, { ...place, onLink }), rungs: [] }
  return { state: placed(state, id, { onLink, deposit: 'under-way' }), rungs: [{ kind: 'deposit', id }] }
}

const depositFailed = (state: LadderState, id: number): LadderState => {
  const place = state.envelopes.get(id)
  return place === undefined ? state : placed(state, id, { ...place, deposit: 'failed' })
}

const react = (state: LadderState, event: LadderEvent): Step => {
  switch (event.kind) {
    case 'send':
      return begin(state, event.id)
    case 'route':
      return { state: { ...state, mayDial: event.mayDial }, rungs: [] }
    case 'want':
      return { state: { ...state, wanted: event.wanted }, rungs: [] }
    case 'link-up':
      return transmitAll(state)
    case 'link-down':
    case 'dial-failed':
      return { state: { ...state, link: 'down', notBeforeMs: event.retryAtMs }, rungs: [] }
    case 'acknowledged':
      return settle(state, event.id, 'direct')
    case 'deposited':
      return settle(state, event.id, 'deposited')
    case 'unacknowledged':
      return depositToo(state, event.id, false)
    case 'late':
      return depositToo(state, event.id, state.envelopes.get(event.id)?.onLink === true)
    case 'deposit-failed':
      return { state: depositFailed(state, event.id), rungs: [] }
    case 'time':
      return { state, rungs: [] }
    case 'encouraged':
      return { state: { ...state, notBeforeMs: 0 }, rungs: [] }
  }
}

/** Whether to dial now, or when to think about it again. */
const considerDial = (state: LadderState, nowMs: number): Step => {
  const wanting = state.wanted || state.envelopes.size > 0
  if (state.link !== 'down' || !state.mayDial || !wanting) return { state, rungs: [] }
  if (nowMs >= state.notBeforeMs) return { state: { ...state, link: 'dialling' }, rungs: [{ kind: 'dial' }] }
  // An envelope alone asks for no timer: its deposit decides, and the next envelope asks again.
  return { state, rungs: state.wanted ? [{ kind: 'wake', atMs: state.notBeforeMs }] : [] }
}

/** Gives up on what has nothing left to wait for. */
const giveUp = (state: LadderState): Step => {
  if (state.link === 'dialling') return { state, rungs: [] }
  const lost = [...state.envelopes].filter(([, { onLink, deposit }]) => !onLink && deposit === 'failed')
  const left = new Map(state.envelopes)
  for (const [id] of lost) left.delete(id)
  return { state: { ...state, envelopes: left }, rungs: lost.map(([id]) => ({ kind: 'settle', id, as: 'failed' })) }
}

/** The one decision function. Events about envelopes already settled change nothing. */
export const climb = (state: LadderState, event: LadderEvent, nowMs: number): Step => {
  const reaction = react(state, event)
  const dial = considerDial(reaction.state, nowMs)
  const end = giveUp(dial.state)
  return { state: end.state, rungs: [...reaction.rungs, ...dial.rungs, ...end.rungs] }
}
