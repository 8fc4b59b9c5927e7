import type { DecoderCase } from '../relay/calls.fixture.ts'
import { seededPick, type Pick } from '../wire/fuzz.fixture.ts'
import type { BlockCoverage, Reading } from './coverage.ts'
import { judge, type Finding, type Verdict } from './judge.ts'
import { minimise } from './minimise.ts'
import { mutate } from './mutate.ts'

/**
 * Inputs between two readings of the coverage, which cost as much as some hundred decodings. A batch in which something new ran
 * is run again, half by half, until the input is found; so batches are small while there is much to find, and grow.
 */
const batchSize = { least: 8, most: 256 }

/** 8 KiB: longer than every sample; what grows faster than its input shows long before. */
const maxLength = 8_192

/**
 * Work that an input may cause: 64 times what the dearest valid encoding does, or 50,000 blocks (about a millisecond), whichever
 * is more, and 500 blocks a byte, ten times what reading one value costs. What is quadratic crosses it at some hundred bytes.
 */
const workPerSample = 64
const leastWork = 50_000
const workPerByte = 500

/** 64 bytes: 16,320 changes of one byte, which chance would need five times as many inputs to meet. */
const longestWalked = 64

/** Tries when cutting an input down: more than some hundred bytes need; few where each try reads the coverage and is slow itself. */
const triesByVerdict = 4_000
const triesByWork = 100
const triesToTrim = 24

/** Ten findings of one decoder; more of them say nothing more. */
const maxFindings = 10

export interface FuzzOptions {
  readonly coverage: BlockCoverage
  readonly seed: number
  /** Valid encodings of other structs, to splice from. */
  readonly others: readonly Uint8Array[]
  /** Tried first, beside the decoder's own sample. */
  readonly seeds?: readonly Uint8Array[]
  /** Asked with the number of inputs tried and of findings so far, after every batch. */
  readonly continues: (executions: number, findings: number) => boolean
  /** False: what is reached is measured, but not learned from. The control of the fuzzer's own test. */
  readonly feedback?: boolean
}

export interface FuzzReport {
  readonly decoder: string
  /** Inputs tried; running a batch again is not counted. */
  readonly executions: number
  readonly accepted: number
  readonly corpus: readonly Uint8Array[]
  /** Blocks reached by the seeds, and in the end. */
  readonly blocksBefore: number
  readonly blocks: number
  readonly findings: readonly Finding[]
}

/** One decoder under fuzzing: inputs that reach new blocks are kept and mutated further. */
class Campaign {
  private readonly decoder: DecoderCase
  private readonly options: FuzzOptions
  private readonly pick: Pick
  private readonly findings = new Map<string, Finding>()
  private allowance = 0
  private executions = 0
  private accepted = 0
  readonly corpus: Uint8Array[] = []
  private readonly walks: Generator<Uint8Array>[] = []

  constructor(decoder: DecoderCase, options: FuzzOptions) {
    this.decoder = decoder
    this.options = options
    this.pick = seededPick(options.seed)
    options.coverage.forget()
  }

  private report(input: Uint8Array, fault: Exclude<Verdict, string>): void {
    const key = `${fault.kind} ${fault.detail}`
    if (this.findings.has(key) || this.findings.size >= maxFindings) return
    const shows = (candidate: Uint8Array): boolean => {
      const verdict = fault.kind === 'too much work' ? this.weigh(candidate) : judge(this.decoder, candidate)
      return typeof verdict === 'object' && `${verdict.kind} ${verdict.detail}` === key
    }
    const tries = fault.kind === 'too much work' ? triesByWork : triesByVerdict
    this.findings.set(key, { decoder: this.decoder.name, ...fault, input: minimise(input, shows, tries) })
  }

  private try(input: Uint8Array): void {
    const verdict = judge(this.decoder, input)
    if (verdict === 'accepted') this.accepted++
    else if (verdict !== 'refused') this.report(input, verdict)
  }

  /** Runs one input by itself and says whether it did too much for its length. */
  private weigh(input: Uint8Array): Verdict {
    this.options.coverage.read()
    judge(this.decoder, input)
    return this.judgeWork(input, this.options.coverage.read())
  }

  private judgeWork({ length }: Uint8Array, { work }: Reading): Verdict {
    if (this.allowance === 0 || work <= this.allowance + workPerByte * length) return 'refused'
    return { kind: 'too much work', detail: 'more blocks ran than its length allows' }
  }

