/** What went wrong with the camera, and what to do about it. `instead` says what works without one. */
export const cameraProblem = (cause: unknown, instead: string): string => {
  const name = cause instanceof DOMException ? cause.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError')
    return `The camera is not allowed. Allow it for this site in the browser’s settings, or ${instead}.`
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return `No camera was found: ${instead} instead.`
  if (name === 'NotReadableError') return `Another program uses the camera. Close it, or ${instead}.`
  return `The camera does not work here: ${instead} instead.`
}
