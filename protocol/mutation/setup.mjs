import { configureGlobal } from 'fast-check'

// The same inputs in every run, so that a score is a fact and not luck; and no search for the smallest counterexample.
configureGlobal({ seed: 1, numRuns: 20, endOnFailure: true })

// Refusals are most of what the tests provoke, and nobody reads where they came from.
Error.stackTraceLimit = 0
