/** The middle value; of two middle ones the lower. */
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]

/** Calls a function that may answer at once or later, and waits only for the latter. */
export const inTurn = (first, second) => {
  const pending = first()
  return pending instanceof Promise ? pending.then(second) : second()
}

/**
 * Operations per second of each case, one number per round. Rounds alternate between the cases, so that whatever else the
 * machine does, and however warm it is, meets all of them alike. One more round runs first and is not counted.
 *
 * @param cases `{ name, run }`; `run` may return a promise
 * @param rounds how many count
 * @param sliceMs how long one case runs in one round
 * @returns Map of name to operations per second, one number per round
 */
export const alternate = async (cases, { rounds, sliceMs }) => {
  const figures = new Map(cases.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run } of cases) {
      let operations = 0
      const start = performance.now()
      let elapsed = 0
      while (elapsed < sliceMs) {
        const pending = run()
        if (pending instanceof Promise) await pending
        operations++
        elapsed = performance.now() - start
      }
      if (round > 0) figures.get(name).push((operations / elapsed) * 1_000)
    }
  }
  return figures
}
