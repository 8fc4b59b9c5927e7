declare const brand: unique symbol

/** A nominal type over `T`: a `RootKey` cannot be passed where a `ChainKey` belongs. Exists in types only. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Source of randomness, handed in by the caller: returns `length` fresh, uniformly random bytes. */
export type Random = (length: number) => Uint8Array
