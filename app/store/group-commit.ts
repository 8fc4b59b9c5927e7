/**
 * 64 steps share a transaction at most: a step is some milliseconds of work, and the first of them should not wait for much
 * longer than the disk takes anyway.
 */
const maxSteps = 64

/** A transaction that can take back what was changed since a point. */
export interface Revocable {
  /** From here on changes can be taken back; the last call counts. Returns the taking back. */
  savepoint(): () => void
}

interface Waiting<Tx> {
  /** Settles its own promise only after `end`; never throws. */
  readonly run: (tx: Tx) => Promise<boolean>
  /** The transaction is on disk, or why nothing of it is. */
  readonly end: (failure?: { readonly cause: unknown }) => void
}

/**
 * Steps that come while another transaction is being written share the next one: a sync of the disk takes as long for fifty
 * steps as for one. Invariants:
 * 1. Steps run one after the other, in the order in which they came; each sees what those before it changed.
 * 2. A step that throws takes nothing with it but its own changes.
 * 3. No step settles before its transaction is on disk; if that fails, every step in it fails with the same error.
 */
export class GroupCommit<Tx extends Revocable> {
  readonly #transact: (work: (tx: Tx) => Promise<void>) => Promise<void>
  readonly #waiting: Waiting<Tx>[] = []
  #running: Promise<void> | undefined

  /** `transact` runs `work` in one transaction and resolves once that is on disk; when `work` rejects nothing of it may be. */
  constructor(transact: (work: (tx: Tx) => Promise<void>) => Promise<void>) {
    this.#transact = transact
  }

  write<T>(step: (tx: Tx) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let settle = (): void => undefined
      this.#waiting.push({
        run: async (tx) => {
          const takeBack = tx.savepoint()
          try {
            const result = await step(tx)
            settle = () => resolve(result)
            return true
          } catch (cause) {
            takeBack()
            settle = () => reject(cause)
            return false
          }
        },
        end: (failure) => (failure ? reject(failure.cause) : settle()),
      })
      this.#running ??= this.#run()
    })
  }

  /** Resolves once every step so far has settled. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // What is begun in one go is written in one go.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#runGroup(this.#waiting.splice(0, maxSteps))
    // In the same turn in which nothing was left: whatever comes from here on starts anew.
    this.#running = undefined
  }

  async #runGroup(group: readonly Waiting<Tx>[]): Promise<void> {
    let worked = 0
    const nothing = new Error('no step of the transaction worked')
    try {
      await this.#transact(async (tx) => {
        for (const { run } of group) if (await run(tx)) worked++
        if (worked === 0) throw nothing
      })
      for (const { end } of group) end()
    } catch (cause) {
      for (const { end } of group) end(worked === 0 && cause === nothing ? undefined : { cause })
    }
  }
}
