import { Session, type Profiler } from 'node:inspector'

/** What ran since the last reading. */
export interface Reading {
  readonly scripts: readonly Profiler.ScriptCoverage[]
  /** Executions of blocks, summed up: a measure of work that is the same on a slow and on a busy machine. */
  readonly work: number
}

type Ranges = Profiler.FunctionCoverage['ranges']

/** The fuzzer's own scripts, and those that make its inputs. */
const ofFuzzer = (url: string): boolean => url.includes('/protocol/fuzz/') || url.includes('.fixture.ts')

/** Blocks of `protocol/` are news; work is counted in the libraries below as well. */
export const protocolScripts = {
  watches: (url: string): boolean => url.includes('/protocol/') && !ofFuzzer(url),
  weighs: (url: string): boolean => url.startsWith('file:') && !ofFuzzer(url),
}

/** Functions come outermost first or not, depending on V8; painted in this order, the inner ones win. */
const outermostFirst = (functions: readonly Profiler.FunctionCoverage[]): Ranges =>
  functions
    .toSorted(({ ranges: [a] }, { ranges: [b] }) => {
      const [startA = 0, endA = 0, startB = 0, endB = 0] = [a?.startOffset, a?.endOffset, b?.startOffset, b?.endOffset]
      return startA - startB || endB - endA
    })
    .flatMap(({ ranges }) => ranges)

const workOf = (scripts: readonly Profiler.ScriptCoverage[]): number => {
  let work = 0
  for (const { functions } of scripts) for (const { ranges } of functions) for (const { count } of ranges) work += count
  return work
}

const stretchesOfZero = (bytes: Uint8Array): number => {
  let stretches = 0
  for (let at = bytes.indexOf(0); at >= 0;) {
    stretches++
    const end = bytes.indexOf(1, at)
    at = end < 0 ? -1 : bytes.indexOf(0, end)
  }
  return stretches
}

/**
 * Which blocks of source have run, by V8's own precise coverage. Only scripts that are loaded after `start` are seen block by
 * block, so what is to be measured must be imported dynamically, later.
 *
 * V8 reports nested ranges and leaves out a block whose count is its parent's. Blocks have therefore no stable names; what is
 * remembered is one byte for each character of a script: has it run?
 */
export class BlockCoverage {
  private readonly session = new Session()
  private readonly reached = new Map<string, Uint8Array>()
  private readonly watches: (url: string) => boolean
  private readonly weighs: (url: string) => boolean
  /** Stretches of source that were first reached together. */
  blocks = 0

  /** By the address of a script: does a new block in it count, and do its executions count as work? */
  constructor(scripts: { watches: (url: string) => boolean; weighs: (url: string) => boolean }) {
    this.watches = scripts.watches
    this.weighs = scripts.weighs
  }

  /** Calls the inspector, which answers in place. */
  private post(method: 'Profiler.takePreciseCoverage'): Profiler.TakePreciseCoverageReturnType
  private post(method: string, params?: object): unknown
  private post(method: string, params: object = {}): unknown {
    let answer: unknown
    this.session.post(method, params, (error: Error | null, result?: unknown) => {
      if (error !== null) throw error
      answer = result
    })
    return answer
  }

  start(): void {
    this.session.connect()
    this.post('Profiler.enable')
    this.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  stop(): void {
    this.post('Profiler.stopPreciseCoverage')
    this.session.disconnect()
  }

  /** Starts again with nothing reached: what one decoder has reached is news for the next. */
  forget(): void {
    this.reached.clear()
    this.blocks = 0
  }

  /** Everything since the last call; V8's counters start again at nothing. */
  read(): Reading {
    const { result } = this.post('Profiler.takePreciseCoverage')
    return {
      scripts: result.filter(({ url }) => this.watches(url)),
      work: workOf(result.filter(({ url }) => this.weighs(url))),
    }
  }

  /** The number of blocks that had not been reached before. */
  fresh({ scripts }: Reading): number {
    return scripts.reduce((sum, script) => sum + this.paint(script, false), 0)
  }

  /** Remembers what ran; the number of blocks reached for the first time. */
  add({ scripts }: Reading): number {
    const fresh = scripts.reduce((sum, script) => sum + this.paint(script, true), 0)
    this.blocks += fresh
    return fresh
  }

  private reachedOf(scriptId: string, length: number): Uint8Array {
    const known = this.reached.get(scriptId)
    if (known !== undefined && known.length >= length) return known
    const longer = new Uint8Array(2 * length)
    longer.set(known ?? [])
    this.reached.set(scriptId, longer)
    return longer
  }

  /** Blocks of this script that ran for the first time. */
  private paint({ scriptId, functions }: Profiler.ScriptCoverage, remember: boolean): number {
    const ranges = outermostFirst(functions)
    const from = ranges[0]?.startOffset ?? 0
    const until = ranges.reduce((most, { endOffset }) => Math.max(most, endOffset), from)
    const reached = this.reachedOf(scriptId, until)
    const now = new Uint8Array(until - from)
    for (const { startOffset, endOffset, count } of ranges)
      now.fill(count > 0 ? 1 : 0, startOffset - from, endOffset - from)
    let fresh = 0
    for (let at = now.indexOf(1); at >= 0;) {
      const gap = now.indexOf(0, at)
      const end = gap < 0 ? now.length : gap
      const known = reached.subarray(from + at, from + end)
      fresh += stretchesOfZero(known)
      if (remember) known.fill(1)
      at = now.indexOf(1, end)
    }
    return fresh
  }
}
