import type { Field } from '../../../protocol/wire/codec.ts'
import { ProtocolError } from '../../../protocol/wire/error.ts'

const refuse = (path: string, wanted: string): never => {
  throw new ProtocolError('malformed', `${path}: expected ${wanted}`)
}

/** A finite double as 8 big-endian bytes: the canonical codec knows unsigned integers only. */
export const double: Field<number> = {
  write: (value, path) => {
    if (!Number.isFinite(value)) refuse(path, 'a finite number')
    const out = new Uint8Array(8)
    new DataView(out.buffer).setFloat64(0, value)
    return out
  },
  read: (value, path) => {
    if (!(value instanceof Uint8Array) || value.length !== 8) return refuse(path, '8 bytes')
    const number = new DataView(value.buffer, value.byteOffset, 8).getFloat64(0)
    return Number.isFinite(number) ? number : refuse(path, 'a finite number')
  },
}
