/** The middle value; of two middle ones the lower. */
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]

/**
 * Operations per second of each case, one number per round. Rounds alternate between the cases, so that whatever else the
 * machine does, and however warm it is, meets all of them alike. One more round runs first and is not counted.
 *
 * @param cases `{ name, run, prepare? }`: `prepare` runs before each slice, outside the measured time.
 * @param rounds how many count
 * @param sliceMs how long one case runs in one round
 * @returns Map of name to operations per second, one number per round
 */
export const alternate = (cases, { rounds, sliceMs }) => {
  const figures = new Map(cases.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run, prepare } of cases) {
      prepare?.()
      let operations = 0
      const start = performance.now()
      let elapsed = 0
      while (elapsed < sliceMs) {
        run()
        operations++
        elapsed = performance.now() - start
      }
      if (round > 0) figures.get(name).push((operations / elapsed) * 1_000)
    }
  }
  return figures
}
