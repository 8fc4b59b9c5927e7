/**
 * How often a test with random inputs repeats: `wanted` times, or fewer where SOTTO_FUZZ_RUNS says so. Mutation testing
 * runs the same tests hundreds of times, and a mutant that they catch at all is caught early. For tests only.
 */
export const repeats = (wanted: number): number => Math.min(wanted, Number(process.env['SOTTO_FUZZ_RUNS'] ?? wanted))
