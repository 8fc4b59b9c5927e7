/** Bytes of unpadded base64. Olm's messages travel as text; their binary length is what is compared. */
export const binaryLength = (text) => Math.floor((text.length * 3) / 4)

/**
 * An implementation in WebAssembly, in the form that `compare.mjs` measures.
 * @param open makes `{ near, far, bytes }` around a first message; both sessions have `free`
 * @param seal `(session, message)` gives `{ bytes, openAt }`: the length, and what opens it at another session
 */
export const wasmPeer = (name, open, seal) => {
  const step = (from, to, message) => {
    const { bytes, openAt } = seal(from, message)
    openAt(to)
    return { bytes, around: bytes - message.length }
  }
  return {
    name,
    establish: (message) => {
      const { near, far, bytes } = open(message)
      near.free()
      far.free()
      return { bytes }
    },
    pair: (message) => {
      const { near, far } = open(message)
      return {
        there: (m) => step(near, far, m),
        back: (m) => step(far, near, m),
        seal: (m) => void seal(near, m),
      }
    },
  }
}