  /** A shorter input that reaches as many new blocks: long ones are slow to search, and no part of them may matter. */
  private trim(input: Uint8Array, fresh: number): Uint8Array {
    const { coverage } = this.options
    if (input.length <= longestWalked) return input
    const reachesAll = (candidate: Uint8Array): boolean => {
      judge(this.decoder, candidate)
      return coverage.fresh(coverage.read()) >= fresh
    }
    return minimise(input, reachesAll, triesToTrim)
  }

  private keep(input: Uint8Array): void {
    this.corpus.push(input)
    if (input.length <= longestWalked) this.walks.push(everyByte(input))
  }

  /** Finds in a batch the inputs that reached something new or did too much, by halves. */
  private search(inputs: readonly Uint8Array[], reading: Reading): void {
    const { coverage, feedback = true } = this.options
    if (coverage.fresh(reading) === 0 && (this.allowance === 0 || reading.work <= this.allowance)) return
    const [input] = inputs
    if (inputs.length > 1) {
      const middle = inputs.length >> 1
      for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
        for (const each of half) judge(this.decoder, each)
        this.search(half, coverage.read())
      }
    } else if (input !== undefined) {
      const verdict = this.judgeWork(input, reading)
      if (typeof verdict === 'object') this.report(input, verdict)
      if (feedback && coverage.fresh(reading) > 0) this.keep(this.trim(input, coverage.fresh(reading)))
      coverage.add(reading)
    }
  }

  /** True if the batch reached something new. */
  private run(inputs: readonly Uint8Array[]): boolean {
    const { coverage } = this.options
    for (const input of inputs) this.try(input)
    this.executions += inputs.length
    const reading = coverage.read()
    const before = coverage.blocks
    this.search(inputs, reading)
    // What only ran because of what ran before (a table made once) is nobody's merit.
    coverage.add(reading)
    return coverage.blocks > before
  }

  /** The valid encodings: they set what work is allowed. */
  private begin(): void {
    const seeds = [this.decoder.sample, ...(this.options.seeds ?? [])]
    for (const seed of seeds) this.keep(seed)
    // Once before, so that tables made once are not counted.
    for (const seed of seeds) judge(this.decoder, seed)
    this.run(seeds)
    const work = seeds.map((seed) => {
      this.options.coverage.read()
      judge(this.decoder, seed)
      return this.options.coverage.read().work
    })
    this.allowance = Math.max(leastWork, workPerSample * Math.max(...work))
  }

  /** Half the time the newest, a quarter one of the last eight, where the frontier is; otherwise any. */
  private parent(): Uint8Array {
    const { length } = this.corpus
    const back = this.pick([1, 1, Math.min(8, length), length][this.pick(4)] ?? length)
    return this.corpus[length - 1 - back] ?? this.decoder.sample
  }

  private next(): Uint8Array {
    const { others, feedback = true } = this.options
    if (feedback && this.pick(2) === 0) {
      const walked = this.walks.at(-1)?.next()
      if (walked?.done === false) return walked.value
      this.walks.pop()
    }
    return mutate(this.parent(), pickFrom(this.corpus, others, this.pick), maxLength, this.pick)
  }

  finish(): FuzzReport {
    this.begin()
    const blocksBefore = this.options.coverage.blocks
    const { least, most } = batchSize
    for (let length: number = least; this.options.continues(this.executions, this.findings.size);) {
      const isNew = this.run(Array.from({ length }, () => this.next()))
      length = isNew ? Math.max(least, length / 2) : Math.min(most, length * 2)
    }
    const { executions, accepted, corpus } = this
    const blocks = this.options.coverage.blocks
    const findings = [...this.findings.values()]
    return { decoder: this.decoder.name, executions, accepted, corpus, blocksBefore, blocks, findings }
  }
}

/** The input with every one of its bytes at every other value. */
function* everyByte(input: Uint8Array): Generator<Uint8Array> {
  for (const [at, byte] of input.entries()) {
    for (let change = 1; change < 256; change++) yield input.with(at, byte ^ change)
  }
}

/** Splices come from this decoder's corpus three times of four, else from other structs. */
const pickFrom = (corpus: readonly Uint8Array[], others: readonly Uint8Array[], pick: Pick): readonly Uint8Array[] =>
  others.length === 0 || pick(4) > 0 ? corpus : others

/** Fuzzes one decoder. The same seed and number of executions give the same report, if `continues` counts executions. */
export const fuzz = (decoder: DecoderCase, options: FuzzOptions): FuzzReport => new Campaign(decoder, options).finish()
